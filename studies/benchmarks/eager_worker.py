"""A worker that serves a torch module as it is, eagerly: what artifacts are compared with."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import torch

from paretoopt.measurement.channel import run_task
from paretoopt.measurement.serving_worker import serve_or_idle
from paretoopt.measurement.traffic import Answer, Feed


def open_module(path: Path, threads: int) -> Answer:
    """The module that ``torch.save`` wrote to ``path``, without gradients and with ``threads`` threads."""
    torch.set_num_threads(threads)
    # Requests cannot be written to, which torch says once; nothing here writes to them.
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
    # The benchmark itself wrote the file a moment ago.
    module = torch.load(path, weights_only=False).eval()

    def answer(_: None, feed: Feed) -> Any:  # noqa: ANN401 (whatever the module gives)
        with torch.inference_mode():
            return module(**{name: torch.from_numpy(array) for name, array in feed.items()})

    return answer


if __name__ == "__main__":
    run_task(partial(serve_or_idle, open_module))
