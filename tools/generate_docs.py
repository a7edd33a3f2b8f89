"""Write the reference pages that are generated from code; with --check, say which are stale and exit 1.

python tools/generate_docs.py            rewrite docs/reference/*.md and openapi.json
python tools/generate_docs.py --check    change nothing; name the pages that code has left behind
"""

import argparse
import ast
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pages import what they need, so that one that cannot be written does not stop the others
    from boxscore.errors import BoxscoreError

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTICE = "<!-- Generated from code by tools/generate_docs.py. Edit the code, then run `make docs`. -->"


class IncompleteError(Exception):
    """A page cannot be written in full. The sentence says what is missing."""


@dataclass
class Page:
    """A page in the making: `lines` so far, and what could not be read for it."""

    title: str
    lines: list[str]
    missing: list[str]

    def add(self, *lines: str) -> None:
        self.lines.extend(lines)

    def text(self) -> str:
        body = "\n".join(line.rstrip() for line in self.lines)
        return f"{NOTICE}\n\n# {self.title}\n\n{body.strip()}\n"


# Command line


def write_cli(page: Page) -> None:
    import click

    from boxscore import cli

    page.add(
        "Every command has `--help`; `boxscore --version` prints the version.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        "| 0 | done; for a comparison, `ship` |",
        "| 1 | `reject` |",
        "| 2 | the input is wrong: nothing was run, nothing was written |",
        "| 3 | `undecided` |",
        "| 4 | the input was right and yet it could not be done |",
        "",
        "With `--json` standard output has the JSON and nothing else; progress and warnings go to standard error.",
        "",
    )
    context = click.Context(cli.cli, info_name="boxscore")
    for name in cli.COMMANDS:
        try:
            command = cli.cli.get_command(context, name)
        except (ImportError, AttributeError) as problem:
            page.missing.append(f"boxscore {name} cannot be imported: {problem}")
            continue
        assert command is not None  # noqa: S101
        _write_command(page, command, click.Context(command, info_name=name, parent=context), level=2)


