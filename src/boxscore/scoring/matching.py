"""Scorers that look for text: exact, contains, regex."""

import re
import unicodedata
from typing import Literal

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.references import reference_texts
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Contains", "Exact", "Regex", "shorten"]

Case = Literal["keep", "ignore"]


def shorten(text: str, limit: int = 60) -> str:
    """One line of at most `limit` characters, for labels."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Exact:
    """The answer is the reference, character for character.

    Blanks at both ends do not count (`strip=false`: they do). `case=ignore` folds case; `whitespace=ignore` makes any
    run of blanks one blank. Composed and decomposed accents are the same letter. A list as reference: one must match.

    Lies when a right answer is worded otherwise, has a full stop more, or stands in a sentence: it punishes form as if
    it were content. For one short answer in free text use `choice`, `number` or `contains`.
    """

    def __init__(self, *, case: Case = "keep", strip: bool = True, whitespace: Case = "keep") -> None:
        self._case, self._strip, self._whitespace = case, strip, whitespace
        self.spec: str = format_spec(
            "exact",
            options={
                "case": None if case == "keep" else case,
                "strip": None if strip else False,
                "whitespace": None if whitespace == "keep" else whitespace,
            },
        )
        self.metric: Metric = Metric(name="exact")

    def score(self, example: Example, response: Response) -> Score:
        wanted = reference_texts("exact", example)
        answer = self._normal(response.output)
        hit = any(answer == self._normal(text) for text in wanted)
        return Score(value=float(hit), label=shorten(response.output))

    def _normal(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        if self._case == "ignore":
            text = text.casefold()
        if self._whitespace == "ignore":
            text = " ".join(text.split())
        return text.strip() if self._strip else text


class Contains:
    """The answer contains the given texts, or the reference where none is given.

    `mode=all` (default) wants each text, `mode=any` one of them; of a reference that is a list one suffices.
    `case=keep` respects case (default: ignored). `words=true` wants whole words, so that "cat" is not in "category".

    Lies when the answer mentions the text and denies it ("it is not Paris"), lists every option, or quotes the
    question.
    """

    def __init__(
        self,
        *texts: str,
        mode: Literal["all", "any"] = "all",
        case: Case = "ignore",
        words: bool = False,
    ) -> None:
        if any(not text for text in texts):
            raise ScorerError("contains", "an empty text is in every answer; give a text that says something")
        self._texts, self._mode, self._case, self._words = texts, mode, case, words
        self.spec: str = format_spec(
            "contains",
            texts,
            {
                "mode": None if mode == "all" else mode,
                "case": None if case == "ignore" else case,
                "words": True if words else None,
            },
        )
        self.metric: Metric = Metric(name="contains")

    def score(self, example: Example, response: Response) -> Score:
        wanted = self._texts or reference_texts("contains", example)
        output = self._normal(response.output)
        found = [text for text in wanted if self._in(self._normal(text), output)]
        every = self._mode == "all" and bool(self._texts)
        hit = len(found) == len(wanted) if every else bool(found)
        missing = [text for text in wanted if text not in found]
        note = None if hit else "not found: " + ", ".join(shorten(text, 30) for text in missing)
        return Score(value=float(hit), label=f"{len(found)} of {len(wanted)} found", note=note)

    def _normal(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        return text.casefold() if self._case == "ignore" else text

    def _in(self, text: str, output: str) -> bool:
        if not text or not self._words:
            return bool(text) and text in output
        return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", output) is not None


class Regex:
    """A regular expression (Python's `re`) is found in the answer.

    `mode=full` wants the whole answer, stripped, to match; `mode=absent` turns it round: found is wrong. `flags=` is
    any of `i` (ignore case), `m` (`^` and `$` at lines) and `s` (dot matches line breaks). Commas in a pattern are
    typed `\\,`, or the pattern is quoted.

    Only the first 20,000 characters of the answer are searched, and a pattern with a repeat inside a repeat
    (`(a+)+`) is refused: Python's engine has no time limit, and such a pattern can run for hours on one answer. A
    pattern whose alternatives overlap inside a repeat (`(a|ab)+`) is not found out, and can be as slow.

    Lies when the pattern fits more than was meant; try it on answers that are wrong.
    """

    LIMIT = 20_000

    def __init__(self, pattern: str, *, mode: Literal["search", "full", "absent"] = "search", flags: str = "") -> None:
        if set(flags) - set("ims"):
            raise ScorerError("regex", f"argument 'flags' cannot be {flags!r}: it takes any of i, m, s")
        number = 0
        for flag, value in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
            number |= value if flag in flags else 0
        try:
            self._pattern = re.compile(pattern, number)
        except (re.error, OverflowError, RecursionError) as problem:
            raise ScorerError("regex", f"argument 'pattern' is no regular expression: {pattern!r}: {problem}") from None
        if _repeats_a_repeat(pattern):
            raise ScorerError(
                "regex",
                f"argument 'pattern' repeats a repeat ({pattern!r}), which can take hours on one answer; "
                "write it without the inner or the outer repeat",
            )
        self._mode = mode
        options = {"mode": None if mode == "search" else mode, "flags": flags or None}
        self.spec: str = format_spec("regex", [pattern], options)
        self.metric: Metric = Metric(name="regex")

    def score(self, example: Example, response: Response) -> Score:
        text = response.output[: self.LIMIT]
        found = self._pattern.fullmatch(text.strip()) if self._mode == "full" else self._pattern.search(text)
        hit = (found is None) if self._mode == "absent" else (found is not None)
        return Score(value=float(hit), label=shorten(found[0]) if found else "no match")


def _repeats_a_repeat(pattern: str) -> bool:
    """True where an unbounded repeat holds another one, by a walk over the pattern's characters.

    A group that is repeated without an upper bound and has an unbounded repeat directly in it: the classic way to
    exponential time. Possessive and atomic forms cannot run back and are let through.
    """
    open_groups: list[bool] = []  # for every open group: does it hold an unbounded repeat?
    holds = [False]
    at, in_class = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            at += 1 + (pattern[at + 1 : at + 2] == "^")  # a "]" in first place is a member of the class
            if pattern[at : at + 1] == "]":
                at += 1
            continue
        elif char == "(":
            open_groups.append(pattern.startswith("(?>", at))
            holds.append(False)
        elif char == ")" and open_groups:
            atomic = open_groups.pop()
            inner = holds.pop() and not atomic
            if inner and _unbounded(pattern, at + 1):
                return True
            holds[-1] = holds[-1] or inner
        else:
            quantifier = _QUANTIFIER.match(pattern, at)
            if quantifier:
                holds[-1] = holds[-1] or not quantifier[1]
                at = quantifier.end()
                continue
        at += 1
    return False


# An unbounded repeat; the group holds the plus of a possessive one, which never runs back.
_QUANTIFIER = re.compile(r"(?:[*+]|\{\d*,\})(?:(\+)|\?)?")


def _unbounded(pattern: str, at: int) -> bool:
    found = _QUANTIFIER.match(pattern, at)
    return found is not None and not found[1]
