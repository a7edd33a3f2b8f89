"""Measure the checkpoints that ship, as users run them: exact match on the demo's 300 tickets, per prompt.

    python training/tiny/measure.py [--tickets 300] [--failures 5]

Besides the two prompts of the package it tries instructions that training never saw (`lessons.HELD_OUT`).
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lessons import HELD_OUT

from boxscore.datasets.tickets import Ticket, tickets
from boxscore.models.tiny import MODELS, PROMPTS, TinyProvider
from boxscore.providers.request import Message, Request


def fields(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


async def answers(model: str, system: str, asked: tuple[Ticket, ...]) -> list[str]:
    tiny = TinyProvider()
    requests = [
        Request(model=model, messages=(Message(role="system", content=system), Message(role="user", content=one.text)))
        for one in asked
    ]
    responses = await asyncio.gather(*(tiny.complete(request) for request in requests))
    await tiny.close()
    return [response.output for response in responses]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=300)
    parser.add_argument("--failures", type=int, default=0, help="wrong answers to show per prompt")
    args = parser.parse_args()
    asked = tickets(args.tickets)
    prompts = {name: prompt.system for name, prompt in PROMPTS.items()}
    prompts |= {f"{kind}, unseen {n}": text for kind, texts in HELD_OUT.items() for n, text in enumerate(texts, 1)}
    for model in MODELS:
        for name, system in prompts.items():
            began = time.perf_counter()
            outputs = asyncio.run(answers(model, system, asked))
            took = time.perf_counter() - began
            right = [fields(out) == one.reference() for one, out in zip(asked, outputs, strict=True)]
            wrong_slices = Counter(
                f"{key}={value}"
                for one, ok in zip(asked, right, strict=True)
                if not ok
                for key, value in one.example("").slices.items()
                if key in ("wording", "style", "also_mentions")
            )
            valid = sum(fields(out) is not None for out in outputs) / len(asked)
            share = sum(right) / len(asked)
            sys.stdout.write(f"{model}  {name:18} right {share:6.1%}  JSON {valid:6.1%}  {took:5.1f} s  ")
            sys.stdout.write(f"wrong: {dict(wrong_slices.most_common(4))}\n")
            shown = [(one, out) for one, out, ok in zip(asked, outputs, right, strict=True) if not ok]
            for one, out in shown[: args.failures]:
                sys.stdout.write(f"    {one.text}\n      {json.dumps(one.reference())}\n      {out}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
