"""The server's log on standard error: what happened, never what was in a request."""

import logging
import sys
import time
import traceback
from typing import Literal, TypeAlias

import msgspec

__all__ = ["LogFormat", "log", "log_to_stderr"]

LogFormat: TypeAlias = Literal["text", "json"]

log = logging.getLogger("boxscore")


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"{_time(record)} {level}{record.getMessage()}{_fault(record)}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["fault"] = _fault(record).strip()
        return msgspec.json.encode(line).decode()


def log_to_stderr(format: LogFormat) -> None:
    """Sends the log of this process, and what libraries warn of, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what our application raises is in our log already
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


def _fault(record: logging.LogRecord) -> str:
    """An exception's type and the lines that it came by. Not its text, which may quote a request."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return f" {type(error).__name__} at " + " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
