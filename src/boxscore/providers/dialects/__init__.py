"""Dialects: the wire formats of the providers, one file each."""

from boxscore.providers.dialects.dialect import Assembly, Dialect, Event, Framing

__all__ = ["Assembly", "Dialect", "Event", "Framing"]
