"""The model of a bundle in a worker: one copy, one thread that runs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from paretoopt.bundle.manifest import read_manifest
from paretoopt.bundle.predict import answer, open_model
from paretoopt.errors import ArtifactError
from paretoopt.serving.requests import InputPort, RefusalError, input_port

_IDS_FILE = "item_ids.json"
_IDS_OUTPUT = "items"


class ServedModel:
    """A loaded bundle; closed when the worker stops."""

    def __init__(self, folder: Path) -> None:
        """Check and load the bundle.

        Raises:
            ArtifactError: It is not what its manifest says, or the runtime cannot load it.
        """
        manifest = read_manifest(folder)
        self.ports: tuple[InputPort, ...] = tuple(input_port(name, one) for name, one in manifest["inputs"].items())
        self.checksum: str = manifest["checksums"]["model.onnx"]
        self._item_ids = _item_ids(folder) if _IDS_FILE in manifest["checksums"] else None
        try:
            self._session: onnxruntime.InferenceSession = open_model(folder)
        except Exception as error:  # the runtime's errors have no common class
            raise ArtifactError(f"the model in {folder} cannot be loaded: {error}. Export it again.") from error
        self._thread = ThreadPoolExecutor(1, "model")

    async def answer(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """What the model answers, ready for JSON; requests wait for each other.

        Raises:
            RefusalError: The runtime refuses the inputs.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, inputs)

    def close(self) -> None:
        """Wait for what is being answered."""
        self._thread.shutdown()

    def _answer(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        try:
            outputs = answer(self._session, inputs)
        except Exception as error:  # the runtime's errors have no common class
            raise RefusalError(422, "the model cannot take these inputs") from error
        answered: dict[str, Any] = {"outputs": {name: _plain(array) for name, array in outputs.items()}}
        if self._item_ids is not None and _IDS_OUTPUT in outputs:
            answered["item_ids"] = _named(outputs[_IDS_OUTPUT], self._item_ids)
        return answered


def _item_ids(folder: Path) -> NDArray[np.object_]:
    try:
        ids = json.loads((folder / _IDS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{folder / _IDS_FILE} cannot be read: {error}. Export the bundle again.") from error
    if not isinstance(ids, list) or not all(one is None or isinstance(one, str) for one in ids):
        raise ArtifactError(f"{folder / _IDS_FILE} is no list of ids. Export the bundle again.")
    return np.array([*ids, None], dtype=np.object_)


def _named(items: NDArray[Any], ids: NDArray[np.object_]) -> Any:  # noqa: ANN401 (nested lists)
    """The original ids of ``items``; None for those that have none."""
    beyond = len(ids) - 1
    return ids[np.where((items >= 0) & (items < beyond), items, beyond)].tolist()


def _plain(array: NDArray[Any]) -> Any:  # noqa: ANN401 (nested lists)
    """Nested lists; None for what JSON has no number for."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        plain = array.astype(np.object_)
        plain[~np.isfinite(array)] = None
        return plain.tolist()
    return array.tolist()
