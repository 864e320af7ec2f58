"""Weights on disk without pickle, for models whose shapes pruning has changed."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from paretoopt.errors import PipelineError
from paretoopt.pipeline.stage import Context

_WEIGHTS_FILE = "weights.safetensors"


def save_weights(model: nn.Module, folder: Path) -> None:
    """Write the parameters and buffers of ``model``; tied ones once."""
    save_file({name: tensor.detach().contiguous() for name, tensor in _tensors(model).items()}, folder / _WEIGHTS_FILE)


def load_weights(folder: Path, context: Context) -> nn.Module:
    """A fresh model with the weights that :func:`save_weights` wrote, in the shapes they have."""
    return load_weights_into(context.build(), folder)


def load_weights_into(model: nn.Module, folder: Path) -> nn.Module:
    """``model`` with the weights that :func:`save_weights` wrote, its layers resized to their shapes.

    Raises:
        PipelineError: The names differ from those of ``model``: the build function has changed.
    """
    return with_weights(model, load_file(folder / _WEIGHTS_FILE))


def with_weights(model: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    """``model`` with ``weights`` in place, its layers resized to their shapes.

    Raises:
        PipelineError: The names differ from those of ``model``: the build function has changed.
    """
    own = _tensors(model)
    if own.keys() != weights.keys():
        difference = ", ".join(sorted(own.keys() ^ weights.keys())[:3])
        raise PipelineError(
            f"stored weights do not fit the built model (they differ in {difference}). Change its name."
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.data = weights[name]
    for module in model.modules():
        _follow_weights(module)
    return model.eval()


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _follow_weights(module: nn.Module) -> None:
    """Make the layer's declared sizes those of its weights."""
    match module:
        case nn.Linear():
            module.out_features, module.in_features = module.weight.shape
        case nn.Embedding():
            module.num_embeddings, module.embedding_dim = module.weight.shape
        case nn.LayerNorm():
            module.normalized_shape = tuple(module.weight.shape)
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            module.num_features = len(module.weight)
        case nn.Conv1d() | nn.Conv2d():
            module.out_channels, module.in_channels = len(module.weight), module.weight.shape[1] * module.groups
