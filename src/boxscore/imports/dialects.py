"""Providers as other tools call them, in our names."""

from boxscore.providers.known import KNOWN

__all__ = ["known_providers", "our_provider"]

_OURS = {
    "azureai": "azure",
    "azureopenai": "azure",
    "grok": "x-ai",
    "palm": "google",
    "togetherai": "together",
    "xai": "x-ai",
}


def known_providers() -> frozenset[str]:
    """Names that a variant's `provider` may have without a `base_url`."""
    return frozenset(name for name, known in KNOWN.items() if known.base_url is not None)


def our_provider(name: str) -> str:
    """Our name for a provider, which is mostly the one that everybody uses."""
    return _OURS.get(name, name)
