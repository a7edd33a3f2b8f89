"""Judges as a spec writes them down."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from boxscore.errors import SpecError
from boxscore.experiments.judges.form import Form
from boxscore.experiments.judges.judge import AS_THE_PROMPT_SAYS, Judge, has_prompt, make_form
from boxscore.experiments.variant_spec import CommandKeys, HttpKeys, PromptKeys, PythonKeys
from boxscore.types import Json

FORM_KEYS = ("kind", "question", "scale", "criteria", "better")
OWN_KEYS = (*FORM_KEYS, "reference", "repeats", "structured")


def form_from_spec(name: str, mapping: Json) -> Form:
    """The form alone, checked with the names of all keys: nothing of the environment is read for it."""
    if not isinstance(mapping, Mapping):
        raise SpecError(
            "must be a mapping with 'kind', 'question' and who judges ('provider' and 'model').", key=f"judges.{name}"
        )
    fields = cast("Mapping[str, Json]", mapping)
    variants = (PromptKeys, HttpKeys, CommandKeys, PythonKeys)
    known = dict.fromkeys([*OWN_KEYS, *(key for keys in variants for key in keys.__struct_fields__)])
    for key in fields:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
            raise SpecError(f"there is no such key; {hint}", key=f"judges.{name}.{key}")
    asks_itself = has_prompt(fields) and fields.get("kind", "binary") in ("binary", "ordinal")
    return make_form(
        name,
        kind=fields.get("kind", "binary"),
        question=fields.get("question", AS_THE_PROMPT_SAYS if asks_itself else None),
        scale=fields.get("scale"),
        criteria=fields.get("criteria"),
        better=fields.get("better", "higher"),
    )


def judge_from_spec(name: str, mapping: Mapping[str, Json], folder: Path) -> Judge:
    """The judge that a spec's mapping describes: keys of its form, `reference`, `repeats`, and those of the variant
    that is asked. `structured: false` asks for JSON in words alone, for servers that refuse a schema.

    Raises `SpecError` with the key (`judges.NAME.KEY`), and as `variant_from_spec` does.
    """
    form_from_spec(name, mapping)
    for key, kinds, words in (("repeats", int, "a whole number"), ("reference", bool, "true or false")):
        value: Json = mapping.get(key)
        if value is not None and (not isinstance(value, kinds) or (kinds is int and isinstance(value, bool))):
            raise SpecError(f"must be {words}, and is {value!r}.", key=f"judges.{name}.{key}")
    return Judge(
        name,
        mapping.get("question"),
        by={key: value for key, value in mapping.items() if key not in OWN_KEYS or key == "structured"},
        kind=mapping.get("kind", "binary"),
        scale=mapping.get("scale"),
        criteria=mapping.get("criteria"),
        better=mapping.get("better", "higher"),
        reference=mapping.get("reference"),
        repeats=mapping.get("repeats", 1),
        folder=folder,
    )
