"""Keys of requests: one has it, others see what came of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from boxscore.store.records import Records
from boxscore.store.records.idempotency import AnswerRow, Idempotency

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path: Path):
    with Records.open(tmp_path) as records:
        yield Idempotency(records.database)


def test_the_first_has_the_key_and_others_see_what_came_of_it(kept: Idempotency) -> None:
    assert kept.begin("default", "k", "h", NOW) is None
    assert kept.begin("default", "k", "other", NOW) == AnswerRow(request_hash="h", status=None, answer=None)
    kept.finish("default", "k", 201, "{}")
    assert kept.begin("default", "k", "h", NOW) == AnswerRow(request_hash="h", status=201, answer="{}")


def test_what_is_forgotten_or_expired_is_new(kept: Idempotency) -> None:
    for key in ("a", "b"):
        kept.begin("default", key, "h", NOW)
    kept.forget("default", "a")
    assert kept.begin("default", "a", "h", NOW + timedelta(hours=2)) is None
    assert kept.expire(NOW + timedelta(hours=1)) == 1
    assert kept.begin("default", "b", "h", NOW) is None
