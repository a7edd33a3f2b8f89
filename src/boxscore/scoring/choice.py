"""The `choice` scorer: which of the listed options did the answer pick?"""

import re
import unicodedata
from typing import Literal, NamedTuple

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.matching import shorten
from boxscore.scoring.references import reference_texts
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Choice", "Reading"]

Pick = Literal["last", "listed", "marked"]


class Reading(NamedTuple):
    """What was read in a text: the choice, None when there is none, and the rule that found it."""

    choice: str | None
    rule: str


class Choice:
    """The answer picks the same one of the given choices as the reference.

    Case does not count, and a choice is a whole word ("no" is not in "not"). `pick=` says which mention wins:

    - `last` (default): the last marked mention, else the last bare one. Marked is what stands in brackets (`[Yes]`,
      `(yes)`, `\\boxed{yes}`), in bold (`**Yes**`) or after "answer is" or "answer:".
    - `listed`: the first choice of your list that is mentioned anywhere, wherever it stands.
    - `marked`: the last mention in brackets; without one nothing was read, and the answer counts as wrong.

    The reference is read by the same rule, unless it is one of the choices as it stands. The label says what was read,
    the note by which rule. A choice of a single letter must be a capital (as listed) where it stands bare.

    Lies when the answer argues: bare mentions are taken from anywhere in the text, "listed" takes "yes" out of "yes and
    no" by the order of your list alone, and denials ("not yes") are not understood. A bare "A" may be an article. The
    rule alone can move a model by 8 points: compare models under one rule, and look at the share of `nothing read`.
    """

    def __init__(self, *choices: str, pick: Pick = "last") -> None:
        names = [unicodedata.normalize("NFC", choice.strip()) for choice in choices]
        if len(names) < 2 or "" in names:
            raise ScorerError("choice", "needs two or more choices: choice:yes,no")
        folded = [name.casefold() for name in names]
        if len(set(folded)) < len(folded):
            raise ScorerError("choice", f"two choices are the same when case is ignored: {', '.join(names)}")
        self._names = dict(zip(folded, names, strict=True))
        self._pick: Pick = pick
        longest_first = sorted(names, key=len, reverse=True)
        any_choice = "|".join(re.escape(name) for name in longest_first)
        self._bare = {name: re.compile(_bare(name), _case(name)) for name in names}
        self._brackets = re.compile(
            rf"\[\s*({any_choice})\s*\]|\(\s*({any_choice})\s*\)|\\boxed\{{\s*(?:\\text\{{\s*)?({any_choice})\s*\}}",
            re.IGNORECASE,
        )
        self._marked = re.compile(
            self._brackets.pattern
            + rf"|(?:\*\*|__)\s*({any_choice})\s*[.!,:]?\s*(?:\*\*|__)"
            + rf"|\banswer(?:\s+is|\s*:)[\s:*_\"'“‘`]{{0,8}}({any_choice})(?!\w)",
            re.IGNORECASE,
        )
        self.spec: str = format_spec("choice", names, {"pick": pick})  # always told: the rule moves models
        self.metric: Metric = Metric(name="choice")

    def read(self, text: str) -> Reading:
        """What the text picks, by this scorer's rule."""
        text = unicodedata.normalize("NFC", text)
        if self._pick == "listed":
            for name, pattern in self._bare.items():
                if pattern.search(text):
                    return Reading(name, "first listed choice that is mentioned")
            return Reading(None, "no choice is mentioned")
        if self._pick == "marked":
            found = self._last(self._brackets, text)
            return Reading(found, "last mention in brackets") if found else Reading(None, "no choice is in brackets")
        found = self._last(self._marked, text)
        if found:
            return Reading(found, "last marked mention")
        found = self._last_bare(text)
        return Reading(found, "last bare mention") if found else Reading(None, "no choice is mentioned")

    def score(self, example: Example, response: Response) -> Score:
        wanted = {self._reference(text, example.id) for text in reference_texts("choice", example)}
        got = self.read(response.output)
        return Score(value=float(got.choice in wanted), label=got.choice or "nothing read", note=got.rule)

    def _reference(self, text: str, example_id: str) -> str:
        name = self._names.get(unicodedata.normalize("NFC", text.strip()).casefold())
        if name is None:
            name = self.read(text).choice
        if name is None:
            raise ScorerError(
                "choice",
                f"the reference {shorten(text)!r} picks none of {', '.join(self._names.values())}",
                example_id=example_id,
            )
        return name

    def _last(self, pattern: re.Pattern[str], text: str) -> str | None:
        name = None
        for found in pattern.finditer(text):
            name = next(group for group in found.groups() if group is not None)
        return self._names[name.casefold()] if name is not None else None

    def _last_bare(self, text: str) -> str | None:
        # Where mentions overlap ("positive" in "very positive") the longer one is meant: it ends last or is longer.
        best: tuple[int, int, str] | None = None
        for name, pattern in self._bare.items():
            for found in pattern.finditer(text):
                if best is None or (found.end(), len(name)) > best[:2]:
                    best = (found.end(), len(name), name)
        return best[2] if best else None


def _bare(name: str) -> str:
    """Whole words only, where the script writes words apart. An underscore is emphasis, not part of a word."""
    before = r"(?<![^\W_])" if _spaced(name[0]) else ""
    after = r"(?![^\W_])" if _spaced(name[-1]) else ""
    return before + re.escape(name) + after


def _spaced(char: str) -> bool:
    # Thai to Khmer, Chinese, Japanese and Korean do not set words apart, or hang endings on them.
    return char.isalnum() and not ("\u0e00" <= char <= "\u17ff" or "\u2e80" <= char <= "\ud7ff" or char >= "\uf900")


def _case(name: str) -> re.RegexFlag:
    return re.RegexFlag(0) if len(name) == 1 else re.IGNORECASE
