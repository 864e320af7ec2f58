"""Weights that compute as if they were quantised already, and can be trained all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from paretoopt.compression.blocks import Range, dequantize_blocks, quantize_blocks
from paretoopt.compression.embedding_tables import bits_for
from paretoopt.errors import CandidateError

_WEIGHT = "weight"


@dataclass(frozen=True)
class Blocks:
    """How weights are cut into blocks of one scale, as :func:`~paretoopt.compression.quantize.quantize` does.

    Attributes:
        size: Values per scale; None for the whole row where the kernels can.
        range: How far a block's integers reach.
    """

    size: int | None = None
    range: Range = "mse"


class FakeQuantization(nn.Module):
    """Gives a matrix as the kernels will read it back, in blocks of few bits with a scale each.

    Gradients pass as if it gave the matrix itself: the straight-through estimator (Bengio, Léonard and Courville,
    "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation", 2013).
    """

    def __init__(self, bits: int, blocks: Blocks) -> None:
        """Round to ``bits`` bits in ``blocks``."""
        super().__init__()
        self.bits = bits
        self.blocks = blocks

    def forward(self, weight: Tensor) -> Tensor:
        """``weight`` of shape ``(n_rows, width)``, rounded."""
        quantized = quantize_blocks(
            weight.detach().numpy(), self.bits, block_size=self.blocks.size, scale_range=self.blocks.range
        )
        rounded = torch.from_numpy(dequantize_blocks(quantized))
        # Exactly the rounded values, because the difference is 0: rounding them again changes nothing.
        return rounded + (weight - weight.detach())


def fake_quantize(
    model: nn.Module, *, linear_bits: int | None, embedding_bits: int | None, blocks: Blocks | None = None
) -> list[nn.Module]:
    """Have linear layers and embedding tables of ``model`` compute with rounded weights.

    A linear layer that shares its weight with a table is a table. Tables so narrow that they are stored in 16 bits
    are left as they are.

    Args:
        model: Changed in place.
        linear_bits: Of the linear layers' weights; None leaves them as they are.
        embedding_bits: Of the embedding tables; None leaves them as they are.
        blocks: As those of the quantisation that follows; None for the default.

    Returns:
        The modules whose weight is rounded.

    Raises:
        CandidateError: There is nothing to round, or a weight holds NaN or infinity.
    """
    chosen = list(_chosen(model, linear_bits, embedding_bits))
    if not chosen:
        raise CandidateError(
            "quantization_aware=True, but the model has no nn.Linear or nn.Embedding that is stored in 4 or 2 bits. "
            "Leave quantization_aware out of the space."
        )
    for name, module, bits in chosen:
        if not torch.isfinite(module.weight).all():
            raise CandidateError(f"{name}.weight holds NaN or infinity, so it cannot be quantised. Train it anew.")
        parametrize.register_parametrization(module, _WEIGHT, FakeQuantization(bits, blocks or Blocks()))
    return [module for _, module, _ in chosen]


def keep_rounded(modules: list[nn.Module]) -> None:
    """Leave the rounded weights in ``modules`` for good; quantising them again gives the same."""
    for module in modules:
        parametrize.remove_parametrizations(module, _WEIGHT, leave_parametrized=True)


def _chosen(
    model: nn.Module, linear_bits: int | None, embedding_bits: int | None
) -> Iterator[tuple[str, nn.Linear | nn.Embedding, int]]:
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Embedding)]
    tables = {id(module.weight) for _, module in layers if isinstance(module, nn.Embedding)}
    for name, module in layers:
        is_table = id(module.weight) in tables
        bits = embedding_bits if is_table else linear_bits
        if bits is not None and not (is_table and bits_for(module.weight.shape[1], bits) != bits):
            yield name, module, bits
