"""Support tickets made up by rule and seed."""

import hashlib
import re

import pytest

from boxscore.datasets.phrases import LINES, WISHES
from boxscore.datasets.tickets import (
    DEMO_SEED,
    HELD_OUT_REMAINDER,
    INTENTS,
    ORDER_MODULUS,
    Split,
    tickets,
)

DEMO = tickets()


def test_the_same_seed_gives_the_same_tickets_on_every_platform() -> None:
    texts = "\n".join(ticket.text for ticket in DEMO)

    assert tickets(300, seed=DEMO_SEED) == DEMO
    assert hashlib.sha256(texts.encode()).hexdigest()[:16] == "f092452b453d3bd2"


def test_another_seed_gives_other_tickets() -> None:
    assert not {ticket.text for ticket in DEMO} & {ticket.text for ticket in tickets(300, seed=DEMO_SEED + 1)}


@pytest.mark.parametrize(("split", "held_out"), [("demo", True), ("train", False)])
def test_no_order_number_of_the_demo_can_occur_in_training(split: Split, held_out: bool) -> None:
    for ticket in tickets(500, seed=3, split=split):
        for number in re.findall(r"[A-Za-z](\d{4})\b", ticket.text):
            assert (int(number) % ORDER_MODULUS == HELD_OUT_REMAINDER) is held_out


def test_training_never_sees_a_wording_that_is_held_out() -> None:
    held_out = [wish for phrases in WISHES.values() for wish in phrases.held_out]
    for ticket in tickets(1000, seed=5, split="train"):
        assert not ticket.new_wording
        assert not any(wish.lower() in ticket.text.lower() for wish in held_out)


def test_wordings_held_out_are_no_part_of_familiar_ones() -> None:
    for phrases in (*WISHES.values(), LINES):
        assert not any(new in known for new in phrases.held_out for known in phrases.familiar)


def test_about_a_third_of_the_demo_has_a_new_wording() -> None:
    assert 0.25 < sum(ticket.new_wording for ticket in DEMO) / len(DEMO) < 0.47


def test_the_reference_can_be_read_off_the_text() -> None:
    for ticket in DEMO:
        assert ticket.written_order in ticket.text
        assert ticket.written_order.upper() == ticket.order
        assert ticket.written_amount in ticket.text
        assert float(ticket.written_amount.replace(",", ".")) == float(ticket.amount)
        assert re.fullmatch(r"\d{1,3}\.\d\d", ticket.amount)


def test_a_ticket_is_an_example_with_its_customer_as_cluster_and_its_slices() -> None:
    examples = [ticket.example(f"ticket-{n}") for n, ticket in enumerate(DEMO)]

    assert {example.slices["intent"] for example in examples} == set(INTENTS)
    assert set(examples[0].slices) == {
        "intent", "style", "language", "urgent", "amount", "also_mentions", "wording",
    }  # fmt: skip
    assert examples[0].reference == DEMO[0].reference()
    assert 100 < len({example.cluster for example in examples}) < 200
    assert all(example.cluster for example in examples)
