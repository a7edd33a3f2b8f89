"""Support tickets, made up by rule and seed: text to read, the fields that a right answer holds, slices, customers.

The tickets serve the demo, the tests and the training of the embedded model. Nothing in them is about anybody: names
and numbers are drawn. Two splits keep an honest distance:

- `train` uses the familiar wordings and order numbers whose digits, read as one number, leave any remainder but
  `HELD_OUT_REMAINDER` when divided by `ORDER_MODULUS`;
- `demo` uses only the order numbers that training never sees, and in about a third of the tickets a wording of the
  wish, of the order line, or of both that training never sees (slice `wording` is then `new`).

A customer writes one to four tickets in one language and mostly one style, so tickets of one customer are not
independent: `Example.cluster` names the customer.
"""

import random
from typing import Literal, TypeAlias

import msgspec

from boxscore.datasets.example import Example
from boxscore.datasets.phrases import (
    ACTIONS,
    CLOSINGS,
    CONFIRMS,
    EXTRAS,
    FRAMES,
    LINES,
    OPENINGS,
    URGENT,
    WISHES,
    Phrases,
)

__all__ = ["DEMO_SEED", "HELD_OUT_REMAINDER", "INTENTS", "ORDER_LETTERS", "ORDER_MODULUS", "Split", "Ticket", "tickets"]

Split: TypeAlias = Literal["train", "demo"]

DEMO_SEED = 2026
"""Seed of the demo's 300 tickets."""

INTENTS = tuple(WISHES)
"""What a customer can want."""

ORDER_LETTERS = "ABCDEFHKMPRT"
ORDER_MODULUS = 7
HELD_OUT_REMAINDER = 3
STYLES = {"plain": 0.45, "short": 0.25, "chatty": 0.30}
LANGUAGES = {"en": 0.55, "de": 0.20, "fr": 0.13, "es": 0.12}
NEW_WORDING = 0.2
"""Chance that a demo ticket takes its wish, and that it takes its order line, from the wordings held out."""

FRAMED = 0.3
"""Share of the familiar wishes that are put together from a frame and an action."""

LEFT_OUT = 0.25
"""Chance that a training ticket leaves out a word of its wish, so that a single word is not relied on too much."""

REPEATED = 0.25
"""Chance that a number in a training ticket is made of few digits, the ones that are hardest to copy."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket. `order` and `amount` are as a right answer has them, the `written_*` ones as they stand in `text`.

    `amount` is in euro with a point and two decimals. `style` is plain, short or chatty, `language` that of the
    greeting, `extra` what else the ticket mentions (none, date, phone, money, order).
    """

    text: str
    intent: str
    order: str
    amount: str
    written_order: str
    written_amount: str
    style: str
    language: str
    urgent: bool
    extra: str
    new_wording: bool
    customer: str

    def reference(self) -> dict[str, str]:
        return {"intent": self.intent, "order": self.order, "amount": self.amount}

    def example(self, id: str) -> Example:
        """The ticket as a row of a dataset: `inputs["ticket"]` is the text, `reference` the three fields."""
        return Example(
            id=id,
            inputs={"ticket": self.text},
            reference=self.reference(),
            cluster=self.customer,
            slices={
                "intent": self.intent,
                "style": self.style,
                "language": self.language,
                "urgent": "yes" if self.urgent else "no",
                "amount": "under 100" if float(self.amount) < 100 else "100 and more",
                "also_mentions": self.extra,
                "wording": "new" if self.new_wording else "familiar",
            },
        )


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    language: str
    style: str
    lower_case: bool


def tickets(n: int = 300, *, seed: int = DEMO_SEED, split: Split = "demo") -> tuple[Ticket, ...]:
    """`n` tickets, always the same ones for the same arguments, on every platform and Python version."""
    draw = random.Random(f"tickets/{split}/{seed}")
    out: list[Ticket] = []
    customers = 0
    while len(out) < n:
        customers += 1
        customer = new_customer(draw, customers)
        for _ in range(min(draw.choice((1, 1, 2, 2, 3, 4)), n - len(out))):
            out.append(ticket(draw, customer, split))
    return tuple(out)


def new_customer(draw: random.Random, number: int) -> Customer:
    return Customer(
        name=f"customer-{number:03d}",
        language=weighted(draw, LANGUAGES),
        style=weighted(draw, STYLES),
        lower_case=draw.random() < 0.12,
    )


