"""A checkpoint on disk: a safetensors file, its hash, and the tokenizer that belongs to it.

Format: https://github.com/huggingface/safetensors (eight bytes of header length, a JSON header, raw little-endian
arrays). Reading it runs no code. The file's SHA-256 is the checkpoint's identity; the header carries the sizes of the
network and the hash of its tokenizer, so the identity covers both.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from boxscore.errors import FileError, UnknownNameError
from boxscore.models.tiny.tokenizer import Tokenizer

__all__ = ["WEIGHTS", "Checkpoint", "Manifest", "checkpoint", "manifest", "read_checkpoint"]

WEIGHTS = Path(__file__).parent / "weights"
_DTYPES = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


class Manifest(msgspec.Struct, frozen=True):
    """What ships: `tokenizer` is a file name, `checkpoints` maps a model's name to the SHA-256 of its file."""

    tokenizer: str
    checkpoints: dict[str, str]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint in memory. `tensors` are float32; `sha256` is of the file; sizes are of the network."""

    name: str
    sha256: str
    tokenizer: Tokenizer
    tensors: dict[str, NDArray[np.float32]]
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    inner: int
    context: int

    @property
    def parameters(self) -> int:
        return sum(tensor.size for tensor in self.tensors.values())


class _Tensor(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


@cache
def manifest(folder: Path = WEIGHTS) -> Manifest:
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise FileError(folder / "manifest.json", f"cannot be read ({error}); install boxscore again.") from error


@cache
def checkpoint(name: str, folder: Path = WEIGHTS) -> Checkpoint:
    """The checkpoint that ships under `name`, read once. Raises UnknownNameError, or FileError when it is damaged."""
    known = manifest(folder)
    if name not in known.checkpoints:
        raise UnknownNameError("tiny model", name, known.checkpoints)
    tokenizer_path = folder / known.tokenizer
    try:
        tokenizer = Tokenizer.from_json(tokenizer_path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(tokenizer_path, f"is no tokenizer ({error}); install boxscore again.") from error
    return read_checkpoint(folder / f"{name}.safetensors", tokenizer, sha256=known.checkpoints[name])


def read_checkpoint(path: Path, tokenizer: Tokenizer, *, sha256: str | None = None) -> Checkpoint:
    """Read a checkpoint file, whose SHA-256 must be `sha256` when that is given. Raises FileError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(
            path, f"the model's weights cannot be read ({error.strerror}); install boxscore again."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise FileError(
            path,
            f"the model's weights are damaged or changed: SHA-256 is {found[:16]}…, expected {sha256[:16]}…. "
            "Nothing was loaded; install boxscore again.",
        )
    try:
        return _parse(data, found, tokenizer)
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(path, f"is no checkpoint of this model ({error}).") from error


def _parse(data: bytes, sha256: str, tokenizer: Tokenizer) -> Checkpoint:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise ValueError("the header runs past the end of the file")
    header = cast("dict[str, object]", json.loads(data[8 : 8 + length]))
    about = msgspec.convert(header.pop("__metadata__"), dict[str, str])
    if about["tokenizer"] != tokenizer.sha256:
        raise ValueError("it was trained with another tokenizer")
    body = memoryview(data)[8 + length :]
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, entry in header.items():
        tensor = msgspec.convert(entry, _Tensor)
        start, end = tensor.data_offsets
        if not 0 <= start <= end <= len(body):
            raise ValueError(f"tensor {name} runs past the end of the file")
        stored = np.frombuffer(body[start:end], dtype=_DTYPES[tensor.dtype]).reshape(tensor.shape)
        tensors[name] = stored.astype(np.float32)
    return Checkpoint(
        name=about["name"],
        sha256=sha256,
        tokenizer=tokenizer,
        tensors=tensors,
        vocabulary=int(about["vocabulary"]),
        hidden=int(about["hidden"]),
        layers=int(about["layers"]),
        heads=int(about["heads"]),
        inner=int(about["inner"]),
        context=int(about["context"]),
    )
