"""The report: one HTML file with everything in it, which opens offline and lets nothing in.

The page's policy allows its own style sheet and its own few lines of script by their hashes and nothing else, so that
an answer which holds markup could do nothing even if it got past the escaping.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files

from boxscore import figures
from boxscore.experiments.report import charts, fineprint, pairs, settings
from boxscore.experiments.report.closing import closing
from boxscore.experiments.report.plots import STATES, end_of, interval, mark, slice_interval, state
from boxscore.experiments.report.rows import Row, rows
from boxscore.experiments.report.score import Cell, Column, columns, variants
from boxscore.experiments.report.words import headline, phrases
from boxscore.experiments.verdict import Evidence, Verdict
from boxscore.text import cut, revealed, stripped

LOGO = (
    '<svg class="logo" viewBox="0 0 18 18" aria-hidden="true"><g fill="none" stroke="currentColor">'
    '<path d="M1 1.5h16M1 16.5h16M1 9h16"/><path d="M6.5 1.5v15" opacity=".45"/></g>'
    '<circle cx="12" cy="5.2" r="1.7" fill="currentColor"/>'
    '<circle cx="9.6" cy="12.8" r="1.4" fill="none" stroke="currentColor"/></svg>'
)
MOST_SLICES = 20
MOST_COLUMNS = 10
"""Columns of the line score that a page is wide enough for; with more of them it stands turned."""


def html(verdict: Verdict, evidence: Evidence, *, title: str | None = None) -> str:
    """The whole report as one HTML document, below 2 MB: headline, line score, differences, charts, slices, answers.

    `title` is the window's title; without one it names the verdict, the dataset and both variants. Texts of models and
    files are escaped, and what hides in them (controls, direction overrides) is made visible. What was not recorded is
    said in a sentence, never drawn as 0.
    """
    names = f"{stripped(verdict.baseline.name)} → {stripped(verdict.candidate.name)}"
    window = title if title is not None else f"{verdict.verdict.upper()} · {stripped(verdict.dataset.name)} · {names}"
    style = _asset("style.css") + f".big{{grid-template-rows:repeat({_tall(verdict)},auto)}}"
    script = _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    body = "".join(_body(verdict, evidence))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(stripped(window))}</title><style>{style}</style><script>{script}</script></head>"
        f"<body>{_top(verdict)}<main>{body}</main></body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return files("boxscore.experiments.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _tall(verdict: Verdict) -> int:
    """Rows of the turned line score: one per column, and the names of the variants."""
    return len(columns(verdict)) + 1


def _body(verdict: Verdict, evidence: Evidence) -> Iterator[str]:
    yield f"<h1>{_name(verdict.baseline.name)} <span class=mut>→</span> {_name(verdict.candidate.name)}</h1>"
    yield _says(verdict)
    yield f"<section>{_line_score(verdict)}</section>"
    found = rows(verdict)
    if found:
        yield f"<section>{_differences(verdict, found)}</section>"
    narrowing = closing(verdict)
    if narrowing is not None:
        yield f'<div class="two">{_figure(narrowing)}</div>'
    what_if = settings.table(verdict)
    if what_if:
        yield f"<section>{what_if}</section>"
    figures_ = (charts.frontier(verdict), charts.latency(verdict, evidence))
    yield f'<div class="two">{"".join(_figure(figure) for figure in figures_)}</div>'
    yield f'<section id="slices">{_slices(verdict, found)}</section>'
    yield f'<section id="answers">{pairs.section(verdict, evidence)}</section>'
    yield f"<section>{_fine_print(verdict)}</section>"


def _name(text: str) -> str:
    return f"<bdi>{escape(cut(stripped(text), 80))}</bdi>"


def _top(verdict: Verdict) -> str:
    data, made = verdict.dataset, verdict.provenance
    parts = [stripped(data.name) + (f"@{stripped(data.version)[:12]}" if data.version else "")]
    size = f"{data.examples:,} of {data.total:,} examples" if data.total > data.examples else ""
    parts.append(size or figures.counted(data.examples, "example"))
    if data.clusters != data.examples:
        parts[-1] += f" in {figures.counted(data.clusters, 'cluster')}"
    if made is not None:
        parts.append(made.created_at[:10])
    ident = f" · <code>{escape(stripped(verdict.id))}</code>" if verdict.id else ""
    return (
        f'<header><b>{LOGO}Boxscore</b><span class="fine">{escape(" · ".join(parts))}{ident}</span>'
        '<button id="theme" type="button" hidden aria-label="Switch between light and dark">◐</button></header>'
    )


def _says(verdict: Verdict) -> str:
    kind = STATES[verdict.verdict]
    pieces = phrases(verdict)
    if verdict.reason and verdict.reason != headline(verdict):
        said = escape(revealed(verdict.reason))
    else:
        said = "".join(f"<b>{escape(p.text)}</b>" if p.strong else escape(p.text) for p in pieces)
    points = [f'<li class="warn">{escape(revealed(text))}</li>' for text in verdict.warnings]
    points += [f"<li>{escape(revealed(text))}</li>" for text in verdict.notes]
    listed = f'<ul class="but">{"".join(points)}</ul>' if points else ""
    return (
        f'<div class="verdict"><span class="stamp {kind}">{state(verdict.verdict)}{verdict.verdict.upper()}</span>'
        f'<p class="say">{said}</p>{listed}</div>{_needs(verdict)}'
    )


def _needs(verdict: Verdict) -> str:
    needs, data = verdict.needs, verdict.dataset
    if needs is None or verdict.verdict != "undecided":
        return ""
    note = stripped(needs.note)
    said = [note] if note and needs.examples is not None else []
    left = data.total - data.examples
    if needs.examples is not None and left > 0:
        enough = "enough" if left >= needs.examples else f"{needs.examples - left:,} too few"
        said.append(f"The dataset holds {figures.counted(left, 'example')} that were not run: {enough}.")
    return f'<p class="needs">{escape(" ".join(said))}</p>' if said else ""


# -- line score and differences ------------------------------------------------------------------------------------


def _line_score(verdict: Verdict) -> str:
    found = columns(verdict)
    bold = any(column.best is not None for column in found)
    hint = "Bold: better, where a difference is shown." if bold else "Nothing is bold where no difference is shown."
    level = fineprint.level(verdict)
    groups = [at for at in range(1, len(found)) if found[at].group != found[at - 1].group]
    head = "".join(
        f'<th class="num{" grp" if at in groups else ""}" scope="col" role="columnheader">'
        f"{escape(cut(column.title, 40))}{_badge(column.calibration)}</th>"
        for at, column in enumerate(found)
    )
    body = "".join(_variant(verdict, found, groups, at) for at in range(len(variants(verdict))))
    return (
        f'<div class="h"><h2>Line score</h2><p class="fine">{hint} Under each number its {level} % interval.</p></div>'
        f'<table class="big{" turned" if len(found) > MOST_COLUMNS else ""}" role="table">'
        '<caption class="unseen">Line score: one row per variant</caption>'
        f'<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">variant</th>{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _variant(verdict: Verdict, found: list[Column], groups: list[int], at: int) -> str:
    variant = variants(verdict)[at]
    role = ("baseline", "candidate")[at] if at < 2 else "also run"
    model = stripped(variant.model or "")
    under = role + (f" · {escape(cut(model, 40))}" if model and model != stripped(variant.name) else "")
    cells = "".join(
        _number(column.cells[at], best=column.best == at, group=place in groups) for place, column in enumerate(found)
    )
    kind = ' class="also"' if at > 1 else ""
    return (
        f'<tr role="row"{kind}><th scope="row" role="rowheader">{mark(at)} <bdi>'
        f"{escape(cut(stripped(variant.name), 60))}"
        f"</bdi><small>{under}</small></th>{cells}</tr>"
    )


def _badge(calibration: str) -> str:
    return f' <span class="badge">{escape(calibration)}</span>' if calibration else ""


def _number(cell: Cell, *, best: bool, group: bool) -> str:
    kind = "num" + (" best" if best else "") + (" grp" if group else "")
    if cell.value is None:
        return f'<td class="{kind} lack" role="cell">not recorded</td>'
    under = escape(cell.note)
    if cell.ends is not None:
        under = f"{cell.unit.number(cell.ends[0])} – {cell.unit.number(cell.ends[1])}"
    return f'<td class="{kind}" role="cell">{cell.text}<small>{under}</small></td>'


def _differences(verdict: Verdict, found: list[Row]) -> str:
    level = fineprint.level(verdict)
    hint = "Right is better in every row"
    flipped = [row.label for row in found if row.flip]
    if flipped:
        listed = " and ".join([", ".join(flipped[:-1]), flipped[-1]] if len(flipped) > 1 else flipped)
        hint += f": {escape(listed)} {'are' if len(flipped) > 1 else 'is'} flipped"
    shaded = " Shaded: margin or guard." if any(row.band for row in found) else ""
    body = "".join(_difference(row) for row in found)
    return (
        f'<div class="h"><h2>Differences</h2><p class="fine">{hint}. Each row has its own scale.{shaded}</p></div>'
        '<table><thead><tr><th scope="col">metric</th>'
        '<th scope="col" class="plot"><span class="ways"><span>◂ worse</span>'
        '<span>better ▸</span></span></th><th scope="col" class="num">difference</th>'
        f'<th scope="col" class="num hide-s">{level} % interval</th><th scope="col" class="hide-s lead">asked for</th>'
        f'<th scope="col"><span class="hide-s">shown</span></th></tr></thead><tbody>{body}</tbody></table>'
    )


def _difference(row: Row) -> str:
    tag = f' <span class="fine">{row.role}</span>' if row.role else ""
    per = ' <span class="fine">per 1,000</span>' if row.label == "cost" else ""
    ends = row.unit.range(row.low, row.high) if row.low is not None and row.high is not None else "no interval"
    end = row.look if row.holds in (None, "ship") else row.holds
    kind, drawn = STATES[end], state(end)
    return (
        f'<tr><th scope="row">{escape(row.label)}{per}{tag}{_badge(row.calibration)}</th>'
        f'<td class="plot">{interval(row)}</td>'
        f'<td class="num"><b>{escape(row.unit.signed_full(row.difference))}</b></td>'
        f'<td class="num hide-s mut">{ends}</td><td class="hide-s lead nw">{escape(row.asked or "nothing")}</td>'
        f'<td class="shown nw"><span class="{kind}">{drawn} <span class="word">{row.outcome}</span></span></td></tr>'
    )


# -- charts, slices, fine print ------------------------------------------------------------------------------------


def _figure(figure: charts.Figure) -> str:
    head = f'<div class="h"><h2>{escape(figure.title)}</h2></div>'
    if not figure.svg:
        return f'<section>{head}<p class="none">{escape(figure.words)}</p></section>'
    return f'<section>{head}<figure role="img" aria-label="{escape(figure.words)}">{figure.svg}</figure></section>'


def _slices(verdict: Verdict, found: list[Row]) -> str:
    primary = next((row for row in found if row.role == "primary"), None)
    if not verdict.slices or primary is None:
        return (
            '<div class="h"><h2>Where it hurts</h2></div><p class="none">No slices were compared: none was named, and '
            "no field splits the examples into groups that are large enough.</p>"
        )
    sign = -1 if primary.flip else 1
    ordered = sorted(verdict.slices, key=lambda part: sign * part.difference)
    worse = sum(part.shown == "worse" for part in ordered)
    factor = primary.unit.factor
    bound = figures.nice_bound(max(abs(end) for part in ordered for end in (part.low, part.high)) * factor) / factor
    shown = ordered[:MOST_SLICES]
    cells = "".join(
        f'<tr><th scope="row"><bdi>{escape(cut(stripped(part.slice), 40))}: '
        f"{escape(cut(stripped(part.value), 60))}</bdi></th>"
        f'<td class="num">{part.examples:,}</td><td class="num hide-s">{primary.unit.number(part.baseline)}</td>'
        f'<td class="num hide-s">{primary.unit.number(part.candidate)}</td>'
        f'<td class="plot lead">{slice_interval(part, primary, bound)}</td>'
        f'<td class="num"><b>{primary.unit.signed(part.difference)}</b></td>'
        f'<td class="num hide-s mut">{primary.unit.range(part.low, part.high)}</td>'
        f'<td class="num hide-s">{part.wins:,}</td><td class="num hide-s">{part.losses:,}</td>'
        f'<td class="shown nw lead"><span class="{STATES[part.shown]}">{state(part.shown)} '
        f'<span class="word">{"not shown" if part.shown == "unclear" else part.shown}</span></span></td></tr>'
        for part in shown
    )
    said = f"{figures.counted(worse, 'slice')} shown worse" if worse else "no slice is shown worse"
    rest = f"; {len(ordered) - len(shown):,} more in the JSON" if len(ordered) > len(shown) else ""
    ends = end_of(primary, -bound), end_of(primary, bound)
    ends = ends[::-1] if primary.flip else ends
    unit = escape(primary.unit.after.strip())
    return (
        f'<div class="h"><h2>Where it hurts</h2><p class="fine">{escape(primary.label)} by slice, worst first; '
        f'shown after Holm over {len(ordered):,}: {said}{rest}.</p></div><table class="slices"><thead><tr>'
        '<th scope="col">slice</th><th scope="col" class="num">n</th>'
        f'<th scope="col" class="num hide-s">{mark(0)} before</th>'
        f'<th scope="col" class="num hide-s">{mark(1)} after</th>'
        f'<th scope="col" class="plot lead"><span class="ways"><span>{ends[0]}</span>'
        f'<span class="hide-s">0 {unit}</span><span>{ends[1]}</span></span></th>'
        '<th scope="col" class="num">difference</th><th scope="col" class="num hide-s">interval</th>'
        '<th scope="col" class="num hide-s">won</th><th scope="col" class="num hide-s">lost</th>'
        '<th scope="col" class="lead"><span class="hide-s">shown</span></th></tr></thead>'
        f"<tbody>{cells}</tbody></table>"
    )


def _fine_print(verdict: Verdict) -> str:
    items = "".join(
        f"<div><dt>{term}</dt><dd>{f'<code>{escape(text)}</code>' if term == 'reproduce' else escape(text)}</dd></div>"
        for term, text in fineprint.entries(verdict)
    )
    return f'<div class="h"><h2>Fine print</h2></div><dl class="print">{items}</dl>'
