"""Programs under test, as processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SEGMENT_SPANS = 400


class Server:
    """A process that says its port on its first line. Killed, if need be, at the end of the `with` block."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.port = int(line) if line else 0
        self.error = "" if line else self._rest()

    def _rest(self) -> str:
        return self.process.communicate(timeout=30)[1]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.error = self._rest()

    def stop(self, *, seconds: float = 20) -> int:
        """Asks it to stop (SIGTERM), and gives back what it left with."""
        self.process.send_signal(signal.SIGTERM)
        self.error = self.process.communicate(timeout=seconds)[1]
        return self.process.returncode

    def memory_kb(self) -> int:
        """Resident, of the process now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def store_server(
    home: Path, environment: dict[str, str] | None = None, *, synchronous: str = "", segment_spans: int = SEGMENT_SPANS
) -> Server:
    program = [sys.executable, str(HERE / "store_server.py"), str(home), str(segment_spans)]
    return Server([*program, *([synchronous] if synchronous else [])], environment)
