"""What a variant is: something that answers examples."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from boxscore.costs import PriceBook
from boxscore.datasets.example import Example
from boxscore.experiments.trial import VariantInfo
from boxscore.providers.response import Response
from boxscore.types import Json


@runtime_checkable
class Variant(Protocol):
    """The one door for what produces answers: a prompt with a model, an endpoint, a command, a function, your own.

    `info.hash` is the identity: answers of the same hash are taken to be interchangeable and are reused. `answer` is
    called many times at once; it returns the answer, or raises (`boxscore.errors.ProviderError` says most; any other
    exception becomes an error row as well). A `boxscore.errors.UsageError` from it stops the run. `repeat` counts
    from 0; most variants have no use for it.
    """

    @property
    def info(self) -> VariantInfo: ...

    async def answer(self, example: Example, *, repeat: int) -> Response: ...

    async def close(self) -> None:
        """Lets go of connections and threads. The one who made the variant calls it."""
        ...


@runtime_checkable
class Described(Protocol):
    """A variant that can say what its hash was computed from; it is kept with the run. No secrets."""

    @property
    def kind(self) -> str: ...

    @property
    def description(self) -> dict[str, Json]: ...


@runtime_checkable
class Checked(Protocol):
    """A variant that can tell before the first call that an example cannot be asked: `check` raises a `UsageError`."""

    def check(self, examples: Iterable[Example]) -> None: ...


@runtime_checkable
class Metered(Protocol):
    """A variant whose price is known, or not, before the first call: `check_price` raises `UnknownPriceError` that
    names `needed_by`."""

    def check_price(self, book: PriceBook, *, needed_by: str) -> None: ...
