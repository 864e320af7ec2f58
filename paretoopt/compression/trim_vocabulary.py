"""The stage that drops the rows of items that were never trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from paretoopt.errors import CandidateError
from paretoopt.models.vocabulary import TrimmedModel, Vocabulary
from paretoopt.models.weights import load_weights_into, save_weights
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Parameter, Params, Value

_NONE = np.zeros(0, dtype=np.int64)


def trim_vocabulary(
    kept: Callable[[Any], NDArray[np.int64]], table: Callable[[Any], nn.Embedding], *, least: int = 1
) -> Stage:
    """The stage that gives a :class:`~paretoopt.models.vocabulary.TrimmedModel` where ``vocabulary_trimming`` is True.

    An item that was never trained on has a row of chance, and nothing is lost without it. Item ids mean the same
    outside: the deployed graph translates them. A request that names a trimmed item is answered as if the item
    were not in it, and a trimmed item is never recommended.

    Args:
        kept: ``data -> ids`` of the items that keep their row, from 1 and ascending.
        table: ``model -> nn.Embedding`` with one row per item id, row 0 for padding.
        least: The least number of items that an answer needs.
    """

    def run(model: nn.Module, params: Params, context: Context) -> TrimmedModel:
        return trim_table(model, table(model), kept(context.data), least=least)

    def load(folder: Path, context: Context) -> nn.Module:
        return load_weights_into(TrimmedModel(context.build(), Vocabulary(_NONE, 0)), folder)

    return Stage(
        name="trim_vocabulary",
        run=run,
        save=save_weights,
        load=load,
        reads=(Parameter("vocabulary_trimming", default=False, refuse=_refuse_others),),
        is_active=lambda params: bool(params["vocabulary_trimming"]),
    )


def trim_table(model: nn.Module, table: nn.Embedding, kept: NDArray[np.int64], *, least: int = 1) -> TrimmedModel:
    """``model`` with the rows of ``table`` that are not among ``kept`` gone.

    Args:
        model: Scores every row of ``table``.
        table: One row per item id, row 0 for padding; changed in place.
        kept: Ids of the items that keep their row, from 1 and ascending.
        least: The least number of items that must remain.

    Raises:
        CandidateError: Fewer than ``least`` items remain.
    """
    n_items = table.num_embeddings - 1
    if len(kept) < least:
        raise CandidateError(
            f"vocabulary_trimming leaves {len(kept)} of {n_items} items, fewer than the {least} of an answer. "
            "Leave vocabulary_trimming out of the space, or lower k."
        )
    with torch.no_grad():
        rows = torch.from_numpy(np.concatenate([[0], kept]))
        table.weight = nn.Parameter(table.weight[rows].clone(), requires_grad=table.weight.requires_grad)
    table.num_embeddings = len(rows)
    return TrimmedModel(model, Vocabulary(kept, n_items)).eval()


def _refuse_others(value: Value) -> str | None:
    return None if isinstance(value, bool) else "Use True or False."
