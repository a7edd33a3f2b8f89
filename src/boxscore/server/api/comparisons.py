"""Comparisons: verdicts, and everything that their page shows."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import Query
from starlette.responses import Response

from boxscore.experiments.box_scores import Again, BoxScores, ComparisonEntry, Kept, Outcome
from boxscore.experiments.report.pair_lines import PairLine
from boxscore.experiments.report.sheet import Sheet
from boxscore.experiments.verdict import Verdict
from boxscore.server.api.parameters import Cursor, Limit, Project
from boxscore.server.api.routes import Api
from boxscore.server.service import Service

__all__ = ["add"]

POLICY = "sandbox allow-scripts; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of the report as a page of this server: it says itself what it may load; here it gets an origin of its own."""


class ComparisonPage(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts, the newest first; `cursor` asks for those after them, None when there are none."""

    items: Sequence[ComparisonEntry]
    cursor: str | None


class PairPage(msgspec.Struct, frozen=True, kw_only=True):
    """Answers side by side; `cursor` asks for those after them."""

    items: Sequence[PairLine]
    cursor: str | None


def add(api: Api, service: Service) -> None:
    kept = Kept()

    def box_scores(project: str) -> BoxScores:
        return BoxScores(service.records.of(project), kept)

    @api.get("/comparisons", answer=ComparisonPage, right="read")
    def comparisons(
        project: Project,
        dataset: Annotated[str | None, Query(description="NAME or NAME@VERSION.")] = None,
        verdict: Annotated[
            Literal["ship", "reject", "undecided"] | None, Query(description="Those that were decided so.")
        ] = None,
        variant: Annotated[str | None, Query(description="Hash or name of either side.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ComparisonPage:
        """Verdicts that were reached, the newest first."""
        items, following = box_scores(project).entries(
            limit=limit, cursor=cursor, dataset=dataset, verdict=verdict, variant=variant
        )
        return ComparisonPage(items=items, cursor=following)

    @api.get("/comparisons/{id}", answer=Verdict, right="read", errors=(404,))
    def comparison(project: Project, id: str) -> Response:
        """The verdict as it was reached and kept: the JSON of `boxscore compare --json`."""
        return Response(box_scores(project).verdict(id), media_type="application/json")

    @api.get("/comparisons/{id}/sheet", answer=Sheet, right="read", errors=(404,))
    def comparison_sheet(project: Project, id: str) -> Sheet:
        """The box score line by line, worded and placed as in the report, for a page that draws it. Variants that were
        run on the same examples since stand beside the two; the verdict does not change."""
        return box_scores(project).sheet(id)

    @api.get("/comparisons/{id}/pairs", answer=PairPage, right="read", errors=(404,))
    def comparison_pairs(
        project: Project,
        id: str,
        outcome: Annotated[Outcome | None, Query(description="Those that came out so.")] = None,
        slice: Annotated[str | None, Query(description="The field of a slice.")] = None,
        value: Annotated[str | None, Query(description="Its value.")] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PairPage:
        """Both answers to each example, where they part, what the scorer read: those that lost most first."""
        items, following = box_scores(project).pairs(
            id, limit=limit, outcome=outcome, slice=slice, value=value, cursor=cursor
        )
        return PairPage(items=items, cursor=following)

    @api.get("/comparisons/{id}/again", answer=Again, right="read", errors=(404,))
    def comparison_again(project: Project, id: str) -> Again:
        """What to send to compare the same variants again, on more examples or with more repeats."""
        return box_scores(project).again(id)

    @api.get("/comparisons/{id}/report.html", answer=bytes, right="read", media="text/html", errors=(404,))
    def comparison_report(project: Project, id: str) -> Response:
        """The report: one page that needs nothing else."""
        page = box_scores(project).html(id)
        headers = {"content-security-policy": POLICY, "content-disposition": f'inline; filename="boxscore-{id}.html"'}
        return Response(page, media_type="text/html", headers=headers)

    @api.get("/comparisons/{id}/report.md", answer=bytes, right="read", media="text/markdown", errors=(404,))
    def comparison_markdown(project: Project, id: str) -> Response:
        """The box score as a comment on a pull request."""
        return Response(box_scores(project).markdown(id), media_type="text/markdown")

    @api.get("/comparisons/{id}/pairs.csv", answer=bytes, right="read", media="text/csv", errors=(404,))
    def comparison_csv(project: Project, id: str) -> Response:
        """One row per example with both answers."""
        headers = {"content-disposition": f'attachment; filename="boxscore-{id}.csv"'}
        return Response(box_scores(project).csv(id), media_type="text/csv", headers=headers)
