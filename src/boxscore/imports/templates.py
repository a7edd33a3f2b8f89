"""Nunjucks templates, as promptfoo's files have them, read by the template engine of our prompts."""

import re
from collections.abc import Mapping
from typing import cast

from boxscore.errors import TemplateError
from boxscore.prompts import PromptTemplate
from boxscore.types import Json

__all__ = ["has_template", "render", "translate"]

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def has_template(text: str) -> bool:
    return any(mark in text for mark in ("{{", "{%", "{#"))


def translate(source: Json) -> Json:
    """The template, or messages of templates, in our engine's words: Nunjucks' filter `dump` is `tojson`."""
    if isinstance(source, str):
        return _EXPRESSION.sub(_translated, source)
    if isinstance(source, list):
        return [translate(part) for part in cast("list[Json]", source)]
    if isinstance(source, dict):
        return {key: translate(part) for key, part in cast("dict[str, Json]", source).items()}
    return source


def _translated(found: re.Match[str]) -> str:
    text = re.sub(r"\|\s*dump\b(?:\(\s*\d*\s*\))?", "| tojson", found[0])
    return re.sub(r"(=|!)==", r"\1=", text)


def render(source: str, variables: Mapping[str, Json]) -> str:
    """The text with its holes filled. A name without a value leaves nothing, as in Nunjucks. Raises `TemplateError`."""
    if not has_template(source):
        return source
    template = PromptTemplate.parse(translate(source))
    if "env" in template.variables and "env" not in variables:
        raise TemplateError("it reads the environment, which belongs to one machine")
    known = {name: variables.get(name) for name in template.variables}
    (message,) = template.render({name: "" if value is None else value for name, value in known.items()})
    return cast("str", message.content)
