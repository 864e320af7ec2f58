"""The weights of a torch module that is exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from paretoopt.errors import WeightsError

_SPREAD = 0.01


def refuse_broken_weights(module: nn.Module) -> None:
    """Refuse weights that no graph could answer with.

    Raises:
        WeightsError: Some are NaN or infinite, or all are 0.
    """
    weights = {name: weight.detach() for name, weight in module.named_parameters() if weight.is_floating_point()}
    broken = [name for name, weight in weights.items() if not weight.isfinite().all()]
    if broken:
        raise WeightsError(
            f"{', '.join(broken[:3])} of {type(module).__name__} hold NaN or infinity, so that its answers mean "
            "nothing. Train with a lower learning_rate."
        )
    if weights and not any(weight.any() for weight in weights.values()):
        raise WeightsError(
            f"all weights of {type(module).__name__} are 0, so that it answers every request alike. "
            "Initialise its weights, or train with a lower weight_decay."
        )


def named_weights(module: nn.Module) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Every parameter and buffer by name, and for each name the first one of the same tensor."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    first_names: dict[int, str] = {}
    for name, tensor in named:
        first_names.setdefault(id(tensor), name)
    arrays = {name: tensor.detach().numpy() for name, tensor in named}
    return arrays, {name: first_names[id(tensor)] for name, tensor in named}


@contextmanager
def constants_drawn(module: nn.Module) -> Iterator[dict[str, float]]:
    """For a while, values drawn about it in the place of each parameter that has one value throughout.

    torch's exporter drops biases of zeros and shares equal norms. These are untrained, so that the graph's shape
    would depend on training.

    Yields:
        The value of each such parameter.
    """
    random = torch.Generator().manual_seed(0)
    constants = {name: weight for name, weight in module.named_parameters() if _is_constant(weight)}
    values = {name: weight.detach().flatten()[0].item() for name, weight in constants.items()}
    with torch.no_grad():
        for weight in constants.values():
            weight.add_(_SPREAD * torch.rand(weight.shape, generator=random))
    try:
        yield values
    finally:
        with torch.no_grad():
            for name, weight in constants.items():
                weight.fill_(values[name])


def _is_constant(weight: nn.Parameter) -> bool:
    if not weight.is_floating_point() or weight.numel() == 0:
        return False
    # Of single values, only a zero is dropped.
    return bool((weight == weight.flatten()[0]).all()) and (weight.numel() > 1 or not weight.any())
