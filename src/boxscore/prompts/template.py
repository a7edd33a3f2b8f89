"""Prompt templates: messages with holes, filled from the inputs of an example."""

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import minijinja
import msgspec

from boxscore.errors import TemplateError
from boxscore.providers.request import Message
from boxscore.providers.response import ToolCall
from boxscore.types import Json

FUEL = 200_000
"""Steps that one message may take to render: enough for thousands of list items, the end of an endless loop."""

OUTPUT_CAP = 32 * 1024 * 1024
"""Longest message that is rendered, in characters."""

ROLES = ("system", "developer", "user", "assistant", "tool")


class PromptTemplate:
    """An immutable prompt: messages whose texts are templates in Jinja's syntax (minijinja 2).

    Inputs are data: what looks like a template inside a value stays as it is. A name without a value is an error, never
    an empty hole; so is null where text is due. Lists and objects are written as JSON, true and false as in JSON.
    Templates reach no files, no other templates and no Python objects.
    """

    __slots__ = ("_environment", "_names", "hash", "messages", "variables")

    messages: tuple[Message, ...]
    """The messages with their templates, as they were written."""

    variables: tuple[str, ...]
    """Names of the inputs that the templates mention, sorted."""

    hash: str
    """Hash of roles and texts, 12 hex digits: the same hash is the same prompt."""

    def __init__(self, messages: Sequence[Message]) -> None:
        """Raises `TemplateError` for a text that does not parse."""
        if not messages:
            raise TemplateError("a prompt needs at least one message.")
        self.messages = tuple(messages)
        text = json.dumps(self.written(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.hash = hashlib.sha256(text.encode()).hexdigest()[:12]
        environment = minijinja.Environment(fuel=FUEL, undefined_behavior="strict", finalizer=_finalize)
        environment.remove_global("debug")
        self._environment = environment
        self._names: dict[str, str] = {}
        for number, message in enumerate(self.messages, start=1):
            if message.role not in ROLES:
                raise TemplateError(_unknown_role(message.role))
            _walk(message.content, lambda source, number=number: self._add(source, number))
        found: set[str] = set()
        for name in self._names.values():
            found.update(environment.undeclared_variables_in_template(name))
        self.variables = tuple(sorted(found - set(environment.globals)))

    @classmethod
    def parse(cls, source: Json) -> "PromptTemplate":
        """A prompt from what a spec says: one text (a user's message), a mapping of role to text (`system`, `user`),
        or a list of `{role, content}`. Raises `TemplateError`.
        """
        if isinstance(source, str):
            return cls([Message(role="user", content=source)])
        if isinstance(source, Mapping):
            texts = cast("Mapping[str, Json]", source)
            return cls([_message({"role": role, "content": content}) for role, content in texts.items()])
        if isinstance(source, Sequence) and not isinstance(source, bytes):
            return cls([_message(item) for item in cast("Sequence[Json]", source)])
        raise TemplateError(
            f"a prompt is a text, a mapping of role to text, or a list of {{role, content}}; this is {source!r}."
        )

    def render(self, inputs: Mapping[str, Json]) -> tuple[Message, ...]:
        """The messages for one example. Raises `TemplateError`, whose `variable` is the name without a value."""
        values = dict(inputs)
        return tuple(
            msgspec.structs.replace(message, content=_walk(message.content, lambda source: self._fill(source, values)))
            for message in self.messages
        )

    def written(self) -> Json:
        """Role and content of each message, and its tool calls where it has some: what the prompt's identity is of."""
        return [[message.role, message.content, *_tools(message)] for message in self.messages]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PromptTemplate) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"PromptTemplate({self.hash}, variables={list(self.variables)})"

    def _add(self, source: str, number: int) -> str:
        if source not in self._names:
            name = str(len(self._names))
            try:
                self._environment.add_template(name, source)
            except minijinja.TemplateError as error:
                where = f"message {number}" if len(self.messages) > 1 else "the prompt"
                problem = f"{where}, line {error.line}: {error.detail or error.message}"
                raise TemplateError(f"{problem}; two literal braces are written {{{{ '{{{{' }}}}.") from None
            self._names[source] = name
        return source

    def _fill(self, source: str, values: dict[str, Json]) -> str:
        try:
            text = self._environment.render_template(self._names[source], **values)
        except _NullError:
            nulls = [name for name in self.variables if name in values and values[name] is None]
            what = repr(nulls[0]) if len(nulls) == 1 else "a value"
            raise TemplateError(
                f"the prompt writes out {what}, and it is null; give the row a value, or say in the prompt what to "
                "write instead: {{ name or '' }}.",
                variable=nulls[0] if len(nulls) == 1 else None,
            ) from None
        except minijinja.TemplateError as error:
            raise _explained(error, values) from None
        if len(text) > OUTPUT_CAP:
            raise TemplateError(f"the prompt came out longer than {OUTPUT_CAP // 1024 // 1024} million characters.")
        return text


class _NullError(Exception):
    pass


def _finalize(value: Json) -> Json:
    if isinstance(value, str):
        return value
    if value is None:
        raise _NullError
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def _walk(content: Json, fill: Callable[[str], str]) -> Json:
    """The content with every text in it put through `fill`; parts of a list keep their other fields."""
    if isinstance(content, str):
        return fill(content)
    if isinstance(content, list):
        return [_walk(part, fill) for part in cast("list[Json]", content)]
    if isinstance(content, dict):
        return {key: _walk(part, fill) for key, part in cast("dict[str, Json]", content).items()}
    return content


def _fields(value: Json) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, Mapping) else {}


