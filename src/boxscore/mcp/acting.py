"""Tools that write, or spend money."""

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from boxscore.mcp.asking import Asking
from boxscore.mcp.reading import Dataset, Filter, TraceId
from boxscore.mcp.showing import show
from boxscore.mcp.tools import Tools
from boxscore.types import Json

__all__ = ["add_acting"]

Variants = Annotated[
    dict[str, dict[str, Json]],
    Field(
        description="Variants by a name of your choice, each with `model`, `provider` (default openai) and `prompt` (a "
        " template whose {{ placeholders }} are inputs of the examples) or `messages` ([{role, content}]); "
        "optionally `params`, as in {'temperature': 0}, `tools` and `output_schema`.",
        examples=[{"old": {"model": "gpt-5", "prompt": "{{ question }}"}}],
    ),
]
DatasetVersion = Annotated[
    str, Field(description="NAME for the newest version of a dataset, or NAME@VERSION. list_datasets tells.")
]
Baseline = Annotated[str, Field(description="Name of the variant that is in use now.")]
Candidate = Annotated[str, Field(description="Name of the variant that might replace it.")]
Scorers = Annotated[
    list[str],
    Field(
        min_length=1,
        description="How answers are scored against the reference, the deciding one first: exact, contains, token_f1, "
        "rouge_l, number, json, fields, choice, regex:PATTERN, …",
    ),
]
Rule = Annotated[
    dict[str, Json] | None,
    Field(
        description="When to ship. Default {'kind': 'superiority'}: the candidate is shown to be better. "
        "{'kind': 'noninferiority', 'margin': 0.02}: not worse by more than 0.02, and cheaper or faster. "
        "{'kind': 'value', 'usd_per_success': 0.05}: what a success is worth decides."
    ),
]
Limited = Annotated[int | None, Field(description="Only this many examples, the first of the dataset.")]
Repeats = Annotated[int, Field(ge=1, le=100, description="How often each example is asked.")]
Note = Annotated[str | None, Field(description="Why, for those who read the history.")]


def add_acting(tools: Tools, asking: Asking) -> None:
    @tools.reads("Plan a comparison")
    async def plan_comparison(
        dataset: DatasetVersion,
        variants: Variants,
        baseline: Baseline,
        candidate: Candidate,
        scorers: Scorers,
        rule: Rule = None,
        repeats: Repeats = 1,
        limit: Limited = None,
    ) -> str:
        """Say what a comparison would cost and the smallest difference that it could show, without asking any model.
        Takes the same as start_comparison; call it first. Needs a key that may write."""
        asked = _spec(dataset, variants, baseline, candidate, scorers, rule, repeats, limit)
        return show(await asking.post(asked, "comparisons", "plan"))

    @tools.writes("Start a comparison", spends=True)
    async def start_comparison(
        dataset: DatasetVersion,
        variants: Variants,
        baseline: Baseline,
        candidate: Candidate,
        scorers: Scorers,
        spend_cap_usd: Annotated[float, Field(gt=0, description="US dollars that it may cost at most.")],
        rule: Rule = None,
        repeats: Repeats = 1,
        limit: Limited = None,
    ) -> str:
        """Compare two variants (prompts with models) on a dataset: both answer all examples, answers are scored, and a
        verdict says ship, reject or undecided. It asks models and so costs money, up to the cap; plan_comparison tells
        how much. Gives a job at once; show_job tells how far it is."""
        asked = _spec(dataset, variants, baseline, candidate, scorers, rule, repeats, limit)
        return show(await asking.post({**asked, "spend_cap_usd": spend_cap_usd}, "comparisons"))

    @tools.writes("Cancel a job")
    async def cancel_job(job_id: Annotated[str, Field(description="Id that start_comparison gave.")]) -> str:
        """Stop a comparison that waits or runs. Answers that came are kept, and are used by the next one."""
        return show(await asking.post({}, "jobs", job_id, "cancel"))

    @tools.writes("Create a dataset")
    async def create_dataset(
        name: Annotated[str, Field(description="A new name: letters, digits, dashes.")],
        description: Annotated[str | None, Field(description="What its examples are.")] = None,
    ) -> str:
        """Create an empty dataset; add_traces_to_dataset fills it."""
        return show(await asking.post({"name": name, "description": description}, "datasets"))

    @tools.writes("Add traces to a dataset")
    async def add_traces_to_dataset(
        dataset: Dataset,
        trace_ids: Annotated[Sequence[TraceId], Field(description="Traces to add, or empty to use the filter.")] = (),
        filter: Filter = (),
        limit: Annotated[int, Field(ge=1, le=1000, description="The most traces that the filter takes.")] = 100,
        reference: Annotated[
            Literal["human", "output", "none"],
            Field(
                description="Where the right answer comes from: human takes the recorded answer where a person scored "
                "it right, output takes it always, none leaves it open."
            ),
        ] = "human",
        note: Note = None,
        look: Annotated[bool, Field(description="Only show what would be added, and change nothing.")] = False,
    ) -> str:
        """Add what was asked in recorded calls to a dataset as examples, as a new version of it. Inputs that are in the
        dataset already are left out. Say look=true first to see what would come."""
        selection: dict[str, Json] = {"limit": limit}
        selection |= {"spans": [{"trace_id": one} for one in trace_ids]} if trace_ids else {"filter": list(filter)}
        asked: dict[str, Json] = {"selection": selection, "mapping": {"reference": reference}, "note": note}
        return show(await asking.post({**asked, "look": look}, "datasets", dataset, "traces"))

    @tools.writes("Score a trace")
    async def score_trace(
        trace_id: TraceId,
        name: Annotated[str, Field(description="What is scored, as in helpful, correct, tone.")],
        value: Annotated[bool | float | str, Field(description="true or false, a number, or a category.")],
        comment: Annotated[str | None, Field(description="Why, in a sentence.")] = None,
    ) -> str:
        """Give a recorded call a score of your own. It is kept as a judge's, beside those of people; scores can be
        filtered by afterwards, as in 'score.helpful=false'."""
        score: dict[str, Json] = {
            "id": uuid.uuid4().hex,
            "name": name,
            "value": value,
            "trace_id": trace_id,
            "comment": comment,
            "source": "judge",
            "at_ns": time.time_ns(),
        }
        await asking.post([score], "scores")
        return show({"score": score["id"], "trace_id": trace_id, "name": name, "value": value})


def _spec(
    dataset: str,
    variants: dict[str, dict[str, Json]],
    baseline: str,
    candidate: str,
    scorers: list[str],
    rule: dict[str, Json] | None,
    repeats: int,
    limit: int | None,
) -> dict[str, Json]:
    return {
        "dataset": dataset,
        "variants": dict(variants),
        "baseline": baseline,
        "candidate": candidate,
        "scorers": list(scorers),
        "rule": rule or {},
        "repeats": repeats,
        "limit": limit,
    }
