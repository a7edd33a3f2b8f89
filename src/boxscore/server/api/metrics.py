"""Numbers over spans: counts, facets, groups, and totals over time."""

from typing import Annotated

from fastapi import Query

from boxscore.client.forms import encode
from boxscore.server.api.parameters import Filters, Limit, Project, Wait, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans.measures import Group, parse_measure
from boxscore.store.spans.store import Counts, Facet, Series, SeriesBy

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    store = service.store

    @api.get("/facets", answer=list[Facet], right="read")
    def facets(
        project: Project,
        field: Annotated[str, Query(description="A text field, as in `model`, or `metadata.KEY`.", examples=["model"])],
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        limit: Limit = 20,
    ) -> list[Facet]:
        """The most frequent values of a field among the spans that the filter takes."""
        return list(store.facets(project, field, conditions(filter), limit=limit))

    @api.get("/counts", answer=Counts, right="read")
    def counts(project: Project, filter: Filters = []) -> Counts:  # noqa: B006
        """Exact totals over the spans that the filter takes."""
        return store.counts(project, conditions(filter))

    @api.get("/aggregate", answer=list[Group], right="read")
    def aggregate(
        project: Project,
        measure: Annotated[
            list[str], Query(description="As in `count`, `sum(cost_usd)`, `p95(duration_ns)`.", examples=[["count"]])
        ],
        by: Annotated[
            list[str], Query(description="A text field, `metadata.KEY`, a flag, `minute`, `hour` or `day`.")
        ] = [],  # noqa: B006
        filter: Filters = [],  # noqa: B006
        limit: Limit = 100,
    ) -> list[Group]:
        """Measures over the spans that the filter takes, in groups."""
        measures = [parse_measure(text) for text in measure]
        return list(store.aggregate(project, measures, conditions(filter), by=by, limit=limit))

    @api.get("/series", answer=Series, right="read")
    async def series(
        project: Project,
        start_ns: Annotated[int, Query(description="Nanoseconds since 1970, a whole minute.")],
        end_ns: Annotated[int, Query(description="Nanoseconds since 1970, a whole minute; not in the series.")],
        step_ns: Annotated[int, Query(description="Whole minutes, in nanoseconds.")],
        by: Annotated[SeriesBy | None, Query(description="The field whose values are told apart.")] = None,
        wait: Wait = 0,
    ) -> bytes:
        """Totals over time, from roll-ups. `pending` spans were acknowledged and are not in it yet."""
        await service.caught_up(wait)
        return await service.ask(
            lambda: encode(store.series(project, start_ns=start_ns, end_ns=end_ns, step_ns=step_ns, by=by))
        )
