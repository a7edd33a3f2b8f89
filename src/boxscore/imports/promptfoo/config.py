"""promptfoo's configuration (`promptfooconfig.yaml`) as a spec and a dataset."""

from collections.abc import Sequence
from pathlib import Path

from boxscore.errors import FileError, TemplateError
from boxscore.imports.draft import Draft, add_models
from boxscore.imports.files import read_tree
from boxscore.imports.promptfoo.judged import Judged
from boxscore.imports.promptfoo.prompts import Prompt, read_prompts
from boxscore.imports.promptfoo.providers import Provider, read_providers
from boxscore.imports.promptfoo.tests import add_cases, read_cases
from boxscore.imports.reading import Left, Node, list_of, mapping_of
from boxscore.prompts import PromptTemplate
from boxscore.types import Json

__all__ = ["add_variants", "import_config", "leave_settings"]

_SETTINGS = {
    "description": ("a spec has no description", None),
    "outputPath": ("where results go is said when comparing", "boxscore compare --report FILE, --json"),
    "sharing": ("nothing is shared", None),
    "env": ("a spec sets no environment", "set the variables where you run boxscore"),
    "tags": ("a spec has no tags", None),
    "derivedMetrics": ("metrics made of metrics", "write a scorer: weighted, all, any, or function:FILE.py:NAME"),
    "nunjucksFilters": ("filters written in code", "put what they give into the rows"),
    "extensions": ("hooks written in code", None),
    "redteam": ("attacks are not made here", None),
}


def import_config(path: Path, models: Sequence[str] = ()) -> Draft:
    """Raises `FileError` and `SpecError` for a file that is none."""
    config = read_tree(path)
    if not config.is_mapping or not any(key in config for key in ("prompts", "providers", "targets", "tests")):
        raise FileError(path, "is no promptfoo configuration: it has neither prompts nor providers nor tests.")
    folder = path.resolve().parent
    draft = Draft(source="promptfoo", nodes=[config])
    prompts = read_prompts(config["prompts"], folder)
    targets = config["providers"] if "providers" in config else config["targets"]
    providers = read_providers(targets, folder, draft.nodes)
    judged = Judged()
    add_cases(draft, read_cases(config, folder, draft.nodes), folder, judged)
    judged.settle(draft)
    add_variants(draft, prompts, providers, models)
    leave_settings(config, draft)
    return draft


def leave_settings(config: Node, draft: Draft) -> None:
    options = config["evaluateOptions"]
    repeats, concurrency = options["repeat"].whole(), options["maxConcurrency"].whole()
    if repeats is not None and repeats > 1:
        draft.options["repeats"] = repeats
    if concurrency is not None and concurrency > 0:
        draft.options["concurrency"] = concurrency
    for key, (reason, remedy) in _SETTINGS.items():
        if config[key]:
            config[key].leave(reason, remedy)


def add_variants(draft: Draft, prompts: Sequence[Prompt], providers: Sequence[Provider], models: Sequence[str]) -> None:
    """Every provider with every prompt that it is used with, each a variant; an endpoint that takes no prompt once."""
    prompts = _that_fill(prompts, draft)
    labels = _labels(prompts)
    names = _names(providers)
    unused = {id(prompt): prompt for prompt in prompts}
    for provider, name in zip(providers, names, strict=True):
        if not provider.takes_prompt:
            draft.variants[name] = provider.keys
            continue
        used = [
            (label, prompt)
            for label, prompt in zip(labels, prompts, strict=True)
            if provider.only is None or {label, *prompt.ids} & set(provider.only)
        ]
        if not used:
            provider.node.leave("no prompt that it is used with could be carried")
        for label, prompt in used:
            unused.pop(id(prompt), None)
            said = [label] if len(used) > 1 or prompt.label else []
            if not said or len(providers) > 1 or provider.label or len(used) == 1:
                said.insert(0, name)
            draft.variants[", ".join(said)] = {**provider.keys, "prompt": _led(provider, prompt.source)}
    if not prompts and not draft.variants and draft.rows:
        _ask_inputs(draft, models)
    elif prompts and (models or not draft.variants):
        named = [(label if prompt.label else "", prompt.source) for label, prompt in zip(labels, prompts, strict=True)]
        add_models(
            draft, models, dict(named) if len(named) == 1 else dict(zip(labels, (p for _, p in named), strict=True))
        )
        unused.clear()
    for prompt in unused.values():
        prompt.node.leave("no provider that could be carried uses it")
    if not draft.scorers and "judges" not in draft.options and not any(draft.checks.values()):
        draft.scorers = ["length"]
        draft.more.append(
            Left(
                place="(scorers)",
                reason="no assertion could be carried, so that the spec measures the answers' length",
                remedy="put scorers of your own under 'scorers'",
            )
        )


def _led(provider: Provider, source: Json) -> Json:
    """The prompt after the messages that the provider puts before it."""
    if not provider.lead:
        return source
    if isinstance(source, str):
        return [*provider.lead, {"role": "user", "content": source}]
    said = [{"role": role, "content": content} for role, content in mapping_of(source).items()]
    return [*provider.lead, *(list_of(source) or said)]


def _ask_inputs(draft: Draft, models: Sequence[str]) -> None:
    """Variants where no prompt could be carried: the inputs themselves are asked."""
    names = [name for name in draft.rows[0].inputs if name.isidentifier()]
    add_models(draft, models, {"": "\n\n".join(f"{{{{ {name} }}}}" for name in names) or "(no prompt was carried)"})
    draft.more.append(
        Left(place="(prompts)", reason="no prompt could be carried", remedy="write yours into the spec's variants")
    )


def _that_fill(prompts: Sequence[Prompt], draft: Draft) -> list[Prompt]:
    """The prompts that can be filled from the rows.

    A variable that a prompt names and a test lacks is empty text, as Nunjucks has it; ours would refuse the row.
    """
    wanted = {name for prompt in prompts for name in prompt.variables}
    filled: dict[str, int] = {}
    for row in draft.rows:
        for name in sorted(name for name in wanted if row.inputs.get(name) is None):
            row.inputs[name] = ""
            filled[name] = filled.get(name, 0) + 1
    for name, count in filled.items():
        draft.guesses.append(f"{name!r} has no value in {count} tests, and is empty text there, as in promptfoo.")
    kept: list[Prompt] = []
    for prompt in prompts:
        try:
            if draft.rows:
                PromptTemplate.parse(prompt.source).render(draft.rows[0].inputs)
        except TemplateError as error:
            prompt.node.leave(f"the prompt cannot be carried: {error}", "write it in Jinja's syntax")
        else:
            kept.append(prompt)
    return kept


def _labels(prompts: Sequence[Prompt]) -> list[str]:
    found: list[str] = []
    for number, prompt in enumerate(prompts, start=1):
        label = prompt.label or f"prompt-{number}"
        found.append(label if label not in found else f"{label} ({number})")
    return found


def _names(providers: Sequence[Provider]) -> list[str]:
    found: list[str] = []
    for number, provider in enumerate(providers, start=1):
        model = provider.keys.get("model")
        name = provider.label or (model if isinstance(model, str) else provider.id)
        found.append(name if name not in found else f"{name} ({number})")
    return found
