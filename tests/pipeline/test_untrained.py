"""What ships can be made before any training, to know its shape and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paretoopt.errors import SpaceError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Earlier
from paretoopt.space import Parameter, Params

if TYPE_CHECKING:
    from tests.pipeline.conftest import Toy


def make_pipeline(toy: Toy) -> Pipeline:
    """Fit and fine-tune train; prune and round do not."""
    return toy.pipeline(
        stages=[
            toy.stage("fit", Parameter("epochs", 3), trains=True),
            toy.stage("prune", Parameter("ratio", 0.0), is_active=lambda params: float(params["ratio"]) > 0),
            toy.stage("fine_tune", trains=True),
            toy.stage("round", Parameter("bits", 32)),
        ]
    )


def test_nothing_is_trained(toy: Toy) -> None:
    """All other active stages run."""
    pipeline = make_pipeline(toy)

    assert toy.ran(lambda: pipeline.untrained({"ratio": 0.5})) == ["prune", "round"]
    assert toy.ran(lambda: pipeline.untrained({})) == ["round"]
    assert [step[0] for step in pipeline.untrained({})["steps"]] == ["build", "round"]


def test_it_is_made_once_and_shared(toy: Toy) -> None:
    """Settings of training make no difference to it."""
    pipeline = make_pipeline(toy)
    pipeline.untrained({})

    assert toy.ran(lambda: make_pipeline(toy).untrained({"epochs": 9})) == []
    assert toy.ran(lambda: pipeline.untrained({"bits": 8})) == ["round"]


def test_it_never_passes_for_what_was_trained(toy: Toy) -> None:
    """The store keeps the two apart, whichever was made first."""
    pipeline = make_pipeline(toy)
    pipeline.untrained({})

    assert toy.ran(lambda: pipeline.evaluate({})) == ["fit", "fine_tune", "round", "quality", "latency_ms"]
    assert [step[0] for step in pipeline.untrained({})["steps"]] == ["build", "round"]


def test_what_it_uses_of_earlier_stages_is_untrained_as_well(toy: Toy) -> None:
    """A stage that looks back trains nothing through that."""

    def run(model: dict[str, Any], params: Params, context: Context) -> dict[str, Any]:
        return {"steps": [*model["steps"], context.earlier("fit")["steps"]]}

    stages = [toy.stage("fit", trains=True), toy.stage("compare", run=run, uses=(Earlier("fit"),))]
    pipeline = toy.pipeline(stages=stages)

    assert toy.ran(lambda: pipeline.untrained({})) == []
    assert pipeline.untrained({})["steps"][-1] == [["build", {"width": 8}, "numbers"]]


def test_parameters_are_checked(toy: Toy) -> None:
    """As for every candidate."""
    with pytest.raises(SpaceError, match="Did you mean 'epochs'"):
        make_pipeline(toy).untrained({"epoch": 4})
