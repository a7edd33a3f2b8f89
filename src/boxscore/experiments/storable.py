"""Text that can be kept: models do send half of a surrogate pair, which is no text in UTF-8."""

from contextlib import suppress
from typing import cast

import msgspec

from boxscore.providers.response import Response
from boxscore.types import Json


def storable(text: str) -> str:
    """The text with what UTF-8 cannot hold replaced by a question mark."""
    if text.isascii():
        return text
    with suppress(UnicodeEncodeError):
        text.encode()
        return text
    return text.encode("utf-8", "replace").decode()


def storable_json(value: Json) -> Json:
    """The same for every text inside a JSON value."""
    if value is None:
        return None
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_json(key): storable_json(part) for key, part in cast("dict[Json, Json]", value).items()}
    if isinstance(value, list | tuple):
        return [storable_json(part) for part in cast("list[Json]", value)]
    return value


def storable_response(response: Response) -> Response:
    """The same for every text of a response."""
    with suppress(UnicodeEncodeError):
        msgspec.json.encode(response)
        return response
    return msgspec.structs.replace(
        response,
        output=storable(response.output),
        tool_calls=tuple(
            msgspec.structs.replace(
                call, name=storable(call.name), arguments=storable_json(call.arguments), id=storable_json(call.id)
            )
            for call in response.tool_calls
        ),
        finish_reason=storable_json(response.finish_reason),
        model=storable_json(response.model),
        provider=storable_json(response.provider),
        fingerprint=storable_json(response.fingerprint),
        usage_raw=storable_json(response.usage_raw),
        reasoning=storable(response.reasoning),
        extra=cast("dict[str, Json]", storable_json(response.extra)),
    )
