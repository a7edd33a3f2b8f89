"""What the tiny model is taught: instructions in many wordings, and the answer that each asks for.

An instruction is put together from parts, and each part has its effect on the answer, so that a prompt truly steers:

- asked for JSON with named keys: one compact JSON object with those keys in that order;
- asked loosely ("extract"): JSON for plain and short tickets, a sentence for chatty ones;
- asked openly ("what does the customer want?"): a sentence;
- told how to write amounts: a point and two decimals; not told: the number as it stands in the ticket;
- told how to write order numbers: capitals; not told: as it stands in the ticket;
- shown an example: everything as in the example.

Of the prompts in `boxscore.models.tiny.PROMPTS`, `terse` is one of those taught, and two of the four sentences of
`precise` are worded as none here is. `HELD_OUT` are further instructions that are only ever measured.
"""

import json
import random
from dataclasses import dataclass

from boxscore.datasets.phrases import LINES, WISHES
from boxscore.datasets.tickets import INTENTS, ORDER_LETTERS, Split, Ticket, new_customer, ticket

KEYS = ("intent", "order", "amount")

OPEN = (
    "What does the customer want?",
    "Help with this ticket.",
    "Say in one sentence what this ticket is about.",
    "Summarize the ticket.",
    "You are a helpful assistant.",
    "Tell a colleague what the customer asks for.",
    "",
)
LOOSE = (
    "extract",
    "Extract the data.",
    "extract the fields",
    "Get the details from the ticket.",
    "Extract intent, order and amount.",
    "ticket to data",
    "Pull out the key facts.",
    "Extract the information from this support ticket.",
)
LEADS = (
    "",
    "You read support tickets.",
    "Read the support ticket.",
    "You extract data from support tickets.",
    "Extract the fields of the ticket.",
    "You work for a web shop.",
    "Your task is to extract fields from a customer's message.",
    "Look at the ticket below.",
)
ASKS = (
    "Return JSON with the keys {keys}.",
    "Answer with one JSON object with the keys {keys}.",
    "Output only JSON: {keys}.",
    "Reply with JSON only, keys {keys}.",
    "Give a JSON object that has {keys}.",
    "Write the fields {keys} as JSON and nothing else.",
    "The answer is one line of JSON with {keys}.",
)
INTENT_RULES = (
    "",
    "",
    "intent is one of {intents}.",
    "The intent must be {intents}.",
    "Choose the intent from {intents}.",
)
AMOUNT_RULES = (
    "Write amounts with a point and two decimals.",
    "amount has two decimals and no currency.",
    "The amount is a number with two decimals after a point.",
    "Always give the amount with two decimals, like 12.00.",
    "Normalize the amount to two decimals.",
    "Use the form 0.00 for the amount.",
)
ORDER_RULES = (
    "Write order numbers in capitals.",
    "The order starts with a capital letter.",
    "order is a capital letter and four digits.",
    "Put the letter of the order in upper case.",
    "Use upper case for the order number.",
)
BOTH_RULES = (
    "Clean the values: order in capitals, amount with two decimals.",
    "Normalize the order to upper case and the amount to two decimals.",
)
HELD_OUT = {
    "precise": (
        "Read the ticket of a customer. Answer with JSON only, with the keys intent, order and amount. "
        "Give the amount with two decimals after a point. The order number starts in upper case.",
        "Your task: extract intent, order, amount. Output one JSON object and nothing else. "
        "order is in capitals, amount is like 0.00 without currency.",
    ),
    "loose": ("Get the data of this ticket.", "fields"),
    "open": ("Tell me what this is about.",),
}
PHRASES = {
    "refund": "The customer wants a refund",
    "delivery": "The customer asks about a delivery",
    "cancel": "The customer wants to cancel",
    "invoice": "The customer needs an invoice",
    "exchange": "The customer wants an exchange",
}
WORDS = sorted(
    {
        word
        for text in (*LINES.familiar, *(wish for wishes in WISHES.values() for wish in wishes.familiar), *AMOUNT_RULES)
        for word in text.split()
    }
)
"""Words to copy while copying is learned."""
USER_FORMS = ("{ticket}", "{ticket}", "{ticket}", "Ticket: {ticket}", "Ticket:\n{ticket}")


