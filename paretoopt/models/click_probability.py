"""What ships of a click model: probabilities for every row of a request."""

from __future__ import annotations

from torch import Tensor, nn


class ClickProbability(nn.Module):
    """Answers requests of any number of rows with the probability that each is clicked."""

    def __init__(self, model: nn.Module) -> None:
        """Wrap a model that gives logits of rows."""
        super().__init__()
        self.model = model

    def forward(self, categories: Tensor, numbers: Tensor | None = None) -> Tensor:
        """Probabilities of shape ``(n_requests, n_rows)``.

        Args:
            categories: Ids of shape ``(n_requests, n_rows, n_categorical)``.
            numbers: Shape ``(n_requests, n_rows, n_numeric)``; None where there are no numeric fields.
        """
        rows = categories.flatten(0, 1)
        of_rows = rows[:, :0].float() if numbers is None else numbers.flatten(0, 1)
        logits: Tensor = self.model(rows, of_rows)
        return logits.sigmoid().view(categories.shape[:2])
