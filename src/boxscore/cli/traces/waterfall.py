"""A trace as a tree with bars: what began when, how long it took, and what it cost."""

from collections.abc import Iterator, Sequence

from boxscore.cli.traces.ink import FAILED, Ink, flowed, safe
from boxscore.cli.traces.words import absolute, counted, share, tokens, took, usd
from boxscore.store.spans import Score
from boxscore.text import cells, left, middle_cut, right, stripped, wrapped
from boxscore.tracing.tree import Node, Tree

ORPHAN = "⋯"
_WAIT, _WORK, _LEFT, _RIGHT, _POINT = "╌", "━", "╺", "╸", "╹"
_STEP = 2
_PRICES = 6
_ID = 6


def summary(tree: Tree, scores: Sequence[Score], width: int, ink: Ink) -> Iterator[str]:
    """The trace in sentences: what it took, where the time went, whose it was, and what is odd about it."""
    first = tree.nodes[0].span
    when = f"{absolute(first.start_ns)} UTC"
    yield ink.bold(left(safe(first.name), width - len(when) - 2)) + "  " + ink.pale(when)
    yield "━" * width
    yield from map(ink.bold, wrapped(_totals(tree), width))
    heavy = tree.heaviest()
    if heavy is not None and heavy.time >= 0.3:
        cost = f" and {share(heavy.cost)} of the cost" if heavy.cost else ""
        yield from wrapped(
            f"{share(heavy.time)} of the time{cost} {'are' if cost else 'is'} in {safe(heavy.name)}.", width
        )
    yield from map(ink.pale, flowed(_facts(tree, scores), width))
    for note in _notes(tree):
        for at, line in enumerate(wrapped(note, width - 2)):
            yield ("! " if at == 0 else "  ") + line


def _totals(tree: Tree) -> str:
    spans = [node.span for node in tree.nodes]
    came = sum(span.input_tokens or 0 for span in spans)
    answered = sum(span.output_tokens or 0 for span in spans)
    cached = sum(span.cached_tokens or 0 for span in spans)
    costs = [span.cost_usd for span in spans if span.cost_usd is not None]
    errors = sum(span.error for span in spans)
    said = [f"{took(tree.end_ns - tree.start_ns)}, {counted(len(spans), 'span')}"]
    if came or answered:
        said.append(f"{came:,} tokens in{f' ({cached:,} cached)' if cached else ''} and {answered:,} out")
    said += [usd(sum(costs[1:], costs[0]))] if costs else []
    return f"{', '.join(said)}; {counted(errors, 'error') if errors else 'no errors'}."


def _facts(tree: Tree, scores: Sequence[Score]) -> Iterator[str]:
    first = tree.nodes[0].span
    yield f"trace {first.trace_id.hex()}"
    for word in ("session", "user", "application", "release", "environment"):
        told = next((value for node in tree.nodes[:1000] if (value := getattr(node.span, word))), None)
        if told is not None:
            yield f"{word} {stripped(str(told))}"
    for score in scores[:8]:
        value = f"{score.value:g}" if isinstance(score.value, float) else str(score.value).lower()
        yield f"score {stripped(score.name)} {stripped(value)} ({score.source})"


def _notes(tree: Tree) -> Iterator[str]:
    orphans = sum(node.orphan for node in tree.nodes)
    if orphans:
        yield f"{ORPHAN} {counted(orphans, 'span')} whose parent is not here yet: it may still come."
    shifts: dict[tuple[str, int], int] = {}
    for node in tree.nodes:
        if node.shift_ns:
            key = (node.span.application or "another process", node.shift_ns)
            shifts[key] = shifts.get(key, 0) + 1
    for (application, shift), count in shifts.items():
        way = "ahead" if shift < 0 else "behind"
        yield (
            f"The clock of {stripped(application)} seems {took(abs(shift))} {way}: its {counted(count, 'span')} "
            f"{'is' if count == 1 else 'are'} shown {'earlier' if shift < 0 else 'later'} by that, and kept as sent."
        )
    running = sum(node.span.duration_ns is None for node in tree.nodes)
    if running:
        yield f"… {counted(running, 'span')} told no end so far."


