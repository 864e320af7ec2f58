"""The files of the NCF paper, and popularity on slates as the check of the evaluator."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from paretoopt.data.ncf import load_ncf
from paretoopt.data.slate_popularity import slate_popularity
from paretoopt.errors import DataError

# Two users; item 6 occurs as a negative only. User 1's negatives hold the test item and a repetition.
FILES = {
    "toy.train.rating": "0\t1\t1\t0\n0\t2\t1\t0\n0\t3\t1\t0\n1\t2\t1\t0\n1\t1\t1\t0\n",
    "toy.test.rating": "0\t0\t1\t0\n1\t4\t1\t0\n",
    "toy.test.negative": "(0,0)\t4\t5\t6\n(1,4)\t5\t4\t5\n",
}


def write(folder: Path, **changes: str) -> Path:
    """The files with some of them replaced, by the last word of their names."""
    for name, content in FILES.items():
        (folder / name).write_text(changes.get(name.split(".")[-2] + "_" + name.split(".")[-1], content))
    return folder


def test_published_test_slates_are_kept_without_duplicates(tmp_path: Path) -> None:
    """The target and its negatives are the slate; a negative that is the target, or repeated, is left out."""
    data = load_ncf(write(tmp_path))

    rows = [sorted(row[row >= 0]) for row in data.test.candidates]
    assert rows == [[0, 4, 5, 6], [4, 5]]
    assert data.test.targets.tolist() == [0, 4]
    assert dict(data.split.repairs) == {"duplicate_negatives_dropped": 2}


def test_one_training_pair_of_each_user_is_for_validation(tmp_path: Path) -> None:
    """The others are trained on, and the catalogue holds items that occur as negatives only."""
    data = load_ncf(write(tmp_path))
    split = data.split

    assert split.n_items == 7
    for user, items in enumerate(([1, 2, 3], [2, 1])):
        train = split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]]
        assert [item for item in items if item != split.validation_items[user]] == train.tolist()
        assert set(data.validation.candidates[user]).isdisjoint({*train.tolist(), data.test.targets[user]})


def test_gzipped_files_are_the_same_data(tmp_path: Path) -> None:
    """Packed or not, the fingerprint is one; with another seed the validation items are others."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.mkdir()
    packed.mkdir()
    for path in write(plain).iterdir():
        (packed / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))

    assert load_ncf(plain).fingerprint == load_ncf(packed).fingerprint
    assert len({load_ncf(plain, seed=seed).fingerprint for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_rating": "1\t4\t1\t0\n0\t0\t1\t0\n"}, "one line per user, in the order"),
        ({"test_negative": "(0,0)\t4\t5\t6\n(1,4)\t5\n"}, "line 2: every line needs"),
        ({"test_negative": "(1,4)\t4\t5\t6\n(0,0)\t5\t4\t5\n"}, "does not name the test items"),
        ({"test_negative": "(0,x)\t4\t5\t6\n"}, "'x' is no number"),
        ({"train_rating": "0\t1\t1\t0\n1\t2\t1\t0\n1\t1\t1\t0\n"}, "user 0 needs two training pairs"),
        ({"train_rating": FILES["toy.train.rating"] + "2\t1\t1\t0\n"}, "user 2 needs .* a test item"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    """The file is named with the place and the rule."""
    with pytest.raises(DataError, match=message):
        load_ncf(write(tmp_path, **changes))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Without negatives there are no slates."""
    (write(tmp_path) / "toy.test.negative").unlink()

    with pytest.raises(DataError, match=r"one file \*\.test\.negative, plain or gzipped, but has none"):
        load_ncf(tmp_path)


def test_popularity_counts_what_is_known_before_the_phase(tmp_path: Path) -> None:
    """Before test every pair of the training file counts: 1 and 2 twice, 3 once, all others never."""
    data = load_ncf(write(tmp_path))

    # User 0's target ties with its three negatives, user 1's with its one.
    assert slate_popularity(data, k=1).hits.tolist() == [1 / 4, 1 / 2]
    assert slate_popularity(data, k=1).areas.tolist() == [1 / 2, 1 / 2]


@pytest.mark.realdata
def test_popularity_on_the_published_slates(real_data: Path) -> None:
    """HR@10 and NDCG@10 are those of Rendle et al. 2020, "Neural Collaborative Filtering vs. Matrix Factorization"."""
    popularity = slate_popularity(load_ncf(real_data / "ml-1m-ncf"))

    assert (round(popularity.hr, 4), round(popularity.ndcg, 4)) == (0.4535, 0.2543)
    assert np.isfinite(popularity.areas).all()
