"""The page of all benchmarks: each script writes a section of its own."""

import re
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
