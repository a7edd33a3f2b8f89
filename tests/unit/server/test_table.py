"""The tables: metrics, statuses, who may ask."""

import pytest

from boxscore import errors
from boxscore.errors import (
    BoxscoreError,
    BusyError,
    NotFoundError,
    RequestError,
    StoreError,
    TimeLimitError,
    UsageError,
)
from boxscore.server.errors import error_body, status_of
from boxscore.server.metrics import METRICS, Sample, exposition


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_what_it_is_and_what_to_do(metric: object) -> None:
    name, kind, unit, meaning, remedy, _ = metric  # type: ignore[misc]

    assert name.startswith("boxscore_")
    assert name.endswith("_total") == (kind == "counter")
    assert unit
    assert meaning.endswith(".")
    assert remedy.endswith(".")
    if unit in ("bytes", "seconds"):
        assert unit in name


def test_names_of_metrics_are_unique() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_labels_are_escaped() -> None:
    text = exposition(iter([Sample("boxscore_spans_rejected_total", 2, 'a "b"\n\\c')])).decode()

    assert 'boxscore_spans_rejected_total{reason="a \\"b\\"\\n\\\\c"} 2\n' in text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("no"), 400),
        (errors.UnknownNameError("field", "modle", ["model"]), 400),
        (NotFoundError("trace", "ab"), 404),
        (RequestError("too_large", "no"), 413),
        (RequestError("what comes later", "no"), 400),
        (BusyError("no", retry_after_s=2), 503),
        (StoreError("no"), 503),
        (TimeLimitError("no", limit_s=1), 504),
        (BoxscoreError("no"), 500),
    ],
)
def test_an_error_has_its_status_and_carries_its_data(error: BoxscoreError, status: int) -> None:
    assert status_of(error) == status
    assert error.code.encode() in error_body(error)
    for name in vars(error):
        assert f'"{name}":'.encode() in error_body(error)
