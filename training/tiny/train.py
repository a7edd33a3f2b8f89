"""Train the tiny model's tokenizer and checkpoints from nothing. See README.md beside this file.

python training/tiny/train.py tokenizer
python training/tiny/train.py tiny-2 --out build/tiny
"""

import argparse
import hashlib
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lessons import Lesson, copying, lesson
from network import Network, Shape

from boxscore.models.tiny.tokenizer import SPECIALS, Tokenizer

PAD, END, SYSTEM, USER, ASSISTANT = range(len(SPECIALS))
MARKS = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}
WEIGHTS = Path(__file__).resolve().parents[2] / "src/boxscore/models/tiny/weights"
VOCABULARY = 768
CONTEXT = 512
HEADS, TAPS, ROWS, RATE = 4, 3, 16, 3e-3
RECIPES = {
    "tiny-1": {"hidden": 96, "layers": 2, "inner": 256, "steps": 700, "seed": 1},
    "tiny-2": {"hidden": 112, "layers": 3, "inner": 288, "steps": 4500, "seed": 2},
}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def train_tokenizer() -> Tokenizer:
    draw = random.Random("tokenizer")
    lessons = [lesson(draw) for _ in range(6000)]
    return Tokenizer.train(
        (text for one in lessons for text in (*(c for _, c in one.messages), one.answer)), vocabulary=VOCABULARY
    )


def encode(tokenizer: Tokenizer, one: Lesson) -> tuple[list[int], list[int]]:
    prompt = [id for role, content in one.messages for id in (MARKS[role], *tokenizer.encode(content))]
    return [*prompt, ASSISTANT], [*tokenizer.encode(one.answer), END]


def batches(tokenizer: Tokenizer, recipe: dict, steps: int) -> Iterator[list[tuple[list[int], list[int]]]]:
    """Batches of lessons of similar length: eight batches are drawn at once and sorted, then shuffled."""
    draw = random.Random(f"lessons/{recipe['seed']}")
    for start in range(0, steps, 8):
        share = 0.7 if start < 200 else 0.05
        pool = [encode(tokenizer, copying(draw) if draw.random() < share else lesson(draw)) for _ in range(8 * ROWS)]
        pool.sort(key=lambda row: len(row[0]) + len(row[1]))
        groups = [pool[at : at + ROWS] for at in range(0, len(pool), ROWS)]
        draw.shuffle(groups)
        yield from groups[: steps - start]


@torch.no_grad()
def accuracy(network: Network, tokenizer: Tokenizer, lessons: list[Lesson]) -> dict[str, float]:
    """Share of answers that are right in every token when each is chosen greedily, by kind of lesson."""
    right: dict[str, list[bool]] = {}
    network.eval()
    for at in range(0, len(lessons), 50):
        part = lessons[at : at + 50]
        pairs = [encode(tokenizer, one) for one in part]
        ids, labels = collate(pairs)
        wanted = labels != -100
        guess = torch.full_like(labels, -100)
        guess[wanted] = network(ids, wanted).argmax(-1)
        for one, same in zip(part, (guess == labels).all(1).tolist(), strict=True):
            right.setdefault(one.kind, []).append(same)
    network.train()
    return {kind: sum(values) / len(values) for kind, values in sorted(right.items())}


def collate(pairs: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels, (rows, length); a label is the id to come next, -100 where nothing is learned."""
    length = max(len(prompt) + len(answer) for prompt, answer in pairs) - 1
    ids = torch.full((len(pairs), length), PAD)
    labels = torch.full((len(pairs), length), -100)
    for row, (prompt, answer) in enumerate(pairs):
        whole = torch.tensor(prompt + answer)
        ids[row, : len(whole) - 1] = whole[:-1]
        labels[row, len(prompt) - 1 : len(whole) - 1] = whole[len(prompt) :]
    return ids, labels


def train(name: str, out: Path, tokenizer: Tokenizer, threads: int) -> None:
    recipe = RECIPES[name]
    torch.manual_seed(recipe["seed"])
    torch.set_num_threads(threads)
    shape = Shape(len(tokenizer), recipe["hidden"], recipe["layers"], HEADS, recipe["inner"], CONTEXT, TAPS)
    network = Network(shape)
    say(f"{name}: {sum(p.numel() for p in network.parameters())} parameters")
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=recipe["steps"], pct_start=0.1)
    draw = random.Random("watched")
    watched = [lesson(draw, "demo") for _ in range(200)]
    began = time.monotonic()
    for step, pairs in enumerate(batches(tokenizer, recipe, recipe["steps"]), start=1):
        ids, labels = collate(pairs)
        wanted = labels != -100
        loss = nn.functional.cross_entropy(network(ids, wanted), labels[wanted])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == recipe["steps"]:
            scores = " ".join(f"{kind} {value:.3f}" for kind, value in accuracy(network, tokenizer, watched).items())
            say(f"step {step} loss {loss.item():.3f} {time.monotonic() - began:.0f} s, right: {scores}")
            save(name, out, network, tokenizer, recipe)


def save(name: str, out: Path, network: Network, tokenizer: Tokenizer, recipe: dict) -> None:
    """Write `NAME.safetensors`: half precision, sizes and the tokenizer's hash in its metadata."""
    out.mkdir(parents=True, exist_ok=True)
    shape = network.shape
    metadata = {
        "name": name,
        "vocabulary": str(shape.vocabulary),
        "hidden": str(shape.hidden),
        "layers": str(shape.layers),
        "heads": str(shape.heads),
        "inner": str(shape.inner),
        "context": str(shape.context),
        "tokenizer": tokenizer.sha256,
    }
    header: dict[str, object] = {"__metadata__": metadata}
    body = bytearray()
    for key, value in network.state_dict().items():
        data = value.detach().to(torch.float16).contiguous().numpy().tobytes()
        header[key] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (out / f"{name}.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(body))


def ship(out: Path) -> None:
    """Put tokenizer and checkpoints where the package looks for them, with their hashes."""
    hashes = {name: hashlib.sha256((out / f"{name}.safetensors").read_bytes()).hexdigest() for name in RECIPES}
    for name in ("tokenizer.json", *(f"{name}.safetensors" for name in RECIPES)):
        shutil.copyfile(out / name, WEIGHTS / name)
    text = json.dumps({"tokenizer": "tokenizer.json", "checkpoints": hashes}, indent=2)
    (WEIGHTS / "manifest.json").write_text(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["tokenizer", *RECIPES, "ship"])
    parser.add_argument("--out", type=Path, default=Path("build/tiny"))
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    path = args.out / "tokenizer.json"
    if args.what == "tokenizer":
        args.out.mkdir(parents=True, exist_ok=True)
        path.write_text(train_tokenizer().to_json())
        return
    if args.what == "ship":
        ship(args.out)
        return
    train(args.what, args.out, Tokenizer.from_json(path.read_text()), args.threads)


if __name__ == "__main__":
    main()
