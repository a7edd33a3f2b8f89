"""The API described: OpenAPI, made from the table of routes and the structs that they answer."""

import re
from collections.abc import Sequence
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Optional, Union, cast, get_args, get_origin

import msgspec
from fastapi.openapi.utils import get_openapi

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
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return Union[tuple(map(_form, inside))]  # noqa: UP007 - a type made at run time
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not tuple:
        return list[_form(inside[0])]  # type: ignore[misc]
    if origin is dict:
        return dict[inside[0], _form(inside[1])]  # type: ignore[misc,valid-type]
    struct = origin or kind
    if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
        return cast(Json, kind)
    fields: list[Json] = []
    for field in msgspec.structs.fields(kind):
        form = _HEX[field.name] if field.name in _HEX and bytes in (field.type, *get_args(field.type)) else None
        if form is None:
            form = _form(field.type)
        elif type(None) in get_args(field.type):
            form = Optional[form]  # noqa: UP045 - a type made at run time
        fields.append((field.name, form) if field.required else (field.name, form, _default(field)))
    name = "".join(one.__name__ for one in (*inside, struct))
    config = struct.__struct_config__
    return msgspec.defstruct(
        name,
        fields,
        kw_only=True,
        namespace={"__doc__": struct.__doc__},
        tag=config.tag,
        tag_field=config.tag_field,
        forbid_unknown_fields=config.forbid_unknown_fields,
    )


def _default(field: msgspec.structs.FieldInfo) -> Json:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
