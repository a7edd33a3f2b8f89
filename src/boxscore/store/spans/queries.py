"""Questions as SQL: text made of our own words alone, and whatever a user wrote as a parameter."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from boxscore.store.spans.columns import to_picousd
from boxscore.store.spans.database import Cell
from boxscore.store.spans.filters import METADATA, SCORE, Condition, Filter, kind_of
from boxscore.store.spans.schema import QUOTED
from boxscore.store.spans.segment import tag

Names = Callable[[str], int | None]
"""The number of a name in a file, None where the file does not have it."""

COLUMNS = ", ".join(f"s.{column}" for column in QUOTED)


class Where(NamedTuple):
    """What comes after SELECT: `source` (FROM and WHERE) with its parameters, and the expressions of the sort key."""

    source: str
    parameters: list[Cell]
    at: str
    seq: str

    def beyond(self, at_ns: int, seq: int, *, oldest_first: bool) -> "Where":
        """Only what sorts behind that place."""
        compared = ">" if oldest_first else "<"
        return self._replace(
            source=f"{self.source} AND ({self.at}, {self.seq}) {compared} (?, ?)",
            parameters=[*self.parameters, at_ns, seq],
        )

    def order(self, *, oldest_first: bool) -> str:
        way = "ASC" if oldest_first else "DESC"
        return f"ORDER BY {self.at} {way}, {self.seq} {way}"


_SCORED = """EXISTS (SELECT 1 FROM scores x WHERE x.project = (SELECT value FROM names WHERE id = ?) AND x.name = ?{}
AND (x.trace = s.trace AND (x.span IS NULL OR x.span = s.span OR s.entry > 0)
OR x.session = (SELECT value FROM names WHERE id = s.session)))"""


def where(project: int, filter: Filter, names: Names, *, scored: bool = True) -> Where | None:
    """The spans `s` that a filter takes; None where no span of this file can be among them. `scored`: there are scores
    beside it."""
    driver: int | None = None
    terms: list[str] = []
    parameters: list[Cell] = []
    for condition in filter:
        number: int | None = None
        if kind_of(condition.field) == "score" and not scored:
            if (condition.operator == "!=") == (condition.value is None):
                return None
            continue
        if kind_of(condition.field) == "text" and condition.value is not None:
            number = names(_name(condition))
            if number is None:
                if condition.operator == "=":
                    return None
                continue  # what the file does not have is unequal to all that it has
        if _has_tag(condition) and condition.operator == "=" and driver is None:
            driver = number
            continue
        term, more = _term(condition, project, number)
        terms.append(term)
        parameters += more
    if driver is None:
        first, at, seq = "FROM spans s WHERE s.project = ?", "s.at_ns", "s.seq"
        return Where(" AND ".join([first, *terms]), [project, *parameters], at, seq)
    first = "FROM tags t CROSS JOIN spans s ON s.seq = t.seq WHERE t.project = ? AND t.tag = ?"
    return Where(" AND ".join([first, *terms]), [project, driver, *parameters], "t.at_ns", "t.seq")


def _term(condition: Condition, project: int, number: int | None) -> tuple[str, Sequence[Cell]]:
    field, operator, value = condition.field, condition.operator, condition.value
    if _has_tag(condition):
        has = "EXISTS (SELECT 1 FROM tags x WHERE x.project = ? AND x.tag = ? AND x.at_ns = s.at_ns AND x.seq = s.seq)"
        return (has if operator == "=" else f"NOT {has}"), (project, number)
    if kind_of(field) == "score":
        return _scored(condition, project)
    match field:
        case "entry":
            return ("s.entry > 0" if (operator == "=") == value else "s.entry = 0"), ()
        case "error":
            return ("s.error = 1" if (operator == "=") == value else "s.error = 0"), ()
        case "cost_usd":
            assert value is None or isinstance(value, Decimal | int)  # noqa: S101 - a Condition checks its value
            column, stored = "s.cost_picousd", to_picousd(None if value is None else Decimal(value))
        case _:
            column = f's."{field}"'
            stored = number if kind_of(field) == "text" else value
            assert stored is None or isinstance(stored, int)  # noqa: S101
    if stored is None:
        return f"{column} IS {'' if operator == '=' else 'NOT '}NULL", ()
    return (f"{column} IS NOT ?" if operator == "!=" else f"{column} {operator} ?"), (stored,)


def _scored(condition: Condition, project: int) -> tuple[str, Sequence[Cell]]:
    name, operator, value = condition.field.removeprefix(SCORE), condition.operator, condition.value
    has = operator != "!=" if value is not None else operator == "!="
    parameters: list[Cell] = [project, name]
    compared = ""
    if value is not None:
        column, parameter = ("word", value) if isinstance(value, str) else ("number", float(value))
        compared = f" AND x.{column} {'=' if operator == '!=' else operator} ?"
        parameters.append(parameter)
    return ("" if has else "NOT ") + _SCORED.format(compared), parameters


def _has_tag(condition: Condition) -> bool:
    return condition.field.startswith(METADATA)


def _name(condition: Condition) -> str:
    value = str(condition.value)
    return tag(condition.field.removeprefix(METADATA), value) if _has_tag(condition) else value
