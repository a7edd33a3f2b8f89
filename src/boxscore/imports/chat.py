"""Conversations of rows as a prompt and the inputs that fill it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from boxscore.errors import TemplateError
from boxscore.imports.reading import mapping_of
from boxscore.imports.templates import has_template
from boxscore.prompts import PromptTemplate
from boxscore.prompts.template import ROLES
from boxscore.types import Json

__all__ = ["Shape", "Turn", "framed", "shape_of", "turns_of"]

TRANSCRIPT = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
"""The prompt of rows whose conversations have different shapes: all of it as one text."""


class Turn(NamedTuple):
    role: str
    content: str


class Shape(NamedTuple):
    """`prompt` is what a spec takes, `inputs` those of each conversation, in order. `exact` is false where the
    conversations are written out as one text, because they differ in their turns."""

    prompt: Json
    inputs: list[dict[str, Json]]
    exact: bool


def turns_of(value: Json) -> list[Turn] | None:
    """A text (what the user says) or a list of messages as turns; None where it is neither, or holds more than text."""
    if isinstance(value, str):
        return [Turn("user", value)]
    if not isinstance(value, list) or not value:
        return None
    turns: list[Turn] = []
    for message in cast("list[Json]", value):
        fields = mapping_of(message)
        role, content = fields.get("role", fields.get("from")), fields.get("content", fields.get("value"))
        role = {"human": "user", "gpt": "assistant"}.get(str(role), role)
        text = _text(content)
        if role not in ROLES or text is None:
            return None
        turns.append(Turn(cast("str", role), text))
    return turns


def _text(content: Json) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = cast("list[Json]", content)
    texts = [cast("Mapping[str, Json]", part).get("text") for part in parts if isinstance(part, dict)]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        return None
    return "".join(cast("list[str]", texts))


def shape_of(conversations: Sequence[list[Turn]]) -> Shape:
    """One prompt for all conversations. Turns that are the same in all of them, such as a system message, stand in the
    prompt; the others are its variables, the last turn of the user under the name `input`."""
    roles = [turn.role for turn in conversations[0]]
    if any([turn.role for turn in turns] != roles for turns in conversations):
        rows: list[dict[str, Json]] = [{"messages": [turn._asdict() for turn in turns]} for turns in conversations]
        return Shape(TRANSCRIPT, rows, exact=False)
    last = max((at for at, role in enumerate(roles) if role == "user"), default=len(roles) - 1)
    fixed = {
        at
        for at in range(len(roles))
        if at != last
        and len(conversations) > 1
        and len({turns[at].content for turns in conversations}) == 1
        and not has_template(conversations[0][at].content)
    }
    names = _names(roles, last)
    messages = [
        {"role": role, "content": conversations[0][at].content if at in fixed else f"{{{{ {names[at]} }}}}"}
        for at, role in enumerate(roles)
    ]
    inputs = [
        {names[at]: cast("Json", turn.content) for at, turn in enumerate(turns) if at not in fixed}
        for turns in conversations
    ]
    return Shape(_short(messages), inputs, exact=True)


def framed(
    conversations: Sequence[list[Turn]], inputs: Sequence[Mapping[str, Json]], values: Sequence[Mapping[str, str]]
) -> Json | None:
    """The one template that makes each conversation from its inputs, or None where there is none.

    `values` are, per conversation, texts that may stand in it, each with the template that writes it. What stands
    around them must be the same in all conversations.
    """
    found: list[list[dict[str, str]]] = []
    for turns, known in zip(conversations, values, strict=True):
        texts = sorted((text for text in known if text), key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, texts)) if texts else r"(?!)")
        if any(has_template(pattern.sub("", turn.content)) for turn in turns):
            return None
        found.append(
            [
                {"role": turn.role, "content": pattern.sub(lambda text, known=known: known[text[0]], turn.content)}
                for turn in turns
            ]
        )
    if not found or not found[0] or any(messages != found[0] for messages in found):
        return None
    template = PromptTemplate.parse(found[0])
    for turns, row in zip(conversations, inputs, strict=True):
        try:
            rendered = template.render(row)
        except TemplateError:
            return None
        if [(message.role, message.content) for message in rendered] != [tuple(turn) for turn in turns]:
            return None
    return _short(found[0])


def _names(roles: Sequence[str], last: int) -> list[str]:
    """A name for each turn: its role, numbered where there are several."""
    names: list[str] = []
    for at, role in enumerate(roles):
        if at == last:
            names.append("input")
            continue
        same = [other for other, one in enumerate(roles) if one == role and other != last]
        names.append(role if len(same) == 1 else f"{role}_{same.index(at) + 1}")
    return names


def _short(messages: list[dict[str, str]]) -> Json:
    roles = [message["role"] for message in messages]
    if len(messages) == 1 and roles == ["user"]:
        return messages[0]["content"]
    if len(set(roles)) == len(roles):
        return {message["role"]: message["content"] for message in messages}
    return messages
