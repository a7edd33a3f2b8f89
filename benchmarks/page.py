"""The page of all benchmarks: each script writes a section of its own."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def write_section(name: str, text: str) -> None:
    """Puts a document with a heading of its own into the section `name` of the page, one level down."""
    page = PAGE.read_text(encoding="utf-8")
    section = re.compile(rf"<!-- {name} -->\n.*?<!-- end of {name} -->", re.DOTALL)
    lower = re.sub(r"^#", "##", text.strip(), flags=re.MULTILINE)
    written = f"<!-- {name} -->\n\n{lower}\n\n<!-- end of {name} -->"
    if not section.search(page):
        raise SystemExit(f"{PAGE} has no section {name!r}: put <!-- {name} --> and <!-- end of {name} --> into it")
    PAGE.write_text(section.sub(lambda _: written, page), encoding="utf-8")


def main(name: str, page: Callable[[Path], str], about: str | None) -> int:
    """The command of a script over recorded data: prints `page(data)`, and with --write keeps it as section `name`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md")
    options = parser.parse_args()
    data = os.environ.get("BOXSCORE_DATA")
    if not data:
        print("BOXSCORE_DATA is not set: the recorded data is not here", file=sys.stderr)
        return 2
    text = page(Path(data))
    print(text)
    if options.write:
        write_section(name, text)
    return 0
