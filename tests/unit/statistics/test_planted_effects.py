"""The short form of benchmarks/verdict.py: planted effects come out as planted."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "verdict.py"


def test_planted_effects_keep_their_bounds():
    done = subprocess.run([sys.executable, BENCHMARK, "--quick"], capture_output=True, text=True, check=False)

    assert (done.stderr, done.returncode) == ("", 0)
    assert "**" not in done.stdout
