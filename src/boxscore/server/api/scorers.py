"""What a comparison can be made of: scorers and providers."""

import os
from collections.abc import Iterator

import msgspec

from boxscore import settings
from boxscore.experiments.jobs_spec import named_providers
from boxscore.providers.known import KNOWN
from boxscore.scoring import list_scorers
from boxscore.scoring.registry import ScorerInfo
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that a comparison may name. `ready`: its key is in the server's environment, or it needs none;
    `key_env` is where that would be."""

    name: str
    ready: bool
    key_env: str | None


def add(api: Api, service: Service) -> None:
    @api.get("/scorers", answer=list[ScorerInfo], right="read")
    def scorers() -> list[ScorerInfo]:
        """Scorers by name, with how each is written in a spec."""
        return list(list_scorers())

    @api.get("/providers", answer=list[ProviderInfo], right="read")
    def providers() -> list[ProviderInfo]:
        """Providers that the server can ask, those that are ready first."""
        return sorted(_providers(), key=lambda one: (not one.ready, one.name))


def _providers() -> Iterator[ProviderInfo]:
    yield ProviderInfo(name="tiny", ready=True, key_env=None)
    named = named_providers(settings.load())
    for name in named:
        yield ProviderInfo(name=name, ready=True, key_env=f"{name.upper().replace('-', '_')}_API_KEY")
    for name, known in KNOWN.items():
        if name not in named and known.base_url is not None and known.key_env is not None:
            yield ProviderInfo(name=name, ready=bool(os.environ.get(known.key_env)), key_env=known.key_env)
