"""The documentation cannot lie: what exists is in it, what is in it exists, and its examples run."""

import re
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from boxscore import cli, errors, settings
from boxscore.scoring import known_scorers, list_scorers
from doc_examples import ROOT, examples, pages, run_page

DOCS = ROOT / "docs"
TESTED_BESIDE_THEIR_CODE = {"docs/how-to/costs.md": "tests/unit/costs/test_costs_docs.py"}
GENERATOR = [sys.executable, str(ROOT / "tools" / "generate_docs.py")]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_generated_pages_are_what_the_code_gives() -> None:
    done = subprocess.run([*GENERATOR, "--check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_of_a_command_is_in_the_reference(name: str) -> None:
    context = click.Context(cli.cli, info_name="boxscore")
    command = cli.cli.get_command(context, name)
    assert command is not None
    _, _, section = page("reference/cli.md").partition(f"\n## boxscore {name}\n")
    section = section.partition("\n## ")[0]

    missing = [
        option for param in command.params for option in param.opts if option.startswith("-") and option not in section
    ]

    assert section
    assert not missing


def test_every_setting_is_in_the_reference() -> None:
    text = page("reference/settings.md")

    missing = [name for name in settings.Settings.__struct_fields__ if f"`BOXSCORE_{name.upper()}`" not in text]

    assert not missing


def test_every_scorer_is_in_the_reference_and_says_when_it_lies() -> None:
    text = page("reference/scorers.md")
    ours = [info for info in list_scorers() if info.package == "boxscore"]

    undocumented = [
        name for name in known_scorers() if name in {info.name for info in ours} and f"\n## {name} " not in text
    ]
    silent = [info.name for info in ours if not re.search(r"\blies?\b", info.doc, re.IGNORECASE)]

    assert not undocumented
    assert not silent


def test_every_error_code_is_in_the_reference() -> None:
    text = page("reference/errors.md")

    missing = [name for name in errors.__all__ if f"| `{name}` | `{getattr(errors, name).code}` |" not in text]

    assert not missing


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [getattr(errors, name).code for name in errors.__all__]

    assert len(codes) == len(set(codes))


def test_every_field_of_the_verdict_is_in_the_reference() -> None:
    from boxscore.experiments import verdict

    text = page("reference/verdict.md")

    missing: list[str] = []
    todo, seen = list[type[msgspec.Struct]]([verdict.Verdict]), set[type]()
    while todo:
        struct = todo.pop()
        seen.add(struct)
        section = text.partition(f"\n## {struct.__name__}\n")[2].partition("\n## ")[0]
        for field in msgspec.structs.fields(struct):
            if f"\n| `{field.name}` |" not in section:
                missing.append(f"{struct.__name__}.{field.name}")
            inner = [kind for kind in _parts(field.type) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
            todo.extend(kind for kind in inner if kind not in seen)

    assert not missing


def _parts(annotation: object) -> list[object]:
    inner = [part for argument in getattr(annotation, "__args__", ()) for part in _parts(argument)]
    return inner or [annotation]


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead: list[str] = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        if not linked.exists() or (anchor and linked.suffix == ".md" and anchor not in _anchors(linked)):
            dead.append(target)

    assert not dead


def _anchors(path: Path) -> set[str]:
    found: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"#+ (.*?)(?: \{#([\w-]+)\})?$", line):
            words = re.sub(r"[^\w\s-]", "", match[1].replace("`", "")).strip().lower()
            found.add(match[2] or re.sub(r"[\s]+", "-", words))
    return found


def test_every_page_can_be_reached_from_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    linked = {
        (path.parent / target.partition("#")[0]).resolve()
        for path in pages()
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
        if not target.startswith(("http", "#"))
    }

    lost = [
        str(path.relative_to(DOCS))
        for path in sorted(DOCS.rglob("*.md"))
        if str(path.relative_to(DOCS)) not in listed and path not in linked
    ]

    assert not lost


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_room_of_the_house_is_on_the_map(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    house = ROOT / "src" / "boxscore"
    rooms = [path.parent.name for path in house.glob("*/__init__.py")]
    rooms += [path.stem for path in house.glob("*.py") if not path.stem.startswith("_")]

    assert [room for room in rooms if not re.search(rf"\b{room}\b", text)] == []


def test_home_links_every_how_to() -> None:
    home = page("index.md")

    assert [path.name for path in (DOCS / "how-to").glob("*.md") if f"(how-to/{path.name})" not in home] == []


@pytest.mark.parametrize(
    "path",
    [path for path in pages() if any(example.mark == "run" and not example.heavy for example in examples(path))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_examples_run_as_they_stand(path: Path, tmp_path: Path) -> None:
    assert run_page(path, tmp_path, heavy=False) > 0


def test_blocks_of_bash_that_call_boxscore_are_run_or_say_that_they_are_not() -> None:
    """A command in the docs is an example that a test runs, or has `<!-- not run: REASON -->` above it."""
    silent: list[str] = []
    for path in pages():
        if (own := TESTED_BESIDE_THEIR_CODE.get(str(path.relative_to(ROOT)))) and (ROOT / own).exists():
            continue
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"^```(bash|python)\n", text, re.MULTILINE):
            above = text[: found.start()].rstrip().rpartition("\n")[2]
            if not re.match(r"<!-- (run|file|not run: \S)", above):
                silent.append(f"{path.relative_to(ROOT)}, line {text.count(chr(10), 0, found.start()) + 1}")

    assert not silent
