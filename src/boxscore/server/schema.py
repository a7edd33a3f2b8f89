"""The API described: OpenAPI, made from the table of routes and the structs that they answer."""

import re
import sys
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Optional, Union, cast, get_args, get_origin

import msgspec
from fastapi.openapi.utils import get_openapi

from boxscore.server.body import Upload
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.server.api.routes import Api, Route

__all__ = ["describe", "statuses"]

_HEX: dict[str, Json] = {
    name: Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{digits}}}$")]
    for name, digits in {"trace_id": 32, "span_id": 16, "parent_id": 16}.items()
}
_AT = "#/components/schemas/{name}"
_JSON = "application/json"

_DESCRIPTION = """\
Everything that Boxscore knows and does, over HTTP.

Every error has the shape of `Error`; its `code` is stable. Ids of traces and spans are hex, money is a decimal string
in US dollars, times of spans are nanoseconds since 1970, other times are ISO 8601 in UTC. Lists come in pages: the
`cursor` of one asks for the next, null ends them. A write that makes something takes an `Idempotency-Key`, and is done
once however often it is sent."""

_ERROR: dict[str, Json] = {
    "description": "What happened, what was tried, what to do next; with what else the error carries.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "Stable, and made for programs."},
                "message": {"type": "string"},
            },
            "additionalProperties": True,
        }
    },
    "example": {"error": {"code": "not_found", "message": "there is no trace …: check the id …", "kind": "trace"}},
}
_SAID = {
    400: "The request cannot be understood: the message says what is wrong in it.",
    401: "Nobody known asks: no login and no key came with the request, or none that counts.",
    403: "The caller lacks the right, or a page of others asks.",
    404: "It is not there, or not in a project of the caller's.",
    408: "The body took too long to arrive.",
    409: "It does not go with what is there, or a request with this Idempotency-Key is under way.",
    410: "It was there, and is gone.",
    413: "The body is too large.",
    415: "The body is of another media type, or encoding, than is taken here.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too often: `Retry-After` says when again.",
    500: "A fault of Boxscore itself.",
    503: "Not now: too much is asked at once, or the store cannot be used. `Retry-After` says when again.",
    504: "The answer took too long to work out: ask for less.",
}
_OK = {200: "OK", 201: "Made", 202: "Taken, and done later", 204: "Done"}
_PARAMETERS: dict[str, dict[str, Json]] = {
    "Project": {
        "name": "project",
        "in": "query",
        "description": "The id of the project that is meant. Default: that of the key, else the caller's own.",
        "schema": {"type": "string", "maxLength": 64},
    },
    "ProjectHeader": {
        "name": "boxscore-project",
        "in": "header",
        "description": "The same, where the query does not say it.",
        "schema": {"type": "string", "maxLength": 64},
    },
    "IdempotencyKey": {
        "name": "idempotency-key",
        "in": "header",
        "description": "Made by the client, of its own for each thing that it wants done: the same request with the "
        "same key is answered as at first for a day, and not done again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "example": "4f9d2c1e-8d1f-4a53-b1c5-5b0f2a3d7e60",
    },
}
_SECURITY: dict[str, Json] = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, which has its project and its rights."},
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-boxscore",
        "description": "Of a person who signed in with a browser. Over plain http the cookie is `boxscore-PORT`.",
    },
}


def statuses(route: "Route") -> tuple[int, ...]:
    """Every status that a route can answer with."""
    found = {route.status, 400, 403, 500, 503, 504, *route.errors}
    if route.right != "none":
        found |= {401, 404}
    if route.body is not None:
        found |= {408, 413, 415}
    if route.once:
        found |= {409, 422}
    return tuple(sorted(found))


def describe(api: "Api") -> dict[str, Json]:
    """The OpenAPI document."""
    found: dict[str, Json] = get_openapi(
        title=api.app.title, version=api.app.version, routes=api.app.routes, description=_DESCRIPTION
    )
    forms = _Forms(api.routes)
    for route in api.routes:
        operation = found["paths"][f"/api/v1{re.sub(r':[a-z]+}', '}', route.path)}"][route.method.lower()]
        said = " ".join(str(operation["description"]).split())
        operation |= {"tags": [route.tag], "summary": _sentence(said), "description": said}
        operation["responses"] = {str(status): _response(route, status, forms) for status in statuses(route)}
        refers = ["IdempotencyKey"] if route.once else []
        if route.right == "none":
            operation["security"] = []
        else:
            refers += ["Project", "ProjectHeader"]
            operation["x-right"] = route.right
        parameters: list[Json] = operation.setdefault("parameters", [])
        known = {one["name"] for one in parameters if one["in"] == "path"}
        parameters += [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)", route.path)
            if name not in known  # read by the access check alone
        ]
        parameters += [{"$ref": f"#/components/parameters/{name}"} for name in refers]
        if route.body is not None:
            operation["requestBody"] = {"required": True, "content": forms.sent(route)}
    docs = {route.tag: str(sys.modules[route.handler.__module__].__doc__) for route in api.routes}
    found["tags"] = [{"name": tag, "description": doc.partition("\n")[0]} for tag, doc in docs.items()]
    found["security"] = [{"key": []}, {"login": []}, {}]
    found["components"] = {
        "schemas": forms.components | {"Error": _ERROR},
        "parameters": _PARAMETERS,
        "responses": {
            str(status): {"description": said, "content": {_JSON: {"schema": {"$ref": _AT.format(name="Error")}}}}
            for status, said in _SAID.items()
        },
        "securitySchemes": _SECURITY,
    }
    return found