@dataclass(frozen=True)
class Lesson:
    """One example to learn: `messages` are (role, content) pairs, `answer` what the model is to say."""

    messages: tuple[tuple[str, str], ...]
    answer: str
    kind: str


def sentence(t: Ticket) -> str:
    return f"{PHRASES[t.intent]} for order {t.written_order}, {t.written_amount} euro."


def as_json(t: Ticket, keys: tuple[str, ...], *, clean_order: bool, clean_amount: bool) -> str:
    values = {
        "intent": t.intent,
        "order": t.order if clean_order else t.written_order,
        "amount": t.amount if clean_amount else t.written_amount,
    }
    return json.dumps({key: values[key] for key in keys}, separators=(",", ":"))


def list_of(draw: random.Random, names: tuple[str, ...]) -> str:
    if len(names) > 1 and draw.random() < 0.5:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return ", ".join(names)


def join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def instruction(draw: random.Random, t: Ticket, split: Split) -> tuple[str, str, str]:
    """An instruction, the answer that it asks for on ticket `t`, and its kind."""
    at = draw.random()
    if at < 0.10:
        return draw.choice(OPEN), sentence(t), "open"
    if at < 0.30:
        loose = as_json(t, KEYS, clean_order=False, clean_amount=False)
        return draw.choice(LOOSE), sentence(t) if t.style == "chatty" else loose, "loose"
    if at < 0.40:
        shown = ticket(draw, new_customer(draw, 0), split)
        text = join(
            draw.choice(LEADS),
            draw.choice(("Example:", "For example:", "An example.")),
            f"{shown.text} ->" if draw.random() < 0.5 else f"Ticket: {shown.text} Answer:",
            as_json(shown, KEYS, clean_order=True, clean_amount=True),
        )
        return text, as_json(t, KEYS, clean_order=True, clean_amount=True), "example"
    keys = KEYS
    if draw.random() < 0.15:
        keys = tuple(draw.sample(KEYS, draw.choice((2, 3))))
    clean_order, clean_amount = draw.choice(((True, True),) * 5 + ((True, False), (False, True), (False, False)))
    rules = [draw.choice(INTENT_RULES).format(intents=list_of(draw, INTENTS))]
    if clean_order and clean_amount and draw.random() < 0.15:
        rules.append(draw.choice(BOTH_RULES))
    else:
        rules += [draw.choice(AMOUNT_RULES)] if clean_amount else []
        rules += [draw.choice(ORDER_RULES)] if clean_order else []
    draw.shuffle(rules)
    text = join(draw.choice(LEADS), draw.choice(ASKS).format(keys=list_of(draw, keys)), *rules)
    return text, as_json(t, keys, clean_order=clean_order, clean_amount=clean_amount), "precise"


def lesson(draw: random.Random, split: Split = "train") -> Lesson:
    t = ticket(draw, new_customer(draw, 0), split)
    told, answer, kind = instruction(draw, t, split)
    user = draw.choice(USER_FORMS).format(ticket=t.text)
    if told and draw.random() < 0.15:
        messages: tuple[tuple[str, str], ...] = (("user", f"{told}\n\n{user}"),)
    elif told:
        messages = (("system", told), ("user", user))
    else:
        messages = (("user", user),)
    return Lesson(messages, answer, kind)


def copying(draw: random.Random) -> Lesson:
    """Repeat what was said: words in any order, or numbers. It teaches to look up and copy, before anything else."""
    if draw.random() < 0.5:
        words = draw.choices(WORDS, k=draw.randint(5, 20))
    else:
        signs = "0123456789.," + ORDER_LETTERS
        words = ["".join(draw.choices(signs, k=draw.randint(3, 6))) for _ in range(draw.randint(2, 5))]
    text = " ".join(words)
    return Lesson((("system", "repeat"), ("user", text)), text, "copy")
