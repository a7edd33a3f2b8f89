"""The countable instructions: one small function per rule, each says yes or no and what it counted.

Names and parameters follow IFEval (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language Models"), so
that its data can be used as it is; the code is our own reading of the paper's descriptions.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from boxscore.scoring.language import LANGUAGES, detect_language
from boxscore.scoring.length import count_words
from boxscore.scoring.structured import parse_json
from boxscore.types import Json

__all__ = ["RULES", "Rule", "RuleError"]

Params = Mapping[str, Json]


class RuleError(ValueError):
    """A rule's parameter is missing or wrong; the sentence says which."""


class Rule(NamedTuple):
    """`check(answer, params)` gives whether the rule is kept and what was counted. `params` are the accepted names, the
    required ones first; `required` says how many are."""

    group: str
    says: str
    params: tuple[str, ...]
    required: int
    check: Callable[[str, Params], tuple[bool, str]]


_RELATIONS = {
    "at least": "at least", ">=": "at least", "less than": "less than", "<": "less than", "at most": "at most",
    "<=": "at most", "more than": "more than", ">": "more than", "exactly": "exactly", "==": "exactly",
}  # fmt: skip


def _whole(params: Params, name: str) -> int:
    value: Json = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise RuleError(f"{name!r} is a whole number from 0 up, not {value!r}")
    if value != int(value):
        raise RuleError(f"{name!r} is a whole number, not {value!r}")
    return int(value)


def _word(params: Params, name: str) -> str:
    value: Json = params.get(name)
    if not isinstance(value, str) or not value.strip():
        raise RuleError(f"{name!r} is a text, not {value!r}")
    return value


def _words(params: Params, name: str) -> list[str]:
    value: Json = params.get(name)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):  # pyright: ignore[reportUnknownVariableType]
        raise RuleError(f"{name!r} is a list of texts, not {value!r}")
    return list(cast("list[str]", value))


def _compare(count: int, params: Params, number: str, relation: str = "relation") -> tuple[bool, str]:
    limit = _whole(params, number)
    given: Json = params.get(relation, "at least")
    how = _RELATIONS.get(given) if isinstance(given, str) else None
    if how is None:
        raise RuleError(f"{relation!r} is one of {', '.join(sorted(set(_RELATIONS.values())))}, not {given!r}")
    kept = {
        "at least": count >= limit,
        "less than": count < limit,
        "at most": count <= limit,
        "more than": count > limit,
        "exactly": count == limit,
    }[how]
    return kept, f"{count}, {how} {limit}"


def _mentions(text: str, word: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(word.strip())}(?!\w)", text, re.IGNORECASE))


def _existence(text: str, params: Params) -> tuple[bool, str]:
    missing = [word for word in _words(params, "keywords") if word.casefold() not in text.casefold()]
    return not missing, "missing: " + ", ".join(missing) if missing else "all found"


def _frequency(text: str, params: Params) -> tuple[bool, str]:
    return _compare(_mentions(text, _word(params, "keyword")), params, "frequency")


def _forbidden(text: str, params: Params) -> tuple[bool, str]:
    found = [word for word in _words(params, "forbidden_words") if _mentions(text, word)]
    return not found, "found: " + ", ".join(found) if found else "none found"


def _letters(text: str, params: Params) -> tuple[bool, str]:
    letter = _word(params, "letter").casefold()
    return _compare(text.casefold().count(letter), params, "let_frequency", "let_relation")


def _language(text: str, params: Params) -> tuple[bool, str]:
    wanted = _word(params, "language").lower().split("-")[0]
    if wanted not in LANGUAGES:
        raise RuleError(f"'language' is one of {', '.join(LANGUAGES)}, not {wanted!r}")
    got = detect_language(text)
    return got == wanted, got or "no language read"


# A full stop after a title, an initial or inside a number ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|e\.g|i\.e|Inc|Ltd|Co|No|Fig|approx|[A-Z])\.(?=\s)", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’)\]*_]*(?=\s|$)|[。！？]+|\n{2,}")


def _sentences(text: str, params: Params) -> tuple[bool, str]:
    plain = _ABBREVIATION.sub(lambda found: found[0].replace(".", "\u2024"), text)
    count = sum(1 for part in _SENTENCE.split(plain) if re.search(r"\w", part))
    return _compare(count, params, "num_sentences")


