"""Run all requests through an artifact in batches; run as a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.measurement.channel import Channel, Json, run_task
from paretoopt.measurement.requests import read_requests
from paretoopt.measurement.session import open_session


def _infer(channel: Channel, job: Json) -> Json:
    session = open_session(Path(job["model_path"]), threads=job["threads"])
    requests = read_requests(Path(job["requests_folder"]))
    names = [output.name for output in session.get_outputs()]
    paths = [channel.folder / f"output-{number}.npy" for number in range(len(names))]
    n_requests = len(next(iter(requests.values())))
    stacked: list[NDArray[np.generic]] = []
    for first in range(0, n_requests, job["batch_size"]):
        batch = {name: values[first : first + job["batch_size"]] for name, values in requests.items()}
        rows = min(job["batch_size"], n_requests - first)
        outputs = [_checked(name, output, rows) for name, output in zip(names, session.run(None, batch), strict=True)]
        stacked = stacked or [_file_of(path, output, n_requests) for path, output in zip(paths, outputs, strict=True)]
        for name, all_rows, output in zip(names, stacked, outputs, strict=True):
            if output.shape[1:] != all_rows.shape[1:]:
                raise ValueError(
                    f"output {name!r} has rows of shape {output.shape[1:]} for requests {first} to {first + rows - 1}, "
                    f"but {all_rows.shape[1:]} before. Export the model with outputs of one shape."
                )
            all_rows[first : first + rows] = output
    return {"outputs": {name: path.name for name, path in zip(names, paths, strict=True)}}


def _checked(name: str, output: object, rows: int) -> NDArray[np.generic]:
    array = np.asarray(output)
    if array.ndim == 0 or len(array) != rows:
        raise ValueError(
            f"output {name!r} has shape {array.shape} for {rows} requests. "
            "Export the model with a row per request in every output."
        )
    return array


def _file_of(path: Path, first: NDArray[np.generic], n_requests: int) -> NDArray[np.generic]:
    """A file as large as all rows together, mapped into memory, so that outputs take no private memory."""
    return np.lib.format.open_memmap(path, mode="w+", dtype=first.dtype, shape=(n_requests, *first.shape[1:]))


if __name__ == "__main__":
    run_task(_infer)
