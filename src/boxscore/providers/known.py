"""The providers that are known by name: where they are, what they speak, and which variable holds their key."""

import msgspec

from boxscore.errors import SpecError
from boxscore.providers.auth import Auth, KeyAuth
from boxscore.providers.dialects import DIALECTS, dialect
from boxscore.providers.endpoint import Endpoint
from boxscore.providers.secrets import from_environment, remember
from boxscore.providers.sigv4 import region, signed
from boxscore.providers.transport import HttpTransport, Limits, Transport


class Known(msgspec.Struct, frozen=True):
    """`base_url` is None where every customer has an address of his own; `key_env` None where no key is needed.
    `{region}` in an address is filled from the environment."""

    api: str
    base_url: str | None
    key_env: str | None
    header: str = "Authorization"
    prefix: str = "Bearer "


_VERSION = {"anthropic-version": "2023-06-01"}

KNOWN: dict[str, Known] = {
    "openai": Known("chat", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": Known("messages", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", "x-api-key", ""),
    "google": Known(
        "gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY", "x-goog-api-key", ""
    ),
    "bedrock": Known("converse", "https://bedrock-runtime.{region}.amazonaws.com", "AWS_ACCESS_KEY_ID"),
    "cohere": Known("cohere", "https://api.cohere.com", "COHERE_API_KEY"),
    "azure": Known("chat", None, "AZURE_OPENAI_API_KEY", "api-key", ""),
    "vertex": Known("gemini", None, "VERTEX_ACCESS_TOKEN"),
    "mistral": Known("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": Known("chat", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "together": Known("chat", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "deepseek": Known("chat", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "x-ai": Known("chat", "https://api.x.ai/v1", "XAI_API_KEY"),
    "fireworks": Known("chat", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "openrouter": Known("chat", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "perplexity": Known("chat", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    "cerebras": Known("chat", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "ollama": Known("chat", "http://127.0.0.1:11434/v1", None),
    "vllm": Known("chat", "http://127.0.0.1:8000/v1", None),
    "llamacpp": Known("chat", "http://127.0.0.1:8080/v1", None),
    "lmstudio": Known("chat", "http://127.0.0.1:1234/v1", None),
}


def connect(
    name: str,
    *,
    key: str | None = None,
    key_env: str | None = None,
    base_url: str | None = None,
    api: str | None = None,
    stream: bool = False,
    limits: Limits | None = None,
    transport: Transport | None = None,
) -> Endpoint:
    """The provider of that name: `connect("anthropic")`.

    Its key is `key`, else what the environment variable (`key_env`, default the usual one) or the keyring holds.
    `base_url` stands in for the usual address: anything that speaks the same `api` (default for names that are not
    known: OpenAI's chat completions) can be asked under any name, and is sent no key unless one is named. `SpecError`
    for what is missing.

    >>> connect("ollama").base_url
    'http://127.0.0.1:11434/v1'
    """
    known = KNOWN.get(name) or _like(api or "chat")
    speaks = api or known.api
    if speaks not in DIALECTS:
        raise SpecError(f"no API is called {speaks!r}: known are {', '.join(DIALECTS)}.", key="api")
    address = base_url or known.base_url
    if address is None:
        raise SpecError(f"where is {name!r}? Give its 'base_url': it has no address of its own.", key="base_url")
    if "{region}" in address:
        address = address.replace("{region}", region())
    variable = key_env or (known.key_env if base_url is None or known.base_url is None else None)
    return Endpoint(
        name=name,
        dialect=dialect(speaks),
        base_url=address,
        auth=_auth(known, key, variable, speaks),
        headers=_VERSION if speaks == "messages" else None,
        stream=stream,
        transport=transport or HttpTransport(limits),
    )


def _like(api: str) -> Known:
    """A provider that nobody knows: it takes its key as the first one known of its API does."""
    usual = next((known for known in KNOWN.values() if known.api == api), Known(api, None, None))
    return msgspec.structs.replace(usual, base_url=None, key_env=None)


def _auth(known: Known, key: str | None, variable: str | None, api: str) -> Auth:
    if api == "converse" and key is None and (variable is None or variable.startswith("AWS_")):
        return signed()
    if key is not None:
        key = key.strip()  # a line end comes along with what is read from a file
        remember(key, name="key")
    elif variable is not None:
        key = from_environment(variable, key="api_key_env")
    return KeyAuth(key, header=known.header, prefix=known.prefix)
