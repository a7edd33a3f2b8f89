"""One example: what a variant is asked, and what is known about a right answer."""

import msgspec

from boxscore.types import Json


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a dataset version.

    `inputs` fill the prompt's variables. `reference` is what scorers compare with, None where there is none.
    `cluster` names the conversation or document it comes from: examples of one cluster are not independent.
    `slices` are the subsets to report by, name to value.
    """

    id: str
    inputs: dict[str, Json] = {}
    reference: Json = None
    metadata: dict[str, Json] = {}
    cluster: str | None = None
    slices: dict[str, str] = {}
