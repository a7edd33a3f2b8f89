"""The API described: OpenAPI, made from the table of routes and the structs that they answer."""

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Optional, cast, get_args, get_origin

import msgspec
from fastapi.openapi.utils import get_openapi

from boxscore.store.spans import Page, StoredSpan
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.server.api.routes import Api, Route

__all__ = ["describe"]

_HEX: dict[str, Json] = {
    name: Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{digits}}}$")]
    for name, digits in {"trace_id": 32, "span_id": 16, "parent_id": 16}.items()
}
_AT = "#/components/schemas/{name}"

_ERROR_SCHEMA = {
    "description": "What happened, what was tried, what to do next; with what else the error carries.",
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


def describe(api: "Api") -> dict[str, Json]:
    """The OpenAPI document."""
    found: dict[str, Json] = get_openapi(
        title=api.app.title,
        version=api.app.version,
        routes=api.app.routes,
        description="Questions about spans, and scores. Every error has the shape of `Error`. Ids are hex, money is a "
        "decimal string in US dollars, times are nanoseconds since 1970.",
    )
    kinds: list[Json] = []
    for route in api.routes:
        for kind in (route.answer, route.body):
            if kind is not None and kind is not bytes and (form := _form(kind)) not in kinds:
                kinds.append(form)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_AT)
    of = dict(zip(map(id, kinds), schemas, strict=True))
    for route in api.routes:
        path = found["paths"]["/api/v1" + re.sub(r":\w+}", "}", route.path)]
        operation = path[route.method.lower()]
        operation["tags"] = [route.tag]
        operation["responses"] = _responses(route, of)
        if route.body is not None:
            operation["requestBody"] = {"required": True, "content": _content(route.body, of)}
    found["components"] = {"schemas": components | {"Error": _ERROR_SCHEMA}}
    return found


def _responses(route: "Route", of: dict[int, Json]) -> dict[str, Json]:
    answer: dict[str, Json] = {"description": "OK"}
    if route.answer is not None:
        answer["content"] = _content(route.answer, of, route.media)
    error = {"description": "Error", "content": {"application/json": {"schema": {"$ref": _AT.format(name="Error")}}}}
    return {str(route.status): answer, "default": error}


def _content(kind: Json, of: dict[int, Json], media: str = "application/json") -> dict[str, Json]:
    if kind is bytes:
        return {"application/octet-stream" if media == "application/json" else media: {}}
    return {media: {"schema": of[id(_form(kind))]}}


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
