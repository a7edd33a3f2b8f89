"""The `number` scorer: which number did the answer give?"""

import math
import re
from fractions import Fraction
from typing import Literal, NamedTuple

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.matching import shorten
from boxscore.scoring.references import reference_texts
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Number", "NumberReading"]


class NumberReading(NamedTuple):
    """A number read in a text. `percent`: it carried a percent sign; `rule` says where it stood."""

    value: Fraction
    percent: bool
    text: str
    rule: str


# Numbers with decimal point, and with decimal comma. Both take digits in groups of three, also set apart by thin or
# no-break spaces. Digits that belong to a word (GPT-4 has a minus of its own, "x2", "v1.2.3") are not numbers; units
# may follow ("3km", "5th").
_SPACES = "\u00a0\u2009\u202f"


def _pattern(group: str, point: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![A-Za-z0-9_])(?<!\d{point})(?<![A-Za-z][-−–])(?<!\d/)(?P<sign>(?<!\d)[-−+](?=[\d{point}$€£¥₹]))?"
        rf"(?P<currency>[$€£¥₹])?\s?(?P<sign2>[-−])?"
        rf"(?P<digits>\d{{1,3}}(?:[{group}{_SPACES}]\d{{3}})+(?!\d)|\d+)?"
        rf"(?P<fraction>{point}\d+)?(?<=\d)"
        rf"(?P<power>[eE][-+]?\d{{1,3}}(?![\w])|\s?[×x*]\s?10\^?\{{?(?P<exponent>[-−+]?\d{{1,3}})\}}?)?"
        rf"(?:\s?/\s?(?P<under>[1-9]\d*)(?![\d/{point}]))?"
        rf"(?P<percent>\s?(?:\\?%|percent\b))?"
    )


_NUMBERS = {"point": _pattern(",'’", r"\."), "comma": _pattern(r"\.'’", ",")}
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_FRAC = re.compile(r"\\[dt]?frac\{\s*([-−]?\d+)\s*\}\{\s*(\d+)\s*\}")
_STATED = re.compile(
    r"####|(?:\b(?:answer|result|respuesta|réponse|resposta|risposta|antwort|ergebnis)\b|答え|答案)"
    r"(?:\s+(?:is|was|equals|es|est|é|è|ist|lautet)\b|\s*(?:は|是))?\s*[:=：]?",
    re.IGNORECASE,
)


# "The result of 12 × 4 is 48", "the answer to question 2 is 42": what stands before the verb is the question.
_OF_WHAT = re.compile(
    r"(?:of|to|for|from|when|after|de|del|der|von|auf)\b.{0,200}?\b(?:is|was|equals|es|est|ist|lautet)\b",
    re.IGNORECASE,
)


class Number:
    """The answer's number equals the reference's.

    Which number is read, in answer and reference alike: the one in the last `\\boxed{}`; else the one after the last
    "answer is", "answer:" or "####" (behind the last "=" if that sentence has one); else the last number of the text.
    Read are signs, thousands separators (1,234 and thin spaces), decimals, fractions (3/4), powers (1.5e3, 2 × 10^6),
    currency and percent signs; `decimal=comma` reads 1.234,5. Equal means within `tolerance=` (absolute) or
    `relative=` (share of the reference), by default exactly. A percent sign counts only against its absence: 50 % is 50
    and 0.5.

    Lies when the text goes on after the answer ("... which is 12 % of 400"), with units that differ (5 km and 5000 m),
    with numbers in words, with ranges and dates, and with "4k". "3,14" is read as two numbers unless `decimal=comma`.
    """

    LONGEST = 400  # characters of one number; longer runs of digits are no answers, and Python refuses to read them

    def __init__(
        self,
        *,
        tolerance: float = 0.0,
        relative: float = 0.0,
        decimal: Literal["point", "comma"] = "point",
    ) -> None:
        for name, value in (("tolerance", tolerance), ("relative", relative)):
            if value < 0:
                raise ScorerError("number", f"argument {name!r} cannot be {value:g}: it takes a number from 0 up")
        self._tolerance, self._relative = Fraction(str(tolerance)), Fraction(str(relative))
        self._decimal = decimal
        self._numbers = _NUMBERS[decimal]
        self.spec: str = format_spec(
            "number",
            options={
                "tolerance": tolerance or None,
                "relative": relative or None,
                "decimal": None if decimal == "point" else decimal,
            },
        )
        self.metric: Metric = Metric(name="number")

    def read(self, text: str) -> NumberReading | None:
        """The number that the text gives, None when it gives none."""
        boxed = _BOXED.findall(text)
        if boxed:
            found = self._find(boxed[-1])
            if found:
                return self._reading(found[-1], "boxed")
        stated = [match.end() for match in _STATED.finditer(text)]
        for start in reversed(stated[-20:]):
            sentence = re.split(r"\n|[.!?。](?:\s|$)", text[start : start + 300].lstrip(" *_:=$"), maxsplit=1)[0]
            if question := _OF_WHAT.match(sentence):
                sentence = sentence[question.end() :]
            found = self._find(sentence.rpartition("=")[2]) or self._find(sentence)
            if found:
                return self._reading(found[0], "after “answer”")
        # The last number is near the end; a long text is not read from its beginning.
        for size in (2_000, len(text)):
            found = self._find(text[-size:])
            if found:
                return self._reading(found[-1], "last number")
        return None

    def score(self, example: Example, response: Response) -> Score:
        wanted = [self._reference(text, example.id) for text in reference_texts("number", example)]
        got = self.read(response.output)
        if got is None:
            return Score(value=0.0, label="no number", note="no number is in the answer")
        hit = any(self._same(one, got) for one in wanted)
        return Score(value=float(hit), label=got.text, note=got.rule)

    def _find(self, text: str) -> list[re.Match[str]]:
        text = _FRAC.sub(r"\1/\2", text).replace("\\,", "").replace("{,}", ",")
        return [found for found in self._numbers.finditer(text) if len(found[0]) <= self.LONGEST]

    def _reading(self, found: re.Match[str], rule: str) -> NumberReading:
        point = "." if self._decimal == "point" else ","
        digits = re.sub(r"\D", "", found["digits"] or "0")
        value = Fraction(digits + (found["fraction"] or "").replace(point, "."))
        if found["power"]:
            power = found["exponent"] or found["power"].lower().partition("e")[2]
            value *= Fraction(10) ** int(power.replace("−", "-"))
        if found["under"]:
            value /= int(found["under"])
        if (found["sign"] or found["sign2"] or "+") in "-−":
            value = -value
        return NumberReading(value, bool(found["percent"]), shorten(found[0].strip(), 40), rule)

    def _reference(self, text: str, example_id: str) -> NumberReading:
        found = self.read(text)
        if found is None:
            raise ScorerError("number", f"the reference {shorten(text)!r} holds no number", example_id=example_id)
        return found

    def _same(self, wanted: NumberReading, got: NumberReading) -> bool:
        values = [got.value]
        if got.percent and not wanted.percent:
            values.append(got.value / 100)
        elif wanted.percent and not got.percent:
            values.append(got.value * 100)
        allowed = max(self._tolerance, self._relative * abs(wanted.value))
        return any(abs(value - wanted.value) <= allowed or _float_equal(value, wanted.value) for value in values)


def _float_equal(one: Fraction, other: Fraction) -> bool:
    # 1/3 against 0.3333333333333333: the last digits of a double are not the model's mistake. Whole numbers are exact.
    if one.denominator == 1 and other.denominator == 1:
        return False
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-12)
    except OverflowError:
        return False
