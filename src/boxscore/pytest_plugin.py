"""The pytest plug-in: comparisons as tests. `pytest --boxscore` runs them; without the flag they are skipped, because
they may ask models and cost money.

It is loaded in every run of pytest where Boxscore is installed, so it imports nothing of weight before a gate is used.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from boxscore.experiments.comparison import Comparison
    from boxscore.experiments.spec import Spec
    from boxscore.experiments.verdict import Decision, Verdict

_PROPERTY = "boxscore"
_SESSION = pytest.StashKey["_Session"]()


class _Options(NamedTuple):
    """`spend_cap_usd` is for all gates of this process; `reports` a folder."""

    fresh: bool
    spend_cap_usd: float | None
    reports: Path | None


class _Session:
    """What all gates of one run share."""

    def __init__(self, options: _Options) -> None:
        self.options = options
        self.spent_usd = 0.0


class BoxscoreGate:
    """The fixture `boxscore_gate`: called with a comparison, it fails the test unless the verdict is accepted.

        def test_the_new_prompt(boxscore_gate):
            boxscore_gate("boxscore.yaml", candidate="careful-prompt")

    A test may call it several times.
    """

    def __init__(self, request: pytest.FixtureRequest, session: _Session) -> None:
        self._request = request
        self._session = session

    def __call__(
        self,
        spec: "str | Path | Comparison",
        *,
        candidate: str | None = None,
        baseline: str | None = None,
        baseline_file: str | Path | None = None,
        limit: int | None = None,
        accept: "Sequence[Decision]" = ("ship",),
    ) -> "Comparison":
        """Compare, and fail the test with the box score unless the verdict is one of `accept`.

        `spec` is a spec file, or a `Comparison` that `boxscore.compare` gave. A relative path is looked for beside the
        test's file, then in pytest's root folder. `baseline_file` stands for the baseline; `limit` takes only the first
        examples. What keeps the comparison from being made fails the test with one sentence.
        """
        __tracebackhide__ = True
        from boxscore.errors import BoxscoreError, SpendCapError
        from boxscore.experiments.comparison import Comparison

        found, problem = None, ""
        try:
            found = (
                spec if isinstance(spec, Comparison) else self._compare(spec, candidate, baseline, baseline_file, limit)
            )
        except BoxscoreError as error:
            self._session.spent_usd += error.spent_usd if isinstance(error, SpendCapError) else 0.0
            problem = _line(str(error))
        if found is None:  # outside of the handler, so that pytest shows no chain of exceptions
            self._tell(f"ERROR      {problem}")
            pytest.fail(f"boxscore could not compare: {problem}", pytrace=False)
        verdict = found.verdict
        made = verdict.provenance
        bills = [bill for bill in (made.spent_usd, made.judge_spent_usd) if bill is not None] if made else []
        spent = sum(bills) if bills else None
        self._session.spent_usd += spent or 0.0
        known = spent or verdict.cost is not None  # nothing that is known of is not nothing
        self._tell(_summary(verdict, spent if known else None))
        where = self._save(found)
        if verdict.verdict not in accept:
            allowed = " or ".join(accept)
            report = f"\nreport: {where}" if where else ""
            pytest.fail(
                f"{verdict.verdict}, and the gate asks for {allowed}: {_line(verdict.reason)}\n\n{found}{report}",
                pytrace=False,
            )
        return found

    def _compare(
        self,
        path: str | Path,
        candidate: str | None,
        baseline: str | None,
        baseline_file: str | Path | None,
        limit: int | None,
    ) -> "Comparison":
        from boxscore.errors import SpecError
        from boxscore.experiments.compare import compare_spec
        from boxscore.experiments.spec import load_spec

        spec = load_spec(self._find(path))
        candidates = [] if candidate is None else [candidate]
        if baseline_file is None:
            spec = spec.between(baseline, candidates)
        elif baseline is None:
            spec = spec.against_file(candidates)
        else:
            raise SpecError("there is one baseline: name a variant, or a file.", key="baseline_file", path=spec.path)
        if len(spec.candidates) > 1:
            names = ", ".join(spec.candidates)
            raise SpecError(
                f"a gate has one candidate, and here are {names}: name one.", key="candidate", path=spec.path
            )
        return compare_spec(
            self._capped(spec),
            limit=limit,
            fresh=self._session.options.fresh,
            baseline_file=None if baseline_file is None else self._find(baseline_file),
            command=f"pytest --boxscore {self._request.node.nodeid}",
        )[0]

    def _capped(self, spec: "Spec") -> "Spec":
        """With what is left of the session's cap, where that is less than its own."""
        import msgspec

        from boxscore.errors import SpendCapError

        cap = self._session.options.spend_cap_usd
        if cap is None:
            return spec
        left = cap - self._session.spent_usd
        if left <= 0:
            raise SpendCapError(cap, self._session.spent_usd, 0)
        own = spec.spend_cap_usd
        return msgspec.structs.replace(spec, spend_cap_usd=left if own is None else min(left, own))

    def _find(self, path: str | Path) -> Path:
        from boxscore.errors import FileError

        places = [self._request.path.parent / path, self._request.config.rootpath / path]
        for place in places:
            if place.exists():
                return place
        raise FileError(
            path, f"there is no such file; looked for it at {' and '.join(map(str, dict.fromkeys(places)))}."
        )

    def _save(self, found: "Comparison") -> Path | None:
        from boxscore.errors import FileError

        folder = self._session.options.reports
        if folder is None:
            return None
        name = re.sub(r"[^\w.-]+", "-", self._request.node.nodeid).strip("-")
        path = folder / f"{name}-{found.verdict.id}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return found.save(path)
        except OSError as error:
            pytest.fail(str(FileError(path, f"the report cannot be written: {error.strerror}.")), pytrace=False)

    def _tell(self, line: str) -> None:
        """A line for the end of the run; properties come back from the workers of pytest-xdist as well."""
        self._request.node.user_properties.append((_PROPERTY, line))


