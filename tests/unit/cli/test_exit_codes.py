"""Exit codes: 1 means reject, and nothing else does."""

import os
import subprocess
import sys


def test_a_reader_that_has_enough_is_no_reject() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "boxscore", "models"], stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)

    assert (ran.returncode, ran.stderr) == (141, b"")
