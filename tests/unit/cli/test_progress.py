"""Progress as a log sees it."""

from decimal import Decimal

import pytest

from boxscore.cli import progress as module
from boxscore.cli.progress import show_progress
from boxscore.experiments.forecast import Forecast
from boxscore.experiments.runner import Progress


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def state(done, **more):
    given = {"total": 1000, "errors": 0, "reused": 0, "spent_usd": Decimal(0), "unpriced": 0, **more}
    return Progress(done=done, **given)


def foreseen(usd, calls=900):
    return Forecast(calls=calls, usd=usd, basis="earlier answers")


def test_the_cost_is_said_once_before_the_first_call(clock, capsys):
    with show_progress() as update:
        update("new", state(100, reused=100, forecast=foreseen(Decimal("0.4217"))))
        update("new", state(101, reused=100, forecast=foreseen(Decimal("0.4217"))))

    assert capsys.readouterr().err == "new: 900 calls to make, about $0.4217 (by earlier answers)\n"


def test_an_unknown_cost_is_called_so_and_a_free_run_says_nothing(clock, capsys):
    with show_progress() as update:
        update("dear", state(0, forecast=foreseen(None)))
        update("free", state(0, forecast=foreseen(Decimal(0))))
        update("short", state(0, forecast=foreseen(Decimal(1), calls=3)))

    assert capsys.readouterr().err == "dear: 900 calls to make; what they cost is not known\n"


def test_a_log_gets_a_line_now_and_then_with_rate_spend_errors_and_time_left(clock, capsys):
    with show_progress() as update:
        update("new", state(100, reused=100, forecast=foreseen(Decimal(0))))
        clock.now = 5.0
        update("new", state(120, reused=100))
        clock.now = 20.0
        update("new", state(300, reused=100, errors=2, spent_usd=Decimal("0.0123")))

    assert capsys.readouterr().err == ("new: 300 of 1,000, 10.0/s, $0.0123, 2 errors, 100 reused, 1 min 10 s left\n")
