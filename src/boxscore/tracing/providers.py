"""Providers under one name: GenAI's well-known ones, for the many spellings that instrumentation has."""

from functools import lru_cache

from boxscore.costs import find_provider

__all__ = ["normal_provider", "seller_of"]

# Source of the names on the right: registry of GenAI attributes, `gen_ai.provider.name`.
_NORMAL = {
    "amazon-bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google-gla": "gcp.gemini",
    "google-vertex": "gcp.vertex_ai",
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
# Ways to call a provider, as the Vercel AI SDK appends them: `openai.responses`.
_WAYS = (".chat", ".responses", ".messages", ".completion", ".embedding", ".image")
_SELLERS = {"x_ai": "x-ai", "gcp.gen_ai": "google", "azure.ai.openai": "azure", "azure.ai.inference": "azure"}


@lru_cache(maxsize=1024)
def normal_provider(name: str) -> str:
    """`OpenAI`, `openai.chat` and `openai` are one."""
    name = name.strip().lower()
    for way in _WAYS:
        name = name.removesuffix(way)
    return _NORMAL.get(name, name)


@lru_cache(maxsize=1024)
def seller_of(provider: str) -> str | None:
    """The price book's name of a normal provider; None for those that sell no model (frameworks)."""
    name = _SELLERS.get(provider, provider)
    found = find_provider(name)
    return name if found is not None or name in {"local", "tiny"} else None
