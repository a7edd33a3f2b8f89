"""`boxscore demo`, as a person runs it: a verdict, then the running server with everything in it."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

LIMIT_S = 120.0


@pytest.fixture
def demo(tmp_path):
    """The command in an empty folder, and the address that it names."""
    env = os.environ | {"BOXSCORE_HOME": str(tmp_path / ".boxscore"), "BOXSCORE_NO_BROWSER": "1"}
    command = [sys.executable, "-m", "boxscore", "demo", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, _address(process)
    finally:
        process.kill()
        process.wait()


def test_the_demo_ends_in_the_running_server_with_a_box_score_its_runs_and_live_traces(demo):
    process, address = demo

    [verdict] = _items(address, "comparisons")
    assert verdict["verdict"] == "ship"
    assert len(_items(address, "runs")) == 4
    assert [dataset["name"] for dataset in _items(address, "datasets")] == ["support-tickets"]
    first = _until(lambda: _items(address, "traces"))
    assert first[0]["entry"]["application"] == "support-desk"
    assert _until(lambda: [one for one in _items(address, "traces") if one["models"] == ["tiny-1", "tiny-2"]])
    latest = first[0]["entry"]["start_ns"]
    assert _until(lambda: _items(address, "traces")[0]["entry"]["start_ns"] > latest)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out.startswith("support-tickets")
    assert "cannot be sent" not in err
    with pytest.raises(OSError, match="refused"):
        _items(address, "traces")


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/\?project=demo", line):
            return found[1]
    raise AssertionError("the demo ended without an address")


def _items(address: str, what: str) -> list[dict[str, Any]]:
    with contextlib.closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)) as connection:
        connection.request("GET", f"/api/v1/{what}?project=demo")
        return json.load(connection.getresponse())["items"]


def _until(found: Any) -> Any:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        if there := found():
            return there
        time.sleep(0.1)
    raise AssertionError("it did not come in time")
