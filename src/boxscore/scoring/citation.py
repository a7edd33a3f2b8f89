"""The `citation` scorer: does the answer name its sources?"""

import re
from typing import Literal

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.matching import shorten
from boxscore.scoring.scorer import Metric, Score

__all__ = ["Citation"]

_NAME = r"[A-ZÀ-Þ][\w'’-]+"
_YEAR = r"(?:19|20)\d\d[a-z]?"
_FORMS = {
    # [1], [2, 3], [4-6], [^1], [doc2], 【3】; not a task list's [ ] or [x], nor an index like a[1]
    "bracket": re.compile(
        r"(?<![\w\]])[\[【]\^?(?:[A-Za-z]{2,12}[ _:#-]?)?\d{1,4}(?:\s?[,;–-]\s?\d{1,4}){0,30}(?:†[^\]】]{0,100})?[\]】]"
    ),
    "url": re.compile(r"https?://[^\s)\]>\"']{4,}|\[[^\[\]\n]{1,300}\]\((?!#)[^)\s]{1,2000}\)"),
    # (Smith, 2020), (Smith et al. 2020), Smith (2020), Smith et al. (2020)
    "author": re.compile(rf"\(\s*{_NAME}[^()\n]{{0,60}}?,?\s{_YEAR}\s*\)|{_NAME}(?: et al\.?)? \({_YEAR}\)"),
}


class Citation:
    """The answer cites: at least `min=` (default 1) marks of a source.

    `style=` is `bracket` ([1], [2, 3], [^1], [doc2]), `url` (an address or a Markdown link), `author`
    ("(Smith, 2020)"), or `any` of them (default). With `sources=5` a number above 5 is a source that does not exist,
    and one such mark fails the answer. Code in fences is not read.

    Lies about truth: a mark is counted, not whether the source exists or says so. A year in brackets after a name may
    be a year of birth.
    """

    def __init__(
        self,
        *,
        style: Literal["any", "bracket", "url", "author"] = "any",
        min: int = 1,
        sources: int | None = None,
    ) -> None:
        if min < 1 or (sources is not None and sources < 1):
            raise ScorerError("citation", "'min' and 'sources' are whole numbers from 1 up")
        self._forms = _FORMS if style == "any" else {style: _FORMS[style]}
        self._min, self._sources = min, sources
        options = {"style": None if style == "any" else style, "min": None if min == 1 else min, "sources": sources}
        self.spec: str = format_spec("citation", options=options)
        self.metric: Metric = Metric(name="citation")

    def score(self, example: Example, response: Response) -> Score:
        text = re.sub(r"```.*?(?:```|\Z)", " ", response.output, flags=re.DOTALL)
        marks = [found[0] for form in self._forms.values() for found in form.finditer(text)]
        unknown = [mark for mark in marks if self._beyond(mark)]
        note = f"there is no source {shorten(unknown[0], 20)}" if unknown else None
        return Score(value=float(len(marks) >= self._min and not unknown), label=f"{len(marks)} citations", note=note)

    def _beyond(self, mark: str) -> bool:
        if self._sources is None or not _FORMS["bracket"].fullmatch(mark):
            return False
        return any(not 1 <= int(number) <= self._sources for number in re.findall(r"\d+", mark.partition("†")[0]))