def fine_print(tree: Tree, width: int) -> list[str]:
    """The price rows that the costs were computed from."""
    rows = dict.fromkeys(stripped(node.span.price) for node in tree.nodes if node.span.price)
    more = len(rows) - _PRICES
    told = [*list(rows)[:_PRICES], *([f"{more} more"] if more > 0 else [])]
    return wrapped(f"Prices: {', '.join(told)}.", width) if told else []


class Waterfall:
    """The lines of a tree at one width. A terminal of 100 columns or more names the models too."""

    def __init__(self, tree: Tree, width: int, ink: Ink) -> None:
        self.tree = tree
        self.ink = ink
        self.width = width
        nodes = tree.nodes[:5000]  # widths that fit these fit the rest well enough
        self.took = max(5, *(cells(took(node.span.duration_ns)) for node in nodes))
        self.cost = max(4, *(cells(usd(node.span.cost_usd)) for node in nodes))
        models = [_model(node) for node in nodes]
        self.model = min(max(map(cells, models)), 24) if width >= 100 else 0
        room = width - self.took - self.cost - len("tokens") - _ID - 5 - (self.model + 1 if self.model else 0)
        wanted = max(cells(stripped(node.span.name)) + _STEP * node.depth + 2 for node in nodes)
        self.name = max(16, min(wanted, room * 3 // 5))
        self.bar = room - self.name

    def head(self) -> str:
        end = took(self.tree.end_ns - self.tree.start_ns)
        model = f" {left('model', self.model)}" if self.model else ""
        scale = "0" + right(end, self.bar - 1) if self.bar > len(end) + 2 else " " * self.bar
        return self.ink.pale(
            f"{left('  span', self.name)}{model} {scale}"
            f" {right('took', self.took)} tokens {right('cost', self.cost)} id"
        )

    def lines(self, node: Node) -> Iterator[str]:
        """The span's line, and beneath it what a failed one said."""
        span, ink = node.span, self.ink
        mark = ink.bad(FAILED) if span.error else ORPHAN if node.orphan else " "
        indent = min(_STEP * node.depth, max(0, self.name - 10))
        name = left(" " * indent + safe(span.name), self.name - 2)
        model = f" {ink.pale(left(middle_cut(_model(node), self.model), self.model))}" if self.model else ""
        yield (
            f"{mark} {ink.bad(name) if span.error else name}{model} {self._bar(node)}"
            f" {right(took(span.duration_ns), self.took)} {right(tokens(span.input_tokens, span.output_tokens), 6)}"
            f" {right(usd(span.cost_usd), self.cost)} {ink.pale(span.span_id.hex()[:_ID])}"
        )
        if span.error:
            said = stripped(span.status_message or "")
            if said:
                yield ink.bad(left(" " * (indent + 2) + said, self.width).rstrip())

    def _bar(self, node: Node) -> str:
        total = self.tree.end_ns - self.tree.start_ns
        if total <= 0 or self.bar <= 0:
            return _POINT + " " * (self.bar - 1) if self.bar > 0 else ""
        half = 2 * self.bar / total  # half columns a nanosecond
        start = min(round((node.start_ns - self.tree.start_ns) * half), 2 * self.bar - 1)
        end = min(max(start, round((node.end_ns - self.tree.start_ns) * half)), 2 * self.bar)
        if end - start < 1:
            at = start // 2
            return " " * at + self._painted(_POINT, node) + " " * (self.bar - at - 1)
        wait = 0
        if node.span.first_token_ns is not None:
            wait = min(round(node.span.first_token_ns * half), end - start)
        before, lead = divmod(start, 2)
        body, tail = divmod(end - start - lead, 2)
        drawn = (_LEFT if lead else "") + _WORK * body + (_RIGHT if tail else "")
        waits = min(wait // 2, len(drawn))
        bar = self.ink.pale(_WAIT * waits) + self._painted(drawn[waits:], node)
        return " " * before + bar + " " * (self.bar - before - len(drawn))

    def _painted(self, text: str, node: Node) -> str:
        return self.ink.bad(text) if node.span.error else text if _model(node) else self.ink.pale(text)


def _model(node: Node) -> str:
    return stripped(node.span.model or node.span.model_asked or "").rpartition("/models/")[2]
