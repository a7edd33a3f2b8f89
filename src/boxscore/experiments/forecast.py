"""What a run will cost, said before its first paid call."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

import msgspec

from boxscore.costs import PriceBook, PriceRow, cost
from boxscore.datasets.example import Example
from boxscore.errors import UnreadableUsageError
from boxscore.providers.response import Response, Usage

CHARACTERS_PER_TOKEN = 4.0
"""Of English text by most tokenisers; taken until the provider's own counts say better."""
ASSUMED_OUTPUT = 250
"""Tokens of an answer where neither earlier answers nor `max_tokens` say anything."""
_SAMPLE = 200


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` are still to be made. `usd` is what they cost about, None where no price is known; `basis` what the
    length of the answers was taken from: "earlier answers", "max_tokens" or "250 tokens an answer"."""

    calls: int
    usd: Decimal | None
    basis: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """How much one question asks: characters sent, and the most tokens that may come back where that is said."""

    characters: int
    max_output_tokens: int | None = None


@runtime_checkable
class Foreseen(Protocol):
    """A variant that knows what it will send, and at which price."""

    def ask(self, example: Example) -> Ask: ...

    def price_row(self, book: PriceBook, at: datetime) -> PriceRow | None: ...


def forecast(
    variant: object,
    examples: Sequence[Example],
    answered: Iterable[tuple[Example, Response]],
    *,
    book: PriceBook,
    at: datetime,
) -> Forecast:
    """The cost of asking `variant` all `examples` (one entry a call). `answered` are answers that it gave before: they
    say how many characters are a token and how long an answer is."""
    calls = len(examples)
    row = variant.price_row(book, at) if isinstance(variant, Foreseen) else None
    if row is None or not isinstance(variant, Foreseen):
        return Forecast(calls=calls, usd=None)
    if not calls or row.free:
        return Forecast(calls=calls, usd=Decimal(0))
    step = max(1, calls // _SAMPLE)
    asks = [variant.ask(example) for example in examples[::step]]
    characters = sum(ask.characters for ask in asks) / len(asks)
    sent, counted, outputs = 0, 0, list[int]()
    for example, response in answered:
        usage = response.usage
        if usage is None or not usage.input_tokens or usage.output_tokens is None:
            continue
        sent += variant.ask(example).characters
        counted += usage.input_tokens
        outputs.append(usage.output_tokens)
        if len(outputs) >= _SAMPLE:
            break
    tokens = characters / CHARACTERS_PER_TOKEN
    if outputs:
        # Pictures alone are sent without a character.
        tokens = characters * counted / sent if sent else counted / len(outputs)
        output, basis = sum(outputs) / len(outputs), "earlier answers"
    elif limits := [ask.max_output_tokens for ask in asks if ask.max_output_tokens]:
        output, basis = sum(limits) / len(limits), "max_tokens"
    else:
        output, basis = float(ASSUMED_OUTPUT), f"{ASSUMED_OUTPUT} tokens an answer"
    mean = Usage(input_tokens=max(1, round(tokens)), output_tokens=max(1, round(output)))
    try:
        each = cost(mean, row).total_usd
    except UnreadableUsageError:
        return Forecast(calls=calls, usd=None)
    return Forecast(calls=calls, usd=each * calls, basis=basis)
