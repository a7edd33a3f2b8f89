"""Running a shell command as a provider: text in, text out, nothing left behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from boxscore.errors import ProviderError
from boxscore.providers.secrets import mask

_TAIL = 2_000
_BURIAL_S = 5.0
_POSIX = os.name == "posix"


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    stdout: str
    stderr: str


async def run_command(
    command: str | Sequence[str], stdin: bytes, *, cwd: Path, timeout_s: float, output_bytes: int, name: str
) -> Finished:
    """Runs a shell string, or an argument list without a shell, with `stdin`, and gives back what it printed.

    Longer than `timeout_s` seconds, more than `output_bytes`, or an exit status other than 0 is a `ProviderError`; the
    command with all its children is killed before it is raised, and when the caller is cancelled.
    """
    arguments = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=cwd,
            env=dict(os.environ),  # and nothing that was put beside it for our own libraries
            start_new_session=_POSIX,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise ProviderError("connect", f"it could not be started: {error}", provider=name) from error
    try:
        async with asyncio.timeout(timeout_s):
            stdout, stderr = await _talk(process, stdin, output_bytes, name)
            status = await process.wait()
    except TimeoutError as error:
        raise ProviderError(
            "timeout", f"it was killed after {timeout_s:g} s; raise timeout_s if it needs longer.", provider=name
        ) from error
    finally:
        await _kill(process)
    said = mask(stderr.decode("utf-8", "replace"))
    if status != 0:
        how = f"it was ended by signal {-status}" if status < 0 else f"it left with exit status {status}"
        tail = said[-_TAIL:].strip()
        raise ProviderError("server", f"{how}: {tail}" if tail else f"{how} and said nothing.", provider=name)
    return Finished(stdout=stdout.decode("utf-8", "replace"), stderr=said[-_TAIL:])


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, limit: int, name: str) -> tuple[bytes, bytes]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("a command without pipes")

    async def feed(to: asyncio.StreamWriter) -> None:
        # A command that answers without reading its input closes the pipe; that is its right.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            to.write(stdin)
            await to.drain()
        to.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await to.wait_closed()

    async def collect(stream: asyncio.StreamReader) -> bytes:
        parts = bytearray()
        while part := await stream.read(65_536):
            parts += part
            if len(parts) > limit:
                raise ProviderError("bad_answer", f"it printed more than {limit} bytes.", provider=name)
        return bytes(parts)

    async def keep_end(stream: asyncio.StreamReader) -> bytes:
        end = b""
        while part := await stream.read(65_536):
            end = (end + part)[-4 * _TAIL :]
        return end

    tasks = (
        asyncio.ensure_future(collect(process.stdout)),
        asyncio.ensure_future(keep_end(process.stderr)),
        asyncio.ensure_future(feed(process.stdin)),
    )
    try:
        stdout, stderr, _ = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return stdout, stderr


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Ends the process and its children, also those that outlive it; then waits until the kernel has buried it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if _POSIX:
            os.killpg(process.pid, signal.SIGKILL)  # its own session, so its id is its group's
        else:  # pragma: no cover
            process.kill()
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    # asyncio sees the end of a process only after the ends of its pipes, and a pipe that is full is not read by itself.
    # A child that left the group may still hold one open: it is not waited for.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_BURIAL_S):
            await asyncio.gather(*(_drain(stream) for stream in streams))
            await process.wait()


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
