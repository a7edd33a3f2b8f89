"""Costs: what calls cost, and what they would cost."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Query

from boxscore.costs import Repricing, default_book
from boxscore.errors import NotFoundError, UnknownNameError
from boxscore.experiments.repricing import reprice_run
from boxscore.server.api.parameters import Filters, Project, conditions
from boxscore.server.api.routes import Api
from boxscore.server.service import Service
from boxscore.store.spans import Condition
from boxscore.tracing.what_if import WhatIf, what_if

__all__ = ["add"]


def add(api: Api, service: Service) -> None:
    @api.get("/cost/what-if", answer=WhatIf, right="read")
    def cost_what_if(
        project: Project,
        start_ns: Annotated[int, Query(description="Nanoseconds since 1970.")],
        end_ns: Annotated[int, Query(description="Nanoseconds since 1970; calls from then on are not in it.")],
        filter: Filters = [],  # noqa: B006 - FastAPI copies it
        by: Annotated[str | None, Query(description="As in `aggregate`: `step`, `day`, `metadata.team`.")] = None,
        model: Annotated[
            list[str],
            Query(description="`model` or `provider/model`; `own` is each call's own, and the default.", max_length=20),
        ] = [],  # noqa: B006
        at: Annotated[datetime | date | None, Query(description="Prices of this moment. Default: now.")] = None,
    ) -> WhatIf:
        """The calls of a time by model, with their tokens by kind and what they cost; and what the same tokens would
        have cost on other models, or at the prices of another day, with the arithmetic of every sum."""
        within = [Condition("start_ns", ">=", start_ns), Condition("start_ns", "<", end_ns)]
        return what_if(
            service.store,
            project,
            [*conditions(filter), *within],
            book=default_book(),
            by=by,
            models=model,
            at=at,
        )

    @api.get("/cost/runs/{run}", answer=Repricing, right="read", errors=(404,))
    def run_cost(
        project: Project,
        run: str,
        model: Annotated[str | None, Query(description="Another model. Default: those that answered.")] = None,
        provider: Annotated[str | None, Query(description="Who sells it.")] = None,
        at: Annotated[datetime | date | None, Query(description="Prices of this moment. Default: now.")] = None,
    ) -> Repricing:
        """What a run would cost by the prices of a moment; what is kept of it does not change."""
        records = service.records.of(project)
        try:
            return reprice_run(records, run, at, model=model, provider=provider)
        except UnknownNameError:
            raise NotFoundError("run", run) from None
