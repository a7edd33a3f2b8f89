"""What is known around a call: session, user, prompt, metadata. It goes onto every span that starts inside."""

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType

from opentelemetry import context as otel
from opentelemetry.context import Context
from opentelemetry.util.types import AttributeValue

from boxscore.sdk.capture import plain_text
from boxscore.types import Json

__all__ = ["Around", "attach", "attributes_around", "context", "detach"]

_KEY = otel.create_key("boxscore-around")


class Around:
    """A `with` block, whose spans have these attributes beside those of the blocks around it. Inside it tasks and
    `contextvars` copies have them too; so have threads that OpenTelemetry's context is handed to. It may be entered
    again, in several tasks at once too."""

    __slots__ = ("_attributes", "_tokens")

    def __init__(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._attributes = attributes
        self._tokens: dict[int, Token[Context]] = {}  # by the identity of the context that each began

    def __enter__(self) -> "Around":
        merged = {**attributes_around(None), **self._attributes}
        inside = otel.set_value(_KEY, merged)
        self._tokens[id(inside)] = attach(inside)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        token = self._tokens.pop(id(otel.get_current()), None)
        detach(token or self._tokens.popitem()[1])


def context(
    *,
    session: str | None = None,
    user: str | None = None,
    prompt: str | None = None,
    prompt_version: str | None = None,
    variant: str | None = None,
    step: str | None = None,
    tags: list[str] | None = None,
    metadata: Mapping[str, Json] | None = None,
) -> Around:
    """Says what the spans inside a `with` block belong to: `session` a conversation, `user` whose it is, `prompt` and
    `prompt_version` what was asked with, `variant` which version of the application, `step` the place in a chain.
    `metadata` is the application's own; blocks inside a block add to it."""
    said = {
        "boxscore.session": session,
        "boxscore.user": user,
        "boxscore.prompt.name": prompt,
        "boxscore.prompt.version": prompt_version,
        "boxscore.variant": variant,
        "boxscore.step": step,
    }
    attributes: dict[str, AttributeValue] = {name: str(value) for name, value in said.items() if value is not None}
    if tags:
        attributes["boxscore.tags"] = [str(tag) for tag in tags]
    attributes.update(metadata_attributes(metadata or {}))
    return Around(attributes)


def metadata_attributes(metadata: Mapping[str, Json]) -> dict[str, AttributeValue]:
    return {f"boxscore.metadata.{key}": plain_text(value) for key, value in metadata.items()}


def attributes_around(context: Context | None) -> Mapping[str, AttributeValue]:
    around: Mapping[str, AttributeValue] | None = (otel.get_current() if context is None else context).get(_KEY)  # pyright: ignore[reportAssignmentType]
    return around or _NOTHING


_NOTHING: Mapping[str, AttributeValue] = {}


def attach(context: Context) -> Token[Context]:
    return otel.attach(context)


def detach(token: Token[Context]) -> None:
    """Goes back to the context before. A block that ends in another context than it began in (a generator that is
    closed elsewhere) has nothing to go back to; OpenTelemetry's own `detach` logs a traceback then."""
    try:  # noqa: SIM105 - on the way of every call
        token.var.reset(token)
    except (ValueError, RuntimeError):
        pass
