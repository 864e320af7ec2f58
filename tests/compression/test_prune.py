"""Structured pruning of the encoder."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from paretoopt.compression.prune import PruningPlan, prune, prune_channels
from paretoopt.errors import CandidateError, SpaceError
from paretoopt.models.sasrec import Block, SASRec
from paretoopt.recommenders.sequential import _pruning_plan
from paretoopt.space import Value

HISTORY = np.array([[0, 0, 3, 1, 2, 9], [4, 5, 6, 7, 8, 9]])


def make_model(embedding_dim: int = 16, heads: int = 2) -> SASRec:
    """A small untrained encoder."""
    torch.manual_seed(0)
    return SASRec(n_items=20, embedding_dim=embedding_dim, length=6, blocks=2, heads=heads, dropout=0.0).eval()


def plan_of(model: SASRec) -> PruningPlan:
    """The built-in plan for ``model``."""
    return _pruning_plan(model, cast(Any, SimpleNamespace(requests={"history": HISTORY})))


def blocks(model: SASRec) -> list[Block]:
    """The encoder's blocks."""
    return [block for block in model.blocks if isinstance(block, Block)]


def pruned(model: SASRec, ratio: float) -> SASRec:
    """``model`` itself, pruned."""
    prune_channels(model, plan_of(model), ratio)
    return model


@settings(max_examples=40)
@given(ratio=st.floats(0, 0.99), shape=st.sampled_from([(16, 1), (16, 2), (32, 4), (48, 2)]))
def test_every_planned_layer_loses_its_share(ratio: float, shape: tuple[int, int]) -> None:
    """Any ratio leaves (1 - ratio) of the channels of heads and layers, to the nearest whole; embeddings stay."""
    embedding_dim, heads = shape
    kept_of_head = round(embedding_dim // heads * (1 - ratio))
    assume(kept_of_head >= 1)

    model = pruned(make_model(embedding_dim, heads), ratio)

    for block in blocks(model):
        assert block.attention.query.out_features == block.attention.value.out_features == heads * kept_of_head
        assert block.expand.out_features == round(4 * embedding_dim * (1 - ratio))
    assert model.items.embedding_dim == embedding_dim


def test_a_pruned_encoder_equals_one_with_zeroed_channels() -> None:
    """Removing channels computes what the full model computes with those channels set to zero."""
    full, narrow = make_model(), pruned(make_model(), 0.5)
    with torch.no_grad():
        for block, narrow_block in zip(blocks(full), blocks(narrow), strict=True):
            zero_removed(block.attention.query, narrow_block.attention.query)
            zero_removed(block.attention.value, narrow_block.attention.value)
            zero_removed(block.expand, narrow_block.expand)

    history = torch.from_numpy(HISTORY)
    assert torch.allclose(narrow(history), full(history), atol=1e-5)


def zero_removed(full: nn.Linear, narrow: nn.Linear) -> None:
    """Set to zero the output channels of ``full`` that ``narrow`` does not have."""
    for row in range(full.out_features):
        if not (narrow.weight == full.weight[row]).all(1).any():
            full.weight[row] = 0
            full.bias[row] = 0


def test_the_channels_of_least_magnitude_go_first() -> None:
    """Feed-forward channels that were made tiny are the ones that are removed."""
    model = make_model()
    with torch.no_grad():
        blocks(model)[0].expand.weight[:32] *= 1e-3
        blocks(model)[0].expand.bias[:32] = 0
    kept = blocks(model)[0].expand.weight[32:].clone()

    assert torch.equal(blocks(pruned(model, 0.5))[0].expand.weight, kept)


def test_frozen_weights_are_pruned_too() -> None:
    """Weights without gradient, which torch-pruning would skip in silence, are pruned and stay frozen."""
    model = make_model()
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    pruned(model, 0.5)

    assert blocks(model)[0].expand.out_features == 32
    assert not blocks(model)[0].expand.weight.requires_grad


def test_a_pruned_encoder_still_learns() -> None:
    """Gradients reach every weight that is left."""
    model = pruned(make_model(), 0.5)

    model(torch.from_numpy(HISTORY)).square().sum().backward()

    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_ratio_that_leaves_nothing_names_the_layer() -> None:
    """A layer never loses its last channel; the message says which would and what to do."""
    with pytest.raises(CandidateError, match=r"leaves 0 of 16 channels in blocks.0.expand"):
        prune_channels(make_model(4, 4), plan_of(make_model(4, 4)), 1.0)


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan"), True])
def test_a_ratio_outside_its_range_is_refused(ratio: Value) -> None:
    """The share removed is from 0 to below 1."""
    (parameter,) = prune(lambda model, context: plan_of(model)).reads

    with pytest.raises(SpaceError, match="from 0 to below 1"):
        parameter.check(ratio)
