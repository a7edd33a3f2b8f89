"""Two prompts for the tiny model, ready to compare. They are data: the model was not taught the second by heart."""

import msgspec

__all__ = ["PROMPTS", "TinyPrompt"]


class TinyPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A system text and a user template with the variable `ticket`."""

    system: str
    user: str = "{{ ticket }}"


PROMPTS = {
    "terse": TinyPrompt(system="extract"),
    "precise": TinyPrompt(
        system="You read support tickets. Answer with JSON only, with the keys intent, order and amount. "
        "Write the amount with a point and two decimals. Write order numbers in capitals."
    ),
}
"""`terse` leaves the form of the answer to the model; `precise` names keys, the form of the amount and of the order."""
