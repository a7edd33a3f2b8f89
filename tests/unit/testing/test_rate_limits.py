"""A provider's limits, by a clock of the test's own."""

from boxscore.testing import RateLimits
from boxscore.testing.rate_limits import Meter


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_requests_count_down_until_the_window_is_over():
    clock = Clock()
    meter = Meter(RateLimits(requests=2, window_s=10), clock=clock)
    first, second, third = meter.take(1), meter.take(1), meter.take(1)
    clock.now += 4
    later = meter.take(1)
    clock.now += 6
    fresh = meter.take(1)

    assert [left.requests for left in (first, second, third, later, fresh)] == [1, 0, 0, 0, 1]
    assert [left.exceeded for left in (first, second, third, later, fresh)] == [False, False, True, True, False]
    assert [left.reset_s for left in (first, later, fresh)] == [10, 6, 10]


def test_tokens_count_too_and_what_is_too_much_counts_nothing():
    meter = Meter(RateLimits(tokens=100), clock=Clock())
    found = [meter.take(tokens) for tokens in (60, 60, 40)]

    assert [(left.tokens, left.exceeded) for left in found] == [(40, False), (40, True), (0, False)]
