"""Importing: which format a file is, and the importer for it."""

from collections.abc import Sequence
from pathlib import Path

from boxscore.errors import FileError, SpecError
from boxscore.imports.draft import Draft, Imported, finish
from boxscore.imports.fields import Fields
from boxscore.imports.files import read_json
from boxscore.imports.reading import Node, Source, leftovers

__all__ = ["FORMATS", "import_files"]

FORMATS = ("promptfoo", "inspect", "openai-evals", "huggingface")
"""Names of the formats, as `--from` takes them."""


def import_files(
    paths: Sequence[Path], *, format: str | None = None, models: Sequence[str] = (), fields: Fields | None = None
) -> Imported:
    """Read files of one format (default: as they look), several only where they belong together, such as logs of two
    models. `models` are variants for sources that name none; `fields` says which columns of rows mean what.

    Raises `FileError`, `SpecError` and `DatasetError` for what cannot be read.
    """
    path = paths[0]
    try:
        draft = _draft(paths, format or _detect(path), models, fields or Fields())
        left = leftovers(draft.nodes, draft.more)
        imported = finish(draft, left)
    except UnicodeEncodeError:
        raise FileError(path, "has half of a surrogate pair (\\ud800 to \\udfff), which is no character.") from None
    if not imported.files:
        raise FileError(path, f"nothing in it can be carried; {left[0].reason if left else 'it says nothing'}.")
    return imported


def _draft(paths: Sequence[Path], format: str, models: Sequence[str], fields: Fields) -> Draft:
    if format == "promptfoo":
        from boxscore.imports.promptfoo.config import import_config
        from boxscore.imports.promptfoo.results import import_results

        (path, *others) = paths
        if others:
            raise SpecError("promptfoo's files are imported one at a time.", key="FILE")
        if path.suffix.lower() == ".json":
            tree = Node(read_json(path), Source())
            if "results" in tree:
                return import_results(path, tree, models)
        return import_config(path, models)
    if format == "inspect":
        from boxscore.imports.inspect_logs import import_logs

        return import_logs(paths, models)
    if format == "openai-evals":
        from boxscore.imports.openai_evals import import_evals

        return import_evals(paths, models)
    from boxscore.imports.rows import import_rows

    return import_rows(paths, models, fields)


def _detect(path: Path) -> str:
    """The format, from the ending and a look inside. Raises `FileError` where it is none that we know."""
    if not path.exists():
        raise FileError(path, "no such file.")
    ending = path.suffix.lower()
    if ending == ".eval":
        return "inspect"
    if ending in (".jsonl", ".ndjson"):
        from boxscore.imports.files import read_jsonl

        first = next(iter(read_jsonl(path)), None)
        keys = set(first.names()) if first is not None else set[str]()
        return "openai-evals" if "spec" in keys or {"input", "ideal"} <= keys else "huggingface"
    if ending == ".json":
        tree = Node(read_json(path), Source())
        keys = set(tree.names())
        if {"eval", "version"} <= keys or {"eval", "samples"} <= keys:
            return "inspect"
        if keys & {"results", "prompts", "providers", "tests"}:
            return "promptfoo"
        if tree.is_list or keys & {"data", "rows"}:
            return "huggingface"
    if ending in (".yaml", ".yml"):
        from boxscore.imports.files import read_tree

        tree = read_tree(path)
        if any(key in tree for key in ("prompts", "providers", "targets", "tests")):
            return "promptfoo"
        if any(value.is_mapping and ("class" in value or "id" in value) for _, value in tree.items()):
            return "openai-evals"
    if ending in (".csv", ".tsv", ".parquet"):
        raise FileError(path, "is read as it is: name it under 'dataset' of a spec; no import is needed.")
    raise FileError(
        path, f"is of no format that can be told from the file; say which with --from ({', '.join(FORMATS)})."
    )
