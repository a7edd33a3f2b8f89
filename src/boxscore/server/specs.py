"""Specs are worked out in a process of its own: a prompt is a program of others, and one that takes all the memory that
there is ends that process, not the server.

The renderer of prompts counts their steps, and nothing counts their bytes: a few steps can double a text forty times.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import msgspec

from boxscore.client.call import error_of
from boxscore.errors import BoxscoreError, SpecError, TimeLimitError
from boxscore.experiments.jobs import Estimate
from boxscore.experiments.jobs_spec import Asked
from boxscore.server.errors import error_body
from boxscore.server.logs import log

__all__ = ["MEMORY_BYTES", "Specs"]

MEMORY_BYTES = 2 * 1024**3
LIMIT_S = 9.0
"""Less than a question may take."""
_FAULT, _REFUSED = 1, 3
"""Exit statuses: a traceback of Python, an error as JSON. With any other it was ended."""
_NICE = 5
_TOO_LARGE = (
    f"is refused: working it out took more than {MEMORY_BYTES // 1024**3} GB of memory. Are its prompts, its rows or "
    "its repeats too large?"
)
What: TypeAlias = Literal["check", "estimate"]
Found = TypeVar("Found")


class _Question(msgspec.Struct, frozen=True):
    what: What
    project: str
    asked: Asked


class Specs:
    """What specs say of the records in `home`, or at `records_url`. For threads; raises as `boxscore.experiments.jobs`,
    `SpecError` for one that takes too much memory, `TimeLimitError` too much time."""

    def __init__(self, home: Path, records_url: str | None) -> None:
        more = {"BOXSCORE_HOME": str(home), "OPENBLAS_NUM_THREADS": "1", "RUST_BACKTRACE": "0"}
        if records_url is not None:
            more["BOXSCORE_RECORDS_URL"] = records_url
        self._environment = {**os.environ, **more}

    def checked(self, asked: Asked, project: str) -> Asked:
        return self._ask("check", asked, project, Asked)

    def estimate(self, asked: Asked, project: str) -> Estimate:
        return self._ask("estimate", asked, project, Estimate)

    def _ask(self, what: What, asked: Asked, project: str, kind: type[Found]) -> Found:
        try:
            done = subprocess.run(
                (sys.executable, "-m", "boxscore.server.specs"),
                input=msgspec.json.encode(_Question(what, project, asked)),
                capture_output=True,
                timeout=LIMIT_S,
                check=False,
                env=self._environment,
            )
        except subprocess.TimeoutExpired:
            raise TimeLimitError(
                f"the spec took longer than {LIMIT_S:g} s to be checked: nothing was asked of anybody.", limit_s=LIMIT_S
            ) from None
        if done.returncode == 0:
            return msgspec.json.decode(done.stdout, type=kind)
        if done.returncode == _REFUSED:
            raise error_of(done.stdout)
        if done.returncode == _FAULT:
            raise RuntimeError(f"a spec could not be checked: {done.stderr.decode(errors='replace')[-4000:]}")
        log.warning("a spec took too much memory: the process that checked it ended with %d", done.returncode)
        raise SpecError(_TOO_LARGE, key="spec")


def _answer(question: _Question) -> bytes:
    from boxscore import settings
    from boxscore.experiments.jobs import checked, estimate
    from boxscore.store.records import Records

    chosen = settings.load()
    work = checked if question.what == "check" else estimate
    with Records.open(settings.home(chosen), chosen.records_url, project=question.project) as records:
        return msgspec.json.encode(work(question.asked, records))


def _confine() -> None:
    os.nice(_NICE)
    try:
        import resource
    except ImportError:  # Windows, which has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> int:
    _confine()
    try:
        out = _answer(msgspec.json.decode(sys.stdin.buffer.read(), type=_Question))
    except BoxscoreError as error:
        sys.stdout.buffer.write(error_body(error))
        return _REFUSED
    except MemoryError:
        sys.stdout.buffer.write(error_body(SpecError(_TOO_LARGE, key="spec")))
        return _REFUSED
    sys.stdout.buffer.write(out)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
