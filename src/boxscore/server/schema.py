"""The API described: OpenAPI, made from the structs that are answered."""

from functools import cache
from typing import Annotated, Optional, cast, get_args, get_origin

import fastapi
import msgspec
from fastapi.openapi.utils import get_openapi

from boxscore.store.spans import Page, StoredSpan
from boxscore.types import Json

__all__ = ["ERROR", "TAKEN", "describe", "of"]

_HEX: dict[str, Json] = {
    name: Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{digits}}}$")]
    for name, digits in {"trace_id": 32, "span_id": 16, "parent_id": 16}.items()
}
_AT = "#/components/schemas/{name}"

ERROR: dict[str, Json] = {
    "description": "What happened, what was tried, what to do next; with what else the error carries.",
    "content": {"application/json": {"schema": {"$ref": _AT.format(name="Error")}}},
}
TAKEN: dict[str, Json] = {
    "description": "How many are on disk.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"stored": {"type": "integer"}}, "required": ["stored"]}
        }
    },
}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "additionalProperties": True,
        }
    },
}
_kinds: list[Json] = []


def of(kind: Json) -> dict[str, Json]:
    """JSON of that kind as OpenAPI has it, in an answer or a request."""
    form = _form(kind)
    if form not in _kinds:
        _kinds.append(form)
    (schema,), _ = msgspec.json.schema_components([form], ref_template=_AT)
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


def describe(api: fastapi.FastAPI) -> dict[str, Json]:
    """The OpenAPI document."""
    found: dict[str, Json] = get_openapi(
        title=api.title,
        version=api.version,
        routes=api.routes,
        description="Questions about spans, and scores. Every error has the shape of `Error`. Ids are hex, money is a "
        "decimal string in US dollars, times are nanoseconds since 1970.",
    )
    _, components = msgspec.json.schema_components(_kinds, ref_template=_AT)
    schemas: dict[str, Json] = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= components
    schemas["Error"] = _ERROR_SCHEMA
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    return found


@cache
def _form(kind: Json) -> Json:
    """The kind as it is in JSON: ids in hex, everything else as `msgspec` writes it."""
    origin = get_origin(kind)
    if origin is Page:
        (item,) = get_args(kind)
        form = _form(item)
        fields = [("items", list[form]), ("cursor", str | None)]
        return msgspec.defstruct(f"{item.__name__}Page", fields, kw_only=True, namespace={"__doc__": Page.__doc__})
    if origin is list:
        return list[_form(get_args(kind)[0])]  # type: ignore[misc]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return cast(Json, kind)
    fields: list[Json] = []
    for field in msgspec.structs.fields(kind):
        form = field.type
        if field.name in _HEX:
            form = _HEX[field.name]
            if type(None) in get_args(field.type):
                form = Optional[form]  # noqa: UP045 - a type made at run time
        elif field.name == "items":
            form = list[_form(StoredSpan)]  # type: ignore[misc]
        elif field.name == "entry" and field.type is StoredSpan:
            form = _form(StoredSpan)
        fields.append((field.name, form) if field.required else (field.name, form, _default(field)))
    return msgspec.defstruct(kind.__name__, fields, kw_only=True, namespace={"__doc__": kind.__doc__})


def _default(field: msgspec.structs.FieldInfo) -> Json:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
