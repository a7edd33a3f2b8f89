"""Identities: hashes of what was asked, and of the plan of a run."""

import hashlib
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from boxscore.datasets.example import Example
from boxscore.scoring.scorer import Scorer
from boxscore.types import Json


def digest(value: Json) -> str:
    """SHA-256 in hex over the canonical JSON of `value`: keys sorted, so equal values have equal digests."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def example_hash(example: Example) -> str:
    """Of everything that an example holds."""
    return digest(example)


def question_hash(example: Example) -> str:
    """Of what a variant is asked: the inputs. A corrected reference leaves it, so the paid answers stay usable."""
    return digest(example.inputs)


def plan_hash(
    *, variant_hash: str, variant_name: str, hashes: Sequence[str], scorers: Sequence[Scorer], repeats: int, fresh: bool
) -> str:
    """Of all that one run was asked to do: an unfinished run of the same plan is resumed."""
    return digest([variant_hash, variant_name, list(hashes), [scorer.spec for scorer in scorers], repeats, fresh])


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """The default ids: they sort by time and are short enough to type."""
    seconds, micros = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(seconds)}{micros:06d}-{_dice.getrandbits(32):08x}"


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}"


_dice = random.Random()  # ids are no secrets, and the system's randomness is a call into the kernel
if hasattr(os, "register_at_fork"):  # a child must not roll what its parent rolls
    os.register_at_fork(after_in_child=_dice.seed)
