"""What torch's exporter notes about the source code, which no runtime reads."""

from __future__ import annotations

import onnx


def drop_source_traces(model: onnx.ModelProto) -> None:
    """Remove the stack traces and module names from ``model``, in place.

    They are about 1 KiB per node, held in memory by the runtime too, and name folders of the machine that exported.
    """
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        del part.metadata_props[:]