def _sentence(text: str) -> str:
    """The first one, as a title."""
    return re.split(r"(?<=[^.])[.;:](?: |$)", text, maxsplit=1)[0]


def _response(route: "Route", status: int, forms: "_Forms") -> dict[str, Json]:
    if status >= 400:
        return {"$ref": f"#/components/responses/{status}"}
    answer: dict[str, Json] = {"description": _OK[status]}
    return answer if status == 204 else answer | {"content": forms.answered(route)}


class _Forms:
    """The structs of routes as they are in JSON. In an answer every field is there; in a body those with a default may
    be left out, and a struct that is in both has two names then."""

    def __init__(self, routes: "Sequence[Route]") -> None:
        self._made: dict[tuple[Json, bool], Json] = {}
        self._in_answers: dict[Json, list[Json]] = {}
        self._named: dict[str, Json] = {}
        self._schemas: dict[tuple[Json, bool], Json] = {}
        for sent in (False, True):
            for route in routes:
                kind = route.body if sent else route.answer
                if kind is not None and kind not in (bytes, Upload):
                    self._schemas[_key(kind), sent] = self._form(kind, sent)
        forms = list(self._schemas.values())
        schemas, self.components = msgspec.json.schema_components(forms, ref_template=_AT)
        self._schemas = dict(zip(self._schemas, schemas, strict=True))

    def answered(self, route: "Route") -> dict[str, Json]:
        if route.answer is bytes:
            return {media: {"schema": {"type": "string"}} for media in route.media.split(", ")}
        return {route.media: {"schema": self._schemas[_key(route.answer), False]}}

    def sent(self, route: "Route") -> dict[str, Json]:
        if route.body in (bytes, Upload):
            return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        return {_JSON: {"schema": self._schemas[_key(route.body), True]}}

    def _form(self, kind: Json, sent: bool) -> Json:
        key = (_key(kind), sent)
        if key not in self._made:
            self._made[key] = self._make(kind, sent)
        return self._made[key]

    def _make(self, kind: Json, sent: bool) -> Json:
        origin, inside = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return Union[tuple(self._form(one, sent) for one in inside)]  # noqa: UP007 - a type made at run time
        if origin is tuple and inside[-1:] != (...,):
            return tuple[tuple(self._form(one, sent) for one in inside)]  # type: ignore[misc]
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return list[self._form(inside[0], sent)]  # type: ignore[misc]
        if origin is tuple:
            return tuple[tuple(one if one is ... else self._form(one, sent) for one in inside)]  # type: ignore[misc]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return dict[inside[0], self._form(inside[1], sent)]  # type: ignore[misc,valid-type]
        struct = cast(Json, origin or kind)
        if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
            return kind
        fields: list[Json] = []
        for field in msgspec.structs.fields(kind):
            form = _HEX[field.name] if field.name in _HEX and bytes in (field.type, *get_args(field.type)) else None
            if form is None:
                form = self._form(field.type, sent)
            elif type(None) in get_args(field.type):
                form = Optional[form]  # noqa: UP045 - a type made at run time
            name = field.encode_name
            fields.append((name, form, _default(field)) if sent and not field.required else (name, form))
        answered = self._in_answers.get(kind)
        if sent and answered == fields:
            return self._made[_key(kind), False]
        if not sent:
            self._in_answers[kind] = fields
        twice = sent and answered is not None
        config = struct.__struct_config__
        name = "".join(one.__name__ for one in (*inside, struct))
        if self._named.setdefault(name, kind) != kind:  # of another module
            name = struct.__module__.rpartition(".")[2].title().replace("_", "") + name
        return msgspec.defstruct(
            name + ("Input" if twice else ""),
            fields,
            kw_only=True,
            module=struct.__module__,
            namespace={"__doc__": struct.__doc__},
            tag=config.tag,
            tag_field=config.tag_field,
            forbid_unknown_fields=config.forbid_unknown_fields,
        )


def _key(kind: Json) -> str:
    """Kinds that are equal need not be told apart by `==`: True == 1 in a Literal."""
    return repr(kind)


def _default(field: msgspec.structs.FieldInfo) -> Json:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
