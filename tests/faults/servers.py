"""Programs under test, as processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent.parent
SEGMENT_SPANS = 400


class Server:
    """A process that takes OTLP on `port`; None where it did not start, and `error` says why. Killed, if need be, at
    the end of the `with` block."""

    def __init__(self, command: list[str], home: Path, environment: dict[str, str] | None, *, seconds: float) -> None:
        self._place = home / "server.json"
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=self._said, env=(environment or dict(os.environ))
        )
        self.port = self._find_port(time.monotonic() + seconds)

    def _find_port(self, end: float) -> int | None:
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                place = json.loads(self._place.read_text())
                if place["pid"] == self.process.pid:
                    return int(place["url"].rpartition(":")[2])
            time.sleep(0.01)
        return None

    @property
    def error(self) -> str:
        self._said.seek(0)
        return self._said.read()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, *, seconds: float = 30) -> int:
        """Asks it to stop (SIGTERM), and gives back what it left with."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def memory_mb(self) -> float:
        """Resident, of the process now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """CPU that the process has used."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._said.close()


def program(name: str) -> list[str]:
    """The command of one of our own, for an environment `with_tests`."""
    return [sys.executable, "-m", f"faults.{name}"]


def with_tests(environment: dict[str, str] | None) -> dict[str, str]:
    environment = environment or dict(os.environ)
    paths = [str(TESTS), *filter(None, [environment.get("PYTHONPATH")])]
    return environment | {"PYTHONPATH": os.pathsep.join(paths)}


def serve(home: Path, environment: dict[str, str] | None = None, *, seconds: float = 60) -> Server:
    """`boxscore serve` on a folder, on ports that are free."""
    command = [sys.executable, "-m", "boxscore", "serve", "--port", "0", "--otlp-port", "0", "--grpc-port", "0"]
    return Server(command, home, (environment or dict(os.environ)) | {"BOXSCORE_HOME": str(home)}, seconds=seconds)


def store_server(
    home: Path,
    environment: dict[str, str] | None = None,
    *,
    synchronous: str = "",
    segment_spans: int = SEGMENT_SPANS,
    seconds: float = 60,
) -> Server:
    command = [*program("store_server"), str(home), str(segment_spans), *([synchronous] if synchronous else [])]
    return Server(command, home, with_tests(environment), seconds=seconds)
