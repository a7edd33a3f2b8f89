"""The tiny model's arithmetic: a batch is its rows, a step continues what was read, sampling follows the softmax."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from boxscore.errors import FileError
from boxscore.models.tiny.checkpoint import WEIGHTS, checkpoint, manifest, read_checkpoint
from boxscore.models.tiny.generation import END, Question, generate
from boxscore.models.tiny.network import Cache, Network

SHIPPED = checkpoint("tiny-1")
NETWORK = Network(SHIPPED)
IDS = np.random.default_rng(0).integers(5, SHIPPED.vocabulary, (3, 40))


def read(ids: np.ndarray, lengths: list[int]) -> np.ndarray:
    return NETWORK.read(ids, np.array(lengths), Cache(NETWORK, len(ids), ids.shape[1]))


def test_a_row_of_a_batch_is_computed_as_if_it_were_alone() -> None:
    together = read(IDS, [40, 17, 1])

    for row, length in enumerate([40, 17, 1]):
        alone = read(IDS[row : row + 1, :length], [length])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-4)


def test_reading_token_by_token_is_reading_at_once() -> None:
    cache = Cache(NETWORK, 3, 40)
    at = np.array([12, 5, 1])
    logits = NETWORK.read(IDS[:, :12], at, cache)
    for _ in range(20):
        logits = NETWORK.step(IDS[np.arange(3), at], at, cache)
        at = at + 1

    np.testing.assert_allclose(logits, read(IDS, at.tolist()), atol=1e-4)


def test_rows_that_stay_are_unhurt_when_others_leave_the_batch() -> None:
    cache = Cache(NETWORK, 3, 40)
    NETWORK.read(IDS[:, :12], np.array([12, 5, 9]), cache)
    cache.keep(np.array([0, 2]))
    logits = NETWORK.step(IDS[[0, 2], [12, 9]], np.array([12, 9]), cache)

    np.testing.assert_allclose(logits, read(IDS, [13, 1, 10])[[0, 2]], atol=1e-4)


def test_what_comes_later_does_not_change_what_was_said_before() -> None:
    changed = IDS.copy()
    changed[:, 20:] = 7

    np.testing.assert_allclose(read(IDS, [20, 20, 20]), read(changed, [20, 20, 20]), atol=1e-4)


def test_samples_follow_the_softmax_of_the_logits() -> None:
    prompt = tuple(IDS[0, :10].tolist())
    logits = read(IDS[:1, :10], [10])[0].astype(float) / 2.0
    logits[[n for n in range(5) if n != END]] = -np.inf
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    n = 4000
    answers = []
    for start in range(0, n, 500):
        asked = [Question(ids=prompt, max_tokens=1, temperature=2.0, seed=seed) for seed in range(start, start + 500)]
        answers += generate(NETWORK, asked)
    drawn = Counter(answer.ids[0] if answer.ids else END for answer in answers)

    for token in np.argsort(expected)[-5:]:
        share = expected[token]
        assert abs(drawn[int(token)] / n - share) < 5 * (share * (1 - share) / n) ** 0.5


def test_nothing_asked_is_nothing_answered() -> None:
    assert generate(NETWORK, []) == []


def test_a_checkpoint_refuses_a_tokenizer_that_is_not_its_own(tmp_path: Path) -> None:
    from boxscore.models.tiny.tokenizer import Tokenizer

    with pytest.raises(FileError, match="another tokenizer"):
        read_checkpoint(WEIGHTS / "tiny-1.safetensors", Tokenizer([]))


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0{}", b"\x04\0\0\0\0\0\0\0nope"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)

    with pytest.raises(FileError, match="is no checkpoint"):
        read_checkpoint(path, SHIPPED.tokenizer)


def test_a_tensor_that_runs_past_the_end_of_the_file_is_refused(tmp_path: Path) -> None:
    whole = (WEIGHTS / "tiny-1.safetensors").read_bytes()
    path = tmp_path / "x.safetensors"
    path.write_bytes(whole[:-100])

    with pytest.raises(FileError, match="past the end"):
        read_checkpoint(path, SHIPPED.tokenizer)


def test_every_checkpoint_named_in_the_manifest_has_the_hash_that_it_names() -> None:
    for name, sha256 in manifest().checkpoints.items():
        assert checkpoint(name).sha256 == sha256
        assert checkpoint(name).name == name
