"""Recorded answers played through the real runner, so that a store holds their runs and verdicts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from boxscore.datasets import Dataset
from boxscore.datasets.example import Example
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.live import Effort, compare_variants
from boxscore.experiments.recordings import Recordings, load_recordings
from boxscore.experiments.trial import VariantInfo
from boxscore.experiments.verdict import Rule
from boxscore.providers.response import Response
from boxscore.scoring import make_scorers
from boxscore.types import Json

PRIMES = "generations/llmdrift_prime.jsonl"


class Played:
    """A variant that answers what it was recorded to answer."""

    kind = "recorded"

    def __init__(self, name: str, answers: Mapping[str, Response]) -> None:
        self.info = VariantInfo(name=name, hash=(name * 64)[:64].encode().hex()[:64], model=name)
        self.description: dict[str, Json] = {"model": name, "recorded": True}
        self._answers = answers

    async def answer(self, example: Example, *, repeat: int) -> Response:
        return self._answers[example.id]

    async def close(self) -> None:
        pass


def factor(number: int) -> int:
    """The smallest factor above 1."""
    return next((at for at in range(2, int(number**0.5) + 1) if number % at == 0), number)


def slices_of_primes(example: Example) -> dict[str, str]:
    number = int(str(example.inputs).split("Is ")[1].split()[0])
    least = factor(number)
    kind = "prime" if least == number else "even" if least == 2 else "by 3" if least == 3 else "by 5 to 13"
    kind = "by 17 or more" if 17 <= least < number else kind
    return {"number": kind, "size": "10,000 and more" if number >= 10_000 else "below 10,000"}


def play(
    home: Path,
    path: Path,
    models: Sequence[str],
    rule: Rule,
    *,
    scorer: str = "choice:yes,no,pick=listed",
    also: Sequence[str] = (),
    most: int | None = None,
    slices: Callable[[Example], dict[str, str]] | None = None,
    change: Callable[[Response], Response] = lambda response: response,
    name: str = "primes",
) -> list[Comparison]:
    """Compares the first of `models` with the others in the store of `home`; `also` are run beside them."""
    recordings = load_recordings(path)
    dataset = _dataset(recordings, slices, name)
    part = dataset if most is None else dataset.subset([example.id for example in dataset.examples[:most]])
    variants = {model: _played(recordings, model, change) for model in (*models, *also)}
    return compare_variants(
        variants,
        part,
        make_scorers([scorer]),
        rule,
        baseline=models[0],
        candidates=list(models[1:]),
        also=also,
        home=home,
        effort=Effort(concurrency=200, max_age_s=None),
    )


def _played(recordings: Recordings, model: str, change: Callable[[Response], Response]) -> Played:
    answers = {answer.case_id: answer.response for answer in recordings.answers[model]}
    return Played(model, {case: change(response) for case, response in answers.items()})


def _dataset(recordings: Recordings, slices: Callable[[Example], dict[str, str]] | None, name: str) -> Dataset:
    found = msgspec.structs.replace(recordings.dataset, name=name)
    if slices is None:
        return found
    examples = tuple(msgspec.structs.replace(one, slices=slices(one)) for one in found.examples)
    return msgspec.structs.replace(found, examples=examples)
