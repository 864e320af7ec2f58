"""Weights that compute as if they were quantised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrize

from paretoopt.compression.blocks import dequantize_blocks, quantize_blocks
from paretoopt.compression.fake_quantization import Blocks, fake_quantize, keep_rounded
from paretoopt.errors import CandidateError

BITS = [4, 2]


class Tied(nn.Module):
    """A table that is looked up and scores, and a linear layer between."""

    def __init__(self) -> None:
        """Make both."""
        super().__init__()
        torch.manual_seed(0)
        self.items = nn.Embedding(30, 16)
        self.layer = nn.Linear(16, 16)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores of all items."""
        scores: Tensor = self.layer(self.items(ids)) @ self.items.weight.T
        return scores


def rounded(weight: Tensor, bits: int) -> Tensor:
    """What quantisation after training leaves of ``weight``."""
    return torch.from_numpy(dequantize_blocks(quantize_blocks(weight.detach().numpy(), bits)))


@pytest.mark.parametrize("bits", BITS)
def test_a_model_computes_with_rounded_weights(bits: int) -> None:
    """Its answers are those of a model whose weights were quantised and read back."""
    faked, expected = Tied(), Tied()
    for module in (expected.items, expected.layer):
        module.weight.data = rounded(module.weight, bits)

    fake_quantize(faked, linear_bits=bits, embedding_bits=bits)

    ids = torch.arange(30)
    assert torch.equal(faked(ids), expected(ids))


def test_gradients_pass_as_if_nothing_were_rounded() -> None:
    """The straight-through estimator: the gradient of a sum is 1 for every weight, however it was rounded."""
    model = Tied()
    fake_quantize(model, linear_bits=None, embedding_bits=2)

    torch.autograd.backward(model.items.weight.sum())

    (gradient,) = (weight.grad for weight in model.items.parameters())
    assert gradient is not None
    assert torch.equal(gradient, torch.ones(30, 16))


@given(
    seed=st.integers(0, 10_000), bits=st.sampled_from(BITS), width=st.sampled_from([10, 16, 48]), skew=st.floats(-2, 2)
)
def test_rounding_again_changes_nothing(seed: int, bits: int, width: int, skew: float) -> None:
    """Quantisation finds rounded weights on its own grid, so that what was trained is what ships."""
    table = np.random.default_rng(seed).normal(loc=skew, size=(20, width)).astype(np.float32)
    once = rounded(torch.from_numpy(table), bits)

    assert torch.allclose(rounded(once, bits), once, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("bits", BITS)
def test_the_rounded_weights_can_be_kept(bits: int) -> None:
    """What is left is a plain model with rounded weights."""
    model = Tied()
    expected = rounded(model.items.weight, bits)

    keep_rounded(fake_quantize(model, linear_bits=None, embedding_bits=bits))

    assert torch.equal(model.items.weight, expected)
    assert not parametrize.is_parametrized(model)
    assert set(model.state_dict()) == set(Tied().state_dict())


def test_each_kind_has_its_own_bits() -> None:
    """Without bits of its own, a kind of layer stays as it is."""
    model, plain = Tied(), Tied()

    (only,) = fake_quantize(model, linear_bits=4, embedding_bits=None)

    assert only is model.layer
    assert torch.equal(model.items.weight, plain.items.weight)
    assert torch.equal(model.layer.weight, rounded(plain.layer.weight, 4))


def test_a_layer_with_a_tables_weight_is_a_table() -> None:
    """A scoring layer that shares the table's weight is stored with it, so it has the table's bits."""
    model = Tied()
    model.layer.weight = model.items.weight

    modules = fake_quantize(model, linear_bits=None, embedding_bits=2)

    assert len(modules) == 2
    assert torch.equal(model.layer.weight, model.items.weight)
    keep_rounded(modules)
    assert torch.equal(model.layer.weight, rounded(Tied().items.weight, 2))


def test_a_table_too_narrow_for_few_bits_stays_as_it_is() -> None:
    """Its scales would outweigh what the bits save, so it ships in 16 bits; a linear layer has its bits anyway."""
    model = nn.Sequential(nn.Embedding(30, 1), nn.Linear(1, 4))

    assert fake_quantize(model, linear_bits=4, embedding_bits=4) == [model[1]]


@pytest.mark.parametrize("blocks", [Blocks(size=16), Blocks(range="minmax")], ids=["blocks of 16", "minmax"])
def test_rounding_is_by_the_rules_of_the_quantisation(blocks: Blocks) -> None:
    """Another block size or range gives other values, which that quantisation finds again."""
    model = nn.Embedding(30, 64)
    by_default = rounded(model.weight, 4)

    keep_rounded(fake_quantize(model, linear_bits=None, embedding_bits=4, blocks=blocks))

    table = model.weight.detach().numpy()
    again = dequantize_blocks(quantize_blocks(table, 4, block_size=blocks.size, scale_range=blocks.range))
    assert np.allclose(again, table, rtol=1e-5)
    assert not torch.equal(model.weight, by_default)


def test_a_model_without_layers_says_so() -> None:
    """The error says how to do without."""
    with pytest.raises(CandidateError, match=r"no nn\.Linear or nn\.Embedding.*Leave quantization_aware out"):
        fake_quantize(nn.LayerNorm(4), linear_bits=4, embedding_bits=4)


def test_weights_that_are_no_numbers_are_refused() -> None:
    """The layer is named."""
    model = Tied()
    nn.init.constant_(model.items.weight, float("nan"))

    with pytest.raises(CandidateError, match=r"items\.weight holds NaN or infinity"):
        fake_quantize(model, linear_bits=4, embedding_bits=4)
