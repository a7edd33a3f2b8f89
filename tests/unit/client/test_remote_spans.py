"""Where questions go, and what they are told when nobody answers."""

import os
import socket
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.client.call import written
from boxscore.client.place import Place, find_place, remove_place, write_place
from boxscore.client.spans import RemoteSpans, open_spans
from boxscore.errors import OperationError, SpecError
from boxscore.settings import Settings
from boxscore.store.spans import Condition, SqliteSpans, parse_condition

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: text == text.strip())
CONDITIONS = (
    st.builds(Condition, st.sampled_from(["model", "user", "session"]), st.sampled_from(["=", "!="]), WORDS | st.none())
    | st.builds(Condition, st.just("cost_usd"), st.sampled_from(["<", ">="]), st.decimals(-9, 9, places=12))
    | st.builds(Condition, st.just("duration_ns"), st.sampled_from(["<=", ">"]), st.integers(-(2**62), 2**62))
    | st.builds(Condition, st.just("error"), st.just("="), st.booleans())
    | st.builds(Condition, st.just("metadata.tier"), st.just("!="), WORDS)
)


@given(CONDITIONS)
def test_a_condition_is_written_as_it_is_read(condition: Condition) -> None:
    assert parse_condition(written(condition)) == condition


def test_money_is_written_without_an_exponent() -> None:
    assert written(Condition("cost_usd", ">", Decimal("1E-9"))) == "cost_usd>0.000000001"


def test_a_folder_without_a_server_is_opened_itself(tmp_path: Path) -> None:
    with SqliteSpans(tmp_path):
        pass
    reader = open_spans(Settings(home=tmp_path))

    assert isinstance(reader, SqliteSpans)
    reader.close()


def test_a_server_of_the_folder_is_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        write_place(tmp_path, Place(url=url, pid=os.getpid()))
        reader = open_spans(Settings(home=tmp_path))

    assert isinstance(reader, RemoteSpans)
    assert reader.url == url
    reader.close()


def test_what_a_killed_server_left_is_not_taken_for_one_whose_number_another_process_has(
    tmp_path: Path, unused_port: int
) -> None:
    write_place(tmp_path, Place(url=f"http://127.0.0.1:{unused_port}", pid=os.getpid()))
    reader = open_spans(Settings(home=tmp_path))

    assert isinstance(reader, SqliteSpans)
    reader.close()


def test_an_address_that_is_set_is_asked_first(tmp_path: Path) -> None:
    reader = open_spans(Settings(home=tmp_path, url="http://elsewhere.example:1/"))

    assert isinstance(reader, RemoteSpans)
    assert reader.url == "http://elsewhere.example:1"
    reader.close()


@pytest.mark.parametrize(
    "content", ["", "{", '{"url": "http://127.0.0.1:1"}', '{"url": "http://127.0.0.1:1", "pid": 999999999}']
)
def test_what_a_killed_server_left_is_no_server(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)

    assert find_place(tmp_path) is None


def test_a_server_removes_its_own_place_alone(tmp_path: Path) -> None:
    write_place(tmp_path, Place(url="http://127.0.0.1:1", pid=os.getppid()))
    remove_place(tmp_path)
    assert find_place(tmp_path) is not None

    write_place(tmp_path, Place(url="http://127.0.0.1:1", pid=os.getpid()))
    remove_place(tmp_path)
    assert find_place(tmp_path) is None


def test_nobody_at_the_address_is_said(unused_port: int) -> None:
    with (
        RemoteSpans(f"http://127.0.0.1:{unused_port}") as reader,
        pytest.raises(OperationError, match="does not answer"),
    ):
        reader.counts("default")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match="BOXSCORE_URL"):
        RemoteSpans("localhost")


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
