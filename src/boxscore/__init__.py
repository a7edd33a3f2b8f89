"""Boxscore: every change to an LLM application gets a verdict.

The names below are the public face. They are imported when first used, so that `import boxscore` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxscore.client import AsyncClient, Client
    from boxscore.datasets import Dataset, Example, from_rows, load_dataset
    from boxscore.experiments.compare import compare
    from boxscore.experiments.comparison import Comparison
    from boxscore.experiments.judges import Judge
    from boxscore.experiments.verdict import Verdict
    from boxscore.providers.response import Response, ToolCall, Usage
    from boxscore.scoring import Metric, Score, Scorer, make_scorer
    from boxscore.sdk import context, current_span, flush, init, score, trace

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Client",
    "Comparison",
    "Dataset",
    "Example",
    "Judge",
    "Metric",
    "Response",
    "Score",
    "Scorer",
    "ToolCall",
    "Usage",
    "Verdict",
    "compare",
    "context",
    "current_span",
    "flush",
    "from_rows",
    "init",
    "load_dataset",
    "make_scorer",
    "score",
    "trace",
]

_HOMES = {
    "boxscore.client": ("AsyncClient", "Client"),
    "boxscore.datasets": ("Dataset", "Example", "from_rows", "load_dataset"),
    "boxscore.experiments.compare": ("compare",),
    "boxscore.experiments.comparison": ("Comparison",),
    "boxscore.experiments.judges": ("Judge",),
    "boxscore.experiments.verdict": ("Verdict",),
    "boxscore.providers.response": ("Response", "ToolCall", "Usage"),
    "boxscore.scoring": ("Metric", "Score", "Scorer", "make_scorer"),
    "boxscore.sdk": ("context", "current_span", "flush", "init", "score", "trace"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'boxscore' has no attribute {name!r}")
    try:
        found: object = getattr(import_module(_HOME_OF[name]), name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("boxscore."):
            raise
        raise AttributeError(
            f"boxscore.{name} is in the package boxscore, not in boxscore-sdk: pip install boxscore"
        ) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
