"""A pipeline with another seed: trained anew throughout, measured as before."""

from __future__ import annotations

from typing import Any

import pytest

from paretoopt.candidate import Measurement
from paretoopt.errors import PipelineError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context
from paretoopt.space import Params
from tests.pipeline.conftest import Numbers, Toy


def seeded(toy: Toy, **changes: Any) -> Pipeline:  # noqa: ANN401 (any argument of Pipeline)
    """The toy, built from a seed."""
    return toy.pipeline(build=Build(build, (), "1"), **changes)


def build(params: Params, data: Numbers, seed: int) -> dict[str, Any]:
    """An untrained model that shows its seed."""
    return {"steps": [["build", seed]]}


def test_building_and_stages_get_the_other_seed(toy: Toy) -> None:
    """Initial weights and training both come from it."""
    model = seeded(toy).with_seed(3).deployable({})

    assert [step[-1] for step in model["steps"]] == [3, 3, 3]


def test_another_seed_ships_another_artifact(toy: Toy) -> None:
    """Its name is that of the seed, even where the first one's was asked before."""
    pipeline = seeded(toy)
    pipeline.evaluate({})
    names = {pipeline.artifact_key({}), *(pipeline.with_seed(seed).artifact_key({}) for seed in (1, 2))}

    assert len(names) == 3


def test_the_same_seed_gives_what_the_store_has(toy: Toy) -> None:
    """Seed 0 is that of the pipeline itself; another one trains once, however often it is asked for."""
    pipeline = seeded(toy)
    pipeline.evaluate({})

    assert toy.ran(lambda: pipeline.with_seed(0).evaluate({})) == []
    assert toy.ran(lambda: pipeline.with_seed(1).quality({})) == ["fit", "round", "quality"]
    assert toy.ran(lambda: pipeline.with_seed(1).quality({})) == []


def test_outputs_and_fingerprints_of_seeds_differ(toy: Toy) -> None:
    """So nothing of one seed passes for that of another."""
    pipelines = [seeded(toy).with_seed(seed) for seed in range(3)]

    assert len({pipeline.artifact_key({}) for pipeline in pipelines}) == 3
    assert len({pipeline.fingerprint for pipeline in pipelines}) == 3


def test_measures_keep_their_seed_and_requests(toy: Toy) -> None:
    """A measure draws the same users for every training; the key tells it from a pipeline of that seed throughout."""
    seeds: list[int] = []

    def run(model: object, params: Params, context: Context) -> dict[str, Measurement]:
        seeds.append(context.seed)
        return {"quality": Measurement(1.0)}

    measure = toy.measure("quality", run=run)
    seeded(toy, measures=[measure]).with_seed(3).quality({})
    seeded(toy, measures=[measure], seed=3).quality({})

    assert seeds == [0, 3]


def test_quality_is_measured_without_latency(toy: Toy) -> None:
    """What depends on the device is no matter of the training's luck."""
    assert set(seeded(toy).with_seed(1).quality({}).measurements) == {"quality"}


def test_a_build_that_takes_no_seed_is_refused(toy: Toy) -> None:
    """Its initial weights would be the same again, or come from nowhere."""
    with pytest.raises(PipelineError, match=r"takes no seed.*def build\(params, data, seed\)"):
        toy.pipeline().with_seed(1)
