"""MLflow's tracing.

Source: https://github.com/mlflow/mlflow, `mlflow/tracing/constant.py`. Values are JSON, texts included.
"""

from collections.abc import Mapping

from boxscore.tracing.conventions.dialect import Dialect, Field, Name

__all__ = ["MLFLOW"]

_USAGE: Mapping[str, Field] = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "cache_creation_input_tokens": "written_tokens",
}

MLFLOW = Dialect(
    title="MLflow",
    source="https://github.com/mlflow/mlflow/blob/master/mlflow/tracing/constant.py",
    names={
        "mlflow.spanType": Name(
            field="operation",
            values={
                "LLM": "chat",
                "CHAT_MODEL": "chat",
                "EMBEDDING": "embeddings",
                "AGENT": "invoke_agent",
                "TOOL": "execute_tool",
                "RETRIEVER": "retrieval",
                "RERANKER": "rerank",
                "CHAIN": "chain",
                "WORKFLOW": "invoke_workflow",
                "TASK": "chain",
                "PARSER": "chain",
                "EVALUATOR": "evaluate",
                "GUARDRAIL": "guardrail",
                "UNKNOWN": "",
            },
        ),
        "mlflow.spanInputs": "input",
        "mlflow.spanOutputs": "output",
        "mlflow.chat.tokenUsage": _USAGE,
        "mlflow.llm.model": "model",
        "mlflow.llm.provider": "provider",
        "mlflow.trace.session": "session",
        "mlflow.trace.user": "user",
        "mlflow.spanFunctionName": "step",
    },
    metadata=("mlflow.traceTag.",),
    namespaces=("mlflow.",),
)
