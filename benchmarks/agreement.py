"""How far the scorers agree with what was recorded: people's labels, published figures, other evaluators.

    BOXSCORE_DATA=… python benchmarks/agreement.py            prints the tables as Markdown
    BOXSCORE_DATA=… python benchmarks/agreement.py --write    writes its section of docs/benchmarks.md

Each function reads one recorded file and gives numbers; the recorded tests call the same functions.
"""

import argparse
import copy
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from boxscore.datasets.example import Example
from boxscore.experiments.statistics import cohen_kappa
from boxscore.providers.response import Response, ToolCall
from boxscore.scoring import make_scorer
from boxscore.scoring.instruction_rules import RULES
from boxscore.scoring.instructions import Instructions
from boxscore.scoring.language import detect_language
from boxscore.scoring.number import Number
from boxscore.scoring.refusal import read_refusal
from boxscore.types import Json

MODELS = ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", "gpt-4-0314", "gpt-4-0613")
REFUSED = {"full": ("2_full_refusal",), "full or partial": ("2_full_refusal", "3_partial_refusal")}


class Agreement(NamedTuple):
    """`agree` and `kappa` of two yes-or-no verdicts on `n` answers, as fractions."""

    n: int
    agree: float
    kappa: float


def rows(path: Path) -> Iterator[dict[str, Json]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def agreement(ours: list[bool], theirs: list[bool]) -> Agreement:
    agree = sum(one == other for one, other in zip(ours, theirs, strict=True)) / len(ours)
    return Agreement(len(ours), agree, cohen_kappa(ours, theirs))


def totals(path: Path, spec: str) -> dict[str, tuple[int, int]]:
    """Successes and answers per model."""
    scorer = make_scorer(spec)
    hits: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for row in rows(path):
        example = Example(id=row["case_id"], reference=row["reference"])
        hits[row["model"]] += int(scorer.score(example, Response(output=row["output"])).value or 0)
        count[row["model"]] += 1
    return {model: (hits[model], count[model]) for model in count}


def recorded_totals(path: Path, label: str) -> dict[str, int]:
    hits: Counter[str] = Counter()
    for row in rows(path):
        hits[row["model"]] += bool(row["labels"][label])
    return dict(hits)


def instruction_rules(path: Path) -> dict[str, tuple[int, int]]:
    """Per parameter-free rule: on how many answers it agrees with the recorded strict label, and of how many."""
    free = [kind for kind, rule in RULES.items() if rule.required == 0]
    agreed: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for row in rows(path):
        example = Example(id=row["id"])
        for name, strict in zip(row["labels"]["instructions"], row["labels"]["strict"], strict=True):
            kind = name.rpartition(":")[2]
            if kind in free:
                (result,) = Instructions(kind).check(example, Response(output=row["output"]))
                agreed[kind] += result.kept == strict
                count[kind] += 1
    return {kind: (agreed[kind], count[kind]) for kind in free}


def refusals(path: Path, counted: str, *, keep: Callable[[int], bool] = lambda at: True) -> dict[str, Agreement]:
    """Agreement with people's labels of our scorer and of the judges recorded beside it."""
    positive = REFUSED[counted]
    verdicts: dict[str, list[bool]] = defaultdict(list)
    gold: list[bool] = []
    for at, row in enumerate(rows(path)):
        if not keep(at):
            continue
        gold.append(row["gold"] in positive)
        degree = read_refusal(row["output"]).degree
        verdicts["boxscore refusal"].append(degree == "full" or (degree == "partial" and counted != "full"))
        for judge, said in row["judges"].items():
            verdicts[judge].append(said in positive)
    return {name: agreement(said, gold) for name, said in verdicts.items()}


def held_out(at: int) -> bool:
    """Every third answer was read while the cues of `refusal` were written; the others were not."""
    return at % 3 != 0


def _alternatives(value: Json) -> list[Json]:
    """Every concrete value that an accepted value stands for; an object's fields have accepted values of their own."""
    if isinstance(value, dict) and value and all(isinstance(one, list) for one in value.values()):
        return _calls(value)
    if isinstance(value, list):
        made: list[Json] = [[]]
        for part in value:
            made = [[*before, one] for before in made for one in _alternatives(part)][:50]
        return made
    return [value]


def _calls(accepted: dict[str, list[Json]]) -> list[dict[str, Json]]:
    """Arguments such that every alternative of every argument, its absence among them, occurs in one at least."""
    spelled = {
        name: [*(one for value in values if value != "" for one in _alternatives(value)), *_absent(values)]
        for name, values in accepted.items()
    }
    made: list[dict[str, Json]] = []
    for at in range(max(map(len, spelled.values()), default=1)):
        chosen = {name: values[min(at, len(values) - 1)] for name, values in spelled.items()}
        made.append({name: value for name, value in chosen.items() if value is not _ABSENT})
    return made


_ABSENT = object()


def _absent(values: list[Json]) -> list[object]:
    return [_ABSENT] if "" in values or not values else []


def _other(value: Json) -> Json:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7919
    if isinstance(value, str):
        return value + " not this"
    if isinstance(value, list):
        return [*value, "one more"]
    return {**value, "one_more": 1} if isinstance(value, dict) else "not null"


def _retyped(value: Json) -> Json:
    """The value as another type: text for numbers and booleans, a list around the rest."""
    return json.dumps(value) if isinstance(value, bool | int | float) else [value]


def mutations(name: str, arguments: dict[str, Json], accepted: dict[str, list[Json]]) -> dict[str, ToolCall]:
    """A right call with one mistake of each kind; kinds that need an argument are absent where there is none."""
    made = {
        "wrong name": ToolCall(name=name + "_2", arguments=arguments),
        "extra unknown argument": ToolCall(name=name, arguments={**arguments, "not_an_argument": 1}),
    }
    required = [key for key, values in accepted.items() if values and "" not in values and key in arguments]
    if required:
        made["missing required argument"] = ToolCall(
            name=name, arguments={key: value for key, value in arguments.items() if key != required[0]}
        )
    if arguments:
        key, value = next(iter(arguments.items()))
        made["wrong value"] = ToolCall(name=name, arguments={**copy.deepcopy(arguments), key: _other(value)})
        made["wrong type"] = ToolCall(name=name, arguments={**copy.deepcopy(arguments), key: _retyped(value)})
    return made


def tools(path: Path) -> dict[str, tuple[int, int]]:
    """Per kind of call: how many pass, of how many."""
    scorer = make_scorer("tool_calls")
    passed: Counter[str] = Counter()
    count: Counter[str] = Counter()

    def try_(kind: str, reference: Json, calls: tuple[ToolCall, ...]) -> None:
        score = scorer.score(Example(id="e", reference=reference), Response(tool_calls=calls))
        passed[kind] += score.value == 1
        count[kind] += 1

    before: tuple[dict[str, Json], ToolCall] | None = None
    for row in rows(path):
        for accepted_call in row["accepted"]:
            ((name, accepted),) = accepted_call.items()
            calls = [ToolCall(name=name, arguments=arguments) for arguments in _calls(accepted)]
            for call in calls:
                try_("accepted", [accepted_call], (call,))
            for kind, call in mutations(name, calls[0].arguments, accepted).items():
                try_(kind, [accepted_call], (call,))
            if before is not None and before[1].name != name:
                pair = [before[0], accepted_call]
                try_("accepted, two calls", pair, (before[1], calls[0]))
                try_("wrong order of two calls", pair, (calls[0], before[1]))
            before = (accepted_call, calls[0])
    return {kind: (passed[kind], count[kind]) for kind in count}


def languages(path: Path, code: str) -> dict[str, tuple[int, int]]:
    """Passages and questions whose language is told right."""
    right: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for row in rows(path):
        kind = "passages" if row.get("text") else "questions"
        right[kind] += detect_language(row.get("text") or row["question"]) == code
        count[kind] += 1
    return {kind: (right[kind], count[kind]) for kind in count}


def numbers(path: Path) -> dict[tuple[bool, bool], tuple[int, int]]:
    """GSM8K: with one model's answer as reference for the other's, how often `number` finds them equal, by whether the
    source called each of them right."""
    scorer = Number()
    equal: Counter[tuple[bool, bool]] = Counter()
    count: Counter[tuple[bool, bool]] = Counter()
    for row in rows(path):
        (first, second) = row["outcomes"].values()
        if not first["output"] or not second["output"] or scorer.read(first["output"]) is None:
            continue
        kind = (first["correct"], second["correct"])
        example = Example(id=row["id"], reference=first["output"])
        equal[kind] += scorer.score(example, Response(output=second["output"])).value == 1
        count[kind] += 1
    return {kind: (equal[kind], count[kind]) for kind in count}


def _percent(hits: int, count: int) -> str:
    return f"{100 * hits / count:.1f} % ({hits} of {count})" if count else "-"


def _table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    out = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    out += ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return "\n".join(out)


def _choice(data: Path) -> str:
    lines: list[Sequence[object]] = []
    for spec in ("choice:yes,no", "choice:yes,no,pick=listed", "choice:yes,no,pick=marked"):
        got = totals(data / "generations/llmdrift_prime.jsonl", spec)
        lines.append([f"`{spec}`", *(f"{100 * got[model][0] / got[model][1]:.1f} %" for model in MODELS)])
    return _table(["rule", *MODELS], lines)


def _code(data: Path) -> str:
    path = data / "generations/llmdrift_leetcode_easy.jsonl"
    lines: list[Sequence[object]] = []
    for spec in ("parses_as_python", "starts_as_code"):
        got = totals(path, spec)
        lines.append([f"`{spec}`", *(got[model][0] for model in MODELS)])
    label = recorded_totals(path, "directly_executable")
    lines.append(["recorded: ran and passed", *(label[model] for model in MODELS)])
    return _table(["", *MODELS], lines)


def _rules(data: Path) -> str:
    rules = instruction_rules(data / "generations/mifeval.jsonl")
    together = (sum(agreed for agreed, _ in rules.values()), sum(count for _, count in rules.values()))
    return _table(["rule", "agrees"], [(kind, _percent(*got)) for kind, got in [*rules.items(), ("all", together)]])


def _refusals(data: Path) -> str:
    lines: list[Sequence[object]] = []
    for name in ("mistralguard", "mistralinstruct"):
        path = data / f"refusals/xstest_{name}.jsonl"
        for counted in REFUSED:
            apart = refusals(path, counted, keep=held_out)
            for judge, got in refusals(path, counted).items():
                cells = [f"{100 * one.agree:.1f} % / {one.kappa:.2f}" for one in (got, apart[judge])]
                lines.append([f"{name}, {counted}", judge, *cells])
    return _table(["answers of, counted as refusal", "evaluator", "all answers", "held out"], lines)


def _tools(data: Path) -> str:
    files = ("bfcl_simple_python", "bfcl_live_simple")
    found = {name: tools(data / f"tools/{name}.jsonl") for name in files}
    kinds = dict.fromkeys(kind for passed in found.values() for kind in passed)
    lines = [[kind, *(" of ".join(map(str, found[name].get(kind, (0, 0)))) for name in files)] for kind in kinds]
    return _table(["calls that pass", *files], lines)


def _languages(data: Path) -> str:
    told = {code: languages(data / f"rag/xquad_{code}.jsonl", code) for code in ("en", "de", "es")}
    lines = [(code, _percent(*got["passages"]), _percent(*got["questions"])) for code, got in told.items()]
    return _table(["language", "passages", "questions"], lines)


def _numbers(data: Path) -> str:
    merged: dict[str, tuple[int, int]] = {}
    for right, (equal, count) in numbers(data / "routing/gsm8k.jsonl").items():
        word = ("both wrong", "one right", "both right")[sum(right)]
        before = merged.get(word, (0, 0))
        merged[word] = (before[0] + equal, before[1] + count)
    return _table(["the source says", "equal"], [(word, _percent(*got)) for word, got in sorted(merged.items())])


SECTIONS: tuple[tuple[str, str, Callable[[Path], str], str], ...] = (
    (
        "Choice: the rule alone moves a model",
        "1,000 answers of each model to “Is N a prime number?”: share that is right under each rule.",
        _choice,
        "",
    ),
    ("Code as it stands", "50 answers of each model. The recorded label ran the code.", _code, ""),
    (
        "Instruction rules",
        "The rules without parameters against the recorded strict labels (M-IFEval, English).",
        _rules,
        "The rest are answers of one or two words and lists of names, which the source's language detector called not "
        "English, and postscripts whose wanted mark (P.S. or P.P.S) the data does not carry.",
    ),
    (
        "Refusals",
        "Agreement and Cohen's kappa with people's labels (XSTest), beside the judges recorded with them. Every third "
        "answer was read while the cues of `refusal` were written; held out are the other two thirds.",
        _refusals,
        "People called it a refusal, too, when an answer corrects the question's premise, and did so on real groups "
        "but not on toasters and thunderstorms: most of our false alarms on safe questions are of that kind.",
    ),
    (
        "Tool calls",
        "Calls built from the accepted values (BFCL), each alternative at least once, and planted mistakes. Right "
        "calls must all pass, mistakes none.",
        _tools,
        "",
    ),
    ("Languages", "Passages and one-sentence questions of XQuAD whose language is told right.", _languages, ""),
    (
        "Numbers",
        "GSM8K answers in free text: how often `number` finds one model's answer equal to the other's, by what the "
        "source said of both.",
        _numbers,
        "",
    ),
)


def report(data: Path) -> str:
    out = ["# Scorers against recorded labels", "Made by `python benchmarks/agreement.py --write`."]
    for title, before, section, after in SECTIONS:
        out += [f"## {title}", before, section(data)]
        if after:
            out.append(after)
    return "\n\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Agreement of the scorers with recorded labels")
    parser.add_argument(
        "--write", action="store_true", help="write its section of docs/benchmarks.md instead of printing"
    )
    options = parser.parse_args()
    root = os.environ.get("BOXSCORE_DATA")
    if not root:
        print("BOXSCORE_DATA is not set: it names the folder of the recorded data", file=sys.stderr)
        return 2
    text = report(Path(root))
    if options.write:
        from page import write_section  # beside this script

        write_section("agreement", text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
