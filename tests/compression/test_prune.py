"""Structured pruning of the SASRec encoder."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from paretoopt.compression.prune import prune
from paretoopt.compression.prune_allocation import Allocation
from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_importance import Score, magnitude, taylor
from paretoopt.compression.prune_plan import PruningPlan, widths_of
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import CandidateError, SpaceError
from paretoopt.models.sasrec import Block, SASRec
from paretoopt.recommenders.sasrec_pruning import sasrec_plan
from paretoopt.space import Value
from paretoopt.training.next_item import NextItemSettings, NextItemTask

HISTORY = np.array([[0, 0, 3, 1, 2, 9], [4, 5, 6, 7, 8, 9]])
ALLOCATIONS: tuple[Allocation, ...] = ("uniform", "global", "isomorphic")


@pytest.fixture(scope="module")
def shop() -> Split:
    """Sixty users and twenty items."""
    return leave_one_out(synthetic_shop(users=60, items=20, seed=0))


def make_model(embedding_dim: int = 16, heads: int = 2, n_items: int = 20) -> SASRec:
    """A small untrained encoder."""
    torch.manual_seed(0)
    return SASRec(n_items=n_items, embedding_dim=embedding_dim, length=6, blocks=2, heads=heads, dropout=0.0).eval()


def plan_of(model: SASRec) -> PruningPlan:
    """The built-in plan for ``model``."""
    return sasrec_plan(model, cast(Any, SimpleNamespace(requests={"history": HISTORY})))


def blocks(model: SASRec) -> list[Block]:
    """The encoder's blocks."""
    return [block for block in model.blocks if isinstance(block, Block)]


def pruned(model: SASRec, ratio: float = 0.0, *, heads: float = 0.0, embedding: float = 0.0) -> SASRec:
    """``model`` itself, pruned uniformly."""
    prune_channels(model, plan_of(model), PruningShares(ratio, heads, embedding))
    return model


def score_by(importance: str, model: SASRec, shop: Split) -> Score:
    """The score of that name."""
    if importance == "magnitude":
        return magnitude
    return taylor(model, NextItemTask(shop, NextItemSettings(length=6)), n_batches=2, seed=0)


@settings(max_examples=10)
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


