"""The telemetry of Vercel's AI SDK.

Source: https://ai-sdk.dev/docs/ai-sdk-core/telemetry#collected-data, names of versions 3 to 6. The outer span of a call
(`ai.generateText`) repeats the sums of its steps, which are spans of their own (`ai.generateText.doGenerate`).
"""

from boxscore.tracing.conventions.dialect import Dialect, Name

__all__ = ["VERCEL"]

_OUTER = ("generateText", "streamText", "generateObject", "streamObject", "embedMany")
_OPERATIONS = {f"ai.{name}": "invoke_agent" for name in _OUTER} | {
    "ai.generateText.doGenerate": "chat",
    "ai.streamText.doStream": "chat",
    "ai.generateObject.doGenerate": "chat",
    "ai.streamObject.doStream": "chat",
    "ai.embed": "invoke_agent",
    "ai.embed.doEmbed": "embeddings",
    "ai.embedMany.doEmbed": "embeddings",
    "ai.toolCall": "execute_tool",
}

VERCEL = Dialect(
    title="Vercel AI SDK",
    source="https://ai-sdk.dev/docs/ai-sdk-core/telemetry#collected-data",
    names={
        "ai.operationId": Name(field="operation", values=_OPERATIONS),
        "ai.model.id": "model_asked",
        "ai.response.model": "model",
        "ai.model.provider": "provider",
        "ai.usage.inputTokens": "input_tokens",
        "ai.usage.promptTokens": "input_tokens",
        "ai.usage.tokens": "input_tokens",
        "ai.usage.outputTokens": "output_tokens",
        "ai.usage.completionTokens": "output_tokens",
        "ai.usage.cachedInputTokens": "cached_tokens",
        "ai.usage.inputTokenDetails.cacheReadTokens": "cached_tokens",
        "ai.usage.inputTokenDetails.cacheWriteTokens": "written_tokens",
        "ai.usage.reasoningTokens": "reasoning_tokens",
        "ai.usage.outputTokenDetails.reasoningTokens": "reasoning_tokens",
        "ai.response.msToFirstChunk": Name(field="first_token", unit="ms"),
        "ai.stream.msToFirstChunk": Name(field="first_token", unit="ms"),
        "ai.prompt.messages": "input",
        "ai.prompt": "input",
        "ai.value": "input",
        "ai.values": "input",
        "ai.toolCall.args": "input",
        "ai.toolCall.input": "input",
        "ai.response.text": "output",
        "ai.response.object": "output",
        "ai.result.text": "output",
        "ai.result.object": "output",
        "ai.toolCall.result": "output",
        "ai.toolCall.output": "output",
        "ai.response.toolCalls": "output_calls",
        "ai.result.toolCalls": "output_calls",
        "ai.toolCall.name": "step",
        "ai.telemetry.functionId": "step",
        "ai.telemetry.metadata.userId": "user",
        "ai.telemetry.metadata.sessionId": "session",
        "ai.telemetry.metadata.tags": "tags",
    },
    metadata=("ai.telemetry.metadata.",),
    namespaces=("ai.", "operation.", "resource."),
)
