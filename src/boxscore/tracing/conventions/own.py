"""What our own instrumentation says."""

from boxscore.tracing.conventions.dialect import Dialect, Name

__all__ = ["BOXSCORE"]

BOXSCORE = Dialect(
    title="Boxscore",
    source="this project",
    names={
        "boxscore.operation": "operation",
        "boxscore.step": "step",
        "boxscore.session": "session",
        "boxscore.user": "user",
        "boxscore.application": "application",
        "boxscore.environment": "environment",
        "boxscore.release": "release",
        "boxscore.prompt.name": "prompt",
        "boxscore.prompt.version": "prompt_version",
        "boxscore.variant": "variant",
        "boxscore.graph": "graph",
        "boxscore.input": "input",
        "boxscore.output": "output",
        "boxscore.tags": "tags",
        "boxscore.entry": "entry",
        "boxscore.time_to_first_token": Name(field="first_token", unit="s"),
    },
    metadata=("boxscore.metadata.",),
    namespaces=("boxscore.",),
)
