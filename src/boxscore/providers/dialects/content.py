"""The parts of a message and the tools of a request, read once for every dialect."""

from typing import NamedTuple, cast

from boxscore.errors import SpecError
from boxscore.types import Json


class Text(NamedTuple):
    text: str


class Image(NamedTuple):
    """`data` is base64 and `media_type` known, or `url` says where the image lies."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Native(NamedTuple):
    """A part that only its own provider knows; it goes out as it came in."""

    part: Json


Part = Text | Image | Native


class Tool(NamedTuple):
    """A function that the model may call; `parameters` is JSON Schema."""

    name: str
    description: str | None
    parameters: Json
    strict: bool | None = None


def parts_of(content: Json) -> list[Part]:
    """A message's content, whichever form it was written in; no content is no parts."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Text(content)]
    items = cast("list[Json]", content) if isinstance(content, list) else [content]
    return [_part(item) for item in items]


def text_of(content: Json) -> str:
    """The text of a content, other parts left out."""
    return "".join(part.text for part in parts_of(content) if isinstance(part, Text))


def tool_of(written: Json) -> Tool | None:
    """The function that a tool describes in OpenAI's form (`{"type": "function", "function": {…}}`, or flat as in the
    Responses API) or in Anthropic's (`input_schema`); None for a tool that only its provider knows."""
    if not isinstance(written, dict):
        return None
    fields = cast("dict[str, Json]", written)
    kind = fields.get("type", "function")
    if kind not in ("function", "custom"):
        return None
    inner = fields.get("function", fields)
    function = cast("dict[str, Json]", inner) if isinstance(inner, dict) else {}
    name = function.get("name")
    if not isinstance(name, str):
        raise SpecError("a tool needs a name.", key="tools")
    description, strict = function.get("description"), function.get("strict")
    return Tool(
        name,
        description if isinstance(description, str) else None,
        function.get("parameters", function.get("input_schema")) or {"type": "object", "properties": {}},
        strict if isinstance(strict, bool) else None,
    )


def _part(item: Json) -> Part:
    if isinstance(item, str):
        return Text(item)
    fields = cast("dict[str, Json]", item) if isinstance(item, dict) else {}
    kind = fields.get("type")
    if kind in ("text", "input_text", "output_text") and isinstance(fields.get("text"), str):
        extra = set(fields) - {"type", "text", "annotations"}
        return Native(item) if extra else Text(cast("str", fields["text"]))
    if kind == "image_url":
        inner = fields.get("image_url")
        url = cast("dict[str, Json]", inner).get("url") if isinstance(inner, dict) else inner
        if isinstance(url, str):
            return _image(url)
    return Native(item)


def _image(url: str) -> Image:
    if not url.startswith("data:"):
        return Image(url=url)
    head, comma, data = url[5:].partition(",")
    media_type, _, encoding = head.partition(";")
    if not comma or encoding != "base64":
        raise SpecError("an image's data: URL has the form data:image/png;base64,….", key="messages")
    return Image(media_type=media_type or "image/png", data=data)
