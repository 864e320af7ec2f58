"""A build function is named by its source, and one whose source does not tell all is refused."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from paretoopt.errors import PipelineError
from paretoopt.pipeline.source import source_version
from paretoopt.pipeline.stage import Measure, reads, request_count, requests_fingerprint
from paretoopt.space import Parameter, Params


def build_narrow(params: Params, data: object) -> str:
    """A model."""
    return "narrow"


def build_wide(params: Params, data: object) -> str:
    """A model."""
    return "wide"


class WideModel:
    """A model that is built by its class."""

    def __init__(self, _params: Params, data: object) -> None:
        """Keep the data."""
        self.data = data


def test_a_build_declares_what_it_reads() -> None:
    """The decorator keeps the function, and names it by the hash of its source."""
    build = reads(Parameter("width", 8))(build_narrow)

    assert build.function is build_narrow
    assert [parameter.name for parameter in build.reads] == ["width"]
    assert build.version == hashlib.sha256(inspect.getsource(build_narrow).encode()).hexdigest()[:16]


def test_another_source_is_another_version() -> None:
    """Editing a build function trains anew."""
    assert len({source_version(build) for build in (build_narrow, build_wide, WideModel)}) == 3


def test_a_function_without_source_is_named_by_its_name() -> None:
    """Functions typed at a prompt have no file to read."""
    namespace: dict[str, Callable[..., Any]] = {}
    exec("def typed(params, data): return 1", namespace)

    assert source_version(namespace["typed"]) == hashlib.sha256(b"typed").hexdigest()[:16]


def _capturing(width: int) -> Callable[[Params, object], int]:
    return lambda params, data: width


class _Holder:
    """Builds a model of the width that it holds."""

    def __init__(self, width: int) -> None:
        self.width = width

    def build(self, _params: Params, _data: object) -> int:
        """The model."""
        return self.width

    __call__ = build


@pytest.mark.parametrize(
    "function",
    [_capturing(8), functools.partial(build_narrow, data=None), _Holder(8), _Holder(8).build],
    ids=["closure", "partial", "object", "method"],
)
def test_what_depends_on_more_than_its_source_is_refused(function: Callable[..., Any]) -> None:
    """Of two functions with one source and different captured widths, one would get the other's models."""
    with pytest.raises(PipelineError, match=r"its source does not show.*Build\(function, reads, version=\.\.\.\)"):
        reads()(function)


def test_requests_are_counted_along_the_first_axis() -> None:
    """Arrays of different shapes are one request per row."""
    assert request_count({"history": np.zeros((5, 3)), "user": np.zeros(5)}) == 5


def test_the_order_of_request_arrays_does_not_matter() -> None:
    """Neither does their layout in memory; values, types, shapes and names do."""
    history, user = np.arange(6).reshape(2, 3), np.arange(2)
    same = requests_fingerprint({"history": history, "user": user})

    assert requests_fingerprint({"user": user, "history": np.asfortranarray(history)}) == same
    assert requests_fingerprint({"user": history, "history": user}) != same
    assert requests_fingerprint({"history": history.reshape(2, 3, 1), "user": user}) != same
    assert requests_fingerprint({"history": history.astype(np.int32), "user": user}) != same
    assert requests_fingerprint({"history": history + 1, "user": user}) != same


def test_only_metrics_that_are_given_can_be_for_reports() -> None:
    """A misspelt name would leave the metric open to the search."""
    with pytest.raises(PipelineError, match="'quality' keeps tset_ndcg for reports, but gives ndcg, test_ndcg"):
        Measure("quality", ("ndcg", "test_ndcg"), lambda *_: {}, reported_only=frozenset({"tset_ndcg"}))
