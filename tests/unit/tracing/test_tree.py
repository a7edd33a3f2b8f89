"""Trees: every span has its place, whatever clocks and parents say."""

import itertools
import random
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from boxscore.store.spans import StoredSpan
from boxscore.tracing.tree import build_tree

S = 1_000_000_000
START = 1_770_000_000 * S


def span(name: str, start_s: float, took_s: float | None, parent: str | None = None, **fields: Any) -> StoredSpan:
    return StoredSpan(
        trace_id=b"t" * 16,
        span_id=name.encode().ljust(8, b"."),
        parent_id=None if parent is None else parent.encode().ljust(8, b"."),
        name=name,
        start_ns=START + round(start_s * S),
        duration_ns=None if took_s is None else round(took_s * S),
        received_ns=START,
        **fields,
    )


def places(*spans: StoredSpan) -> list[tuple[str, int]]:
    return [(node.span.name, node.depth) for node in build_tree(spans).nodes]


def test_each_span_stands_before_its_children_and_these_by_start() -> None:
    spans = [span("a", 0, 9), span("b", 1, 2, "a"), span("b1", 1.5, 1, "b"), span("c", 0.5, 3, "a")]
    expected = [("a", 0), ("c", 1), ("b", 1), ("b1", 2)]

    for order in itertools.permutations(spans):
        assert places(*order) == expected


def test_a_span_whose_parent_is_not_here_stands_at_the_top_and_says_so() -> None:
    tree = build_tree([span("a", 0, 9), span("lost", 1, 1, "gone"), span("child", 1, 1, "lost")])

    assert [(node.span.name, node.depth, node.orphan) for node in tree.nodes] == [
        ("a", 0, False),
        ("lost", 0, True),
        ("child", 1, False),
    ]


def test_parents_in_a_circle_lose_no_span() -> None:
    assert places(span("a", 0, 1, "b"), span("b", 1, 1, "a"), span("self", 2, 1, "self")) == [
        ("a", 0),
        ("b", 1),
        ("self", 0),
    ]


def test_a_clock_that_is_a_day_off_is_shown_within_the_parent_and_kept_as_given() -> None:
    day = 24 * 3600
    for off in (day, -day):
        tree = build_tree(
            [
                span("web", 0, 10, resource=b"one"),
                span("job", off + 3, 4, "web", resource=b"two"),
                span("step", off + 4, 2, "job", resource=b"two"),
                span("back", 5, 1, "step", resource=b"one"),
            ]
        )
        web, job, step, back = tree.nodes

        assert (web.shift_ns, back.shift_ns) == (0, 0)
        assert job.start_ns == START + 3 * S  # the middle of its parent
        assert step.start_ns == START + 4 * S
        assert job.span.start_ns == START + (off + 3) * S
        assert tree.end_ns - tree.start_ns == 10 * S


def test_a_child_that_begins_before_its_parent_is_brought_into_it() -> None:
    tree = build_tree([span("a", 0, 1, resource=b"one"), span("b", -0.2, 0.5, "a", resource=b"two")])

    assert tree.nodes[1].start_ns == START + S // 4


def test_work_that_waited_in_a_queue_stays_where_it_was() -> None:
    tree = build_tree([span("a", 0, 1, resource=b"one"), span("b", 600, 5, "a", resource=b"two")])

    assert tree.nodes[1].shift_ns == 0


def test_one_process_is_never_doubted() -> None:
    tree = build_tree([span("a", 0, 1), span("b", -5, 1, "a")])

    assert tree.nodes[1].shift_ns == 0
    assert tree.start_ns == START - 5 * S


def test_where_the_time_and_the_money_go_is_told() -> None:
    tree = build_tree(
        [
            span("ask", 0, 10),
            span("draft", 1, 8, "ask", cost_usd=Decimal("0.03")),
            span("guard", 9, 0.5, "ask", cost_usd=Decimal("0.01")),
        ]
    )

    assert tree.heaviest() == ("draft", 0.8, 0.75)
    assert [node.own_ns / S for node in tree.nodes] == [1.5, 8, 0.5]


def test_a_span_that_is_not_over_has_a_place() -> None:
    assert places(span("a", 0, None), span("b", 1, None, "a")) == [("a", 0), ("b", 1)]


def test_fifty_thousand_spans_in_one_chain_are_a_tree() -> None:
    chain = [span(f"{n}", n, 1, f"{n - 1}" if n else None) for n in range(50_000)]
    random.Random(1).shuffle(chain)

    assert build_tree(chain).nodes[-1].depth == 49_999


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 5), st.integers(0, 3)), max_size=10))
def test_no_span_is_lost_or_told_twice(found: list[tuple[int, int, int]]) -> None:
    spans = [
        span(f"{n}", start, 1, f"{parent}", resource=bytes([where])) for n, (parent, start, where) in enumerate(found)
    ]

    assert sorted(node.span.name for node in build_tree(spans).nodes) == [one.name for one in spans]
