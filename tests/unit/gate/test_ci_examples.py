"""The CI files: their commands exist, their scripts run, and what comes from outside never becomes a script."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from boxscore import cli
from boxscore.experiments.report.markdown import MARKER
from doc_examples import ROOT

ACTION, GITHUB, GITLAB = ROOT / "action.yml", ROOT / "examples/ci/github.yml", ROOT / "examples/ci/gitlab-ci.yml"
PAGE = ROOT / "docs" / "how-to" / "use-in-ci.md"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def scripts(node: Any) -> Iterator[str]:
    """Every shell script of a CI file."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("script", "after_script", "run"):
                yield "\n".join(value) if isinstance(value, list) else value
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for item in node:
            yield from scripts(item)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every `boxscore …` of the CI files and of the page about them, in words."""
    texts = [(path.name, script) for path in (ACTION, GITHUB, GITLAB) for script in scripts(load(path))]
    texts += [
        (PAGE.name, block)
        for block in re.findall(r"^```(?:yaml|bash|sh|text)\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    ]
    for name, text in texts:
        joined = re.sub(r"\\\n\s*", " ", text)
        for found in re.findall(r"^[\s-]*(?:run:\s*)?(boxscore \w.*)$", joined, re.M):
            yield name, shlex.split(found.partition("||")[0].partition(" > ")[0], comments=True)


def test_every_option_of_a_ci_file_exists() -> None:
    seen: set[str] = set()
    for name, words in commands():
        command = cli.cli.get_command(click.Context(cli.cli), words[1])
        assert command is not None, f"{name}: {words}"
        known = {option for param in command.params for option in param.opts}
        unknown = [word for word in words if word.startswith("--") and word not in known]
        assert unknown == [], f"{name}: {words}"
        seen.update(name for _ in words)

    assert seen == {"action.yml", "github.yml", "gitlab-ci.yml", "use-in-ci.md"}


def test_the_workflow_asks_the_action_for_what_it_has_and_the_command_takes_its_options() -> None:
    (used,) = (step for step in load(GITHUB)["jobs"]["gate"]["steps"] if "boxscore" in step.get("uses", ""))
    compare = cli.cli.get_command(click.Context(cli.cli), "compare")
    assert compare is not None
    known = {option for param in compare.params for option in param.opts}

    assert set(used["with"]) <= set(load(ACTION)["inputs"])
    assert {word for word in used["with"]["options"].split() if word.startswith("--")} <= known


@pytest.mark.parametrize("path", [ACTION, GITHUB, GITLAB])
def test_scripts_parse_and_take_nothing_from_outside_but_by_the_environment(path: Path) -> None:
    found = list(scripts(load(path)))

    assert found
    for script in found:
        assert "${{" not in script, "an expression in a script is run as a part of it"
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0, script


def test_the_workflow_may_write_a_comment_and_nothing_else() -> None:
    workflow = load(GITHUB)

    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "pull_request_target" not in workflow[True]
    assert workflow["jobs"]["gate"]["steps"][0]["with"] == {"persist-credentials": False}


# The action's steps, run as a runner would


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """An environment with a `boxscore` and a `gh` that write down what they were called with."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not here")
    stubs = tmp_path / "bin"
    stubs.mkdir()
    for name, body in {
        "boxscore": 'printf "%s\\n" "$@" > called\nif [ -n "$SAYS" ]; then\n'
        'while [ $# -gt 0 ]; do [ "$1" = --markdown ] && printf "%s\\n" "$SAYS" > "$2"; shift; done\n'
        'fi\nexit "$LEAVES"\n',
        "gh": 'case "$*" in *--paginate*) cat comments.json ;; *) printf "%s\\n" "$*" > sent ;; esac\n',
    }.items():
        (stubs / name).write_text(f"#!/bin/bash\n{body}")
        (stubs / name).chmod(0o755)
    return {
        "PATH": f"{stubs}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_SHA": "abc",
        "GITHUB_REPOSITORY": "team/app",
        "SPEC": "a b.yaml",
        "OPTIONS": "--spend-cap 2 --guard *=$(touch$IFS/tmp/no)",
        "NAME": "gate",
        "LEAVES": "0",
        "SAYS": MARKER,
    }


def step(name: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (found,) = (step for step in load(ACTION)["runs"]["steps"] if step["name"] == name)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", found["run"]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_action_compares_with_its_options_as_they_stand(tmp_path: Path, runner: dict[str, str]) -> None:
    ran = step("Compare", tmp_path, runner)

    assert ran.returncode == 0, ran.stderr
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:6] == ["compare", "a b.yaml", "--spend-cap", "2", "--guard", "*=$(touch$IFS/tmp/no)"]
    assert (tmp_path / "summary").read_text() == MARKER + "\n"
    assert "exit-code=0\n" in (tmp_path / "output").read_text()


def test_a_comparison_that_could_not_be_made_says_so_in_place_of_an_old_verdict(
    tmp_path: Path, runner: dict[str, str]
) -> None:
    ran = step("Compare", tmp_path, {**runner, "LEAVES": "4", "SAYS": ""})

    assert ran.returncode == 0, "the comment comes first, the step Decide fails the job"
    assert "exit-code=4\n" in (tmp_path / "output").read_text()
    assert (tmp_path / "summary").read_text().startswith("<b>NO VERDICT</b> on abc")


@pytest.mark.parametrize(
    ("comments", "sent"),
    [
        ([], "repos/team/app/issues/7/comments --field"),
        ([{"id": 1, "user": {"type": "User"}, "body": "<!-- boxscore gate -->"}], "repos/team/app/issues/7/comments"),
        ([{"id": 2, "user": {"type": "Bot"}, "body": "<!-- boxscore other -->"}], "repos/team/app/issues/7/comments"),
        (
            [
                {"id": 3, "user": {"type": "Bot"}, "body": "hello"},
                {"id": 4, "user": {"type": "Bot"}, "body": "<!-- boxscore gate -->\nx"},
            ],
            "--method PATCH repos/team/app/issues/comments/4",
        ),
    ],
)
def test_the_action_writes_over_its_own_comment_and_no_other(
    comments: list[dict[str, object]], sent: str, tmp_path: Path, runner: dict[str, str]
) -> None:
    (tmp_path / "comments.json").write_text(json.dumps(comments))
    (tmp_path / "box-score.md").write_text("the box score\n")
    ran = step(
        "Comment", tmp_path, {**runner, "FOLDER": str(tmp_path), "NUMBER": "7", "MARKER": "<!-- boxscore gate -->"}
    )

    assert ran.returncode == 0, ran.stderr
    assert sent in (tmp_path / "sent").read_text()
    assert (tmp_path / "comment.md").read_text() == "<!-- boxscore gate -->\nthe box score\n"


@pytest.mark.parametrize(
    ("code", "undecided", "leaves"),
    [("0", "fail", 0), ("1", "pass", 1), ("3", "fail", 3), ("3", "pass", 0), ("4", "pass", 4)],
)
def test_the_action_leaves_as_the_verdict_does(
    code: str, undecided: str, leaves: int, tmp_path: Path, runner: dict[str, str]
) -> None:
    assert step("Decide", tmp_path, {**runner, "CODE": code, "UNDECIDED": undecided}).returncode == leaves


def test_gitlab_finds_its_note_by_the_marker_of_the_comment() -> None:
    assert f'startswith("{MARKER}")' in "".join(scripts(load(GITLAB)))
    assert load(GITLAB)["boxscore"]["allow_failure"] == {"exit_codes": [3]}
