"""Running and tracing what a plan names, with errors that name the module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch_pruning
from torch import Tensor, nn

from paretoopt.compression.prune_plan import PruningPlan
from paretoopt.errors import CandidateError

REMEDY = "Leave it out of the plan's layers (`ignored_layers` of plan_pruning), or write a PruningPlan of your own."


def dependency_graph(plan: PruningPlan) -> torch_pruning.DependencyGraph:
    """torch-pruning's graph of which channels go together.

    Raises:
        CandidateError: The model does not run, or cannot be traced.
    """
    run_named(plan, "does not run on the plan's example inputs")
    try:
        graph = torch_pruning.DependencyGraph().build_dependency(
            plan.traced, plan.example_inputs, unwrapped_parameters=list(plan.fixed_parameters)
        )
    except Exception as error:
        raise CandidateError(
            f"torch-pruning cannot trace {type(plan.traced).__name__}: {error}. Trace a part of it that is made "
            "of tensor operations and standard layers: give it as `traced` of a PruningPlan of your own."
        ) from error
    _ignore_slices_of_rows(graph)
    return graph


@contextmanager
def all_trainable(model: nn.Module) -> Iterator[None]:
    """Let torch-pruning trace every weight: those without gradient make it skip layers in silence."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    model.requires_grad_(True)
    try:
        yield
    finally:
        # By name, because pruning puts new parameters in the place of the old ones.
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in frozen)


def unknown_modules(plan: PruningPlan) -> tuple[str, ...]:
    """The modules with weights that torch-pruning has no rule for, and takes for operations on each channel alone."""
    fixed = {id(parameter) for parameter, _ in plan.fixed_parameters}
    return tuple(
        f"{name} ({type(module).__name__})"
        for name, module in plan.traced.named_modules()
        if torch_pruning.ops.module2type(module) == torch_pruning.ops.OPTYPE.ELEMENTWISE
        and any(id(parameter) not in fixed for parameter in module.parameters(recurse=False))
    )


def run_named(plan: PruningPlan, failure: str) -> list[Tensor]:
    """The outputs of the traced module on the example inputs.

    Raises:
        CandidateError: It fails; the message names the innermost module that does, and says ``failure``.
    """
    names = {module: name for name, module in plan.traced.named_modules()}
    entered: list[nn.Module] = []

    def leave(*call: object) -> None:
        entered.pop()

    hooks = [module.register_forward_pre_hook(lambda module, inputs: entered.append(module)) for module in names]
    hooks += [module.register_forward_hook(leave) for module in names]
    try:
        with torch.no_grad():
            outputs = plan.traced.eval()(*plan.example_inputs)
    except Exception as error:
        where = names[entered[-1]] if len(entered) > 1 else type(plan.traced).__name__
        raise CandidateError(f"module {where} {failure}: {error}. {REMEDY}") from error
    finally:
        for hook in hooks:
            hook.remove()
    return [tensor for tensor in torch_pruning.utils.flatten_as_list(outputs) if isinstance(tensor, Tensor)]


def _ignore_slices_of_rows(graph: torch_pruning.DependencyGraph) -> None:
    """Take ``matrix[a:b]`` for what it is: torch-pruning 1.6 holds it for a slice of the columns."""
    for node in graph.module2node.values():
        step = node.grad_fn
        if (
            node.type == torch_pruning.ops.OPTYPE.SLICE
            and step._saved_dim == 0
            and len(step._saved_self_sym_sizes) == 2
        ):
            node.type = torch_pruning.ops.OPTYPE.ELEMENTWISE
            neighbours = [dependency for other in (*node.inputs, *node.outputs) for dependency in other.dependencies]
            for dependency in (*node.dependencies, *(d for d in neighbours if d.target is node)):
                dependency.index_mapping = [None, None]