def _write_command(page: Page, command: object, context: object, level: int) -> None:
    import click

    assert isinstance(command, click.Command)  # noqa: S101
    assert isinstance(context, click.Context)  # noqa: S101
    path = context.command_path
    usage = " ".join(command.collect_usage_pieces(context))
    page.add(f"{'#' * level} {path}", "", "```text", f"{path} {usage}".rstrip(), "```", "")
    page.add(_unwrapped(command.help or ""), "")
    rows = [
        (names, text)
        for param in command.params
        if not getattr(param, "hidden", False) and (record := param.get_help_record(context)) is not None
        for names, text in [record]
        if text  # arguments are told of in the sentences above
    ]
    if rows:
        page.add("| option | what it does |", "|---|---|")
        page.add(*(f"| {_code(names)} | {_cell(text)} |" for names, text in rows), "")
    if command.epilog:
        page.add(_unwrapped(command.epilog), "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None  # noqa: S101
            _write_command(page, child, click.Context(child, info_name=name, parent=context), level + 1)


def _unwrapped(help_text: str) -> str:
    """Click's help as Markdown: paragraphs after `\\b` are kept as they stand, and become one code block."""
    paragraphs: list[str] = []
    fenced = False
    for paragraph in inspect.cleandoc(help_text).split("\n\n"):
        lines = paragraph.splitlines()
        blocks = [list[str]()]
        for line in lines:
            if line.strip() == "\b":
                blocks.append([])
            else:
                blocks[-1].append(line)
        plain = " ".join(line.strip() for line in blocks[0])
        if plain:
            paragraphs.append(plain)
            fenced = False
        for block in blocks[1:]:
            if fenced:
                paragraphs[-1] = paragraphs[-1].removesuffix("\n```") + "\n" + "\n".join(block) + "\n```"
            else:
                paragraphs.append("```text\n" + "\n".join(block) + "\n```")
                fenced = True
    return "\n\n".join(paragraphs)


# Scorers


def write_scorers(page: Page) -> None:
    from boxscore.scoring import list_scorers

    scorers = [info for info in list_scorers() if info.package == "boxscore"]
    page.add(
        "A scorer gives one metric. Name it on the command line as `--scorer NAME[:ARG,ARG,key=value]`, or under",
        "`scorers` in a spec, where `{NAME: {key: value}}` does the same. The option `as=` gives a metric another",
        "name, so that one scorer can be used twice. [Write your own](../how-to/write-a-scorer.md).",
        "",
        "| scorer | what it counts |",
        "|---|---|",
    )
    page.add(*(f"| [`{info.name}`](#{_anchor(info.name)}) | {_cell(info.summary)} |" for info in scorers), "")
    for info in scorers:
        page.add(
            f"## {info.name} {{#{_anchor(info.name)}}}", "", "```text", info.form, "```", "", _markdown(info.doc), ""
        )


# Settings


def write_settings(page: Page) -> None:
    from boxscore import settings

    page.add(
        "Settings are environment variables, read afresh by each command. A value that cannot be read stops the",
        "command with exit code 2 and names the variable.",
        "",
        "| variable | type | default | meaning |",
        "|---|---|---|---|",
    )
    for field in _fields(settings, "Settings"):
        default = "" if field.default in (None, "None") else f"`{field.default}`"
        page.add(f"| `BOXSCORE_{field.name.upper()}` | {_code(field.type)} | {default} | {_cell(field.doc)} |")
    page.add(
        "", "Keys of providers are not settings: a spec names the variable that holds a key, never the key itself."
    )


# Errors


def write_attributes(page: Page) -> None:
    from boxscore.tracing.conventions import DIALECTS
    from boxscore.tracing.conventions.events import EVENTS
    from boxscore.tracing.conventions.mapping import says

    page.add(
        "What the attributes of a span mean, by the instrumentation that writes them. Of several that say the same the",
        "first counts: dialects in the order of this page, names in the order of their table. What no table has is",
        "metadata when it is the application's own, and stays in the raw span otherwise: nothing of a span is lost.",
    )
    for dialect in DIALECTS:
        page.add("", f"## {dialect.title}", "")
        if dialect.source.startswith("https://"):
            page.add(f"Source: <{dialect.source}>", "")
        page.add("| attribute | field |", "|---|---|")
        page.add(*(f"| {_code(name)} | {_cell(field)} |" for name, field in says(dialect)))
    page.add("", "## Events", "", "| event | field |", "|---|---|")
    page.add(*(f"| `{name}` | {field} |" for name, field in EVENTS.items()))


def write_metrics(page: Page) -> None:
    from boxscore.server.metrics import METRICS

    page.add(
        "What `boxscore serve` tells at `/metrics`, in Prometheus' text format. A histogram is in seconds, with",
        "buckets, a sum and a count.",
    )
    for metric in METRICS:
        label = f", by `{metric.label}`" if metric.label else ""
        page.add("", f"## {metric.name}", "", f"{metric.kind}, in {metric.unit}{label}. {metric.meaning}", "")
        if metric.remedy != "None.":
            page.add(f"*What to do:* {metric.remedy}", "")


def described() -> "dict[str, Any]":
    """The OpenAPI document."""
    from boxscore.server.api import make_api
    from boxscore.server.limits import Limits
    from boxscore.server.schema import describe
    from boxscore.server.service import Service
    from boxscore.store.records import Records
    from boxscore.store.spans import SqliteSpans
    from boxscore.tracing.ingest import Ingest

    with TemporaryDirectory() as folder:
        home = Path(folder)
        with SqliteSpans(home) as store, Ingest(store) as ingest, Records.open(home) as records:
            service = Service(store, ingest, records, Limits())
            try:
                return describe(make_api(service))
            finally:
                service.close()


def openapi() -> str:
    return json.dumps(described(), indent=1, ensure_ascii=False) + "\n"


def write_http(page: Page) -> None:
    document = described()
    page.add(
        "What `boxscore serve` answers. The whole of it, with every schema and every status, is",
        "[OpenAPI](openapi.json), which a server has at `/api/v1/openapi.json` too. How to use it, and the clients in",
        "Python: [Use the API](../how-to/api.md).",
        "",
        "Answers and errors are JSON. Ids of traces and spans are hex, money is a decimal string in US dollars, times",
        'of spans are nanoseconds since 1970. An error is `{"error": {"code", "message", …}}` with a code of',
        "[the tree](errors.md): 4xx where the request has to change, 503 with `Retry-After` where it may be sent",
        "again, 504 where it took too long. What a route needs is a right of the key or the login that asks; every",
        "route that needs one takes `project`, the id of the project that is meant, in the query or in the header",
        "`boxscore-project`. With *once* it takes an `Idempotency-Key`.",
        "",
        "| path | what it is for |",
        "|---|---|",
        "| `POST /v1/traces` | OTLP, protobuf or JSON; the answer means that the spans are on disk |",
        "| `GET /health/live` | whether the process is there |",
        "| `GET /health/ready` | whether spans are taken in, and why not |",
        "| `GET /metrics` | [metrics](metrics.md) |",
    )
    for path, ways in document["paths"].items():
        for way, told in ways.items():
            names = [one["$ref"].rpartition("/")[2] for one in told["parameters"] if "$ref" in one]
            needs = f"Needs the right `{told['x-right']}`." if "x-right" in told else "Needs no right."
            once = " Once." if "IdempotencyKey" in names else ""
            page.add("", f"## {way.upper()} {path}", "", told["description"], "", f"{needs}{once}", "")
            own = [one for one in told["parameters"] if "$ref" not in one]
            if own:
                page.add("| parameter | in | what it is |", "|---|---|---|")
            for one in own:
                text = _cell(one.get("description") or one["schema"].get("description") or "")
                needed = " (needed)" if one["required"] and one["in"] == "query" else ""
                page.add(f"| `{one['name']}` | {one['in']}{needed} | {text} |")


def write_errors(page: Page) -> None:
    from boxscore import errors

    doc = inspect.getdoc(errors) or ""
    page.add(
        "Every error that Boxscore raises on purpose is a leaf of one tree. `code` is stable and made for programs;",
        "the command line prints the sentence and leaves with the exit code.",
        "",
        "```text",
        *(line[4:] if line.startswith("    ") else line for line in _indented(doc)),
        "```",
        "",
        "| error | code | exit code | what it carries |",
        "|---|---|---|---|",
    )
    for kind in _tree(errors.BoxscoreError):
        page.add(f"| `{kind.__name__}` | `{kind.code}` | {kind.exit_code} | {_cell(_own_doc(kind))} |")


def _indented(doc: str) -> Iterator[str]:
    for line in doc.splitlines():
        if line.startswith("    "):
            yield line


def _tree(kind: "type[BoxscoreError]") -> "Iterator[type[BoxscoreError]]":
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == kind.__module__:
            yield from _tree(child)


# The verdict


def write_verdict(page: Page) -> None:
    from boxscore.experiments import verdict

    structs = [name for name in _classes(verdict) if name in _reached(verdict, "Verdict")]
    page.add(
        "What `--json` prints, what the store keeps, what Python gives as `Comparison.verdict`. Fields may be added;",
        "those that are here stay.",
        "",
        _markdown("\n\n".join((inspect.getdoc(verdict) or "").split("\n\n")[1:])),
        "",
    )
    structs.sort(key=lambda name: name != "Verdict")
    for name in structs:
        doc = _own_doc(getattr(verdict, name))
        page.add(f"## {name}", "", *([_markdown(doc), ""] if doc else []))
        page.add("| field | type | where nothing is said |", "|---|---|---|")
        for field in _fields(verdict, name):
            default = _JSON_DEFAULTS.get(field.default, field.default.replace("'", '"')) if field.default else ""
            kind = _in_json(ast.parse(field.type, mode="eval").body, structs)
            page.add(f"| `{field.name}` | {kind} | {_code(default) if default else 'always there'} |")
        page.add("")
    page.add("## Closed sets", "", "| name | one of |", "|---|---|")
    for name, values in _literals(verdict):
        page.add(f"| `{name}` | {', '.join(f'`{value}`' for value in values)} |")


def _reached(module: ModuleType, root: str) -> set[str]:
    """Structs that `root` is made of, itself included."""
    known, found, todo = set(_classes(module)), set[str](), [root]
    while todo:
        name = todo.pop()
        found.add(name)
        for field in _fields(module, name):
            names = {node.id for node in ast.walk(ast.parse(field.type)) if isinstance(node, ast.Name)}
            todo.extend(sorted((names & known) - found))
    return found


_JSON = {"str": "string", "float": "number", "int": "integer", "bool": "boolean", "None": "null", "Json": "any JSON"}


def _in_json(node: ast.expr, structs: list[str]) -> str:
    """An annotation in JSON's words, with links to the structs on the page."""
    match node:
        case ast.BinOp(left=left, right=right):
            return f"{_in_json(left, structs)} or {_in_json(right, structs)}"
        case ast.Constant(value=None):
            return "null"
        case ast.Name(id=name):
            return f"[{name}](#{name.lower()})" if name in structs else _JSON.get(name, f"[{name}](#closed-sets)")
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[inner, _])):
            return f"list of {_in_json(inner, structs)}"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, inner])):
            return f"object of {_in_json(inner, structs)} by name"
        case ast.Subscript(value=ast.Name(id="Literal")):
            return " or ".join(f'`"{found.value}"`' for found in ast.walk(node) if isinstance(found, ast.Constant))
        case _:
            raise IncompleteError(f"the type {ast.unparse(node)} of a verdict's field has no word in JSON yet")


