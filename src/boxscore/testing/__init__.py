"""Doubles for what is slow, costs money or differs from day to day. We test with them, and so may you.

`FakeProvider` stands in for a provider inside Python; `FakeServer` is an OpenAI-compatible server on this machine, for
applications that speak HTTP; `CountingClock` and `CountingIds` make times and ids that repeat.
"""

from boxscore.testing.counting import CountingClock, CountingIds
from boxscore.testing.fake_provider import FakeProvider
from boxscore.testing.fake_server import FakeServer
from boxscore.testing.faults import Fault
from boxscore.testing.rate_limits import RateLimits

__all__ = ["CountingClock", "CountingIds", "FakeProvider", "FakeServer", "Fault", "RateLimits"]
