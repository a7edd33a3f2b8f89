"""Questions as SQL: text made of our own words alone, and whatever a user wrote as a parameter."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from boxscore.store.spans.columns import to_picousd
from boxscore.store.spans.database import Cell
from boxscore.store.spans.filters import METADATA, SCORE, Condition, Filter, Operator, kind_of
from boxscore.store.spans.schema import QUOTED
from boxscore.store.spans.segment import tag

Names = Callable[[str], int | None]
"""The number of a name in a file, None where the file does not have it."""
Term = tuple[str, Sequence[Cell]]
"""A condition on a span `s`, and its parameters."""

COLUMNS = ", ".join(f"s.{column}" for column in QUOTED)

_TAGGED = "EXISTS (SELECT 1 FROM tags x WHERE x.project = ? AND x.tag = ? AND x.at_ns = s.at_ns AND x.seq = s.seq)"
_SCORED = """EXISTS (SELECT 1 FROM scores x WHERE {}
AND (x.trace = s.trace AND (x.span IS NULL OR x.span = s.span OR s.entry > 0)
OR x.session = (SELECT value FROM names WHERE id = s.session)))"""


class Where(NamedTuple):
    """What comes after SELECT: `source` (FROM and WHERE) with its parameters, and the expressions of the sort key."""

    source: str
    parameters: Sequence[Cell]
    at: str = "s.at_ns"
    seq: str = "s.seq"

    def having(self, terms: Sequence[Term]) -> "Where":
        return self._replace(
            source=" AND ".join([self.source, *(term for term, _ in terms)]),
            parameters=[*self.parameters, *(parameter for _, parameters in terms for parameter in parameters)],
        )

    def beyond(self, at_ns: int, seq: int, *, oldest_first: bool) -> "Where":
        """Only what sorts behind that place."""
        compared = ">" if oldest_first else "<"
        return self.having([(f"({self.at}, {self.seq}) {compared} (?, ?)", (at_ns, seq))])

    def until(self, at_ns: int, seq: int, *, oldest_first: bool) -> "Where":
        """Only what sorts before that place, and what is there."""
        compared = "<=" if oldest_first else ">="
        return self.having([(f"({self.at}, {self.seq}) {compared} (?, ?)", (at_ns, seq))])

    def order(self, *, oldest_first: bool) -> str:
        way = "ASC" if oldest_first else "DESC"
        return f"ORDER BY {self.at} {way}, {self.seq} {way}"


class Test(NamedTuple):
    """A condition on one integer column; None is NULL. `!=` holds for NULL too."""

    column: str
    operator: Operator
    value: int | None

    @property
    def term(self) -> Term:
        column = f's."{self.column}"'
        if self.value is None:
            return f"{column} IS {'' if self.operator == '=' else 'NOT '}NULL", ()
        return (f"{column} IS NOT ?" if self.operator == "!=" else f"{column} {self.operator} ?"), (self.value,)


class Question(NamedTuple):
    """A filter in the numbers of one file. `tags` of the application (whether a span has them), `others` that rows
    alone can answer; of these `scored` are conditions on a score `x` that there has to be."""

    project: int
    tests: Sequence[Test]
    tags: Sequence[tuple[bool, int]]
    others: Sequence[Term]
    scored: Sequence[Term] = ()

    def walk(self) -> tuple[Where, Sequence[Term]]:
        """A walk in the order of lists along the index that leaves most out, and the terms that it leaves open."""
        tests = list(self.tests)
        tags = list(self.tags)
        entry = Test("entry", ">", 0)
        if (tagged := next((tag for tag in tags if tag[0]), None)) is not None:
            tags.remove(tagged)
            source = "FROM tags t CROSS JOIN spans s ON s.seq = t.seq WHERE t.project = ? AND t.tag = ?"
            walk = Where(source, (self.project, tagged[1]), "t.at_ns", "t.seq")
        elif entry in tests:
            tests.remove(entry)
            of = next((test for test in tests if test.column in ("session", "user") and _equals(test)), None)
            index = "spans_entry" if of is None else f"spans_{of.column}"
            walk = Where(f"FROM spans s INDEXED BY {index} WHERE s.project = ? AND s.entry > 0", (self.project,))
            if of is not None:
                tests.remove(of)
                walk = walk.having([of.term])
        else:
            walk = Where("FROM spans s INDEXED BY spans_time WHERE s.project = ?", (self.project,))
        return walk, self._terms(tests, tags)

    def rows(self) -> Where:
        """To be asked of rows by `seq`."""
        return Where("FROM spans s NOT INDEXED WHERE s.project = ?", (self.project,)).having(
            self._terms(self.tests, self.tags)
        )

    def _terms(self, tests: Sequence[Test], tags: Sequence[tuple[bool, int]]) -> list[Term]:
        tagged = [("" if has else "NOT ") + _TAGGED for has, _ in tags]
        return [
            *(test.term for test in tests),
            *zip(tagged, ((self.project, number) for _, number in tags), strict=True),
            *self.others,
        ]


def question(project: int, filter: Filter, names: Names, *, scored: bool = True) -> Question | None:
    """None where no span of the file can be among what is asked for. `scored`: there are scores beside it."""
    tests: list[Test] = []
    tags: list[tuple[bool, int]] = []
    others: list[Term] = []
    scores: list[Term] = []
    for condition in filter:
        kind = kind_of(condition.field)
        number: int | None = None
        if kind == "score":
            if scored:
                has, score = _score(condition, project)
                others.append((("" if has else "NOT ") + _SCORED.format(score[0]), score[1]))
                if has:
                    scores.append(score)
            elif (condition.operator == "!=") == (condition.value is None):
                return None
            continue
        if kind == "text" and condition.value is not None:
            number = names(_name(condition))
            if number is None:
                if condition.operator == "=":
                    return None
                continue  # what the file does not have is unequal to all that it has
        if condition.field.startswith(METADATA):
            assert number is not None  # noqa: S101 - metadata cannot be asked for being absent
            tags.append((condition.operator == "=", number))
        else:
            tests.append(_test(condition, number))
    return Question(project, tests, tags, others, scores)


def _test(condition: Condition, number: int | None) -> Test:
    field, operator, value = condition.field, condition.operator, condition.value
    match field:
        case "entry":
            return Test("entry", ">" if (operator == "=") == value else "=", 0)
        case "error":
            return Test("error", "=", int((operator == "=") == value))
        case "cost_usd":
            assert value is None or isinstance(value, Decimal | int)  # noqa: S101 - a Condition checks its value
            return Test("cost_picousd", operator, to_picousd(None if value is None else Decimal(value)))
        case _:
            stored = number if kind_of(field) == "text" else value
            assert stored is None or isinstance(stored, int)  # noqa: S101
            return Test(field, operator, stored)


def _equals(test: Test) -> bool:
    return test.operator == "=" and test.value is not None


def _score(condition: Condition, project: int) -> tuple[bool, Term]:
    """Whether there has to be such a score, and what is asked of a score `x`."""
    name, operator, value = condition.field.removeprefix(SCORE), condition.operator, condition.value
    has = operator != "!=" if value is not None else operator == "!="
    asked, parameters = "x.project = (SELECT value FROM names WHERE id = ?) AND x.name = ?", list[Cell]((project, name))
    if value is not None:
        column, parameter = ("word", value) if isinstance(value, str) else ("number", float(value))
        asked += f" AND x.{column} {'=' if operator == '!=' else operator} ?"
        parameters.append(parameter)
    return has, (asked, parameters)


def _name(condition: Condition) -> str:
    value = str(condition.value)
    in_metadata = condition.field.startswith(METADATA)
    return tag(condition.field.removeprefix(METADATA), value) if in_metadata else value
