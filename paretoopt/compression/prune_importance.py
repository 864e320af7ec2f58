"""How much each channel matters: by the magnitude of its weights, or by what its loss would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch_pruning
from torch import Tensor, nn

from paretoopt.compression.prune_groups import ChannelGroup
from paretoopt.errors import CandidateError
from paretoopt.training.loop import Task

Importance = Literal["magnitude", "taylor"]
"""Channels of least weight go first, or those whose removal changes the loss least."""
IMPORTANCES: tuple[str, ...] = get_args(Importance)

Score = Callable[[Sequence[ChannelGroup]], list[Tensor]]
"""Gives a score for every channel of each group; more is more important."""


def magnitude(groups: Sequence[ChannelGroup]) -> list[Tensor]:
    """The squared L2 norm of all weights coupled to a channel (Fang et al., "DepGraph", CVPR 2023).

    Each group's scores have mean 1, because weights of different layers differ in scale.
    """
    library = torch_pruning.importance.GroupMagnitudeImportance(p=2, normalizer=None)
    return [_relative(score) for score in _scores(groups, library, lambda weight: weight.square())]


def taylor(model: nn.Module, task: Task, *, n_batches: int, seed: int) -> Score:
    """First-order change of the loss on training batches when a channel is removed, dropout off.

    After Molchanov et al., "Importance Estimation for Neural Network Pruning" (CVPR 2019): the sum of weight times
    gradient over a channel, its absolute value averaged over batches. (In the gradient's mean over batches alone,
    which is near zero in a trained model, most of it would cancel.)

    Args:
        model: What ``task`` trains; it shares its weights with what is pruned.
        task: Gives the batches and their loss.
        n_batches: At most this many batches of one epoch.
        seed: Of the batches' order and of what the loss draws.
    """
    library = torch_pruning.importance.GroupTaylorImportance(normalizer=None, multivariable=True)

    def score(groups: Sequence[ChannelGroup]) -> list[Tensor]:
        totals = [torch.zeros(group.width) for group in groups]
        for _ in _gradients(model, task, n_batches, seed):
            _refuse_unreached(groups)
            scores = _scores(groups, library, lambda weight: weight * _gradient(weight))
            totals = [total + one for total, one in zip(totals, scores, strict=True)]
        return totals

    return score


def _scores(
    groups: Sequence[ChannelGroup], library: Callable[[Any], Tensor | None], of_table: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """The library's scores, with those of table columns, which it leaves out."""
    scores = []
    for group in groups:
        score = library(group.coupled)
        tables = _of_tables(group, of_table)
        score = tables if score is None else score + tables
        if not torch.isfinite(score).all():
            raise CandidateError(f"weights or gradients of {', '.join(group.names)} hold NaN or infinity. Train anew.")
        scores.append(score)
    return scores


@torch.no_grad()
def _of_tables(group: ChannelGroup, of_table: Callable[[Tensor], Tensor]) -> Tensor:
    total = torch.zeros(group.width)
    for step in group.coupled:
        module = step.dep.target.module
        if isinstance(module, nn.Embedding):
            columns = of_table(module.weight).sum(0).abs()[step.idxs]
            total.index_add_(0, torch.tensor(step.root_idxs), columns / module.num_embeddings)
    return total


def _relative(score: Tensor) -> Tensor:
    mean = score.mean()
    return score / mean if mean > 0 else score


def _gradients(model: nn.Module, task: Task, n_batches: int, seed: int) -> Iterator[None]:
    """Put the gradients of one batch after another into ``model``, and none at the end."""
    model.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for batch in islice(task.batches(np.random.default_rng(seed)), n_batches):
            model.zero_grad(set_to_none=True)
            torch.autograd.backward(task.loss(model, batch))
            yield
    model.zero_grad(set_to_none=True)


def _gradient(weight: Tensor) -> Tensor:
    return weight.grad if weight.grad is not None else torch.zeros_like(weight)


def _refuse_unreached(groups: Sequence[ChannelGroup]) -> None:
    for group in groups:
        for step in group.coupled:
            weight = getattr(step.dep.target.module, "weight", None)
            if isinstance(weight, nn.Parameter) and weight.grad is None:
                raise CandidateError(
                    f"pruning_importance='taylor': the training loss does not reach a layer coupled with "
                    f"{group.names[0]}, so its gradient is unknown. Use 'magnitude', or leave it out of the plan."
                )
