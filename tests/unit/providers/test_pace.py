"""How fast a provider is asked. Time is the loop's own and jumps over every wait, so that minutes take no time."""

import asyncio
import itertools
import selectors
from datetime import UTC, datetime, timedelta

import pytest

from boxscore.errors import ProviderError
from boxscore.providers.pace import Pace, pace_of
from boxscore.testing.rate_limits import Meter, RateLimits


class _Jumping(selectors.SelectSelector):
    """Does not wait: it moves the clock to the time that was waited for."""

    time = 0.0

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout:
            self.time += timeout
        return found


def run(coroutine):
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.time
    try:
        return loop.run_until_complete(asyncio.wait_for(coroutine, 100_000))
    finally:
        loop.close()


def now():
    return asyncio.get_running_loop().time()


def paced(**options):
    return Pace("acme", now=now, **options)


def error(kind, retry_after_s=None):
    return ProviderError(kind, f"{kind} it is", provider="acme", status=400, retry_after_s=retry_after_s)


async def one(pace, outcome=None, *, tokens=10, takes_s=0.1):
    """One call: `outcome` is its error, or the headers of its answer."""
    async with pace.turn(tokens) as told:
        await asyncio.sleep(takes_s)
        if isinstance(outcome, ProviderError):
            raise outcome
        told(outcome or {})


class Seen:
    """Calls of some workers to `provider(number, time)`, which gives an error or headers."""

    def __init__(self):
        self.begun, self.kinds, self.most, self.took_s = [], [], 0, 0.0

    @property
    def sent(self):
        return len(self.begun)


async def storm(pace, provider, *, calls=200, concurrency=20, takes_s=0.1, tokens=10, arrived=None):
    seen, rest, flying = Seen(), iter(range(calls)), itertools.count(1)
    in_flight = 0

    async def call():
        nonlocal in_flight
        async with pace.turn(tokens) as told:
            seen.begun.append(now())
            in_flight += 1
            seen.most = max(seen.most, in_flight)
            try:
                number = next(flying)
                if arrived is not None:
                    arrived(number)
                await asyncio.sleep(takes_s)
                outcome = provider(number, now())
                if isinstance(outcome, ProviderError):
                    raise outcome
                told(outcome or {})
            finally:
                in_flight -= 1

    async def work():
        for _ in rest:
            try:
                await call()
                seen.kinds.append("answered")
            except ProviderError as failed:
                seen.kinds.append(failed.kind)

    await asyncio.gather(*(work() for _ in range(concurrency)))
    seen.took_s = now()
    return seen


def test_a_provider_that_says_nothing_of_limits_is_asked_at_once():
    async def go():
        return await storm(paced(), lambda *_: {})

    seen = run(go())

    assert (seen.sent, seen.most) == (200, 20)
    assert seen.took_s == pytest.approx(1.0)


def openai(limit, left, reset_s, what):
    minutes, seconds = divmod(reset_s, 60)
    reset = f"{reset_s * 1000:.0f}ms" if reset_s < 1 else f"{minutes:.0f}m{seconds:g}s" if minutes else f"{seconds:g}s"
    return {
        f"x-ratelimit-limit-{what}": str(limit),
        f"x-ratelimit-remaining-{what}": str(left),
        f"x-ratelimit-reset-{what}": reset,
    }


def groq(limit, left, reset_s, what):
    return openai(limit, left, reset_s, what) | {f"x-ratelimit-reset-{what}": f"{reset_s:.2f}s"}


def plain(limit, left, reset_s, what):
    return openai(limit, left, reset_s, what) | {f"x-ratelimit-reset-{what}": f"{reset_s:g}"}


def anthropic(limit, left, reset_s, what):
    reset = datetime.now(UTC) + timedelta(seconds=reset_s)
    return {
        f"anthropic-ratelimit-{what}-limit": str(limit),
        f"anthropic-ratelimit-{what}-remaining": str(left),
        f"anthropic-ratelimit-{what}-reset": reset.isoformat().replace("+00:00", "Z"),
    }


STYLES = pytest.mark.parametrize("style", [openai, groq, plain, anthropic])


@STYLES
@pytest.mark.parametrize(("reset_s", "due_s"), [(0.5, 0.05), (30, 3.0), (90, 9.0)])
def test_a_limit_that_is_used_up_is_waited_for_as_it_fills(style, reset_s, due_s):
    async def go():
        pace = paced()
        await one(pace, style(10, 0, reset_s, "requests"), takes_s=0)
        began = now()
        await one(pace, takes_s=0)
        return now() - began

    assert run(go()) == pytest.approx(due_s, rel=0.02)


