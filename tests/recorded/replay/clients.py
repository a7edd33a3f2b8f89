"""The official clients of providers, made to ask again what was recorded."""

import json
from collections.abc import Callable
from functools import cached_property
from inspect import signature
from typing import Any
from urllib.parse import unquote

import boto3
import cohere
from anthropic import Anthropic
from botocore.config import Config
from google import genai
from groq import Groq
from mistralai.client import Mistral
from openai import AzureOpenAI, OpenAI

Exchange = dict[str, Any]
GOOGLE_CONFIG = ("systemInstruction", "tools", "toolConfig", "safetySettings")


class Clients:
    """All of them, pointed at `url`, without retries. Make them after the instrumentation is on."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, exchange: Exchange) -> None:
        """Asks what was asked then, and reads a stream to its end. What the client raises is raised."""
        request = dict(exchange["request"] or {})
        match exchange["provider"], exchange["api"]:
            case "azure", "chat":
                self._create(
                    self._azure.chat.completions, {"model": unquote(exchange["path"].split("/")[3]), **request}
                )
            case "azure", "embeddings":
                self._create(self._azure.embeddings, request)
            case "groq", _:
                self._create(self._groq.chat.completions, request)
            case "openai", "responses":
                self._create(self._openai.responses, request)
            case "openai", "embeddings":
                self._create(self._openai.embeddings, request)
            case (("openai" | "deepseek" | "together"), _):
                self._create(self._openai.chat.completions, request)
            case "anthropic", _:
                self._create(self._anthropic.messages, request)
            case "bedrock", api:
                self._ask_bedrock(unquote(exchange["path"].split("/")[2]), exchange, api, request)
            case "cohere", api:
                self._ask_cohere(self._cohere_1 if exchange["path"].startswith("/v1") else self._cohere_2, api, request)
            case "mistral", api:
                self._ask_mistral(api, request)
            case _, "generate":
                self._ask_google(exchange, request)
            case provider, api:
                raise NotImplementedError(f"{provider} {api}")

    @staticmethod
    def _create(resource: Any, request: Exchange) -> None:
        names = signature(resource.create).parameters
        extra = {key: value for key, value in request.items() if key not in names}
        named = {key: value for key, value in request.items() if key in names}
        answer = resource.create(**named, **({"extra_body": extra} if extra else {}))
        if request.get("stream"):
            _read_out(answer)

    def _ask_bedrock(self, model: str, exchange: Exchange, api: str, request: Exchange) -> None:
        if api == "invoke":
            self._bedrock.invoke_model(modelId=model, body=json.dumps(request))["body"].read()
        elif exchange["path"].endswith("-stream"):
            _read_out(self._bedrock.converse_stream(modelId=model, **request)["stream"])
        else:
            self._bedrock.converse(modelId=model, **request)

    @staticmethod
    def _ask_cohere(client: Any, api: str, request: Exchange) -> None:
        stream = request.pop("stream", False)
        methods: dict[str, Callable[..., Any]] = {"rerank": client.rerank, "embeddings": client.embed}
        if stream:
            _read_out(client.chat_stream(**request))
        else:
            methods.get(api, client.chat)(**request)

    def _ask_mistral(self, api: str, request: Exchange) -> None:
        stream = request.pop("stream", False)
        if api == "embeddings":
            self._mistral.embeddings.create(inputs=request.pop("input"), **request)
        elif stream:
            _read_out(self._mistral.chat.stream(**request))
        else:
            self._mistral.chat.complete(**request)

    def _ask_google(self, exchange: Exchange, request: Exchange) -> None:
        model = exchange["path"].split("/models/")[1].split(":")[0]
        config = dict(request.get("generationConfig") or {})
        config |= {name: request[name] for name in GOOGLE_CONFIG if name in request}
        asked = {"model": model, "contents": request["contents"], "config": config or None}
        if exchange["stream"]:
            _read_out(self._google.models.generate_content_stream(**asked))
        else:
            self._google.models.generate_content(**asked)

    @cached_property
    def _openai(self) -> OpenAI:
        return OpenAI(base_url=f"{self._url}/v1", api_key="k", max_retries=0)

    @cached_property
    def _azure(self) -> AzureOpenAI:
        return AzureOpenAI(azure_endpoint=self._url, api_key="k", api_version="2024-10-21", max_retries=0)

    @cached_property
    def _groq(self) -> Groq:
        return Groq(base_url=self._url, api_key="k", max_retries=0)

    @cached_property
    def _anthropic(self) -> Anthropic:
        return Anthropic(base_url=self._url, api_key="k", max_retries=0)

    @cached_property
    def _bedrock(self) -> Any:
        return boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=self._url,
            aws_access_key_id="k",
            aws_secret_access_key="s",  # noqa: S106 - nobody looks at it
            config=Config(retries={"max_attempts": 0}),
        )

    @cached_property
    def _cohere_1(self) -> cohere.Client:
        return cohere.Client(api_key="k", base_url=self._url)

    @cached_property
    def _cohere_2(self) -> cohere.ClientV2:
        return cohere.ClientV2(api_key="k", base_url=self._url)

    @cached_property
    def _mistral(self) -> Mistral:
        return Mistral(api_key="k", server_url=self._url)

    @cached_property
    def _google(self) -> genai.Client:
        return genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=self._url))


def _read_out(stream: Any) -> None:
    for _ in stream:
        pass
