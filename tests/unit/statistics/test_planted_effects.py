"""The short form of benchmarks/verdict.py: planted effects come out as planted."""

import importlib.util
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "verdict.py"


def test_planted_effects_keep_their_bounds():
    spec = importlib.util.spec_from_file_location("benchmark_verdict", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = benchmark
    spec.loader.exec_module(benchmark)

    assert benchmark.measure(quick=True).broken == []