_JSON_DEFAULTS = {"None": "null", "()": "[]", "{}": "{}", "''": '""', "False": "false", "True": "true"}


def _literals(module: ModuleType) -> Iterator[tuple[str, list[str]]]:
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(value=ast.Name(id="Literal"))):
                values = [str(found.value) for found in ast.walk(node.value) if isinstance(found, ast.Constant)]
                yield name, values
            case _:
                continue


# Reading code


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    default: str | None
    doc: str


def _fields(module: ModuleType, class_name: str) -> list[Field]:
    """The fields of a struct in order, each with its docstring below; annotations and defaults as written."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            found: list[Field] = []
            for place, line in enumerate(node.body):
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    after = node.body[place + 1] if place + 1 < len(node.body) else None
                    doc = ""
                    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                        doc = inspect.cleandoc(str(after.value.value))
                    default = ast.unparse(line.value) if line.value is not None else None
                    found.append(Field(line.target.id, ast.unparse(line.annotation), default, doc))
            return found
    raise IncompleteError(f"{module.__name__} has no class {class_name}")


def _classes(module: ModuleType) -> list[str]:
    return [node.name for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]


def _own_doc(kind: type) -> str:
    return inspect.cleandoc(kind.__dict__.get("__doc__") or "")


# Writing Markdown


def _markdown(doc: str) -> str:
    """A docstring as Markdown: a list needs an empty line before it."""
    lines: list[str] = []
    for line in doc.splitlines():
        is_item = line.lstrip().startswith(("- ", "* "))
        if is_item and lines and lines[-1].strip() and not lines[-1].lstrip().startswith(("- ", "* ")):
            inside = lines[-1].startswith(" ")
            if not inside:
                lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _anchor(name: str) -> str:
    return name.replace("_", "-").lower()


# The command

PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "cli.md": ("Command line", write_cli),
    "scorers.md": ("Scorers", write_scorers),
    "verdict.md": ("The verdict as JSON", write_verdict),
    "settings.md": ("Settings", write_settings),
    "attributes.md": ("Attributes of spans", write_attributes),
    "errors.md": ("Errors", write_errors),
    "metrics.md": ("Metrics", write_metrics),
    "http.md": ("The HTTP API", write_http),
}


def generate(name: str) -> Page:
    """One page, whole. What cannot be imported is in `missing`."""
    title, write = PAGES[name]
    page = Page(title, [], [])
    try:
        write(page)
    except (ImportError, IncompleteError) as problem:
        page.missing.append(f"{name}: {problem}")
    return page


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 and name the stale pages")
    check = parser.parse_args(arguments).check
    importlib.invalidate_caches()
    failed = False
    for name in PAGES:
        page = generate(name)
        path = REFERENCE / name
        for problem in page.missing:
            print(f"docs/reference/{name}: {problem}", file=sys.stderr)
            failed = failed or check
        if path.exists() and path.read_text(encoding="utf-8") == page.text():
            continue
        if check:
            print(f"docs/reference/{name} is stale: run `make docs` and commit what it changed", file=sys.stderr)
            failed = True
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page.text(), encoding="utf-8")
            print(f"wrote docs/reference/{name}")
    path, text = REFERENCE / "openapi.json", openapi()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        if check:
            print("docs/reference/openapi.json is stale: run `make docs` and commit it", file=sys.stderr)
            failed = True
        else:
            path.write_text(text, encoding="utf-8")
            print("wrote docs/reference/openapi.json")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
