"""A scorer for rows whose source names none, from what their references look like."""

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from boxscore.imports.reading import mapping_of
from boxscore.types import Json

__all__ = ["Guess", "guess_scorer"]

_NUMBER = re.compile(r"\s*[-−+]?[$€£]?\d[\d,. ]*%?\s*")


class Guess(NamedTuple):
    scorer: Json
    why: str


def guess_scorer(references: Sequence[Json]) -> Guess:
    """The scorer for these references, and why in a sentence."""
    given = [reference for reference in references if reference is not None]
    if not given:
        return Guess("length", "no row has a reference, so that only the answers' length can be measured")
    if all(mapping_of(reference) for reference in given):
        return Guess("fields:mode=all", "the references are objects, compared field by field")
    several = [cast("list[Json]", one) if isinstance(one, list) else [one] for one in given]
    texts = [str(text) for parts in several for text in parts]
    if any(isinstance(part, list | dict) for parts in several for part in parts):
        return Guess("exact", "the references are lists or objects, compared as JSON")
    names = sorted(set(texts))
    if all(_NUMBER.fullmatch(text) for text in texts) or all("####" in text for text in texts):
        return Guess("number", "the references are numbers")
    if 2 <= len(names) <= 12 and len(texts) >= 3 * len(names) and all(0 < len(name.split()) <= 3 for name in names):
        folded = {name.strip().casefold() for name in names}
        if len(folded) == len(names):
            return Guess({"choice": names}, f"the references are {len(names)} short texts, taken for the choices")
    if sum(len(text.split()) for text in texts) / len(texts) <= 6:
        return Guess("contains", "the references are short texts, looked for in the answer")
    return Guess("token_f1", "the references are long texts, compared by their words")
