"""What a run that is kept would cost by the prices of another day, or on another model's."""

from datetime import date, datetime

import msgspec

from boxscore.costs import Repricing, reprice
from boxscore.errors import UnknownPriceError
from boxscore.providers.response import Response, Usage
from boxscore.store.records import Records

__all__ = ["reprice_run"]


def reprice_run(
    records: Records,
    run_id: str,
    at: datetime | date | None = None,
    *,
    model: str | None = None,
    provider: str | None = None,
) -> Repricing:
    """The responses of the run by the prices of `at` (default: now), of the models that answered or of another one.
    Nothing that is kept changes. `UnknownPriceError` where no response has a price then."""
    run = records.run(run_id)
    responses = [
        Response(
            model=model or row.model,
            provider=provider or row.provider,
            usage=msgspec.json.decode(row.usage_json, type=Usage) if row.usage_json else None,
            cost_usd=row.cost_usd,
            price=row.price,
        )
        for _, row in records.run_trials(run_id)
    ]
    again = reprice(responses, at, model=run.model)
    if again.unpriced == again.responses and again.responses:
        raise UnknownPriceError(run.model or "(no model)", needed_by=f"run {run_id}")
    return again
