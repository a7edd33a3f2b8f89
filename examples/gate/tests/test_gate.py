"""The gate. `pytest` skips it; `pytest --boxscore` asks the model and decides."""

from boxscore.pytest_plugin import BoxscoreGate


def test_the_careful_prompt_is_worth_it(boxscore_gate: BoxscoreGate) -> None:
    """A change has to be shown to be better. Both prompts are asked, side by side."""
    boxscore_gate("boxscore.yaml", candidate="careful-prompt")


def test_the_prompt_in_use_has_not_got_worse(boxscore_gate: BoxscoreGate) -> None:
    """What is in use is held against the scores it had when they were committed; only a loss that is shown stops."""
    boxscore_gate(
        "boxscore.yaml",
        candidate="short-prompt",
        baseline_file="baseline.json",
        accept=("ship", "undecided"),
    )
