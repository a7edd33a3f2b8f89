"""Which columns of rows mean what, where the user says so."""

import msgspec

__all__ = ["Fields"]


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """Names of columns. `inputs` empty and None elsewhere: it is guessed, and the guess is told."""

    inputs: tuple[str, ...] = ()
    reference: str | None = None
    cluster: str | None = None
    slices: tuple[str, ...] = ()
