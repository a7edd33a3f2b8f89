"""The demo's application: a support desk that reads tickets with the embedded model and is traced as any other is."""

import asyncio
import json
import threading
from collections.abc import Iterable, Mapping
from typing import cast

import boxscore
from boxscore.datasets.tickets import INTENTS, Ticket
from boxscore.models.tiny import PROMPTS, TinyProvider
from boxscore.providers.request import Message, Request
from boxscore.types import Json

__all__ = ["work"]

CHEAP, BETTER = ("tiny-1", "terse"), ("tiny-2", "precise")


def work(queue: Iterable[Ticket], closing: threading.Event, *, at_once: int, pause_s: float) -> None:
    """Answers the first `at_once` tickets of the queue without a pause, the others one after another, until the queue
    is empty or the desk closes."""
    with asyncio.Runner() as runner:
        for number, ticket in enumerate(queue):
            if closing.wait(0.0 if number < at_once else pause_s):
                return
            runner.run(_served(ticket, turn=number))


async def _served(ticket: Ticket, *, turn: int) -> None:
    """A customer's tickets are one conversation."""
    provider = TinyProvider()
    with (
        boxscore.context(session=f"desk-{ticket.customer}", user=ticket.customer, metadata={"style": ticket.style}),
        boxscore.trace("answer_ticket") as span,
    ):
        span.input(ticket.text).metadata(language=ticket.language, turn=turn)
        fields = await _read(provider, ticket.text, *CHEAP)
        escalated = fields is None
        if fields is None:
            fields = await _read(provider, ticket.text, *BETTER)
        if fields is None:
            span.error("no model could read this ticket")
            return
        span.output(_reply(fields)).metadata(escalated=escalated)
        span.score("all_fields_right", fields == ticket.reference(), source="code")


async def _read(provider: TinyProvider, text: str, model: str, prompt: str) -> Mapping[str, Json] | None:
    """The ticket's fields as this model reads them, None where they cannot be those of a ticket."""
    template = PROMPTS[prompt]
    messages = (Message(role="system", content=template.system), Message(role="user", content=text))
    with (
        boxscore.context(prompt=f"read-ticket-{prompt}", prompt_version="1"),
        boxscore.trace("read", operation="chat", step=f"read with {model}") as span,
    ):
        span.model(model, provider=provider.name)
        span.input([{"role": message.role, "content": message.content} for message in messages])
        answer = await provider.complete(Request(messages=messages, model=model))
        span.output(answer.output)
        if answer.usage is not None:
            span.usage(input=answer.usage.input_tokens, output=answer.usage.output_tokens)
    return _checked(answer.output)


@boxscore.trace("check_fields", operation="execute_tool", step="check")
def _checked(output: str) -> Mapping[str, Json] | None:
    """The fields, None where a key is missing or the intent is none that the desk knows."""
    try:
        fields: Json = json.loads(output)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    found = cast("dict[str, Json]", fields)
    whole = set(found) == {"intent", "order", "amount"} and found["intent"] in INTENTS
    return found if whole else None


@boxscore.trace("reply", step="reply")
def _reply(fields: Mapping[str, Json]) -> str:
    return f"We look after your {fields['intent']} for order {fields['order']} (€{fields['amount']}) today."
