"""Logs of Inspect (inspect-ai), `.eval` and `.json`: a dataset, recorded answers, and variants of the models.

Read from logs of version 2 that inspect-ai 0.3 wrote; what a newer one adds is listed as not carried.
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple, cast

from boxscore.errors import FileError
from boxscore.imports.archive import Archive
from boxscore.imports.chat import Shape, Turn, framed, shape_of, turns_of
from boxscore.imports.dialects import known_providers, our_provider
from boxscore.imports.draft import Draft, Row, add_models
from boxscore.imports.files import parse_json, read_json
from boxscore.imports.guessing import guess_scorer
from boxscore.imports.reading import Node, Source, list_of, mapping_of
from boxscore.types import Json

__all__ = ["import_logs"]

_BOOKS: Final = "Inspect's own bookkeeping"
_COUNTED: Final = "counted again from the answers"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER: Final = f"{{{{ '{_LETTERS}'[loop.index0] }}}}"
_CHOICES: Final = (
    "{% for choice in choices %}" + _LETTER + ") {{ choice }}{% if not loop.last %}\n{% endif %}{% endfor %}"
)
_CHOICE_LETTERS: Final = "{% for choice in choices %}" + _LETTER + "{% if not loop.last %},{% endif %}{% endfor %}"

_PARAMS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "stop_seqs",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "num_choices",
)
_NAMES = {"stop_seqs": "stop", "num_choices": "n"}


class _Case(NamedTuple):
    """A sample without its answers. `turns` are its input, None where that is more than text."""

    turns: list[Turn] | None
    target: Json
    choices: list[Json]
    metadata: dict[str, Json]


class _Asked(NamedTuple):
    """What one sample of one log was asked: its case, and the turns before the model's first."""

    case: str
    turns: list[Turn]


