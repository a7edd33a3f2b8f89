"""Commands over records ask the server at BOXSCORE_URL, and say the same as beside its folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import boxscore
from boxscore.cli import main
from serving import Server, start

Said = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("commands") / "home"
    home.mkdir()
    rows = [{"id": str(n), "inputs": {"n": n}, "reference": str(n)} for n in range(20)]
    boxscore.compare(
        dataset=rows,
        baseline=lambda n: str(n * (n % 3 > 0)),
        candidate=lambda n: {"output": str(n * (n % 4 > 0)), "usage": {"input_tokens": 1000, "output_tokens": 100}},
        scorers=["exact"],
        home=home,
    )
    server = start(home)
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def said(filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command says: `there` asks the server from elsewhere, else it reads the folder."""

    def run(*arguments: str, there: bool) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("BOXSCORE_URL", filled.url if there else "")
        monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path / "none" if there else filled.home))
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        return int(left.value.code or 0), capsys.readouterr().out

    return run


def test_a_verdict_is_listed_and_shown(said: Said, tmp_path: Path) -> None:
    [verdict] = json.loads(said("show", "--json", there=True)[1])
    id = verdict["id"]

    assert said("show", "--json", there=True) == said("show", "--json", there=False)
    assert said("show", there=True)[1].split()[:4] == said("show", there=False)[1].split()[:4]
    assert said("show", id, there=True) == said("show", id, there=False)
    assert said("show", id, "--json", there=True) == said("show", id, "--json", there=False)
    assert said("show", id, "--report", "there.html", there=True)[0] == 0
    assert said("show", id, "--report", "here.html", there=False)[0] == 0
    assert (tmp_path / "there.html").read_text() == (tmp_path / "here.html").read_text()


@pytest.mark.parametrize("outcome", ["--worse", "--better", "--tied", "--errors"])
def test_answers_side_by_side(said: Said, outcome: str) -> None:
    id = json.loads(said("show", "--json", there=True)[1])[0]["id"]
    there, here = said("show", id, outcome, there=True), said("show", id, outcome, there=False)

    assert there[0] == here[0] == 0
    assert marked(there[1]) == marked(here[1])
    assert len(json.loads(said("show", id, outcome, "--json", there=True)[1])) == len(
        json.loads(said("show", id, outcome, "--json", there=False)[1])
    )


def marked(text: str) -> list[str]:
    """The examples that are shown, or the sentence that there are none."""
    return [line for line in text.splitlines() if line.startswith(("──", "No "))]


def test_a_run_is_priced_again(said: Said, filled: Server) -> None:
    runs = {run["variant"]["name"]: run["id"] for run in filled.ask("/api/v1/runs").json["items"]}
    asked = ["prices", "gpt-4o", "--run", runs["candidate"], "--at", "2026-01-01"]
    there, here = said(*asked, there=True), said(*asked, there=False)

    assert there == here
    assert "gpt-4o" in there[1]
    assert said("prices", "--run", "none", there=True)[0] == said("prices", "--run", "none", there=False)[0] == 2
