"""Render the pictures of the docs from real comparisons: `python tools/render_docs_images.py [OUT]`.

Needs the recorded answers at BOXSCORE_DATA and a Chromium. Runs `boxscore compare` for a ship, a reject and an
undecided, and takes the HTML report light and dark, wide and narrow, and the terminal box score as a page of its own.
The pictures end above the recorded answers, which are not ours to copy; answers side by side come from hand-made ones.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

import msgspec
from screenshot import Shot, shoot

from boxscore.experiments.report import html, terminal
from boxscore.experiments.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent
GUARDS = ["--guard", "cost_per_1k_usd=15", "--guard", "latency_p95_s=10"]
COMPARISONS: dict[str, tuple[int, list[str]]] = {
    "ship": (
        1,
        ["--baseline", "gpt-3.5-turbo-0301", "--candidate", "gpt-4-0314", "--margin", "0.02", *GUARDS],
    ),
    "reject": (
        1,
        ["--baseline", "gpt-4-0314", "--candidate", "gpt-4-0613", "--rule", "noninferiority", "--margin", "0.02"],
    ),
    "undecided": (
        16,
        [
            "--baseline",
            "gpt-4-0314",
            "--candidate",
            "gpt-3.5-turbo-0613",
            "--rule",
            "noninferiority",
            "--margin",
            "0.1",
        ],
    ),
}
"""By name: every n-th example, and the options."""

PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;background:{paper};color:{ink}}}
pre{{margin:0;padding:20px 24px;font:13px/18px "DejaVu Sans Mono",monospace;font-variant-ligatures:none}}
.b{{font-weight:700}} .good{{color:{good}}} .bad{{color:{bad}}}
</style><pre>{text}</pre>"""
THEMES = {
    "light": {"paper": "#fbfaf6", "ink": "#1b1917", "good": "#0087d7", "bad": "#d75f00"},
    "dark": {"paper": "#151412", "ink": "#ebe7de", "good": "#0087d7", "bad": "#d75f00"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "images")
    out: Path = parser.parse_args().out
    data = os.environ.get("BOXSCORE_DATA")
    if not data:
        raise SystemExit("BOXSCORE_DATA is not set: the pictures are taken of recorded answers")
    with tempfile.TemporaryDirectory() as folder:
        shots = [shot for name in COMPARISONS for shot in _shots(name, Path(data), Path(folder), out)]
        answers = Path(folder) / "answers.html"
        answers.write_text(_hand_made(), encoding="utf-8")
        shots += [Shot(answers, out / f"report-answers-{theme}.png", 1200, theme, start="#answers") for theme in THEMES]
        asyncio.run(shoot(shots))
    for shot in shots:
        print(f"{shot.out}: {', '.join(shot.complaints) or 'nothing from outside, no sideways scroll'}")


def _hand_made() -> str:
    """The report over the verdict and the answers that the report's own tests use."""
    sys.path.insert(0, str(ROOT / "tests" / "unit" / "report"))
    from samples import SHIP

    return html(SHIP.verdict, SHIP.evidence)


def _shots(name: str, data: Path, folder: Path, out: Path) -> list[Shot]:
    every, options = COMPARISONS[name]
    answers = folder / f"primes-{name}.jsonl"
    with (data / "generations" / "llmdrift_prime.jsonl").open() as rows:
        kept = [row for row in rows if int(json.loads(row)["case_id"]) % every == 0]
    answers.write_text("".join(kept))
    page = folder / f"{name}.html"
    command = ["boxscore", "compare", "--recordings", str(answers), "--scorer", "choice:yes,no", *options]
    environment = {**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, "--report", str(page), "--json"],
        env=environment, capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    verdict = msgspec.json.decode(done.stdout, type=Verdict)
    box = terminal(verdict, width=80, colour=True)
    shots: list[Shot] = []
    for theme in ("light", "dark"):
        for shape, width in (("wide", 1200), ("narrow", 390)):
            shots.append(Shot(page, out / f"report-{name}-{shape}-{theme}.png", width, theme, "#answers"))
        text = folder / f"{name}-{theme}.html"
        text.write_text(PAGE.format(text=_coloured(box), **THEMES[theme]), encoding="utf-8")
        shots.append(Shot(text, out / f"terminal-{name}-{theme}.png", 694, theme))
    return shots


def _coloured(text: str) -> str:
    """The terminal's colours as spans."""
    text = escape(text)
    for code, kind in (("\x1b[38;5;32m", "good"), ("\x1b[38;5;166m", "bad"), ("\x1b[1m", "b")):
        text = text.replace(code, f'<span class="{kind}">')
    lines: list[str] = []
    for line in text.split("\n"):
        parts = line.split("\x1b[0m")
        lines.append("".join(part + "</span>" * part.count("<span") for part in parts))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
