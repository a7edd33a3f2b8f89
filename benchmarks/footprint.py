"""What Boxscore weighs: installed size of the core, time to import, time to `--help`.

    .venv/bin/python benchmarks/footprint.py            print the table
    .venv/bin/python benchmarks/footprint.py --write    and write its section of docs/benchmarks.md
    … --beside mlflow=ENV/bin/python --beside arize-phoenix=ENV/bin/python    and weigh environments of others

The core is installed from the lock file into an environment of its own, without extras and without what developers
need. Times are CPU seconds of the second and later starts (bytecode is there), the median of several, beside a bare
interpreter's.
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
STARTS = 15
SHOWN = 8


class Weight(NamedTuple):
    """A distribution and what its files take, in bytes. Bytecode is not counted."""

    name: str
    size: int


class Time(NamedTuple):
    """CPU seconds: `own` is `total` less a bare interpreter's start."""

    what: str
    total: float
    own: float


def find_uv() -> str:
    own = ROOT / ".tools" / "uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found is None:
        raise SystemExit("uv is not here: `make setup` fetches it")
    return found


def install(folder: Path) -> Path:
    """The core in a new environment below `folder`; gives its interpreter."""
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder / "venv"), "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(
        [find_uv(), "sync", "--frozen", "--no-dev", "--no-editable", "--quiet", "--python", sys.executable],
        cwd=ROOT,
        env=environment,
        check=True,
    )
    return folder / "venv" / "bin" / "python"


def weigh(python: Path) -> list[Weight]:
    """Every distribution of the environment, the heaviest first."""
    script = (
        "from importlib.metadata import distributions\n"
        "for d in distributions():\n"
        "    files = [f.locate() for f in d.files or () if not str(f).endswith('.pyc')]\n"
        "    print(d.name, sum(f.stat().st_size for f in files if f.exists()))\n"
    )
    printed = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout
    weights = [Weight(name, int(size)) for name, size in (line.split() for line in printed.splitlines())]
    return sorted(weights, key=lambda weight: weight.size, reverse=True)


def time_starts(python: Path) -> list[Time]:
    """CPU time of the interpreter alone, of the import, and of two commands."""
    boxscore = str(python.with_name("boxscore"))
    bare = cpu([str(python), "-c", "pass"])
    starts = {
        "`python -c 'import boxscore'`": [str(python), "-c", "import boxscore"],
        "`boxscore --help`": [boxscore, "--help"],
        "`boxscore compare --help`": [boxscore, "compare", "--help"],
    }
    times = [Time("`python -c pass`", bare, 0.0)]
    for what, command in starts.items():
        total = cpu(command)
        times.append(Time(what, total, total - bare))
    return times


def cpu(command: Sequence[str]) -> float:
    """Median CPU seconds (user and system) of the command, after one start that writes bytecode."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken: list[float] = []
    for _ in range(STARTS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(taken[1:])


def weigh_other(name: str, python: Path) -> str:
    """What the environment of another takes, without pip."""
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    version = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    weights = [weight for weight in weigh(python) if weight.name not in ("pip", "setuptools")]
    size = sum(weight.size for weight in weights)
    return f"{name} {version}, weighed the same way, takes {size / 1e6:.0f} MB in {len(weights)} distributions."


def page(weights: Sequence[Weight], times: Sequence[Time], others: Sequence[str]) -> str:
    total = sum(weight.size for weight in weights)
    lines = [
        "# Footprint",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.system()} {platform.machine()}.",
        "Repeat with `.venv/bin/python benchmarks/footprint.py`.",
        "",
        "## Installed size",
        "",
        f"The core without extras takes **{total / 1e6:.0f} MB** in {len(weights)} distributions, without bytecode.",
        "The goal is about 200 MB.",
        *others,
        "",
        "| distribution | MB |",
        "|---|---:|",
        *(f"| {weight.name} | {weight.size / 1e6:.1f} |" for weight in weights[:SHOWN]),
        f"| {len(weights) - SHOWN} others | {sum(weight.size for weight in weights[SHOWN:]) / 1e6:.1f} |",
        "",
        "## Time to start",
        "",
        f"CPU milliseconds, median of {STARTS} starts after one that wrote bytecode.",
        "The goal for the import is 100 ms.",
        "",
        "| what | in all | above a bare interpreter |",
        "|---|---:|---:|",
        *(f"| {time.what} | {1000 * time.total:.0f} | {1000 * time.own:.0f} |" for time in times),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=PYTHON", help="weigh another's too")
    asked = parser.parse_args()
    others = [weigh_other(name, Path(python)) for name, _, python in (one.partition("=") for one in asked.beside)]
    with tempfile.TemporaryDirectory() as folder:
        python = install(Path(folder))
        text = page(weigh(python), time_starts(python), others)
    print(text)
    if asked.write:
        from page import write_section  # beside this script

        write_section("footprint", text)


if __name__ == "__main__":
    main()
