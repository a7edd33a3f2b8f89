"""The providers of a promptfoo configuration, as variants."""

import re
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from boxscore.errors import UsageError
from boxscore.imports.dialects import known_providers, our_provider
from boxscore.imports.files import read_tree
from boxscore.imports.promptfoo.prompts import named_files
from boxscore.imports.reading import Node, list_of, mapping_of
from boxscore.providers import secrets
from boxscore.types import Json

__all__ = ["Provider", "read_provider", "read_providers"]

PARAMS = (
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "stop",
    "stop_sequences",
    "seed",
    "response_format",
    "tool_choice",
    "reasoning_effort",
    "verbosity",
    "thinking",
)

# What may stand second in an id (openai:chat:gpt-4o): kinds of call, each with our API of that kind. "" is the
# provider's usual one; None is none of ours.
_KINDS: dict[str, str | None] = {
    "chat": "",
    "messages": "",
    "converse": "",
    "responses": "responses",
    **dict.fromkeys(("completion", "embedding", "embeddings", "image", "assistant", "realtime", "moderation", "tts")),
}
_COMMAND = "read the inputs as JSON from standard input and name it as a variant: command: ..."
_PYTHON = "name a function of the inputs as a variant: python: FILE.py:FUNCTION"


class Provider(NamedTuple):
    """`keys` are a variant's without its prompt; `takes_prompt` is false for an endpoint that is sent the inputs alone.
    `lead` are messages that stand before every prompt, `only` the prompts that it is used with, None for all; `id` and
    `label` name it in results, `node` is where it stands."""

    node: Node
    id: str
    label: str | None
    keys: dict[str, Json]
    takes_prompt: bool = True
    only: tuple[str, ...] | None = None
    lead: tuple[dict[str, Json], ...] = ()


def read_providers(node: Node, folder: Path, nodes: list[Node]) -> list[Provider]:
    """All that can answer as variants; the others are left with their reason. Files that are read join `nodes`."""
    found: list[Provider] = []
    for entry in node if node.is_list else [node]:
        if isinstance(entry.value, str) and _is_config_file(entry.value):
            for path in named_files(entry.value, folder):
                try:
                    tree = read_tree(path, path.name)
                except UsageError as error:
                    entry.leave(f"the file cannot be used: {error}")
                    continue
                entry.take()
                nodes.append(tree)
                found += read_providers(tree, folder, nodes)
            continue
        made = read_provider(entry, folder)
        if made is not None:
            found.append(made)
    return found


def read_provider(entry: Node, folder: Path) -> Provider | None:
    """One provider: its id, an object with an id, or an object of id to settings."""
    if isinstance(entry.value, str):
        return _made(entry, entry, entry.value, None, Node(None, entry.source, f"{entry.path}.config"), None, folder)
    if not entry.is_mapping:
        return None
    if "id" not in entry and len(entry.names()) == 1:
        ((name, settings),) = entry.items()
        return _of_mapping(entry, settings, name, folder)
    name = entry["id"].value
    return _of_mapping(entry, entry, name, folder) if isinstance(name, str) else None


def _of_mapping(entry: Node, settings: Node, name: str, folder: Path) -> Provider | None:
    label = settings["label"].text()
    only: tuple[str, ...] | None = None
    if settings["prompts"].is_list:
        only = tuple(text for one in settings["prompts"] if (text := one.text()) is not None)
    for key in ("transform", "transformResponse", "functions"):
        if key in settings:
            entry.leave(f"its {key} is code", _PYTHON)
            return None
    return _made(entry, settings["id"], name, label, settings["config"], only, folder)


def _made(
    entry: Node, id_node: Node, name: str, label: str | None, config: Node, only: tuple[str, ...] | None, folder: Path
) -> Provider | None:
    if name.startswith(("http:", "https:")) or name in ("http", "https"):
        chat = _http_chat(entry, id_node, name, label, config, only)
        if chat is not None:
            return chat
        keys = _http(entry, name, config)
        return None if keys is None else _with(id_node, Provider(entry, name, label, keys, False, only))
    vendor, _, rest = name.partition(":")
    if vendor == "exec":
        entry.leave("it is started with the prompt as an argument, and ours reads the inputs", _COMMAND)
        return None
    if vendor in ("python", "file", "javascript") or name.startswith("file://"):
        entry.leave("it is code with an interface of its own", _PYTHON)
        return None
    kind, _, model = rest.partition(":")
    if kind not in _KINDS:
        kind, model = "chat", rest
    api = _KINDS[kind]
    if api is None:
        entry.leave(f"{kind!r} is another kind of call than a chat")
        return None
    keys = _chat(entry, our_provider(vendor), model, config)
    if keys is None:
        return None
    return _with(id_node, Provider(entry, name, label, keys | ({"api": api} if api else {}), True, only))


def _with(node: Node, provider: Provider) -> Provider:
    if isinstance(node.value, str):
        node.take()
    return provider