def _paragraphs(text: str, params: Params) -> tuple[bool, str]:
    """Paragraphs are set apart by a line of `***`, as IFEval asks for; without any by blank lines."""
    parts = re.split(r"\s?\*\*\*\s?", text) if "***" in text else re.split(r"\n\s*\n", text)
    inner = [part for part in parts[1:-1] if not part.strip()]
    count = sum(1 for part in parts if part.strip())
    limit = _whole(params, "num_paragraphs")
    return count == limit and not ("***" in text and inner), f"{count}, exactly {limit}"


def _number_words(text: str, params: Params) -> tuple[bool, str]:
    return _compare(count_words(text), params, "num_words")


def _nth_first_word(text: str, params: Params) -> tuple[bool, str]:
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    wanted, nth = _whole(params, "num_paragraphs"), _whole(params, "nth_paragraph")
    if len(parts) != wanted:
        return False, f"{len(parts)} paragraphs, exactly {wanted}"
    if not 1 <= nth <= len(parts):
        raise RuleError(f"'nth_paragraph' lies between 1 and 'num_paragraphs', not {nth}")
    words = re.findall(r"\w+(?:['’-]\w+)*", parts[nth - 1])
    first = words[0] if words else ""
    return first.casefold() == _word(params, "first_word").strip().casefold(), f"begins with {first!r}"


def _placeholders(text: str, params: Params) -> tuple[bool, str]:
    return _compare(len(re.findall(r"\[[^\[\]]+\]", text)), params, "num_placeholders")


def _postscript(text: str, params: Params) -> tuple[bool, str]:
    """The marker (either one when none is given) begins a line or sentence, and something follows it."""
    marker = _word(params, "postscript_marker") if params.get("postscript_marker") is not None else None
    forms = (marker,) if marker else ("P.P.S", "P.S.")
    for form in forms:
        letters = [re.escape(char) for char in re.sub(r"[.\s]", "", form)]
        pattern = r"(?<!\w)" + r"\.?\s?".join(letters) + r"\b[.:]*[*_\s:,-]*\S"
        if re.search(pattern, text, re.IGNORECASE):
            return True, form
    return False, "no postscript"


def _bullets(text: str, params: Params) -> tuple[bool, str]:
    count = len(re.findall(r"^[^\S\n]*(?:\*(?!\*)|[-•])[^\S\n]*\S", text, re.MULTILINE))
    limit = _whole(params, "num_bullets")
    return count == limit, f"{count}, exactly {limit}"


_FIXED_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def _constrained(text: str, params: Params) -> tuple[bool, str]:
    options = _words(params, "options") if params.get("options") is not None else list(_FIXED_ANSWERS)
    found = [option for option in options if option in text]
    return bool(found), found[0] if found else "none of the given answers"


def _highlights(text: str, params: Params) -> tuple[bool, str]:
    strong = re.findall(r"\*\*[^\n*]+\*\*", text)
    weak = [part for part in re.findall(r"(?<!\*)\*([^\n*]+)\*(?!\*)", text) if part.strip()]
    return _compare(len(strong) + len(weak), params, "num_highlights")


def _sections(text: str, params: Params) -> tuple[bool, str]:
    splitter = re.escape(_word(params, "section_spliter").strip())
    return _compare(len(re.findall(rf"\s?{splitter}\s?\d+\s?", text)), params, "num_sections")


def _json(text: str, params: Params) -> tuple[bool, str]:
    try:
        parse_json(text, fenced=True)
    except ValueError:
        return False, "not JSON"
    return True, "JSON"


def _title(text: str, params: Params) -> tuple[bool, str]:
    for line in text.splitlines():
        title = line[line.find("<<") + 2 : line.rfind(">>")] if "<<" in line else ""
        if title.strip("<> ") and ">>" in line:
            return True, title.strip()[:60]
    return False, "no <<title>>"


def _two_responses(text: str, params: Params) -> tuple[bool, str]:
    parts = [part.strip() for part in text.split("******")]
    if len(parts) > 2:  # a separator before the first or after the last one holds nothing
        parts = parts[(not parts[0]) :][: None if parts[-1] else -1]
    kept = len(parts) == 2 and all(parts) and parts[0] != parts[1]
    return kept, f"{len([part for part in parts if part])} responses"


def _repeat(text: str, params: Params) -> tuple[bool, str]:
    kept = text.strip().casefold().startswith(_word(params, "prompt_to_repeat").strip().casefold())
    return kept, "repeated" if kept else "begins otherwise"


def _ends(text: str, params: Params) -> tuple[bool, str]:
    kept = text.strip().strip('"').casefold().endswith(_word(params, "end_phrase").strip().casefold())
    return kept, "…" + text.strip()[-40:]


