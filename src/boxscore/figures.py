"""Numbers as people read them: points, dollars, seconds, with the digits that their interval supports."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["rate", "mean", "amount"]


@dataclass(frozen=True)
class Unit:
    """How one quantity is written. A stored number times `factor` is the number shown."""

    factor: float = 1.0
    decimals: int = 1
    before: str = ""
    after: str = ""

    def number(self, value: float) -> str:
        """`34.4`, `1,905`, `−0.71`: no sign for what is not negative, no unit."""
        text = f"{abs(value * self.factor):,.{self.decimals}f}"
        return f"−{text}" if value < 0 and text.strip("0.,") else text

    def signed(self, value: float) -> str:
        """`+34.4`, `−12.75`, `0.0`."""
        text = self.number(value)
        return text if text.startswith("−") or not text.strip("0.,") else f"+{text}"

    def full(self, value: float) -> str:
        """`34.4 points`, `$13.31`, `0.71 s`: the size with its unit, without a sign."""
        return f"{self.before}{self.number(abs(value))}{self.after}"

    def signed_full(self, value: float) -> str:
        """`+34.4 points`, `−$12.75`."""
        text = self.signed(value)
        sign = text[0] if text[0] in "+−" else ""
        return f"{sign}{self.full(value)}"

    def range(self, low: float, high: float) -> str:
        return f"{self.signed(low)} to {self.signed(high)}"


def points(values: Iterable[float]) -> Unit:
    """Percent points, for rates and means. One decimal, two where the values are all within half a point."""
    return Unit(100.0, 2 if 0 < _largest(values) < 0.005 else 1, "", " points")


def percent(values: Iterable[float]) -> Unit:
    del values
    return Unit(100.0, 1, "", " %")


def dollars(values: Iterable[float]) -> Unit:
    """Two decimals, more below ten cents so that two digits are left, none above 10,000."""
    largest = _largest(values)
    if largest >= 10_000:
        return Unit(1.0, 0, "$")
    if largest == 0 or largest >= 0.1:
        return Unit(1.0, 2, "$")
    return Unit(1.0, min(9, 1 - math.floor(math.log10(largest))), "$")


def seconds(values: Iterable[float]) -> Unit:
    """Milliseconds below a second, else seconds: two decimals up to ten, then one."""
    largest = _largest(values)
    if largest < 1:
        return Unit(1000.0, 0 if largest >= 0.01 else 1, "", " ms")
    return Unit(1.0, 2 if largest < 10 else 1, "", " s")


def amount(values: Iterable[float], unit: str = "") -> Unit:
    largest = _largest(values)
    decimals = 0 if largest >= 100 else 1 if largest >= 10 else 2 if largest >= 0.1 or largest == 0 else 3
    return Unit(1.0, decimals, "", f" {unit}" if unit else "")


def of_kind(kind: Kind, values: Iterable[float], unit: str = "") -> Unit:
    return amount(values, unit) if kind == "amount" else points(values)


def money(value: float) -> str:
    """`$13.31`, `$0.052`, `−$2.10`."""
    unit = dollars([value])
    return f"−{unit.full(value)}" if unit.number(value).startswith("−") else unit.full(value)


def coins(value: float) -> str:
    """A small price as one says it: `3.9 cents`, `$2.10`."""
    if abs(value) >= 1:
        return money(value)
    return f"{significant(value * 100)} cents"


def coin_range(low: float, high: float) -> str:
    """`3.4 to 4.5` for cents, `$1.20 to $3.10`: the ends of an interval beside a price written by `coins`."""
    if abs(low) < 1 and abs(high) < 1:
        return f"{significant(low * 100)} to {significant(high * 100)}"
    return f"{coins(low)} to {coins(high)}"


def significant(value: float, digits: int = 2) -> str:
    """At least one decimal below 100, and two significant digits: `3.9`, `12.4`, `0.052`."""
    if value == 0 or not math.isfinite(value):
        return "0"
    size = math.floor(math.log10(abs(value)))
    decimals = 0 if size >= 2 else max(1, digits - 1 - size)
    return f"{value:,.{min(decimals, 9)}f}".replace("-", "−")


def duration(value: float) -> str:
    """A duration in prose: `0.7 s`, `5.2 s`, `140 ms`."""
    size = abs(value)
    if size >= 0.5:
        return f"{size:,.1f} s"
    return f"{size * 1000:,.0f} ms" if size >= 0.01 or size == 0 else f"{significant(size * 1000)} ms"


def count(value: int) -> str:
    return f"{value:,}"


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """`1 example`, `1,000 examples`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def p_value(value: float) -> str:
    if value < 1e-40:
        return "p < 1e-40"
    return f"p = {value:.1e}" if value < 0.001 else f"p = {value:.3f}"


def nice_bound(value: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 5, 7.5 times a power of ten that is not below `value`; 1 for 0."""
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 5, 7.5, 10) if step * power >= value * (1 - 1e-9))


def _largest(values: Iterable[float]) -> float:
    return max((abs(value) for value in values if math.isfinite(value)), default=0.0)


def known(*values: float | None) -> list[float]:
    """The values that are there."""
    return [value for value in values if value is not None]