@STYLES
def test_a_limit_of_tokens_is_waited_for_by_the_size_of_the_call(style):
    async def go():
        pace = paced()
        await one(pace, style(1000, 0, 100, "tokens"), takes_s=0)
        await one(pace, tokens=50, takes_s=0)
        small = now()
        await one(pace, tokens=200, takes_s=0)
        return small, now() - small

    assert run(go()) == pytest.approx((5.0, 20.0), rel=0.02)


def test_a_call_larger_than_its_limit_goes_when_the_limit_is_whole():
    async def go():
        pace = paced()
        await one(pace, openai(1000, 0, 10, "tokens"), takes_s=0)
        await one(pace, tokens=5000, takes_s=0)
        return now()

    assert run(go()) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("limit", "left", "reset"),
    [("many", "0", "9s"), ("10", "0", "soon"), ("10", "0", None), ("10", "0", "0s"), ("nan", "0", "9"), ("", "", "")],
)
def test_headers_that_mean_nothing_hold_nobody_up(limit, left, reset):
    told = {"limit": limit, "remaining": left, "reset": reset}
    odd = {f"x-ratelimit-{word}-requests": value for word, value in told.items() if value is not None}

    async def go():
        pace = paced()
        await one(pace, odd, takes_s=0)
        await one(pace, takes_s=0)
        return now()

    assert run(go()) == pytest.approx(0.0, abs=0.01)


def test_a_limit_that_lets_the_next_call_go_in_an_hour_is_said_and_not_waited_for():
    async def go():
        pace = paced()
        await one(pace, openai(1, 0, 3600, "requests"), takes_s=0)
        with pytest.raises(ProviderError) as caught:
            await one(pace)
        return caught.value, now()

    failed, time = run(go())

    assert (failed.kind, time) == ("not_sent", 0.0)
    assert "in 3,600 s" in str(failed)


@STYLES
def test_a_window_of_so_many_requests_is_kept_with_hardly_a_refusal(style):
    async def go():
        meter = Meter(RateLimits(requests=60, window_s=10), clock=now)
        told = {}

        def arrived(number):
            left = meter.take(10)
            headers = style(60, left.requests, left.reset_s, "requests")
            told[number] = error("rate_limit", left.reset_s) if left.exceeded else headers

        return await storm(paced(), lambda number, _: told[number], arrived=arrived)

    seen = run(go())

    assert seen.kinds.count("answered") >= 190
    assert set(seen.kinds) == {"answered", "rate_limit"}
    assert seen.took_s < 60


def test_nothing_is_asked_until_the_time_that_the_provider_names():
    async def go():
        pace = paced()
        with pytest.raises(ProviderError):
            await one(pace, error("rate_limit", 30), takes_s=0)
        await one(pace, takes_s=0)
        return now()

    assert 30 <= run(go()) <= 30.5


def test_without_a_time_pauses_grow():
    async def go():
        pace, begun = paced(), []
        for _ in range(6):
            with pytest.raises(ProviderError):
                await one(pace, error("overloaded"), takes_s=0)
            begun.append(now())
        return [round(later - earlier, 3) for earlier, later in itertools.pairwise(begun)]

    pauses = run(go())

    for pause, least in zip(pauses, (0.5, 1, 2, 4, 8), strict=True):
        assert least <= pause <= least + 0.5


def test_a_refusal_halves_what_goes_at_once_and_answers_double_it_again():
    async def go(limit):
        flying = 0

        pace = paced()

        async def call():
            nonlocal flying
            async with pace.turn(1):
                flying += 1
                try:
                    if flying > limit:
                        raise error("rate_limit")
                    await asyncio.sleep(0.1)
                finally:
                    flying -= 1

        outcomes, rest = [], iter(range(1000))

        async def work():
            for _ in rest:
                try:
                    await call()
                    outcomes.append(True)
                except ProviderError:
                    outcomes.append(False)

        await asyncio.gather(*(work() for _ in range(50)))
        return outcomes.count(False), now()

    refused, took_s = run(go(limit=10))

    assert refused <= 45  # of 1,000; with pauses alone 78
    assert took_s < 35  # with pauses alone 48; at best 10