def import_logs(paths: Sequence[Path], models: Sequence[str]) -> Draft:
    """One log a model, or several logs over the same samples. Raises `FileError`."""
    draft = Draft(source="Inspect")
    cases: dict[str, _Case] = {}
    asked: list[tuple[Path, str, Node, list[_Asked]]] = []
    for path in paths:
        header, samples = _open(path)
        model = header["eval"]["model"].text()
        if model is None:
            raise FileError(path, "is no log of Inspect: it has no eval.model.")
        variant = model if all(model != one for _, one, _, _ in asked) else f"{model}, {header['eval']['task'].text()}"
        if any(variant == one for _, one, _, _ in asked):
            variant = f"{model}, {path.stem}"
        said: list[_Asked] = []
        for member, raw in samples:
            sample = Node(raw, Source(), member)
            turns = _sample(draft, cases, sample, variant, path)
            if turns is not None:
                said.append(turns)
            draft.more += sample.lefts()
        if not said:
            raise FileError(path, "holds no samples; run Inspect with log_samples on.")
        _leave_header(header)
        asked.append((path, variant, header, said))
    shape = _inputs(draft, cases)
    _scorers(draft, asked[0][2], cases)
    rows = {row.id: row for row in draft.rows}
    prompts: dict[str, Json] = {}
    for _, variant, header, said in asked:
        prompt = _prompt(header, said, rows, shape)
        if prompt not in prompts.values():
            prompts[variant] = prompt
        made = _variant(header, prompt)
        if made is not None:
            draft.variants[variant] = made
        if header is not asked[0][2]:
            scorers = header["eval"]["scorers"]
            if scorers.value == asked[0][2]["eval"]["scorers"].value:
                scorers.take()
            else:
                scorers.leave("the first log's scorers are used", "import this log alone to see its own")
    draft.nodes += [header for _, _, header, _ in asked]
    if models or not draft.variants:
        add_models(draft, models, prompts if len(prompts) > 1 else {"": next(iter(prompts.values()))})
    repeats = len({(line["model"], line["case_id"]) for line in draft.recordings})
    if len(draft.recordings) > repeats:
        draft.options["repeats"] = -(-len(draft.recordings) // repeats)
    return draft


def _open(path: Path) -> tuple[Node, Iterator[tuple[str, Json]]]:
    """The log without its samples, and the samples one by one."""
    if path.suffix.lower() != ".eval":
        tree: Json = read_json(path)
        if not isinstance(tree, dict):
            raise FileError(path, "is no log of Inspect.")
        fields = cast("dict[str, Json]", tree)
        samples = list_of(fields.pop("samples", None))
        return Node(fields, Source()), ((f"samples[{at}]", sample) for at, sample in enumerate(samples))
    archive = Archive(path)
    names = archive.names()
    if "header.json" not in names:
        archive.close()
        raise FileError(path, "has no header.json in it: it is no log of Inspect, or of a run that was cut off.")
    header = Node(parse_json(archive.read("header.json"), path), Source())
    return header, _members(archive, path)


def _members(archive: Archive, path: Path) -> Iterator[tuple[str, Json]]:
    with closing(archive):
        for name in archive.names():
            if re.fullmatch(r"samples/[^/]+\.json", name):
                yield "samples[0]", parse_json(archive.read(name), path)


def _sample(draft: Draft, cases: dict[str, _Case], sample: Node, variant: str, path: Path) -> _Asked | None:
    case = sample["id"].take()
    if not isinstance(case, str | int):
        return None
    name = str(case)
    turns = turns_of(sample["input"].value)
    if turns is None:
        sample["input"].leave("it holds more than text", "name it in the rows yourself")
    else:
        sample["input"].take()
    case_of = _Case(
        turns,
        sample["target"].take(),
        list_of(sample["choices"].take()),
        mapping_of(sample["metadata"].take()),
    )
    known = cases.setdefault(name, case_of)
    if (known.turns, known.target, known.choices) != (case_of.turns, case_of.target, case_of.choices):
        raise FileError(
            path,
            f"its sample {name!r} is another than the {name!r} read before: its input, target or choices differ. Logs "
            "go together over the same samples; import this one into a folder of its own.",
        )
    before = _asked(sample["messages"]) or turns or []
    draft.recordings.append(_recording(sample, name, variant, before))
    _leave_sample(sample)
    return _Asked(name, before)


def _asked(messages: Node) -> list[Turn]:
    """The turns before the model's first answer: what it was asked, as the solvers made it."""
    found: list[Json] = []
    for message in messages:
        if message["source"].value == "generate" or (message["role"].value == "assistant" and message["model"]):
            break
        found.append({"role": message["role"].value, "content": message["content"].value})
    return turns_of(found) or []


def _recording(sample: Node, case: str, variant: str, asked: list[Turn]) -> dict[str, Json]:
    output = sample["output"]
    first = next(iter(output["choices"]), output["choices"])
    message = first["message"]
    turns = turns_of([{"role": "assistant", "content": message["content"].take()}]) if message else None
    text = output["completion"].take()
    text = text if isinstance(text, str) else turns[0].content if turns else None
    calls = [
        {"name": call["function"].text(), "arguments": call["arguments"].take(), "id": call["id"].text()}
        for call in message["tool_calls"]
        if isinstance(call["function"].value, str)
    ]
    usage = output["usage"]
    # The whole sample's usage, where several calls were made for one answer.
    whole = sample["model_usage"][output["model"].text() or ""]
    usage = whole if whole else usage
    error = sample["error"]["message"].text()
    answered = bool(text) or bool(calls) or not error
    several = (sample["turn_count"].whole() or 1) > 1
    latency = sample["working_time"].number()
    one = output["time"].number()
    if one is not None and not several:
        latency = one
    epoch = sample["epoch"].whole() or 1
    return {
        "case_id": case,
        "model": variant,
        "prompt": [turn._asdict() for turn in asked] or None,
        "output": (text or "") if answered else None,
        "error": error if not answered else None,
        "params": {"trial": epoch - 1},
        "tool_calls": calls or None,
        "tokens_in": usage["input_tokens"].whole(),
        "tokens_out": usage["output_tokens"].whole(),
        "latency_s": latency,
        "recorded_at": sample["completed_at"].text(),
        "finish_reason": first["stop_reason"].text(),
        "labels": {name: score["value"].take() for name, score in sample["scores"].items()} or None,
    }


def _leave_sample(sample: Node) -> None:
    sample["messages"].rest("the turns after the question; the answer itself is carried")
    sample["scores"].rest("words of Inspect's scorers; their values are kept as labels of the answer")
    for key in ("output", "model_usage", "role_usage", "total_time", "started_at"):
        sample[key].rest("what the provider said beside the answer")
    for key in ("events", "events_data", "attachments", "store", "uuid", "error_retries", "timelines", "error"):
        sample[key].rest("Inspect's own record of the run")
    for key in ("sandbox", "files", "setup"):
        sample[key].leave("a sample that runs in a sandbox", "answer it with a variant in Python, or a command")


def _leave_header(header: Node) -> None:
    for key in ("results", "reductions", "stats"):
        header[key].rest(_COUNTED)
    for key in ("version", "status", "invalidated", "tags", "metadata", "error", "log_updates", "location", "etag"):
        header[key].rest(_BOOKS)
    evaluation = header["eval"]
    for key in (
        *("eval_id", "run_id", "created", "task_id", "task_version", "task_file", "task_display_name"),
        *("task_registry_name", "task_attribs", "task_args", "task_args_passed", "revision", "packages", "metadata"),
        *("eval_set_id", "dataset", "model_args", "tags", "task"),
    ):
        evaluation[key].rest(_BOOKS)
    evaluation["config"].leave("how Inspect ran it", "repeats and concurrency stand at the spec's top level")
    evaluation["sandbox"].leave("a sandbox", "answer with a variant in Python, or a command")
    evaluation["model_roles"].leave("models in other roles", "a variant in Python may ask several")


def _inputs(draft: Draft, cases: dict[str, _Case]) -> Shape:
    """The rows, and the prompt that asks their input as it is."""
    known = {name: case.turns for name, case in cases.items() if case.turns is not None}
    if not known:
        raise FileError("log", "no sample's input is text.")
    shape = shape_of(list(known.values()))
    inputs = dict(zip(known, shape.inputs, strict=True))
    for name in known:
        case = cases[name]
        target = list_of(case.target)[0] if len(list_of(case.target)) == 1 else case.target
        row = Row(id=name, inputs=inputs[name], reference=None if target in ("", []) else target)
        if case.choices:
            row.inputs["choices"] = case.choices
        row.metadata = dict(case.metadata)
        draft.rows.append(row)
    draft.recordings = [line for line in draft.recordings if line["case_id"] in known]
    if not shape.exact:
        draft.guesses.append("the samples differ in their turns, and are asked as one text.")
    return shape


def _prompt(header: Node, said: Sequence[_Asked], rows: Mapping[str, Row], shape: Shape) -> Json:
    """One template for what every sample was asked, found in the words that were sent; else the inputs alone."""
    steps = header["plan"]["steps"]
    kept = [one for one in said if one.case in rows]
    inputs = [rows[one.case].inputs for one in kept]
    prompt = framed([one.turns for one in kept], inputs, [_values(row) for row in inputs])
    if prompt is None and not shape.exact:
        steps.leave("what solvers add to each input", "write it into the prompt")
    elif prompt is None:
        steps.leave("solvers that make of each input what no template can", "write them as a variant in Python")
    else:
        steps.take()
        return prompt
    if shape.exact and any("choices" in row for row in inputs) and isinstance(shape.prompt, str):
        return f"{shape.prompt}\n\n{_CHOICES}"
    return shape.prompt


def _values(inputs: Mapping[str, Json]) -> dict[str, str]:
    """Texts that come of the inputs, each with the template that writes it."""
    known = {value: f"{{{{ {key} }}}}" for key, value in inputs.items() if isinstance(value, str)}
    if isinstance(inputs.get("choices"), list):
        texts = [str(text) for text in cast("list[Json]", inputs["choices"])]
        if len(texts) <= len(_LETTERS):
            known["\n".join(f"{_LETTERS[at]}) {text}" for at, text in enumerate(texts))] = _CHOICES
            known[",".join(_LETTERS[: len(texts)])] = _CHOICE_LETTERS
    return known


def _variant(header: Node, prompt: Json) -> dict[str, Json] | None:
    """The log's model as a variant, where it can be asked."""
    evaluation, plan = header["eval"], header["plan"]
    model = evaluation["model"].text() or ""
    vendor, _, rest = model.partition("/")
    provider = our_provider(vendor)
    base_url = evaluation["model_base_url"].text()
    plan["name"].rest(_BOOKS)
    if provider not in known_providers() and base_url is None:
        evaluation["model"].leave(
            f"no provider of ours is called {provider!r}; its answers are carried, and it is no variant",
            "name an OpenAI-compatible endpoint with its base_url",
        )
        for settings in (evaluation["model_generate_config"], plan["config"]):
            settings.leave("parameters of a model that is no variant")
        return None
    params = {
        _NAMES.get(key, key): settings[key].take()
        for settings in (evaluation["model_generate_config"], plan["config"])
        for key in _PARAMS
        if settings[key]
    }
    variant: dict[str, Json] = {"provider": provider, "model": rest}
    if base_url is not None:
        variant["base_url"] = base_url
    return {**variant, "prompt": prompt, **({"params": params} if params else {})}


def _scorers(draft: Draft, header: Node, cases: dict[str, _Case]) -> None:
    scorers = header["eval"]["scorers"]
    settled = False
    for scorer in scorers:
        settled = _scorer(draft, scorer, cases) or settled
    if not settled:
        guess = guess_scorer([row.reference for row in draft.rows])
        draft.scorers = [guess.scorer]
        draft.guesses.append(f"{guess.why}.")


def _scorer(draft: Draft, scorer: Node, cases: dict[str, _Case]) -> bool:
    name, options = (scorer["name"].value or "").rpartition("/")[2], scorer["options"]
    targets = [list_of(row.reference) or [row.reference] for row in draft.rows]
    texts = all(isinstance(one, str) and one for target in targets for one in target)
    if name == "includes" and texts:
        draft.scorers.append("contains" if options["ignore_case"].flag() is not False else "contains:case=keep")
    elif name == "match" and draft.checks:
        scorer.leave("a second match, and an example's checks are one metric", "import the log again for it alone")
        return False
    elif name == "match" and texts and options["numeric"].flag() is not True:
        where, ignore = options["location"].text() or "end", options["ignore_case"].flag() is not False
        for row, target in zip(draft.rows, targets, strict=True):
            check: Json = {
                "regex": {"pattern": _pattern(cast("list[str]", target), where), "flags": "i" if ignore else ""}
            }
            draft.checks.setdefault(row.id, []).append({"scorer": check})
    elif name == "choice" and texts and all(re.fullmatch("[A-Z]", str(one)) for target in targets for one in target):
        most = max((len(case.choices) for case in cases.values()), default=0)
        if not 2 <= most <= len(_LETTERS):
            scorer.leave("it has no choices to read")
            return False
        draft.scorers.append({"choice": list(_LETTERS[:most])})
    elif name == "match" and texts:
        scorer.leave("it takes the last number of the answer, and ours one that is stated first", "see scorer number")
        return False
    elif name.startswith("model_graded"):
        scorer.leave("it needs a judge", "ask a model to judge it (judges in the spec)")
        return False
    else:
        scorer.leave(f"no scorer of ours means the same as {name!r}", "write it in Python: function:FILE.py:NAME")
        return False
    scorer["name"].take()
    scorer["metrics"].rest(_COUNTED)
    scorer["metadata"].rest(_BOOKS)
    return True


def _pattern(targets: Sequence[str], where: str) -> str:
    """Inspect's match: both texts without blanks and marks at their ends, at that place of the answer."""
    one = "|".join(re.escape(target.strip(string.whitespace + string.punctuation)) for target in targets)
    marks = r"[\s!-/:-@\[-`{-~]*"
    before = rf"\A{marks}" if where in ("begin", "exact") else ""
    after = rf"{marks}\Z" if where in ("end", "exact") else ""
    return f"{before}(?:{one}){after}"
