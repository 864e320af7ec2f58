"""Which channels go."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.compression.prune_allocation import competing, n_kept, weakest
from paretoopt.errors import CandidateError

groups_of_scores = st.lists(
    st.lists(st.floats(0, 10, width=32), min_size=1, max_size=12).map(torch.tensor), min_size=1, max_size=5
)


@given(scores=groups_of_scores, share=st.floats(0, 1))
def test_exactly_as_many_go_as_asked_and_one_of_each_stays(scores: list[torch.Tensor], share: float) -> None:
    """Ties and layers that are weak throughout change neither the number nor the last channel of a layer."""
    n_removed = int(share * (sum(map(len, scores)) - len(scores)))

    removed = weakest(scores, n_removed)

    assert sum(map(len, removed)) == n_removed
    assert all(len(gone) < len(score) for gone, score in zip(removed, scores, strict=True))


@given(scores=groups_of_scores)
def test_none_goes_before_a_weaker_one(scores: list[torch.Tensor]) -> None:
    """What goes scores no more than what stays, save the strongest channel of each layer."""
    removed = weakest(scores, (sum(map(len, scores)) - len(scores)) // 2)

    gone = [float(score[i]) for score, indices in zip(scores, removed, strict=True) for i in indices]
    stays = [
        float(value)
        for score, indices in zip(scores, removed, strict=True)
        for i, value in enumerate(score)
        if i not in indices and i != int(score.argmax())
    ]
    assert max(gone, default=0.0) <= min(stays, default=10.0)


@pytest.mark.parametrize(
    ("allocation", "scopes"), [("uniform", [[0], [1], [2]]), ("global", [[0, 1, 2]]), ("isomorphic", [[0, 2], [1]])]
)
def test_layers_compete_as_the_allocation_says(allocation: str, scopes: list[list[int]]) -> None:
    """Each for itself, all with all, or those that are built alike."""
    assert competing(["attention", "layer", "attention"], allocation) == scopes


def test_a_share_that_leaves_a_layer_nothing_names_the_layers() -> None:
    """Where several layers share what stays, each still needs one channel."""
    with pytest.raises(CandidateError, match=r"pruning_ratio=0.9 leaves 1 of 8 channels in 2 layers \(a, b"):
        n_kept([4, 4], 0.9, names=["a", "b"], what="channels", parameter="pruning_ratio")