def _quotation(text: str, params: Params) -> tuple[bool, str]:
    text = text.strip()
    kept = len(text) > 1 and text[0] == '"' and text[-1] == '"'
    return kept, "in quotation marks" if kept else "not in quotation marks"


def _capital_words(text: str, params: Params) -> tuple[bool, str]:
    count = sum(1 for word in re.findall(r"\w+(?:[-'’]\w+)*", text) if word.isupper())
    return _compare(count, params, "capital_frequency", "capital_relation")


def _one_case(text: str, *, upper: bool) -> tuple[bool, str]:
    wrong = next((word for word in re.findall(r"\w+", text) if word != (word.upper() if upper else word.lower())), None)
    if wrong is not None:
        return False, f"{wrong!r} is not"
    if not (text.isupper() if upper else text.islower()):
        return False, "no letters"
    # English by instruction, unless the text is plainly another language.
    got = detect_language(text)
    return got in (None, "en"), got or "no language read"


def _upper(text: str, params: Params) -> tuple[bool, str]:
    return _one_case(text, upper=True)


def _lower(text: str, params: Params) -> tuple[bool, str]:
    return _one_case(text, upper=False)


def _no_comma(text: str, params: Params) -> tuple[bool, str]:
    count = len(re.findall("[,，]", text))
    return not count, f"{count} commas"


RULES: dict[str, Rule] = {
    "existence": Rule("keywords", "every keyword is mentioned", ("keywords",), 1, _existence),
    "frequency": Rule("keywords", "a keyword so many times", ("keyword", "frequency", "relation"), 2, _frequency),
    "forbidden_words": Rule("keywords", "no forbidden word", ("forbidden_words",), 1, _forbidden),
    "letter_frequency": Rule(
        "keywords", "a letter so many times", ("letter", "let_frequency", "let_relation"), 2, _letters
    ),
    "response_language": Rule("language", "in this language", ("language",), 1, _language),
    "number_sentences": Rule("length_constraints", "so many sentences", ("num_sentences", "relation"), 1, _sentences),
    "number_paragraphs": Rule("length_constraints", "exactly so many paragraphs", ("num_paragraphs",), 1, _paragraphs),
    "number_words": Rule("length_constraints", "so many words", ("num_words", "relation"), 1, _number_words),
    "nth_paragraph_first_word": Rule(
        "length_constraints",
        "the nth of so many paragraphs begins with a word",
        ("num_paragraphs", "nth_paragraph", "first_word"),
        3,
        _nth_first_word,
    ),
    "number_placeholders": Rule(
        "detectable_content", "at least so many [placeholders]", ("num_placeholders",), 1, _placeholders
    ),
    "postscript": Rule("detectable_content", "ends with a postscript", ("postscript_marker",), 0, _postscript),
    "number_bullet_lists": Rule("detectable_format", "exactly so many bullets", ("num_bullets",), 1, _bullets),
    "constrained_response": Rule("detectable_format", "holds one of the given answers", ("options",), 0, _constrained),
    "number_highlighted_sections": Rule(
        "detectable_format", "at least so many *highlights*", ("num_highlights",), 1, _highlights
    ),
    "multiple_sections": Rule(
        "detectable_format", "at least so many numbered sections", ("section_spliter", "num_sections"), 2, _sections
    ),
    "json_format": Rule("detectable_format", "is JSON, a Markdown fence allowed", (), 0, _json),
    "title": Rule("detectable_format", "has a <<title>>", (), 0, _title),
    "two_responses": Rule("combination", "two different responses, ****** between them", (), 0, _two_responses),
    "repeat_prompt": Rule("combination", "begins with the request repeated", ("prompt_to_repeat",), 1, _repeat),
    "end_checker": Rule("startend", "ends with a phrase", ("end_phrase",), 1, _ends),
    "quotation": Rule("startend", "is wrapped in double quotation marks", (), 0, _quotation),
    "capital_word_frequency": Rule(
        "change_case", "so many words in capitals", ("capital_frequency", "capital_relation"), 1, _capital_words
    ),
    "english_capital": Rule("change_case", "English in capital letters only", (), 0, _upper),
    "english_lowercase": Rule("change_case", "English in small letters only", (), 0, _lower),
    "no_comma": Rule("punctuation", "no comma", (), 0, _no_comma),
}
"""Every rule by its name; IFEval's own names carry the group in front (`punctuation:no_comma`)."""
