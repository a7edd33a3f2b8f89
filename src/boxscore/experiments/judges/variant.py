"""The judge as a variant: its examples are answers, and what it answers is a verdict in JSON."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import cast

import msgspec

from boxscore.costs import PriceBook, PriceRow, add_usage
from boxscore.datasets.example import Example
from boxscore.errors import MissingReferenceError, ProviderError, UsageError
from boxscore.experiments.answers import text_of
from boxscore.experiments.forecast import Ask, Foreseen
from boxscore.experiments.identity import digest, utc_now
from boxscore.experiments.judges.form import Form
from boxscore.experiments.judges.prompt import variables
from boxscore.experiments.judges.scale import UnreadableError
from boxscore.experiments.pricing import priced
from boxscore.experiments.trial import VariantInfo
from boxscore.experiments.variant import Checked, Described, Metered, Variant
from boxscore.providers.response import ErrorInfo, Response
from boxscore.providers.secrets import mask
from boxscore.types import Json

REPAIRS = 2
"""How often a judge whose reply cannot be read is asked again, and shown what was wrong."""


class JudgeVariant:
    """Asks `asker` by `form` and reads the reply. A response is one verdict: cost, usage and time are those of all
    calls that it took; where there were several, `usage_raw` is the list of theirs.

    A reply that cannot be read after `REPAIRS` further calls is an error of kind bad_answer, with what it cost. The
    identity is the asker's (prompt, model, params) with the words of the form: another weight or name of a criterion
    in the report leaves it. Several calls are priced one by one, by `book`: a price may depend on a call's length.
    """

    kind = "judge"

    def __init__(
        self, form: Form, asker: Variant, *, needs_reference: bool = False, book: PriceBook | None = None
    ) -> None:
        self._form = form
        self._asker = asker
        self._needs_reference = needs_reference
        self._book = book
        self.description: dict[str, Json] = {
            "kind": self.kind,
            "asked": _asked(form),
            "schema": form.schema(),
            "repairs": REPAIRS,
            "asker": [asker.info.hash, asker.description if isinstance(asker, Described) else None],
        }
        self.info = VariantInfo(name=f"judge {form.name}", hash=digest(self.description), model=asker.info.model)

    def check(self, examples: Iterable[Example]) -> None:
        """Raises `MissingReferenceError`, or what the asker has against the first question."""
        for example in examples:
            if self._needs_reference and example.inputs.get("reference") is None:
                raise MissingReferenceError(self.info.name, example.id)
            if isinstance(self._asker, Checked):
                self._asker.check([self._question(example)])

    def check_price(self, book: PriceBook, *, needed_by: str) -> None:
        if isinstance(self._asker, Metered):
            self._asker.check_price(book, needed_by=needed_by)

    def ask(self, example: Example) -> Ask:
        return self._asker.ask(self._question(example)) if isinstance(self._asker, Foreseen) else Ask(characters=0)

    def price_row(self, book: PriceBook, at: datetime) -> PriceRow | None:
        return self._asker.price_row(book, at) if isinstance(self._asker, Foreseen) else None

    async def answer(self, example: Example, *, repeat: int) -> Response:
        calls: list[Response] = []
        problem = reply = ""
        for _ in range(1 + REPAIRS):
            question = self._question(example, problem, reply)
            try:
                response = await self._asker.answer(question, repeat=repeat)
            except UsageError:
                raise
            except Exception as error:
                if not calls:
                    raise  # nothing was paid yet: the runner knows best what to do
                return _sum([*calls, _failed(error)])
            calls.append(priced(response, model=self.info.model, at=utc_now(), book=self._book))
            if response.error is not None:
                return _sum(calls)
            reply = said(response)
            try:
                self._form.read(reply)
            except UnreadableError as unreadable:
                problem = str(unreadable)
            else:
                return _sum(calls)
        message = f"{self.info.name} gave no verdict in {len(calls)} replies; of the last: {problem}"
        return msgspec.structs.replace(_sum(calls), error=ErrorInfo(kind="bad_answer", message=message))

    async def close(self) -> None:
        await self._asker.close()

    def _question(self, example: Example, problem: str = "", reply: str = "") -> Example:
        return Example(id=example.id, inputs=variables(self._form, example.inputs, problem, reply))


def calls_of(response: Response) -> int:
    """How many calls a verdict took."""
    raw: Json = response.usage_raw
    return len(cast("list[Json]", raw)) if isinstance(raw, list) else 1


def said(response: Response) -> str:
    """What a response says, as a text: its output, and the tool calls that it asks for."""
    calls = [f"{call.name}({text_of(call.arguments)})" for call in response.tool_calls]
    return "\n".join([response.output, *calls] if response.output else calls)


def _asked(form: Form) -> list[Json]:
    """Our words around a question, so that a verdict to other words is not taken for one to these."""
    pieces = ("first", "second") if form.kind == "pairwise" else ("answer",)
    sample = {key: key for key in ("inputs", "reference", *pieces)}
    told = variables(form, sample)
    again = variables(form, sample, "problem", "reply")
    return [told["system"], told["prompt"], again["prompt"]]


def _failed(error: Exception) -> Response:
    kind, status = (error.kind, error.status) if isinstance(error, ProviderError) else ("server", None)
    return Response(error=ErrorInfo(kind=kind, message=mask(str(error)), status=status))


def _sum(calls: list[Response]) -> Response:
    """The last response with the cost, usage and time of all. What is not known of one call is not known of them."""
    if len(calls) == 1:
        return calls[0]
    costs = [call.cost_usd for call in calls]
    known = [cost for cost in costs if cost is not None]
    times = [call.latency_s for call in calls if call.latency_s is not None]
    answered = [call for call in calls if call.error is None] or calls
    return msgspec.structs.replace(
        calls[-1],
        usage=add_usage(usages) if (usages := [call.usage for call in answered if call.usage is not None]) else None,
        usage_raw=[call.usage_raw for call in calls],
        cost_usd=sum(known, Decimal(0)) if len(known) == len(answered) else None,
        price="; ".join(dict.fromkeys(call.price for call in calls if call.price)) or None,
        latency_s=sum(times) if times else None,
        first_token_s=calls[0].first_token_s,
    )
