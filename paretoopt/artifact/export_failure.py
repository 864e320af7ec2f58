"""Why torch's exporter failed, and at which module."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType

from torch import fx, nn

from paretoopt.errors import CandidateError, ParetooptError

_LONGEST_REASON = 200


def export_error(error: Exception, module: nn.Module) -> ParetooptError:
    """The error that names the innermost module at which exporting ``module`` failed, the reason and the way out.

    What the module itself refuses is given as it is.
    """
    causes = list(_causes(error))
    own = next((cause for cause in causes if isinstance(cause, ParetooptError)), None)
    if own is not None:
        return own
    reason = str(causes[-1]).strip().splitlines()[0][:_LONGEST_REASON] if str(causes[-1]).strip() else repr(causes[-1])
    return CandidateError(
        f"torch could not export {type(module).__name__} to ONNX, because of {_failed_at(causes, module)}: {reason}. "
        "Write its forward with tensor operations that ONNX has, without branches on values; or let `wrap` of "
        "export_onnx put another module in its place."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it was raised from, down to the first one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _failed_at(causes: list[BaseException], module: nn.Module) -> str:
    """The innermost submodule at work when the first cause was raised; ``module`` itself where none is known."""
    names = {submodule: name for name, submodule in module.named_modules()}
    for cause in reversed(causes):
        for frame in reversed(list(_frames(cause))):
            name = _module_at(frame, names)
            if name:
                return f"{name} ({type(module.get_submodule(name)).__name__})"
    return f"its own forward ({type(module).__name__})"


def _module_at(frame: FrameType, names: dict[nn.Module, str]) -> str | None:
    """The name of the module whose forward, or whose translation to ONNX, the frame belongs to."""
    at_work, node = frame.f_locals.get("self"), frame.f_locals.get("node")
    if isinstance(at_work, nn.Module):
        return names.get(at_work)
    if isinstance(node, fx.Node) and node.meta.get("nn_module_stack"):
        path = str(list(node.meta["nn_module_stack"].values())[-1][0])
        return path if path in names.values() else None
    return None


def _frames(error: BaseException) -> Iterator[FrameType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next
