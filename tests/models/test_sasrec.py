"""The SASRec encoder."""

from __future__ import annotations

import torch

from paretoopt.models.sasrec import SASRec


def make_model(**changes: int) -> SASRec:
    """A small untrained encoder, without dropout's randomness."""
    torch.manual_seed(0)
    sizes = {"n_items": 30, "embedding_dim": 16, "length": 8, "blocks": 2, "heads": 2} | changes
    return SASRec(**sizes, dropout=0.3).eval()


def test_padding_does_not_change_the_scores() -> None:
    """A history gives the same scores however much padding stands before it."""
    model = make_model()
    padded = torch.tensor([[0, 0, 0, 0, 0, 3, 7, 5]])

    assert torch.allclose(model(padded), model(padded[:, 5:]), atol=1e-5)


def test_a_position_does_not_see_later_items() -> None:
    """Changing the newest item leaves the states of all earlier positions as they were."""
    model = make_model()
    one, other = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8]]), torch.tensor([[1, 2, 3, 4, 5, 6, 7, 9]])

    assert torch.allclose(model.encode(one)[:, :-1], model.encode(other)[:, :-1], atol=1e-6)
    assert not torch.allclose(model.encode(one)[:, -1], model.encode(other)[:, -1], atol=1e-3)


def test_serving_computes_the_last_state_of_training() -> None:
    """The short cut that skips earlier positions in the last block gives the same state."""
    model = make_model()
    history = torch.tensor([[0, 0, 1, 2, 3, 4, 5, 6], [9, 8, 7, 6, 5, 4, 3, 2]])

    assert torch.allclose(model.encode(history, n_last=1)[:, 0], model.encode(history)[:, -1], atol=1e-5)


def test_the_order_of_the_history_matters() -> None:
    """The same items in another order give other scores."""
    model = make_model()

    assert not torch.allclose(model(torch.tensor([[1, 2, 3]])), model(torch.tensor([[3, 2, 1]])), atol=1e-3)


def test_an_empty_history_gives_finite_scores() -> None:
    """A user without history is answered, not with NaN."""
    assert torch.isfinite(make_model()(torch.zeros(1, 8, dtype=torch.long))).all()


def test_untrained_scores_have_unit_scale() -> None:
    """Learning starts at once: the logits of an untrained model spread by about one, at every width."""
    for width in (16, 64, 256):
        scores = make_model(embedding_dim=width, n_items=2_000)(torch.tensor([[1, 2, 3, 4]]))
        assert 0.5 < scores[:, 1:].std() < 2.0
