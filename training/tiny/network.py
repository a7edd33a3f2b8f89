"""The network in torch, for training: a small Llama (RMSNorm, rotary positions, gated MLP, tied embeddings).

One thing is added: queries and keys are mixed, channel by channel, with those of a few tokens before, so that "find
where these tokens stood, and look at what came next" takes one layer, not two. Copying numbers, which is most of the
task, is then learned within a few hundred steps.

Sources: H. Touvron et al., "LLaMA" (2023); J. Su et al., "RoFormer" (2021); N. Shazeer, "GLU Variants Improve
Transformer" (2020); C. Olsson et al., "In-context Learning and Induction Heads" (2022), whose smeared
keys are mixed with one token before.
`boxscore.models.tiny.network` computes the same in numpy.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention, silu


@dataclass(frozen=True)
class Shape:
    """Sizes of a network. `context` is the longest sequence, `taps` what queries and keys are mixed from, in tokens."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    inner: int
    context: int
    taps: int


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(shape.hidden, eps=1e-5)
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden, bias=False)
        self.taps = nn.Parameter(0.5 + 0.5 * torch.randn(shape.taps, 2 * shape.hidden))
        self.out = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.mlp_norm = nn.RMSNorm(shape.hidden, eps=1e-5)
        self.gate_up = nn.Linear(shape.hidden, 2 * shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        rows, length, hidden = x.shape
        qkv = self.qkv(self.attention_norm(x))
        here, values = qkv[..., : 2 * hidden], qkv[..., 2 * hidden :]
        taps = len(self.taps)
        padded = pad(here, (0, 0, taps - 1, 0))
        here = sum(tap * padded[:, taps - 1 - n : taps - 1 - n + length] for n, tap in enumerate(self.taps))
        q, k = here.view(rows, length, 2, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        v = values.view(rows, length, self.heads, hidden // self.heads).transpose(1, 2)
        mixed = scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, hidden))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(silu(gate) * up)


class Network(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=1e-5)
        for name, parameter in self.named_parameters():
            if name.endswith(("qkv.weight", "out.weight", "gate_up.weight", "down.weight")):
                # As wide as the input asks: with the 0.02 of large models, a small one learns to copy far later.
                nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
        nn.init.normal_(self.embedding.weight, std=shape.hidden**-0.5)
        cos, sin = angles(shape.context, shape.hidden // shape.heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, ids: Tensor, wanted: Tensor) -> Tensor:
        """Logits, (positions, vocabulary), at the places of `ids` (rows, length) where `wanted` is true."""
        length = ids.shape[1]
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        return self.norm(x[wanted]) @ self.embedding.weight.T


def angles(context: int, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines, (context, width / 2), of rotary positions with base 10,000."""
    speed = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    turn = torch.arange(context, dtype=torch.float64)[:, None] * speed
    return turn.cos().float(), turn.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
