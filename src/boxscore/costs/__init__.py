"""Costs: what an answer cost, by which price, and what it would cost on another day.

`normalise` reads a provider's usage in whatever dialect it comes, `price` multiplies it with the row of a dated price
book, and every `Cost` keeps the name and version of that row.
"""

from boxscore.costs.book import LOCAL, PriceBook, default_book, find_provider, fixed_row, price
from boxscore.costs.cost import Cost, Part, cost
from boxscore.costs.dialects import DIALECTS, dialect_of_api
from boxscore.costs.kinds import KINDS, Kind
from boxscore.costs.reprice import Repriced, Repricing, reprice
from boxscore.costs.row import Match, PriceRow, Rate, Since, Tier
from boxscore.costs.usage import Reading, add_usage, events_of, normalise, read_body

__all__ = [
    "DIALECTS",
    "KINDS",
    "LOCAL",
    "Cost",
    "Kind",
    "Match",
    "Part",
    "PriceBook",
    "PriceRow",
    "Rate",
    "Reading",
    "Repriced",
    "Repricing",
    "Since",
    "Tier",
    "add_usage",
    "cost",
    "default_book",
    "dialect_of_api",
    "events_of",
    "find_provider",
    "fixed_row",
    "normalise",
    "price",
    "read_body",
    "reprice",
]