def _tools(message: Message) -> list[Json]:
    if not message.tool_calls and message.tool_call_id is None:
        return []
    return [[[call.id, call.name, call.arguments] for call in message.tool_calls], message.tool_call_id]


def _message(item: Json) -> Message:
    fields = _fields(item)
    keys = set(fields)
    needed = {"role"} if "tool_calls" in keys else {"role", "content"}
    if not needed <= keys <= {"role", "content", "tool_calls", "tool_call_id"}:
        raise TemplateError(
            f"a message is a mapping with 'role' and 'content', and where tools were called with 'tool_calls' or "
            f"'tool_call_id'; this is {item!r}."
        )
    role, content = fields["role"], fields.get("content") or ""
    if not isinstance(role, str):
        raise TemplateError(_unknown_role(role))
    if not isinstance(content, str | list):
        raise TemplateError(f"the content of the {role} message must be text or a list of parts; it is {content!r}.")
    calls: Json = fields.get("tool_calls") or []
    answered = fields.get("tool_call_id")
    if not isinstance(calls, list) or not (answered is None or isinstance(answered, str)):
        raise TemplateError(f"'tool_calls' of the {role} message are a list, and 'tool_call_id' is text; see {item!r}.")
    return Message(
        role=role,
        content=content,
        tool_calls=tuple(_call(call) for call in cast("list[Json]", calls)),
        tool_call_id=answered,
    )


def _call(written: Json) -> ToolCall:
    """A call in OpenAI's form, or plainly as `{name, arguments, id}`. It is sent as it is: no template is in it."""
    fields = _fields(written)
    function = _fields(fields.get("function", fields))
    name, id = function.get("name"), fields.get("id")
    if not isinstance(name, str) or not (id is None or isinstance(id, str)):
        raise TemplateError(f"a tool call has a name, and its id is text; this is {written!r}.")
    return ToolCall(name=name, arguments=function.get("arguments") or {}, id=id)


def _unknown_role(role: Json) -> str:
    close = difflib.get_close_matches(str(role), ROLES, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(ROLES)}."
    return f"no role is called {role!r}: {hint}"


def _explained(error: minijinja.TemplateError, values: Mapping[str, Json]) -> TemplateError:
    detail = error.detail or error.message
    found = re.match(r"`(.+)` is undefined", detail) if error.kind == "UndefinedError" else None
    if not found:
        if "fuel" in error.message:
            return TemplateError(f"the prompt takes more than {FUEL} steps to render; is there a loop without an end?")
        return TemplateError(f"the prompt, line {error.line}: {detail}.")
    variable = found[1]
    parent, _, last = variable.rpartition(".")
    inside: Json = values
    for key in parent.split(".") if parent else ():
        inside = cast("Mapping[str, Json]", inside).get(key) if isinstance(inside, Mapping) else None
    known = [str(key) for key in cast("Mapping[str, Json]", inside)] if isinstance(inside, Mapping) else []
    close = difflib.get_close_matches(last, known, n=1, cutoff=0.5)
    if close:
        full = f"{parent}.{close[0]}" if parent else close[0]
        hint = f"did you mean {full!r}?"
    elif known:
        hint = f"there is {', '.join(known[:12])}{', …' if len(known) > 12 else ''}."
    else:
        hint = "the example has no inputs." if not values else "nothing of that kind is there."
    return TemplateError(
        f"the prompt needs {variable!r}, and the example has no value for it: {hint}", variable=variable
    )