def _chat(entry: Node, provider: str, model: str, config: Node) -> dict[str, Json] | None:
    base_url = config["apiBaseUrl"].text()
    host = config["apiHost"].text()
    if base_url is None and host is not None:
        base_url = f"https://{host.removeprefix('https://').rstrip('/')}/v1"
    if base_url is None and provider not in known_providers():
        entry.leave(
            f"no provider of ours is called {provider!r}", "name an OpenAI-compatible endpoint with its base_url"
        )
        return None
    if not model:
        entry.leave("it names no model")
        return None
    keys: dict[str, Json] = {"provider": provider, "model": model}
    if base_url is not None:
        keys["base_url"] = base_url
    if variable := config["apiKeyEnvar"].text():
        keys["api_key_env"] = variable
    params: dict[str, Json] = {key: config[key].take() for key in PARAMS if config[key]}
    params |= cast("dict[str, Json]", config["passthrough"].take()) if config["passthrough"].is_mapping else {}
    if params:
        keys["params"] = params
    if config["tools"].is_list:
        keys["tools"] = config["tools"].take()
    if "apiKey" in config:
        config["apiKey"].leave("keys never stand in a spec", "name an environment variable under 'api_key_env'")
    return keys


def _http_chat(
    entry: Node, id_node: Node, name: str, label: str | None, config: Node, only: tuple[str, ...] | None
) -> Provider | None:
    """An endpoint that is asked as OpenAI's chat completions are: a model behind a base URL."""
    url = config["url"].value or name
    body, transform = config["body"], config["transformResponse"]
    messages = mapping_of(body.value).get("messages")
    path = "/chat/completions"
    if (
        not isinstance(url, str)
        or not url.startswith("http")
        or not url.endswith(path)
        or "{{" in url
        or not isinstance(body["model"].value, str)
        or "{{" in body["model"].value
        or not list_of(messages)
        or str(transform.value).replace("?", "") != "json.choices[0].message.content"
    ):
        return None
    *lead, last = [mapping_of(message) for message in list_of(messages)]
    words = re.sub(r"\s", "", str(last.get("content")))
    plain = all(message.keys() == {"role", "content"} and "{{" not in str(message) for message in lead)
    if words != "{{prompt}}" or last.keys() != {"role", "content"} or last["role"] != "user" or not plain:
        return None
    keys: dict[str, Json] = {
        "provider": urlsplit(url).hostname or "endpoint",
        "base_url": url.removesuffix(path),
        "model": body["model"].take(),
    }
    for key, header in config["headers"].items():
        variable = re.fullmatch(r"Bearer \{\{\s*env\.(\w+)\s*\}\}", str(header.value))
        if key.lower() == "authorization" and variable is not None:
            keys["api_key_env"] = variable[1]
            header.take()
        elif key.lower() in ("content-type", "accept"):
            header.take()
        else:
            header.leave("a header of its own", "keys are named with 'api_key_env'")
    params = {key: value.take() for key, value in body.items() if key not in ("model", "messages")}
    for node in (body["messages"], transform, config["url"], config["method"]):
        node.take()
    if params:
        keys["params"] = params
    return _with(id_node, Provider(entry, name, label, keys, True, only, tuple(lead)))


def _http(entry: Node, name: str, config: Node) -> dict[str, Json] | None:
    """An endpoint that is sent the inputs as they are, by their own names: the one form that means the same in ours."""
    url = config["url"].text() or name
    method = config["method"].text() or "POST"
    body = config["body"]
    same = body.is_mapping and all(
        isinstance(value.value, str) and re.fullmatch(rf"\{{\{{\s*{re.escape(key)}\s*\}}\}}", value.value)
        for key, value in body.items()
    )
    if method.upper() != "POST" or not same or "{{" in url or not url.startswith("http"):
        entry.leave(
            "its request is a template of its own, and ours posts the inputs as JSON by their names",
            "let the endpoint take the inputs, or wrap it: " + _PYTHON,
        )
        return None
    body.take()
    keys: dict[str, Json] = {"url": url, "inputs_key": None}
    transform = config["transformResponse"] if "transformResponse" in config else config["responseParser"]
    if transform:
        found = re.fullmatch(r"json((?:\??\.[A-Za-z_]\w*|\[\d+\]|\[['\"]\w+['\"]\])+)", str(transform.value).strip())
        if found is None:
            entry.leave("its transformResponse is code", _PYTHON)
            return None
        transform.take()
        keys["output_path"] = re.sub(r"[\[\]'\"?]+", ".", found[1]).replace("..", ".").strip(".")
    else:
        entry.leave("it says nothing of where the answer stands in the reply", "add 'transformResponse: json.FIELD'")
        return None
    headers: dict[str, Json] = {}
    for key, value in config["headers"].items():
        text = value.value
        if not isinstance(text, str) or "{{" in text or _is_secret(key, text):
            value.leave("a secret, or a template", f"name an environment variable: headers_env: {{{key}: NAME}}")
        elif key.lower() != "content-type":
            headers[key] = value.take()
        else:
            value.take()
    return {**keys, **({"headers": headers} if headers else {})}


def _is_secret(header: str, text: str) -> bool:
    named = re.search(r"authorization|cookie|api[-_]?key|token|secret", header, re.IGNORECASE)
    return named is not None or secrets.looks_secret(text)


def _is_config_file(text: str) -> bool:
    return text.startswith("file://") and text.endswith((".yaml", ".yml", ".json"))
