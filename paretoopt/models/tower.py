"""A tower of dense layers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Tower(nn.Module):
    """Linear layers with ReLU and dropout between them; the last one is linear."""

    def __init__(self, n_inputs: int, hidden: Sequence[int], n_outputs: int, *, dropout: float) -> None:
        """Make the layers.

        Args:
            n_inputs: Width of the input.
            hidden: Widths of the hidden layers; pruning narrows these.
            n_outputs: Width of the output.
            dropout: Share of hidden activations dropped in training.
        """
        super().__init__()
        widths = [n_inputs, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths, hidden, strict=False))
        self.output = nn.Linear(widths[-1], n_outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of shape ``(n_rows, n_outputs)``."""
        for layer in self.hidden:
            inputs = self.dropout(layer(inputs).relu())
        outputs: Tensor = self.output(inputs)
        return outputs