@pytest.mark.parametrize("importance", ["magnitude", "taylor"])
@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_every_allocation_reaches_the_share(allocation: Allocation, importance: str, shop: Split) -> None:
    """Whichever layers lose more, of all units (a channel, or the same channel of every head) half are left."""
    model = make_model(n_items=shop.n_items)

    prune_channels(
        model, plan_of(model), PruningShares(0.5), allocation=allocation, score=score_by(importance, model, shop)
    )

    units = [(block.attention.query.out_features // 2, block.expand.out_features) for block in blocks(model)]
    assert sum(map(sum, units)) == 2 * (8 + 64) / 2
    if allocation != "global":
        assert sum(attention for attention, _ in units) == 8
    assert model(torch.from_numpy(HISTORY)).shape == (2, shop.n_items + 1)


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


def test_whole_heads_go_and_the_others_keep_their_width() -> None:
    """Half the heads of four leave two of the same width, and the encoder knows how many it has."""
    model = pruned(make_model(32, 4), heads=0.5)

    for block in blocks(model):
        assert block.attention.heads == 2
        assert block.attention.query.out_features == block.attention.output.in_features == 2 * 8
    assert model(torch.from_numpy(HISTORY)).shape == (2, 21)


def test_the_head_that_does_least_goes() -> None:
    """A head whose weights were made tiny is the one that is removed."""
    model = make_model()
    attention = blocks(model)[0].attention
    with torch.no_grad():
        for layer in (attention.query, attention.key, attention.value):
            layer.weight[:8] *= 1e-3
        attention.output.weight[:, :8] *= 1e-3
    kept = attention.query.weight[8:].clone()

    assert torch.equal(blocks(pruned(model, heads=0.5))[0].attention.query.weight, kept)
    assert attention.head_numbers.tolist() == [1]


@pytest.mark.parametrize("embedding", [0.25, 0.5, 0.9])
def test_the_residual_stream_follows_the_tables_width(embedding: float) -> None:
    """Table, positions, norms and every layer on the stream are as narrow; heads keep theirs, scoring stays tied."""
    model = pruned(make_model(), embedding=embedding)
    width = round(16 * (1 - embedding))

    assert model.items.weight.shape[1] == model.positions.shape[1] == width
    assert {module.weight.shape for module in model.modules() if isinstance(module, nn.LayerNorm)} == {(width,)}
    for block in blocks(model):
        assert block.attention.query.weight.shape == block.expand.weight[:16].shape == (16, width)
        assert len(block.attention.output.weight) == len(block.contract.weight) == width
    assert model.input_scale == 4.0
    assert model(torch.from_numpy(HISTORY)).shape == (2, 21)


def test_a_narrow_stream_computes_what_its_weights_say() -> None:
    """Without the norms' statistics the narrow encoder is the full one with those columns at zero."""
    full, narrow = make_model(), pruned(make_model(), embedding=0.5)
    columns = [c for c in range(16) if (full.items.weight[:, c, None] == narrow.items.weight).all(0).any()]

    assert len(columns) == 8
    assert torch.equal(narrow.items.weight, full.items.weight[:, columns])
    assert torch.equal(narrow.positions, full.positions[:, columns])
    assert torch.equal(blocks(narrow)[1].contract.weight, blocks(full)[1].contract.weight[columns])
    assert torch.equal(blocks(narrow)[1].expand.weight, blocks(full)[1].expand.weight[:, columns])


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_rounds_end_where_one_step_does(allocation: Allocation) -> None:
    """Ratios refer to the widths before any pruning, so that thirds add up to the whole share."""
    model = make_model(32, 4)
    original = widths_of(plan_of(model))
    for part in (1 / 3, 2 / 3, 1):
        shares = PruningShares(0.5 * part, 0.5 * part, 0.5 * part)
        prune_channels(model, plan_of(model), shares, allocation=allocation, original=original)

    assert sum(block.attention.heads for block in blocks(model)) == 4
    assert (
        sum(
            block.expand.out_features + block.attention.query.out_features // block.attention.heads
            for block in blocks(model)
        )
        == 128 + 8
    )
    assert model.items.embedding_dim == 16


def test_the_channels_of_least_magnitude_go_first() -> None:
    """Feed-forward channels that were made tiny are the ones that are removed."""
    model = make_model()
    with torch.no_grad():
        blocks(model)[0].expand.weight[:32] *= 1e-3
        blocks(model)[0].expand.bias[:32] = 0
        blocks(model)[0].contract.weight[:, :32] *= 1e-3
    kept = blocks(model)[0].expand.weight[32:].clone()

    assert torch.equal(blocks(pruned(model, 0.5))[0].expand.weight, kept)


def test_taylor_keeps_what_the_loss_needs(shop: Split) -> None:
    """Channels of great weight that reach nothing have no gradient, and go first."""
    model = make_model(n_items=shop.n_items)
    block = blocks(model)[0]
    with torch.no_grad():
        block.expand.weight[:32] *= 100
        block.contract.weight[:, :32] = 0
        block.expand.bias[:32] = -1e4
    kept = block.expand.weight[32:].clone()

    prune_channels(model, plan_of(model), PruningShares(0.5), score=score_by("taylor", model, shop))

    assert torch.equal(block.expand.weight, kept)
    assert all(parameter.grad is None for parameter in model.parameters())


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
    model = pruned(make_model(), 0.5, heads=0.5, embedding=0.5)

    model(torch.from_numpy(HISTORY)).square().sum().backward()

    assert all(parameter.grad is not None for parameter in model.parameters())


def test_weights_of_zero_can_be_pruned() -> None:
    """Where no channel is better than another, some go all the same."""
    model = make_model()
    nn.init.zeros_(blocks(model)[0].expand.weight)

    assert blocks(pruned(model, 0.5))[0].expand.out_features == 32


def test_broken_weights_name_the_layer() -> None:
    """NaN ranks nowhere, so that the candidate ends."""
    model = make_model()
    nn.init.constant_(blocks(model)[1].expand.weight, torch.nan)

    with pytest.raises(CandidateError, match=r"blocks.1.expand hold NaN"):
        pruned(model, 0.5)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (PruningShares(channels=0.99), r"pruning_ratio=0.99 leaves 0 of 16 channels in blocks.0.expand"),
        (PruningShares(heads=0.95), r"head_pruning_ratio=0.95 leaves 0 of 4 heads in blocks.0.attention"),
        (PruningShares(embedding=0.95), r"embedding_pruning_ratio=0.95 leaves 0 of 4 columns in items"),
    ],
)
def test_a_ratio_that_leaves_nothing_names_the_layer(shares: PruningShares, message: str) -> None:
    """A layer never loses its last channel; the message says which would and what to do."""
    model = make_model(4, 4)

    with pytest.raises(CandidateError, match=f"{message}.*Lower the upper bound"):
        prune_channels(model, plan_of(model), shares)


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan"), True])
def test_a_ratio_outside_its_range_is_refused(ratio: Value) -> None:
    """The share removed is from 0 to below 1, of channels, heads and embedding width alike."""
    for parameter in prune(lambda model, context: plan_of(model)).reads[:3]:
        with pytest.raises(SpaceError, match="from 0 to below 1"):
            parameter.check(ratio)


def test_taylor_without_a_task_is_refused() -> None:
    """Gradients need a loss; the message says how to give one."""
    *_, importance = prune(lambda model, context: plan_of(model)).reads

    with pytest.raises(SpaceError, match=r"needs the training loss.*gradients="):
        importance.check("taylor")


@pytest.mark.parametrize(("allocation", "needed"), [("uniform", False), ("global", True), ("isomorphic", True)])
def test_a_stage_says_whether_its_shape_needs_training(allocation: str, needed: bool) -> None:
    """Where layers compete, trained weights decide on their widths; where nothing is removed, they do not."""
    stage = prune(lambda model, context: plan_of(model))
    params: dict[str, Value] = {parameter.name: parameter.default for parameter in stage.reads}
    params |= {"pruning_allocation": allocation}

    assert stage.shape_needs_training({**params, "pruning_ratio": 0.5}) is needed
    assert not stage.shape_needs_training({**params, "embedding_pruning_ratio": 0.5})
