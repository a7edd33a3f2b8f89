"""The distribution for applications, `boxscore-sdk`: built from this tree, installed alone, and beside the platform."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_PACKAGES = 10
IMPORT_MS = 100.0


def uv(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
    if not Path(command).exists():
        pytest.skip("uv is not here: it builds and installs the distribution")
    return subprocess.run(
        [command, *map(str, arguments)], capture_output=True, text=True, timeout=240, check=False, cwd=ROOT
    )


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the distribution in it; skipped where no package index is reached."""
    folder = tmp_path_factory.mktemp("sdk")
    tools, python = folder / "tools" / "bin" / "python", folder / "application" / "bin" / "python"
    for environment in (tools, python):
        assert uv("venv", "--python", sys.executable, environment.parent.parent).returncode == 0
    got = uv("pip", "install", "--python", tools, "hatchling")
    if got.returncode != 0:
        pytest.skip(f"no package index can be reached: {got.stderr.strip().splitlines()[-1]}")
    build = ["build", "--wheel", "--no-build-isolation", "--python", tools, "--out-dir", folder]
    for source in (ROOT / "packaging" / "sdk", ROOT):
        built = uv(*build, source)
        assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("boxscore_sdk-*.whl")
    installed = uv("pip", "install", "--python", python, wheel)
    assert installed.returncode == 0, installed.stderr
    return python


def run(python: Path, code: str, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BOXSCORE_", "PYTHON"))}
    done = subprocess.run(
        [str(python), "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=environment | {"BOXSCORE_HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FIRST_TRACE = """
import http.server, threading

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

bodies = []
server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()

import boxscore
boxscore.init(f"http://127.0.0.1:{server.server_address[1]}")
assert boxscore.trace(str.upper)("why") == "WHY"
assert boxscore.flush()
assert b"WHY" in bodies[0]
"""


def test_it_is_at_most_ten_packages_and_traces(application: Path, tmp_path: Path) -> None:
    listed = uv("pip", "list", "--python", application, "--format", "json")
    packages = [row["name"] for row in json.loads(listed.stdout)]

    assert "boxscore-sdk" in packages
    assert len(packages) <= MOST_PACKAGES, packages
    run(application, FIRST_TRACE, tmp_path)


def test_it_says_where_the_rest_is(application: Path, tmp_path: Path) -> None:
    code = "import boxscore\ntry: boxscore.compare\nexcept AttributeError as error: print(error)"

    assert "pip install boxscore" in run(application, code, tmp_path)


def test_importing_it_is_quick_and_loads_no_opentelemetry(application: Path, tmp_path: Path) -> None:
    code = (
        "import time; began = time.process_time(); import boxscore; took = time.process_time() - began\n"
        "import sys; print(took * 1e3, 'opentelemetry' in sys.modules, 'msgspec' in sys.modules)"
    )
    run(application, code, tmp_path)  # so that bytecode is there

    took, *loaded = run(application, code, tmp_path).split()

    assert float(took) < IMPORT_MS
    assert loaded == ["False", "False"]


def test_beside_the_platform_of_the_same_version_both_work(application: Path, tmp_path: Path) -> None:
    folder = application.parent.parent.parent
    (platform,) = folder.glob("boxscore-*.whl")

    installed = uv("pip", "install", "--python", application, "--no-deps", platform)

    assert installed.returncode == 0, installed.stderr
    run(application, FIRST_TRACE, tmp_path)
    run(application, "import boxscore; boxscore.Dataset", tmp_path)
    for package in ("boxscore-sdk", "boxscore"):  # and whichever goes takes what they share: install the other again
        assert uv("pip", "uninstall", "--python", application, package).returncode == 0