def ticket(draw: random.Random, customer: Customer, split: Split) -> Ticket:
    """One ticket by `customer`, drawn from `draw`."""
    intent = draw.choice(INTENTS)
    style = customer.style if draw.random() < 0.8 else weighted(draw, STYLES)
    order = order_number(draw, split)
    cents = amount_cents(draw, split)
    amount = f"{cents // 100}.{cents % 100:02d}"
    written_order = order.lower() if customer.lower_case else order
    written_amount, money = written_money(draw, cents)

    wish, new_wish = phrase(draw, WISHES[intent], split)
    if not new_wish and draw.random() < FRAMED:
        wish = draw.choice(FRAMES).format(action=draw.choice(ACTIONS[intent]))
    line, new_line = phrase(draw, LINES, split)
    line = line.format(o=written_order, a=money)
    extra, extra_text = "none", ""
    if draw.random() < (0.5 if style == "chatty" else 0.12):
        extra = draw.choice(tuple(EXTRAS))
        extra_text = draw.choice(EXTRAS[extra]).format(
            day=draw.randint(1, 28),
            phone=f"{draw.randint(2, 9)}{draw.randint(0, 99):02d} {draw.randint(0, 9999):04d}",
            money=f"{draw.randint(2, 9)}.{draw.choice((0, 50, 90, 95)):02d}",
            other=order_number(draw, split),
        )
    sentences = [wish, line] if draw.random() < 0.65 else [line, wish]
    if extra_text:
        sentences.insert(draw.randint(1, 2), extra_text)
    if style == "chatty":
        sentences.insert(draw.choice((0, len(sentences))), draw.choice(CONFIRMS))
    urgent = draw.random() < 0.2
    text = layout(draw, sentences, style, customer.language, urgent)
    return Ticket(
        text=text,
        intent=intent,
        order=order,
        amount=amount,
        written_order=written_order,
        written_amount=written_amount,
        style=style,
        language=customer.language,
        urgent=urgent,
        extra=extra,
        new_wording=new_wish or new_line,
        customer=customer.name,
    )


def order_number(draw: random.Random, split: Split) -> str:
    """A letter and four digits; whether it is one of those held out from training is a property of the digits."""
    while True:
        number = few_digits(draw, 4) if is_hard(draw, split) else draw.randint(1000, 9999)
        if (number % ORDER_MODULUS == HELD_OUT_REMAINDER) == (split == "demo"):
            return f"{draw.choice(ORDER_LETTERS)}{number}"


def amount_cents(draw: random.Random, split: Split) -> int:
    """From 5 to 999 euro; those under 100 are as frequent as the rest."""
    low, high = draw.choice(((5, 99), (100, 999)))
    euros = few_digits(draw, draw.choice((2, 3))) if is_hard(draw, split) else draw.randint(low, high)
    return euros * 100 + draw.choice((0, draw.randint(0, 99), draw.randint(0, 99), 90, 95))


def is_hard(draw: random.Random, split: Split) -> bool:
    return split == "train" and draw.random() < REPEATED


def few_digits(draw: random.Random, length: int) -> int:
    """A number of `length` digits of which at most two differ."""
    digits = draw.choices("0123456789", k=2)
    return int(draw.choice("123456789") + "".join(draw.choices(digits, k=length - 1)))


def written_money(draw: random.Random, cents: int) -> tuple[str, str]:
    """The amount as a customer writes it: the bare number, and the number with its currency."""
    euros, rest = divmod(cents, 100)
    if rest == 0 and draw.random() < 0.6:
        number = f"{euros}"
    else:
        number = f"{euros},{rest:02d}" if draw.random() < 0.14 else f"{euros}.{rest:02d}"
    return number, draw.choice(("{} euro", "{} euro", "{} EUR", "EUR {}", "€{}", "{} €")).format(number)


def phrase(draw: random.Random, phrases: Phrases, split: Split) -> tuple[str, bool]:
    """A wording and whether it is one held out from training."""
    new = split == "demo" and draw.random() < NEW_WORDING
    wording = draw.choice(phrases.held_out if new else phrases.familiar)
    words = wording.split()
    if split == "train" and "{o}" not in wording and len(words) > 4 and draw.random() < LEFT_OUT:
        del words[draw.randrange(len(words))]
        wording = " ".join(words)
    return wording, new


def layout(draw: random.Random, sentences: list[str], style: str, language: str, urgent: bool) -> str:
    """Sentences as one text: capitals, full stops, greeting and closing for all but the short style."""
    if style == "short":
        text = draw.choice((", ", ". ", " - ")).join(sentences)
        if language != "en" or draw.random() < 0.3:
            text = f"{draw.choice(OPENINGS[language]).lower()} {text}"
        return f"{draw.choice(URGENT).lower()} {text}" if urgent else text
    body = " ".join(f"{capital(sentence)}." for sentence in sentences)
    parts = [draw.choice(OPENINGS[language]), body, draw.choice(CLOSINGS[language])]
    if urgent:
        parts.insert(0, draw.choice(URGENT))
    return " ".join(part for part in parts if part)


def capital(sentence: str) -> str:
    """The sentence with a capital first, unless it begins with an order number: that stays as the customer wrote it."""
    return sentence if sentence[1].isdigit() else f"{sentence[0].upper()}{sentence[1:]}"


def weighted(draw: random.Random, shares: dict[str, float]) -> str:
    at = draw.random() * sum(shares.values())
    for name, share in shares.items():
        at -= share
        if at < 0:
            return name
    return next(reversed(shares))
