"""The HTTP API, `/api/v1`: one file per noun, each of thin handlers over the domain."""

from boxscore.server.api import (
    audit,
    comparisons,
    costs,
    datasets,
    exports,
    identity,
    index,
    jobs,
    keys,
    live,
    members,
    metrics,
    prices,
    projects,
    runs,
    scorers,
    scores,
    search,
    sessions,
    spans,
    system,
    traces,
    variants,
)
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["make_api"]

NOUNS = (
    index,
    live,
    exports,
    traces,
    spans,
    system,
    sessions,
    search,
    metrics,
    prices,
    scores,
    datasets,
    variants,
    runs,
    comparisons,
    scorers,
    jobs,
    costs,
    identity,
    members,
    keys,
    projects,
    audit,
)
"""In the order of OpenAPI. A route that comes first wins."""


def make_api(service: Service) -> Api:
    """The application behind `/api`, with every route there is."""
    api = Api(service)
    for noun in NOUNS:
        noun.add(api, service)
    return api