@pytest.fixture
def boxscore_gate(request: pytest.FixtureRequest) -> BoxscoreGate:
    """Fails the test unless a comparison has an accepted verdict; skips it without --boxscore."""
    session = request.config.stash.get(_SESSION, None)
    if session is None:
        pytest.skip("a gate may ask models and cost money: `pytest --boxscore` runs it")
    return BoxscoreGate(request, session)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("boxscore", "comparisons as tests")
    group.addoption("--boxscore", action="store_true", help="run gates: tests that use the fixture boxscore_gate")
    group.addoption("--boxscore-fresh", action="store_true", help="gates use no answer of an earlier run")
    group.addoption(
        "--boxscore-spend-cap", type=float, metavar="USD", help="stop before all gates together spend more than this"
    )
    group.addoption("--boxscore-reports", type=Path, metavar="FOLDER", help="write the HTML report of every gate")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--boxscore"):
        return
    cap: float | None = config.getoption("--boxscore-spend-cap")
    if cap is not None and not cap > 0:
        raise pytest.UsageError(f"--boxscore-spend-cap must be above 0 dollars, and is {cap:g}.")
    options = _Options(bool(config.getoption("--boxscore-fresh")), cap, config.getoption("--boxscore-reports"))
    config.stash[_SESSION] = _Session(options)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        (report.nodeid, text)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name == _PROPERTY
    ]
    if lines:
        terminalreporter.section("boxscore gates")
    for node, text in lines:
        terminalreporter.line(f"{text}  [{node}]")


def _summary(verdict: "Verdict", spent: float | None) -> str:
    """`SHIP       careful-prompt +36.7 points accuracy (+16.3 to +52.0), spent $0.12`."""
    from boxscore import figures
    from boxscore.experiments.report.rows import rows

    row = next((row for row in rows(verdict) if row.role == "primary"), None)
    parts = [_line(verdict.candidate.name)]
    if row is not None:
        ends = "no interval" if row.low is None or row.high is None else row.unit.range(row.low, row.high)
        parts.append(f"{row.unit.signed_full(row.difference)} {row.label} ({ends})")
    parts += [] if spent is None else [f"spent {figures.money(spent)}"]
    return f"{verdict.verdict.upper():<10} {', '.join(parts)}"


def _line(text: str) -> str:
    from boxscore.text import stripped

    return stripped(text)
