"""Weights on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from paretoopt.errors import PipelineError
from paretoopt.models.weights import save_weights, with_weights


def make_model(width: int = 6, inputs: int = 4) -> nn.Sequential:
    """Layers of several kinds, one after the other."""
    return nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.LayerNorm(width), nn.Linear(width, 2))


def saved(model: nn.Module, folder: Path) -> dict[str, torch.Tensor]:
    """The weights of ``model`` after a way over the disk."""
    save_weights(model, folder)
    (file,) = folder.iterdir()
    return load_file(file)


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    """Saved and loaded weights give the same outputs."""
    model = make_model().eval()
    inputs = torch.randn(3, 4)

    assert torch.equal(with_weights(make_model(), saved(model, tmp_path))(inputs), model(inputs))


def test_a_narrower_model_comes_back_narrow(tmp_path: Path) -> None:
    """Weights of another width than the built model's resize its layers, and what these say of themselves."""
    narrow = make_model(width=3).eval()
    inputs = torch.randn(5, 4)

    loaded = with_weights(make_model(width=6), saved(narrow, tmp_path))

    assert torch.equal(loaded(inputs), narrow(inputs))
    assert isinstance(loaded, nn.Sequential)
    assert [loaded[0].out_features, loaded[1].num_features, loaded[3].in_features] == [3, 3, 3]


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path: Path) -> None:
    """Two layers that share a matrix share it after loading too."""

    def make_tied() -> nn.Sequential:
        model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
        model[1].weight = model[0].weight
        return model

    weights = saved(make_tied(), tmp_path)
    loaded = with_weights(make_tied(), weights)

    assert len(weights) == 1
    assert isinstance(loaded, nn.Sequential)
    assert loaded[0].weight is loaded[1].weight


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    """A changed build function is noticed when the stored weights do not fit."""
    with pytest.raises(PipelineError, match="stored weights do not fit"):
        with_weights(nn.Linear(4, 2), saved(make_model(), tmp_path))
