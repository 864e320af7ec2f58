"""The module that is exported: from a request with candidates to their probabilities and, if asked, the best."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SlateScorer(nn.Module):
    """Answers a request with the probability of each candidate."""

    def __init__(self, ranker: nn.Module) -> None:
        """Wrap ``ranker``, which gives logits for ``user``, ``candidates`` and, where it reads one, ``history``."""
        super().__init__()
        self.ranker = ranker

    def forward(self, user: Tensor, candidates: Tensor, history: Tensor | None = None) -> Tensor:
        """Score the candidates.

        Args:
            user: User ids, 0 for one who is not known; shape ``(batch,)``.
            candidates: Item ids; shape ``(batch, n_candidates)``.
            history: Most recent item ids, padded with 0 on the left; shape ``(batch, length)``.

        Returns:
            Probabilities of shape ``(batch, n_candidates)``.
        """
        inputs = (user, candidates) if history is None else (user, candidates, history)
        return torch.sigmoid(self.ranker(*inputs))


class SlateRecommender(nn.Module):
    """Answers a request with the probability of each candidate and the ``best`` ones of them."""

    def __init__(self, ranker: nn.Module, best: int) -> None:
        """Wrap ``ranker`` as :class:`SlateScorer` does."""
        super().__init__()
        self.scorer = SlateScorer(ranker)
        self.best = best

    def forward(self, user: Tensor, candidates: Tensor, history: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Score the candidates and list the best; the arguments are those of :class:`SlateScorer`.

        Returns:
            Probabilities of shape ``(batch, n_candidates)``; then the best candidates' item ids and probabilities,
            best first, both of shape ``(batch, best)``, with item 0 and probability -1 where candidates run out.
        """
        probabilities = self.scorer(user, candidates, history)
        real = torch.where(candidates == 0, torch.full_like(probabilities, -1.0), probabilities)
        # Room for `best` candidates however short the slate is.
        items = nn.functional.pad(candidates, (0, self.best))
        best = torch.topk(nn.functional.pad(real, (0, self.best), value=-1.0), self.best, dim=1)
        return probabilities, torch.gather(items, 1, best.indices), best.values
