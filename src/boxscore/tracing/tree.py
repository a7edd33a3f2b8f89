"""A trace as a tree, with the times that are shown: clocks differ, parents may be missing, and neither hides a span."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from boxscore.store.spans import StoredSpan

__all__ = ["Heaviest", "Node", "Tree", "build_tree"]

TOLERANCE_NS = 1_000_000
"""A child that starts this much before its parent has started with it: clocks are rounded."""
QUEUE_NS = 3_600_000_000_000
"""Work that begins this long after its parent ended may have waited in a queue; later, its clock is doubted."""


class Node(NamedTuple):
    """A span in its place. Its texts and raw bytes are left out: trees may have tens of thousands of nodes.

    `shift_ns` is added to the sender's times where they are shown: what the sender told stays as it is in `span`.
    `orphan`: it names a parent that is not here yet. `own_ns`: its duration without the time of its children.
    """

    span: StoredSpan
    depth: int
    shift_ns: int
    orphan: bool
    own_ns: int

    @property
    def start_ns(self) -> int:
        """Where it is shown to begin."""
        return self.span.start_ns + self.shift_ns

    @property
    def end_ns(self) -> int:
        return self.start_ns + (self.span.duration_ns or 0)


class Heaviest(NamedTuple):
    """The spans of one name that take most of a trace's time, beside what is inside them: `time` and `cost` are their
    fractions of all, the cost None where the trace has none."""

    name: str
    time: float
    cost: float | None


class Tree(NamedTuple):
    """Nodes in the order that they are shown: each before its children, these by start."""

    nodes: Sequence[Node]
    start_ns: int
    end_ns: int

    def heaviest(self) -> Heaviest | None:
        """Where the time goes; None for a trace of fewer than three spans or without time, and where so much is done at
        once that time is in several places."""
        total = self.end_ns - self.start_ns
        if len(self.nodes) < 3 or total <= 0:
            return None
        own: dict[str, int] = {}
        for node in self.nodes:
            own[node.span.name] = own.get(node.span.name, 0) + node.own_ns
        if sum(own.values()) > 1.2 * total:
            return None
        name = max(own, key=lambda name: own[name])
        cost = [(node.span.name, node.span.cost_usd) for node in self.nodes if node.span.cost_usd is not None]
        spent = sum(usd for _, usd in cost)
        share = float(sum(usd for of, usd in cost if of == name) / spent) if spent else None
        return Heaviest(name, min(own[name] / total, 1.0), share)


def build_tree(spans: Iterable[StoredSpan]) -> Tree:
    """The tree of a trace's spans, in whatever order they come.

    A span whose parent is not among them stands at the top, as one that began the trace does, and so does one whose
    parents go in a circle. Clocks: processes are told apart by their resource. Where a process' first span in the trace
    lies outside what its parent allows (it begins before it, or hours after its end), all spans of that process are
    shown shifted by what brings the first to the middle of its parent.
    """
    known: dict[bytes, StoredSpan] = {}
    resources: dict[bytes, bytes] = {}
    for span in spans:
        resource = resources.setdefault(span.resource, span.resource)
        known[span.span_id] = msgspec.structs.replace(
            span, input_text="", output_text="", raw=b"", scope=b"", metadata={}, resource=resource
        )
    children: dict[bytes | None, list[StoredSpan]] = {}
    for span in known.values():
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
    placed = _place(known, children)
    start = min((node.start_ns for node in placed), default=0)
    return Tree(placed, start, max((node.end_ns for node in placed), default=0))


def _place(known: dict[bytes, StoredSpan], children: dict[bytes | None, list[StoredSpan]]) -> list[Node]:
    nodes: list[Node] = []
    shifts: dict[bytes, int] = {}
    left = dict(known)
    top = sorted(children.get(None, []), key=_start)
    while left:
        if not top:  # a circle: it is entered where it starts
            top = [min(left.values(), key=_start)]
        stack = [(span, 0, 0) for span in reversed(top)]
        top = []
        while stack:
            span, depth, shift = stack.pop()
            if left.pop(span.span_id, None) is None:
                continue
            shifts.setdefault(span.resource, shift)
            below = [
                (child, _shift(child, span, shift, shifts))
                for child in children.get(span.span_id, [])
                if child.span_id in left
            ]
            below.sort(key=lambda pair: (pair[0].start_ns + pair[1], pair[0].span_id))
            orphan = span.parent_id is not None and span.parent_id not in known
            own = (span.duration_ns or 0) - _covered(span, shift, below)
            nodes.append(Node(span, depth, shift, orphan, max(0, own)))
            stack += [(child, depth + 1, moved) for child, moved in reversed(below)]
    return nodes


def _shift(child: StoredSpan, parent: StoredSpan, parent_shift: int, shifts: dict[bytes, int]) -> int:
    if child.resource == parent.resource:
        return parent_shift
    if child.resource in shifts:
        return shifts[child.resource]
    start = parent.start_ns + parent_shift
    length = parent.duration_ns or 0
    if start - TOLERANCE_NS <= child.start_ns <= start + length + QUEUE_NS:
        shifts[child.resource] = 0
    else:
        shifts[child.resource] = start + max(0, length - (child.duration_ns or 0)) // 2 - child.start_ns
    return shifts[child.resource]


def _covered(span: StoredSpan, shift: int, children: Iterable[tuple[StoredSpan, int]]) -> int:
    """How much of a span its children take, which are in order of their start."""
    at = span.start_ns + shift
    end = at + (span.duration_ns or 0)
    covered = 0
    for child, moved in children:
        start = max(at, child.start_ns + moved)
        stop = min(end, child.start_ns + moved + (child.duration_ns or 0))
        if stop > start:
            covered += stop - start
            at = stop
    return covered


def _start(span: StoredSpan) -> tuple[int, bytes]:
    return span.start_ns, span.span_id