@pytest.mark.parametrize(("kind", "most_s"), [("server", 60), ("timeout", 60), ("bad_answer", 60), ("cut", 60)])
def test_a_provider_that_always_fails_is_tried_by_one_call_at_a_time_and_then_given_up(kind, most_s):
    async def go():
        return await storm(paced(), lambda *_: error(kind))

    seen = run(go())

    assert seen.sent <= 20 + 9 + 6  # who was in flight, who went on before the tenth failed, and the tries
    assert seen.kinds.count("not_sent") == 200 - seen.sent
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(seen.begun[-5:]))
    assert seen.took_s < most_s


@pytest.mark.parametrize("retry_after_s", [None, 2.0])
def test_a_storm_of_refusals_ends(retry_after_s):
    async def go():
        return await storm(paced(), lambda *_: error("rate_limit", retry_after_s))

    seen = run(go())

    assert seen.sent <= 26
    assert seen.took_s < 60


def test_who_was_given_up_says_so_with_the_last_reason_and_rests():
    async def go():
        pace = paced()
        await storm(pace, lambda *_: error("server"))
        with pytest.raises(ProviderError) as caught:
            await one(pace)
        before = now()
        await asyncio.sleep(61)
        await one(pace)
        return caught.value, now() - before

    failed, waited = run(go())

    assert failed.kind == "not_sent"
    assert str(failed).startswith("acme: not asked any more after 35 calls in a row failed, the last of them: server")
    assert waited < 85  # the rest, and the pause that was due


def test_a_provider_that_is_back_is_asked_at_full_speed_again():
    async def go():
        return await storm(paced(), lambda _, time: error("server") if time < 3 else {}, calls=1000)

    seen = run(go())

    assert seen.kinds.count("answered") > 960
    assert "not_sent" not in seen.kinds
    assert seen.most == 20
    assert seen.took_s < 15


@pytest.mark.parametrize("kind", ["auth", "quota", "not_found"])
def test_what_the_next_call_would_meet_as_well_stops_at_the_first(kind):
    async def go():
        return await storm(paced(), lambda *_: error(kind))

    seen = run(go())

    assert (seen.sent, seen.kinds.count(kind), seen.kinds.count("not_sent")) == (20, 20, 180)
    assert seen.took_s < 1


def test_a_key_that_has_worked_is_not_given_up_for_one_refusal():
    async def go():
        return await storm(paced(), lambda number, _: error("auth") if number == 30 else {})

    assert run(go()).kinds.count("answered") == 199


def test_who_is_not_there_is_given_up_after_pauses_of_seconds():
    async def go():
        return await storm(paced(), lambda *_: error("connect"), concurrency=4)

    seen = run(go())

    assert seen.sent <= 24
    assert 3.5 <= seen.took_s < 20


@pytest.mark.parametrize("kind", ["refused", "too_long", "filtered", "cancelled"])
def test_a_request_that_was_itself_at_fault_says_nothing_of_the_provider(kind):
    async def go():
        return await storm(paced(), lambda *_: error(kind))

    seen = run(go())

    assert (seen.sent, seen.kinds.count(kind)) == (200, 200)
    assert seen.took_s == pytest.approx(1.0)


@pytest.mark.parametrize("broken", [asyncio.CancelledError, ZeroDivisionError])
def test_a_try_that_ends_without_a_word_lets_the_next_one_go(broken):
    async def go():
        pace = paced()
        for _ in range(10):
            with pytest.raises(ProviderError):
                await one(pace, error("server"), takes_s=0)
        entered = asyncio.Event()

        async def lost():
            async with pace.turn(1):
                entered.set()
                await asyncio.sleep(5)
                raise broken

        losing = asyncio.create_task(lost())
        await entered.wait()
        await one(pace)
        with pytest.raises(broken):
            await losing
        return now()

    assert run(go()) < 10


def test_failures_of_calls_that_were_on_their_way_count_as_no_further_tries():
    async def go():
        pace = paced()
        slow = [asyncio.create_task(one(pace, error("timeout"), takes_s=30)) for _ in range(20)]
        await asyncio.sleep(0)
        fast = [asyncio.create_task(one(pace, error("server"))) for _ in range(10)]
        await asyncio.gather(*fast, return_exceptions=True)
        await one(pace, takes_s=40)  # the try, which is under way while the others come back
        await asyncio.gather(*slow, return_exceptions=True)
        await one(pace)

    run(go())


def test_one_account_has_one_pace_for_a_model_at_an_address():
    same = {"where": "https://a", "account": "1", "model": "m"}
    pace = pace_of("acme", **same)

    assert pace_of("acme", **same) is pace
    for other in ({"where": "https://b"}, {"account": "2"}, {"model": "n"}):
        assert pace_of("acme", **{**same, **other}) is not pace
