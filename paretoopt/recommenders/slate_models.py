"""The models that rank slates, as settings that a pipeline can be made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import nn

from paretoopt.data.split import Split
from paretoopt.errors import PipelineError
from paretoopt.models.history_ranker import HistoryRanker, Pooling
from paretoopt.models.neumf import NeuMF


@dataclass(frozen=True)
class Prunable:
    """What can be narrowed of a model.

    Attributes:
        layers: The layers whose output channels are pruned, by name.
        embeddings: The tables whose width is, by name.
    """

    layers: Mapping[str, nn.Linear]
    embeddings: Mapping[str, nn.Embedding] = field(default_factory=dict)


class SlateModel(Protocol):
    """A model that gives a logit for each candidate of a request.

    Its module is called with ``user`` and ``candidates`` and, where it reads one, ``history``, as tensors of ids of
    which 0 stands for none.
    """

    @property
    def length(self) -> int:
        """Most recent items that it reads; 0 where it reads none."""

    def build(self, split: Split, embedding_dim: int) -> nn.Module:
        """An untrained module."""

    def prunable(self, module: Any) -> Prunable:  # noqa: ANN401 (the module that build gave)
        """What can be narrowed of a module that ``build`` gave."""


@dataclass(frozen=True)
class HistoryModel:
    """The click-through ranker of the field's tutorials: user, history and candidate into one dense layer.

    Attributes:
        history: ``"flatten"`` concatenates the vectors of the history, ``"mean"`` takes their mean. The tables of a
            flattened history cannot be narrowed by ``embedding_pruning_ratio``; search ``embedding_dim`` instead.
        length: Most recent items that it reads.
        hidden: Channels of the dense layer.
        dropout: Share of its activations dropped in training.

    Raises:
        PipelineError: A setting is out of its range.
    """

    history: Pooling = "flatten"
    length: int = 100
    hidden: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.history not in ("flatten", "mean"):
            raise PipelineError(f"history must be 'flatten' or 'mean', but is {self.history!r}.")
        for name, size in (("length", self.length), ("hidden", self.hidden)):
            if type(size) is not int or size < 1:
                raise PipelineError(f"{name} must be a whole number from 1 on, but is {size!r}.")
        if not 0 <= self.dropout < 1:
            raise PipelineError(f"dropout must be from 0 to below 1, but is {self.dropout!r}.")

    def build(self, split: Split, embedding_dim: int) -> HistoryRanker:
        """An untrained ranker."""
        return HistoryRanker(
            n_users=split.n_users,
            n_items=split.n_items,
            embedding_dim=embedding_dim,
            length=self.length,
            history=self.history,
            hidden=self.hidden,
            dropout=self.dropout,
        )

    def prunable(self, module: HistoryRanker) -> Prunable:
        """The dense layer, whose two parts share their channels, and the tables where the history is a mean."""
        layers = {"context": module.context, "candidate": module.candidate}
        # torch-pruning 1.6 does not find a table's columns in the flattened history.
        tables = {} if self.history == "flatten" else {"users": module.users, "items": module.items}
        return Prunable(layers, tables)


@dataclass(frozen=True)
class NeuMFModel:
    """NeuMF of He et al. 2017, whose ``embedding_dim`` is the number of predictive factors."""

    @property
    def length(self) -> int:
        """0: it reads no history."""
        return 0

    def build(self, split: Split, embedding_dim: int) -> NeuMF:
        """An untrained model."""
        return NeuMF(n_users=split.n_users, n_items=split.n_items, factors=embedding_dim)

    def prunable(self, module: NeuMF) -> Prunable:
        """Every layer of the tower, the first one's two parts sharing their channels, and all tables."""
        tower = {f"tower.{index}": layer for index, layer in enumerate(module.tower) if isinstance(layer, nn.Linear)}
        tables = {name: table for name, table in module.named_children() if isinstance(table, nn.Embedding)}
        return Prunable({"user": module.user, "candidate": module.candidate, **tower}, tables)
