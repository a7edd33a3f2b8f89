"""Tools that read. What they say of themselves is for a model that has never seen Boxscore."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from boxscore.mcp.asking import Asking
from boxscore.mcp.showing import TEXT, show, since_condition
from boxscore.mcp.tools import Tools

__all__ = ["add_reading"]

Filter = Annotated[
    Sequence[str],
    Field(
        description="Conditions that must all hold, each FIELD OPERATOR VALUE in one string, as in 'model=gpt-5', "
        "'error=true', 'cost_usd>=0.01', 'duration_ns>=2s', 'user=ann', 'metadata.tier!=gold', 'score.helpful<0.5'. "
        "Operators: = != < <= > >=. Other fields: name, operation, step, application, environment, release, session, "
        "provider, prompt, prompt_version, variant, input_tokens, output_tokens. list_values tells which values occur."
    ),
]
Since = Annotated[
    str | None, Field(description="Only what began then or later: an ISO 8601 date or time, UTC unless it has a zone.")
]
Limit = Annotated[int, Field(ge=1, le=100, description="The most items to give.")]
Cursor = Annotated[str | None, Field(description="The cursor of the page before, for the items after it.")]
TraceId = Annotated[str, Field(description="32 hexadecimal digits, from list_traces or search_traces.")]
Characters = Annotated[int, Field(ge=100, le=50_000, description="Texts longer than this are cut.")]
Dataset = Annotated[str, Field(description="Name of a dataset, from list_datasets.")]
Version = Annotated[str, Field(description="A version: its number, its hash, or head for the newest.")]
VerdictId = Annotated[str, Field(description="Id of a verdict, from list_verdicts.")]


def add_reading(tools: Tools, asking: Asking) -> None:
    @tools.reads("List traces")
    async def list_traces(filter: Filter = (), since: Since = None, limit: Limit = 20, cursor: Cursor = None) -> str:
        """List recorded calls of LLM applications (traces), the newest first: each with its name, model, beginning of
        input and output, duration, tokens, cost in US dollars and number of failed steps. Use it to see what happened
        lately, or with a filter to find failures, slow, expensive or badly scored calls."""
        asked = _filtered(filter, since)
        return show(await asking.get("traces", filter=asked, limit=limit, cursor=cursor, preview=True))

    @tools.reads("Search traces by words")
    async def search_traces(
        text: Annotated[str, Field(description='Words that all occur in prompts or answers; "quoted phrases" too.')],
        filter: Filter = (),
        since: Since = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> str:
        """Find recorded calls by words in what was asked or answered, the latest first. Gives spans (single steps);
        show_trace shows the whole call that a span belongs to."""
        asked = _filtered(filter, since)
        return show(await asking.get("search", text=text, filter=asked, limit=limit, cursor=cursor))

    @tools.reads("Show a trace")
    async def show_trace(
        trace_id: TraceId, limit: Limit = 50, cursor: Cursor = None, characters: Characters = TEXT
    ) -> str:
        """Show one recorded call step by step (its spans, by start time): prompts, answers, tool calls, models, tokens,
        cost, errors. parent_id names the step that a step belongs to. Scores of the trace are included."""
        spans = await asking.get("traces", trace_id, limit=limit, cursor=cursor)
        scores = await asking.get("scores", trace_id=trace_id)
        return show({"spans": spans, "scores": scores}, text=characters)

    @tools.reads("Numbers over calls: costs, errors, latency")
    async def measure(
        measures: Annotated[
            list[str],
            Field(
                min_length=1,
                description="What to compute: count, or sum, avg, min, max, p50 or p95 of a field, as in "
                "'sum(cost_usd)', 'avg(error)' (the error rate), 'p95(duration_ns)', 'sum(input_tokens)'.",
            ),
        ],
        by: Annotated[
            Sequence[str],
            Field(description="Groups: text fields (model, step, user, application, …), error, hour or day."),
        ] = (),
        filter: Filter = (),
        since: Since = None,
        limit: Limit = 50,
    ) -> str:
        """Compute numbers over recorded steps, in groups: what calls cost by model or by day, error rates, latencies,
        token sums. Costs are of single steps, so groups add up to the bill. Gives rows of keys (in the order of `by`)
        and values (in the order of `measures`); durations are in nanoseconds here."""
        asked = _filtered(filter, since)
        rows = await asking.get("aggregate", measure=list(measures), by=list(by), filter=asked, limit=limit)
        return show({"by": list(by), "measures": list(measures), "rows": rows})

    @tools.reads("Values of a field")
    async def list_values(
        field: Annotated[str, Field(description="A text field, as model, step, application, user, session.")],
        filter: Filter = (),
        since: Since = None,
        limit: Limit = 20,
    ) -> str:
        """List which values a field of recorded steps has, the most frequent first, with counts: which models,
        applications, users or steps there are. Good before writing a filter."""
        return show(await asking.get("facets", field=field, filter=_filtered(filter, since), limit=limit))

    @tools.reads("List datasets")
    async def list_datasets() -> str:
        """List the datasets that variants can be tested on: named collections of examples (inputs, and mostly a
        reference answer) in numbered, unchangeable versions; `head` is the newest."""
        return show(await asking.get("datasets"))

    @tools.reads("List versions of a dataset")
    async def list_dataset_versions(dataset: Dataset, limit: Limit = 20, cursor: Cursor = None) -> str:
        """List the versions of a dataset, the newest first, with how many examples came, changed and went."""
        return show(await asking.get("datasets", dataset, "versions", limit=limit, cursor=cursor))

    @tools.reads("Show examples of a dataset")
    async def show_examples(
        dataset: Dataset,
        version: Version = "head",
        text: Annotated[str | None, Field(description="Only examples that hold this text.")] = None,
        limit: Limit = 10,
        cursor: Cursor = None,
    ) -> str:
        """Show examples of a dataset version: id, inputs, reference, metadata."""
        return show(
            await asking.get(
                "datasets", dataset, "versions", version, "examples", text=text, limit=limit, cursor=cursor
            )
        )

    @tools.reads("List runs")
    async def list_runs(
        dataset: Annotated[str | None, Field(description="Only over this dataset: NAME or NAME@VERSION.")] = None,
        unfinished: Annotated[bool, Field(description="Only those that are still under way.")] = False,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> str:
        """List runs: a variant (a prompt with a model) asked all examples of a dataset version. Newest first, with
        progress, errors and money spent."""
        return show(await asking.get("runs", dataset=dataset, unfinished=unfinished, limit=limit, cursor=cursor))

    @tools.reads("List verdicts")
    async def list_verdicts(
        dataset: Annotated[str | None, Field(description="Only over this dataset: NAME or NAME@VERSION.")] = None,
        verdict: Annotated[Literal["ship", "reject", "undecided"] | None, Field(description="Only these.")] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> str:
        """List verdicts, the newest first. A verdict says whether a candidate may replace the baseline: ship, reject,
        or undecided (too few examples to know). read_verdict shows the numbers behind it."""
        return show(await asking.get("comparisons", dataset=dataset, verdict=verdict, limit=limit, cursor=cursor))

    @tools.reads("Read a verdict")
    async def read_verdict(verdict_id: VerdictId) -> str:
        """Read a verdict as Markdown: the decision and its reason, quality, cost and latency of both variants with
        differences and confidence intervals, where it got worse, and what would be needed to decide."""
        return await asking.text("comparisons", verdict_id, "report.md")

    @tools.reads("Show answers side by side")
    async def show_answers(
        verdict_id: VerdictId,
        outcome: Annotated[
            Literal["worse", "better", "tied", "errors"] | None, Field(description="Only answers that came out so.")
        ] = None,
        limit: Limit = 10,
        cursor: Cursor = None,
        characters: Characters = TEXT,
    ) -> str:
        """Show the baseline's and the candidate's answers to the same examples, those that lost most first: the
        evidence behind a verdict."""
        found = await asking.get("comparisons", verdict_id, "pairs", outcome=outcome, limit=limit, cursor=cursor)
        return show(found, text=characters)

    @tools.reads("Show a job")
    async def show_job(job_id: Annotated[str, Field(description="Id that start_comparison gave.")]) -> str:
        """Show how far a job is: waiting, running, done, failed or cancelled. When it is done its result names the
        verdicts, which read_verdict shows."""
        return show(await asking.get("jobs", job_id))

    @tools.reads("Price of a model")
    async def show_price(
        model: Annotated[str, Field(description="As providers call it, as in gpt-5-mini or claude-sonnet-4-5.")],
    ) -> str:
        """Show what a model costs per token, with the dates from which prices hold."""
        return show(await asking.get("prices", model))


def _filtered(filter: Sequence[str], since: str | None) -> list[str]:
    return [*filter, *([] if since is None else [since_condition(since)])]
