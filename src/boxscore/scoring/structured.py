"""Scorers of structured answers: JSON validity, JSON Schema, fields against a reference."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.matching import shorten
from boxscore.scoring.references import reference_value
from boxscore.scoring.scorer import Metric, Score
from boxscore.types import Json

__all__ = ["Fields", "JsonSchema", "JsonValid", "parse_json", "same_json"]

Fenced = Literal["no", "allow"]
_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n(.*?)\n?[ \t]*```\Z", re.DOTALL)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def parse_json(text: str, *, fenced: bool) -> Json:
    """The JSON value that the text is (RFC 8259: no NaN, no trailing comma); ValueError where it is none.

    `fenced` also accepts one Markdown code fence around the whole text.
    """
    text = text.strip()
    if fenced:
        found = _FENCE.match(text)
        text = found[1] if found else text
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class JsonValid:
    """The answer is one JSON value and nothing else; `fenced=allow` accepts a Markdown fence around it.

    `kind=object` or `kind=array` also wants that kind at the top: without it the answer `42` is valid JSON.

    Lies when the JSON is valid and its content wrong (use `schema` or `fields`), and when your application would have
    found the JSON inside prose: then it is too strict.
    """

    def __init__(self, *, fenced: Fenced = "no", kind: Literal["any", "object", "array"] = "any") -> None:
        self._fenced, self._kind = fenced == "allow", kind
        options = {"fenced": fenced if self._fenced else None, "kind": None if kind == "any" else kind}
        self.spec: str = format_spec("json", options=options)
        self.metric: Metric = Metric(name="json")

    def score(self, example: Example, response: Response) -> Score:
        try:
            value = parse_json(response.output, fenced=self._fenced)
        except ValueError as problem:
            return Score(value=0.0, label="not JSON", note=shorten(str(problem), 120))
        label = _kind_of(value)
        return Score(value=float(self._kind in ("any", label)), label=label)


def _kind_of(value: Json) -> str:
    kinds = ((bool, "boolean"), (dict, "object"), (list, "array"), (str, "string"), (int, "number"), (float, "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


class JsonSchema:
    """The answer is JSON that satisfies a JSON Schema (any draft; the schema's `$schema` says which, default 2020-12).

    The schema is a file (`schema:ticket.json`) or an object in the spec. `fenced=allow` accepts a Markdown fence. The
    record keeps the file's hash: scoring again with a changed file is refused. `format` is an annotation, not checked,
    and references to other documents are not fetched.

    Lies when the schema is loose: an object without `required` and `additionalProperties: false` is satisfied by `{}`.
    """

    def __init__(
        self, schema: Json, *, fenced: Fenced = "no", sha256: str | None = None, folder: Path | None = None
    ) -> None:
        # Imported here: the library takes a tenth of a second that other commands should not wait for.
        import jsonschema
        from jsonschema.validators import validator_for

        self._fenced = fenced == "allow"
        if isinstance(schema, str) and not schema.lstrip().startswith("{"):
            path = (folder or Path()) / schema
            try:
                data = path.read_bytes()
            except OSError as problem:
                raise ScorerError("schema", f"the schema {str(path)!r} cannot be read: {problem.strerror}") from None
            digest = hashlib.sha256(data).hexdigest()[:12]
            if sha256 is not None and sha256 != digest:
                raise ScorerError(
                    "schema",
                    f"the file {str(path)!r} is not the one that was used before (sha256 {digest}, not {sha256}); "
                    "leave sha256 out to score with the new one",
                )
            sha256, text = digest, data.decode("utf-8", errors="replace")
        else:
            text = schema
        loaded: Json = text
        if isinstance(text, str):
            try:
                loaded = parse_json(text, fenced=False)
            except ValueError as problem:
                raise ScorerError("schema", f"the schema is not JSON: {problem}") from None
        if not isinstance(loaded, dict):
            raise ScorerError("schema", f"a JSON Schema is an object, not {_kind_of(loaded)}")
        document = cast("dict[str, Json]", loaded)
        # With a registry that holds nothing, a reference to another document is an error instead of a download.
        from referencing import Registry

        validator = validator_for(document, default=jsonschema.Draft202012Validator)
        try:
            validator.check_schema(document)
        except jsonschema.SchemaError as problem:
            raise ScorerError("schema", f"the schema is no JSON Schema: {problem.message}") from None
        registry: Registry[Json] = Registry()
        self._validator = validator(document, registry=registry)
        options = {"fenced": fenced if self._fenced else None, "sha256": sha256}
        self.spec: str = format_spec("schema", [schema], options)
        self.metric: Metric = Metric(name="schema")

    def score(self, example: Example, response: Response) -> Score:
        try:
            value = parse_json(response.output, fenced=self._fenced)
        except ValueError as problem:
            return Score(value=0.0, label="not JSON", note=shorten(str(problem), 120))
        from referencing.exceptions import Unresolvable

        try:
            problems = [
                f"{'.'.join(str(part) for part in error.absolute_path) or '(top)'}: {shorten(error.message, 80)}"
                for error in self._validator.iter_errors(value)
            ]
        except Unresolvable as problem:
            raise ScorerError("schema", f"the schema refers to what it does not hold: {problem}") from None
        if not problems:
            return Score(value=1.0, label="valid")
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        return Score(value=0.0, label=f"{len(problems)} violations", note="; ".join(problems[:3]) + more)


class Fields:
    """How many fields of the reference object the answer's JSON object has with the same value.

    `mode=fraction` (default) gives the share of right fields, `mode=all` gives 1 only when all are right. Numbers are
    equal as numbers (1 and 1.0), everything else as JSON; nested values count as one field. `case=ignore` and blanks at
    the ends: texts are compared without them. `extra=fail` makes a field that the reference lacks a mistake (default:
    allowed). `fenced=no` refuses a Markdown fence around the JSON (default: allowed). Fields may be named to count
    only those: `fields:city,date`.

    Lies when fields differ in worth (each counts the same), when a text field has several right wordings, and with
    long free-text fields, which are almost never equal.
    """

    def __init__(
        self,
        *names: str,
        mode: Literal["fraction", "all"] = "fraction",
        case: Literal["keep", "ignore"] = "keep",
        extra: Literal["allow", "fail"] = "allow",
        fenced: Fenced = "allow",
    ) -> None:
        self._names, self._mode, self._case, self._extra = names, mode, case, extra
        self._fenced = fenced == "allow"
        self.spec: str = format_spec(
            "fields",
            names,
            {
                "mode": None if mode == "fraction" else mode,
                "case": None if case == "keep" else case,
                "extra": None if extra == "allow" else extra,
                "fenced": None if self._fenced else fenced,
            },
        )
        self.metric: Metric = Metric(name="fields", kind="mean" if mode == "fraction" else "rate")

    def score(self, example: Example, response: Response) -> Score:
        wanted = self._wanted(example)
        try:
            got: Json = parse_json(response.output, fenced=self._fenced)
        except ValueError as problem:
            return Score(value=0.0, label="not JSON", note=shorten(str(problem), 120))
        if not isinstance(got, dict):
            return Score(value=0.0, label=_kind_of(got), note="the answer is JSON, but no object")
        answer = cast("dict[str, Json]", got)
        wrong = [name for name in wanted if name not in answer or not self._same(wanted[name], answer[name])]
        extra = [name for name in answer if name not in wanted] if self._extra == "fail" and not self._names else []
        total = len(wanted) + len(extra)
        right = len(wanted) - len(wrong)
        value = right / total if self._mode == "fraction" else float(right == total)
        note = "; ".join(
            f"{name}: {shorten(_shown(answer, name), 30)} instead of {shorten(_shown(wanted, name), 30)}"
            for name in [*wrong, *extra][:3]
        )
        return Score(value=value, label=f"{right} of {total} fields", note=note or None)

    def _wanted(self, example: Example) -> dict[str, Json]:
        value = reference_value("fields", example)
        if isinstance(value, str):
            try:
                value = parse_json(value, fenced=self._fenced)
            except ValueError:
                value = None
        if not isinstance(value, dict) or not value:
            raise ScorerError("fields", "the reference is no JSON object with fields", example_id=example.id)
        fields = cast("dict[str, Json]", value)
        missing = [name for name in self._names if name not in fields]
        if missing:
            raise ScorerError("fields", f"the reference has no field {missing[0]!r}", example_id=example.id)
        return {name: fields[name] for name in self._names} if self._names else fields

    def _same(self, wanted: Json, got: Json) -> bool:
        if self._case == "ignore" and isinstance(wanted, str) and isinstance(got, str):
            return wanted.strip().casefold() == got.strip().casefold()
        return same_json(wanted, got)


def _shown(fields: Mapping[str, Json], name: str) -> str:
    return json.dumps(fields[name], ensure_ascii=False) if name in fields else "nothing"


def same_json(one: Json, other: Json) -> bool:
    """Equal as JSON: numbers by value with floats to 1e-9 relative, true is not 1, order counts in arrays only."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        try:
            return one == other or math.isclose(one, other, rel_tol=1e-9)
        except OverflowError:  # a whole number beyond all floats
            return False
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Json]", one), cast("dict[str, Json]", other)
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(one, list) and isinstance(other, list):
        first, second = cast("list[Json]", one), cast("list[Json]", other)
        return len(first) == len(second) and all(same_json(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return one is None and other is None
