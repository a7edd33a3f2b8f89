"""One file is written whole or not at all, and what fails leaves nothing behind."""

import os
from pathlib import Path

import pytest

from boxscore.writing import write_whole


@pytest.mark.parametrize("action", ["write_text", "replace"])
def test_what_was_there_stays_when_a_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    path = tmp_path / "box-score.md"
    path.write_text("before")

    def fail(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, action, fail)
        with pytest.raises(OSError, match="No space"):
            write_whole(path, "after")

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("box-score.md", "before")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_device_or_pipe_is_written_to_and_stays_what_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_whole(pipe, "report")

    assert pipe.is_fifo()
    assert os.read(reader, 100) == b"report"
    os.close(reader)
