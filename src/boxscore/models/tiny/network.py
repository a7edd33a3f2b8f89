"""The network in numpy: a small Llama (RMSNorm, rotary positions, gated MLP, tied embeddings) with a key-value cache.

Queries and keys are mixed, channel by channel, with those of a few tokens before: it lets a network this small look
up and copy.

Sources: H. Touvron et al., "LLaMA" (2023); J. Su et al., "RoFormer" (2021); N. Shazeer, "GLU Variants Improve
Transformer" (2020); C. Olsson et al., "In-context Learning and Induction Heads" (2022), whose smeared
keys are mixed with one token before. Arithmetic is float32.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxscore.models.tiny.checkpoint import Checkpoint

__all__ = ["Cache", "Network"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_EPSILON = np.float32(1e-5)
_MASKED = np.float32(-1e30)


class Cache:
    """Keys and values of the tokens read so far, for `rows` sequences of at most `capacity` tokens."""

    def __init__(self, network: "Network", rows: int, capacity: int) -> None:
        shape = (network.layers, rows, network.heads, capacity, network.width)
        self.keys: Floats = np.zeros(shape, np.float32)
        self.values: Floats = np.zeros(shape, np.float32)
        self.before: Floats = np.zeros((network.layers, rows, network.taps - 1, 2 * network.hidden), np.float32)
        """Queries and keys of the last `taps - 1` tokens, before mixing and turning, per layer."""

    def keep(self, rows: Ints) -> None:
        """Forget all sequences but those at `rows`, which move up in that order."""
        self.before = self.before[:, rows]
        self.keys = self.keys[:, rows]
        self.values = self.values[:, rows]


class Network:
    """Computes what comes next. Read-only after construction, so threads may share it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        c = checkpoint
        self.layers, self.heads, self.hidden, self.context = c.layers, c.heads, c.hidden, c.context
        self.width = c.hidden // c.heads
        self.embedding = c.tensors["embedding.weight"]
        self.unembedding: Floats = np.ascontiguousarray(self.embedding.T)
        self.norm = c.tensors["norm.weight"]
        self.taps = len(c.tensors["blocks.0.taps"])
        self.blocks = [_Block(c, layer) for layer in range(c.layers)]
        speed = 10_000.0 ** (-np.arange(0, self.width, 2) / self.width)
        turn = np.arange(c.context)[:, None] * speed
        self.cos: Floats = np.cos(turn).astype(np.float32)
        self.sin: Floats = np.sin(turn).astype(np.float32)

    def read(self, ids: Ints, lengths: Ints, cache: Cache) -> Floats:
        """Read prompts into an empty cache: `ids` (rows, length), right of `lengths` (rows) anything.

        Returns logits (rows, vocabulary) for the token after each prompt.
        """
        rows, length = ids.shape
        each = np.arange(int(rows))
        after = np.triu(np.full((length, length), _MASKED, np.float32), k=1)
        cos, sin = self.cos[:length], self.sin[:length]
        x = self.embedding[ids]
        for layer, block in enumerate(self.blocks):
            q, k, v, seen = self._look(x, cache.before[layer], block, cos, sin)
            cache.before[layer] = seen[each[:, None], lengths[:, None] + np.arange(self.taps - 1)]
            cache.keys[layer, :, :, :length] = k
            cache.values[layer, :, :, :length] = v
            mixed = _attend(q, k, v, after)
            x = _floats(x + mixed.transpose(0, 2, 1, 3).reshape(rows, length, self.hidden) @ block.out)
            x = _floats(x + _mlp(x, block))
        last = x[each, lengths - 1]
        return _norm(last, self.norm) @ self.unembedding

    def step(self, ids: Ints, at: Ints, cache: Cache) -> Floats:
        """Read one token more in each row: `ids` (rows) stand at positions `at` (rows). Returns logits."""
        rows = len(ids)
        each = np.arange(int(rows))
        seen = int(at.max()) + 1
        ahead = np.where(np.arange(seen) > at[:, None], _MASKED, np.float32(0))[:, None, None, :]
        cos, sin = self.cos[at][:, None, None, :], self.sin[at][:, None, None, :]
        x = self.embedding[ids][:, None, :]
        for layer, block in enumerate(self.blocks):
            q, k, v, before = self._look(x, cache.before[layer], block, cos, sin)
            cache.before[layer] = before[:, 1:]
            cache.keys[layer, each, :, at] = k[:, :, 0]
            cache.values[layer, each, :, at] = v[:, :, 0]
            mixed = _attend(q, cache.keys[layer, :, :, :seen], cache.values[layer, :, :, :seen], ahead)
            x = _floats(x + mixed.transpose(0, 2, 1, 3).reshape(rows, 1, self.hidden) @ block.out)
            x = _floats(x + _mlp(x, block))
        return _norm(x[:, 0], self.norm) @ self.unembedding

    def _look(
        self, x: Floats, before: Floats, block: "_Block", cos: Floats, sin: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Queries, keys and values, each (rows, heads, length, width), and what queries and keys were mixed from.

        The last is (rows, taps - 1 + length, 2 hidden): `before` and then the tokens of `x`.
        """
        rows, length, _ = x.shape
        qkv = _norm(x, block.attention_norm) @ block.qkv
        cut = 2 * self.hidden
        seen: Floats = np.concatenate((before, qkv[..., :cut]), axis=1)
        mixed = block.taps[0] * seen[:, self.taps - 1 :]
        for back in range(1, self.taps):
            first = self.taps - 1 - back
            mixed += block.taps[back] * seen[:, first : first + length]
        q, k = mixed.reshape(rows, length, 2, self.heads, self.width).transpose(2, 0, 3, 1, 4)
        v = qkv[..., cut:].reshape(rows, length, self.heads, self.width).transpose(0, 2, 1, 3)
        return _rotate(q, cos, sin), _rotate(k, cos, sin), v, seen


class _Block:
    """One layer's weights, laid so that rows of activations multiply them from the left."""

    def __init__(self, c: Checkpoint, layer: int) -> None:
        def matrix(name: str) -> Floats:
            return np.ascontiguousarray(c.tensors[f"blocks.{layer}.{name}.weight"].T)

        self.taps = c.tensors[f"blocks.{layer}.taps"]
        self.attention_norm = c.tensors[f"blocks.{layer}.attention_norm.weight"]
        self.mlp_norm = c.tensors[f"blocks.{layer}.mlp_norm.weight"]
        self.qkv, self.out, self.gate_up, self.down = map(matrix, ("qkv", "out", "gate_up", "down"))


def _floats(x: NDArray[np.floating[Any]]) -> Floats:
    """The array as float32, itself where it is one already: numpy's types widen where its values do not."""
    return x.astype(np.float32, copy=False)


def _norm(x: Floats, weight: Floats) -> Floats:
    scale = 1 / np.sqrt(np.einsum("...i,...i->...", x, x)[..., None] / np.float32(x.shape[-1]) + _EPSILON)
    return _floats(x * scale * weight)


def _rotate(x: Floats, cos: Floats, sin: Floats) -> Floats:
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return _floats(np.concatenate((first * cos - second * sin, second * cos + first * sin), axis=-1))


def _attend(q: Floats, k: Floats, v: Floats, mask: Floats) -> Floats:
    scores = q @ k.swapaxes(-1, -2) * np.float32(q.shape[-1] ** -0.5) + mask
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _floats((scores / scores.sum(axis=-1, keepdims=True)) @ v)


def _mlp(x: Floats, block: _Block) -> Floats:
    gate, up = np.split(_norm(x, block.mlp_norm) @ block.gate_up, 2, axis=-1)
    return _floats((gate * up / (1 + np.exp(-gate))) @ block.down)
