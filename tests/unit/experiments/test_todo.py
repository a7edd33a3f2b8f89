"""What a run still has to ask: each question once, and again where that is safe and allowed."""

import asyncio

import pytest

from boxscore.errors import ProviderError
from boxscore.experiments.todo import ATTEMPTS, Todo


class Clock:
    def __init__(self):
        self.time = 0.0
        self.slept = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


def error(kind="rate_limit", retry_after_s=None):
    return ProviderError(kind, "no", retry_after_s=retry_after_s)


def todo(count, clock=None):
    clock = clock or Clock()
    return Todo([f"q{number}" for number in range(count)], sleep=clock.sleep, now=clock.now)


def work(todo, answer):
    """Every question in the order asked. `answer(slot)` gives the error that it meets, None when it is answered."""

    async def run():
        asked = []
        while (slot := await todo.next()) is not None:
            asked.append(slot)
            if (met := answer(slot)) is not None:
                todo.again(slot, met)
        return asked

    return asyncio.run(run())


def test_every_question_is_asked_once_when_all_are_answered():
    assert work(todo(3), lambda _: None) == ["q0", "q1", "q2"]


def test_what_was_refused_comes_again_after_all_that_is_fresh():
    refused = {"q0"}

    assert work(todo(3), lambda slot: error() if slot in refused and not refused.remove(slot) else None) == [
        "q0",
        "q1",
        "q2",
        "q0",
    ]


@pytest.mark.parametrize("kind", ["connect", "rate_limit", "overloaded"])
def test_who_did_not_begin_to_work_is_asked_again(kind):
    assert len(work(todo(1), lambda _: error(kind))) == ATTEMPTS


@pytest.mark.parametrize(
    "kind",
    [
        "timeout",
        "server",
        "cut",
        "bad_answer",
        "auth",
        "quota",
        "not_found",
        "too_long",
        "filtered",
        "refused",
        "cancelled",
        "not_sent",
    ],
)
def test_who_may_have_worked_or_will_not_answer_otherwise_is_not_asked_again(kind):
    assert len(work(todo(1), lambda _: error(kind))) == 1


def test_a_provider_that_refuses_everything_is_asked_a_tenth_more_at_the_most():
    for count in (30, 200, 1000):
        assert len(work(todo(count), lambda _: error())) == count + count // 10


def test_a_few_questions_may_be_asked_three_times_more_in_all():
    assert len(work(todo(5), lambda _: error())) == 8


def test_it_waits_as_long_as_the_provider_asks_and_a_little_more():
    clock = Clock()
    work(todo(1, clock), lambda _: error(retry_after_s=7.0))

    assert len(clock.slept) == ATTEMPTS - 1
    assert all(7.0 <= wait <= 7.5 for wait in clock.slept)


def test_a_provider_that_asks_for_an_hour_is_not_waited_for():
    clock = Clock()

    assert work(todo(1, clock), lambda _: error(retry_after_s=3600.0)) == ["q0"]
    assert clock.slept == []


def test_waits_without_a_word_grow_and_differ():
    waits = []
    for _ in range(50):
        clock = Clock()
        work(todo(1, clock), lambda _: error())
        waits.append(clock.slept)

    longest = [max(column) for column in zip(*waits, strict=True)]
    assert all(wait <= most for wait, most in zip(longest, (0.5, 1.0, 2.0), strict=True))
    assert longest[0] < longest[1] < longest[2]
    assert len({round(wait, 9) for row in waits for wait in row}) > 100


def test_who_is_due_first_is_asked_first():
    waits = {"q0": 9.0, "q1": 1.0, "q2": 5.0}
    first = dict(waits)

    asked = work(todo(3), lambda slot: error(retry_after_s=first.pop(slot)) if slot in first else None)

    assert asked[3:] == ["q1", "q2", "q0"]


def test_a_question_that_waited_long_enough_while_others_were_asked_does_not_wait_again():
    clock = Clock()
    again = {"q0"}

    def answer(slot):
        clock.time += 1.0
        return error(retry_after_s=0.1) if slot in again and not again.remove(slot) else None

    assert work(todo(5, clock), answer)[-1] == "q0"
    assert clock.slept == []


def test_who_waits_does_not_go_on_waiting_when_the_run_has_ended():
    async def ask():
        todo = Todo(["a"])
        slot = await todo.next()
        assert todo.again(slot, error(retry_after_s=50.0))
        waiting = asyncio.ensure_future(todo.next())
        await asyncio.sleep(0)
        todo.stop()
        return await asyncio.wait_for(waiting, 5.0)

    assert asyncio.run(ask()) == "a"
