"""Repeats of a study: models trained again from other seeds, by a real pipeline whose luck is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.errors import CandidateError, StudyError
from paretoopt.front.luck import Made
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.search.cost_pruning import CostPruning
from paretoopt.search.create import create_study
from paretoopt.search.repeats_records import RepeatsResult, read_repeats, write_repeats_result
from paretoopt.search.study import Study
from paretoopt.space import Ordered, Parameter, Params, SearchSpace

N_USERS = 400
TRUE = {1: 0.30, 2: 0.40, 3: 0.385, 4: 0.60}
"""What each width gives on average; 3 is dominated by 2 in truth."""
LUCK = {3: 0.025}
"""What the first training of a width gave beyond that: 3 is on the front by luck."""
UNTRAINED = 5
"""A width that the search leaves out."""
SALT = 7
SPREAD = 0.01
"""The standard deviation of the other trainings."""

Model = dict[str, Any]


class Numbers:
    """Users, by name."""

    fingerprint = "numbers"


class Luck:
    """A pipeline whose trainings come out by luck: wide models cost more memory, rounded ones are a little worse."""

    def __init__(self, folder: Path, luck: Mapping[int, float] = LUCK, spread: float = SPREAD) -> None:
        """Count trainings, by width and seed."""
        self.trained: list[tuple[int, int]] = []
        self.fails_at: int | None = None
        self.says_it_trains = True
        self.failure: BaseException = CandidateError("the loss became nan")
        self._luck, self._spread, self._folder = luck, spread, folder

    def pipeline(self, seed: int = 0) -> Pipeline:
        """Build, fit (width), round (bits); quality with values of users, and memory."""
        return Pipeline(
            data=Numbers(),
            build=Build(build, (Parameter("width", 1),), "1"),
            stages=[
                Stage("fit", self._fit, save, load, trains=self.says_it_trains),
                Stage("round", rounded, save, load, reads=(Parameter("bits", 8),)),
            ],
            measures=[
                Measure("quality", ("quality",), quality, per_user=read_users),
                Measure(
                    "memory", ("memory_mib",), memory, (Parameter("bits", 8),), needs_training=False, device=device
                ),
            ],
            requests={"user": np.arange(3)},
            store=self._folder,
            seed=seed,
        )

    def _fit(self, model: Model, params: Params, context: Context) -> Model:  # noqa: ARG002
        if len(self.trained) == self.fails_at:
            self.fails_at = None
            raise self.failure
        width, seed = model["width"], context.seed
        self.trained.append((width, seed))
        time.sleep(0.005)  # so that all trainings cost about the same
        drawn = self._spread * np.random.default_rng([SALT, width, seed]).normal()
        return {**model, "quality": TRUE[width] + (self._luck.get(width, drawn) if seed == 0 else drawn)}


def build(params: Params, data: Numbers, seed: int) -> Model:
    """An untrained model."""
    return {"width": params["width"], "seed": seed, "quality": 0.0, "bits": 8}


def rounded(model: Model, params: Params, context: Context) -> Model:
    """Rounding costs a little quality, the same for every training."""
    return {**model, "bits": params["bits"], "quality": model["quality"] - (0.02 if params["bits"] == 4 else 0.0)}


def quality(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
    """Users differ by much, and by the same for every model."""
    users = np.linspace(-0.2, 0.2, N_USERS) + model["quality"]
    (context.folder / "users.json").write_text(json.dumps(users.tolist()))
    return {"quality": Measurement(float(users.mean()), float(users.mean()) - 0.01, float(users.mean()) + 0.01)}


def read_users(folder: Path) -> dict[str, Any]:
    """The values of users."""
    return {"quality": np.array(json.loads((folder / "users.json").read_text()))}


def memory(model: Model, params: Params, context: Context) -> dict[str, Measurement]:
    """Grows with the width and the bits."""
    return {"memory_mib": Measurement(model["width"] * float(params["bits"]))}


def device() -> str:
    """Some machine."""
    return "here"


def save(model: Model, folder: Path) -> None:
    """Write the model as JSON."""
    (folder / "model.json").write_text(json.dumps(model))


def load(folder: Path, context: Context) -> Model:
    """Read it back."""
    model: Model = json.loads((folder / "model.json").read_text())
    return model


@pytest.fixture
def luck(tmp_path: Path) -> Luck:
    """The pipeline's maker."""
    return Luck(tmp_path / "store")


@pytest.fixture
def searched(tmp_path: Path, luck: Luck) -> Callable[..., Study]:
    """Opens the study, with every width evaluated, in 8 bits unless told otherwise."""

    def open_it(*bits: int) -> Study:
        study = create_study(
            SearchSpace(width=Ordered(*TRUE, UNTRAINED), bits=Ordered(4, 8)),
            objectives=[maximize("quality"), minimize("memory_mib")],
            study_name="widths",
            storage=f"sqlite:///{tmp_path / 'study.db'}",
            load_if_exists=True,
        )
        wanted = [{"width": width, "bits": one} for width in TRUE for one in bits or (8,)]
        for params in wanted:
            study.enqueue(params)
        study.optimize(luck.pipeline(), n_trials=len(wanted), progress=False)
        return study

    return open_it


def widths(front: ParetoFront) -> list[int]:
    """The members of the front."""
    return [int(member.params["width"]) for member in front.members]


def repeated(luck: Luck) -> list[int]:
    """The widths that were trained from another seed than the search's, in order."""
    return [width for width, seed in luck.trained if seed > 0]


def test_a_member_by_luck_leaves_the_front(searched: Callable[..., Study], luck: Luck) -> None:
    """Width 3 seemed better than 2, in less memory than 4; trained again, it is worse, and dominated."""
    study = searched()
    assert widths(study.pareto_front()) == [1, 2, 3, 4]

    front = study.repeats(luck.pipeline(), seeds=20, progress=False)

    assert widths(front) == widths(study.pareto_front()) == [1, 2, 4]
    probabilities = [one.probability_nondominated for one in front.candidates]
    assert all(one is not None and max(one, 1 - one) >= 0.95 for one in probabilities)


def test_repeats_are_spent_where_they_decide(searched: Callable[..., Study], luck: Luck) -> None:
    """Once four repeats have shown how large luck is, widths 1 and 4 are sure, and 2 and 3 alone are trained again."""
    searched().repeats(luck.pipeline(), seeds=20, progress=False)

    assert len(repeated(luck)) >= 4
    assert set(repeated(luck)[4:]) <= {2, 3}


def test_nothing_is_trained_again_where_luck_decides_nothing(tmp_path: Path, luck: Luck) -> None:
    """A single candidate is the front, however good it is."""
    study = create_study(
        SearchSpace(width=Ordered(1), bits=Ordered(8)),
        objectives=[maximize("quality"), minimize("memory_mib")],
        storage=f"sqlite:///{tmp_path / 'one.db'}",
    )
    study.optimize(luck.pipeline(), progress=False)

    assert widths(study.repeats(luck.pipeline(), progress=False)) == [1]
    assert repeated(luck) == []


def test_values_are_means_over_seeds_with_intervals_and_numbers_of_seeds(
    searched: Callable[..., Study], luck: Luck
) -> None:
    """Of all trainings, that of the search included; the interval is wider than users alone make it."""
    frame = searched().repeats(luck.pipeline(), seeds=20, progress=False).to_frame().set_index("width")

    of_width_2 = [
        TRUE[2] + SPREAD * np.random.default_rng([SALT, 2, seed]).normal() for seed in range(frame.n_seeds[2])
    ]
    assert frame.n_seeds[2] == 1 + repeated(luck).count(2)
    assert frame.quality[2] == pytest.approx(np.mean(of_width_2))
    users = 1.96 * np.linspace(-0.2, 0.2, N_USERS).std() / np.sqrt(N_USERS)
    assert frame.quality_high[2] - frame.quality_low[2] > 2 * users


def test_artifacts_of_one_training_share_its_repeat(searched: Callable[..., Study], luck: Luck) -> None:
    """Both bit widths of a model are measured from the other seeds, and the model is trained once for both."""
    study = searched(4, 8)

    study.repeats(luck.pipeline(), seeds=3, progress=False)

    assert len(set(luck.trained)) == len(luck.trained)
    seeds = {(one.params["width"], one.params["bits"]): one.n_seeds for one in study.pareto_front().candidates}
    contending = {key: n_seeds for key, n_seeds in seeds.items() if n_seeds > 1}
    assert contending
    assert all(n_seeds == 1 + repeated(luck).count(int(width)) for (width, _), n_seeds in contending.items())


def test_repeats_go_on_after_a_kill_and_never_twice(searched: Callable[..., Study], luck: Luck) -> None:
    """What is done is in the database when it is; the same call trains what is missing, and then nothing."""
    study = searched()
    luck.fails_at, luck.failure = len(luck.trained) + 2, SystemExit("killed")
    with pytest.raises(SystemExit):
        study.repeats(luck.pipeline(), seeds=20, progress=False)

    front = searched().repeats(luck.pipeline(), seeds=20, progress=False)

    assert len(set(luck.trained)) == len(luck.trained)
    n_trained = len(luck.trained)
    assert searched().repeats(luck.pipeline(), seeds=20, progress=False) == front == searched().pareto_front()
    assert len(luck.trained) == n_trained


def test_ctrl_c_keeps_what_is_done(searched: Callable[..., Study], luck: Luck) -> None:
    """The repeats that there are count, and the front says how sure it is."""
    study = searched()
    luck.fails_at, luck.failure = len(luck.trained) + 5, KeyboardInterrupt()

    front = study.repeats(luck.pipeline(), seeds=20, progress=False)

    assert len(repeated(luck)) == 5
    assert sum(one.n_seeds - 1 for one in front.candidates) == 5


def test_training_that_fails_is_kept_and_told(
    searched: Callable[..., Study], luck: Luck, caplog: pytest.LogCaptureFixture
) -> None:
    """It gives no value and is not tried again, and the repeats go on."""
    study = searched()
    luck.fails_at = len(luck.trained)

    with caplog.at_level("INFO", logger="paretoopt"):
        study.repeats(luck.pipeline(), seeds=3, progress=False)
        study.repeats(luck.pipeline(), seeds=3, progress=False)

    failed, *others = sorted(read_repeats(study.optuna_study), key=lambda repeat: repeat.failure is None)
    assert "the loss became nan" in str(failed.failure)
    assert "the loss became nan" in caplog.text
    assert (study.candidates()[failed.number].params["width"], failed.seed) not in luck.trained
    assert all(repeat.failure is None for repeat in others)


def test_a_budget_ends_the_repeats(searched: Callable[..., Study], luck: Luck) -> None:
    """Nothing is trained again for nothing; one training exceeds a millisecond, so that it is the last one."""
    study = searched()

    study.repeats(luck.pipeline(), max_training_cost=0.0, progress=False)
    assert repeated(luck) == []
    study.repeats(luck.pipeline(), max_training_cost=0.001, progress=False)
    assert len(repeated(luck)) == 1


def test_no_model_is_trained_from_more_seeds_than_asked_for(searched: Callable[..., Study], luck: Luck) -> None:
    """Three seeds are two repeats; what is undecided then stays so, with its probability."""
    front = searched().repeats(luck.pipeline(), seeds=3, confidence=0.999, progress=False)

    assert max(repeated(luck).count(width) for width in TRUE) == 2
    assert any(0.001 < (one.probability_nondominated or 0.0) < 0.999 for one in front.candidates)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 1}, "seeds=1 repeats nothing"),
        ({"confidence": 0.5}, "confidence=0.5 decides nothing"),
        ({"max_training_cost": -1.0}, r"max_training_cost=-1.0 is no limit"),
    ],
)
def test_settings_that_do_not_work_are_refused(
    searched: Callable[..., Study], luck: Luck, settings: dict[str, Any], message: str
) -> None:
    """Before anything is trained."""
    with pytest.raises(StudyError, match=message):
        searched().repeats(luck.pipeline(), **settings)


def test_a_pipeline_without_a_stage_that_trains_is_refused(searched: Callable[..., Study], luck: Luck) -> None:
    """Nothing would be trained again, whatever the seed."""
    luck.says_it_trains = False

    with pytest.raises(StudyError, match="no stage of this pipeline says that it trains"):
        searched().repeats(luck.pipeline(), progress=False)


def test_a_function_cannot_be_repeated(searched: Callable[..., Study]) -> None:
    """It takes no seed, and says so."""
    with pytest.raises(StudyError, match=r"takes none. Bring a Pipeline"):
        searched().repeats(lambda params: {"quality": 1.0, "memory_mib": 1.0})  # type: ignore[arg-type]  # on purpose


def test_finals_after_repeats_take_their_front_and_their_luck(searched: Callable[..., Study], luck: Luck) -> None:
    """Width 3 is no finalist; quality stays the mean over seeds, and the finals' draws have its luck."""
    study = searched()
    repeated_front = study.repeats(luck.pipeline(), seeds=20, progress=False)

    front = study.finals(luck.pipeline(), rounds=6, anchor=0, progress=False)

    assert widths(front) == [1, 2, 4]
    for before, after in zip(repeated_front.members, front.members, strict=True):
        assert (after.measurements["quality"], after.n_seeds) == (before.measurements["quality"], before.n_seeds)
        assert after.measurements["memory_mib"].low is not None


def test_finals_draw_the_luck_that_repeats_have_shown(searched: Callable[..., Study], luck: Luck) -> None:
    """By users alone 2 and 3 differ in each draw, as the same users are drawn for both; luck makes that less sure."""
    study = searched()
    sure = study.finals(luck.pipeline(), rounds=6, anchor=2, progress=False).candidates[2].probability_nondominated
    study.repeats(luck.pipeline(), seeds=2, progress=False)

    unsure = study.finals(luck.pipeline(), rounds=7, anchor=2, progress=False).candidates[2]

    assert sure == 1.0
    assert unsure.probability_nondominated is not None
    assert 0.0 < unsure.probability_nondominated < 1.0


def test_repeats_after_finals_tell_how_sure_the_front_is(searched: Callable[..., Study], luck: Luck) -> None:
    """They know what the finals measured, so theirs is the probability that is shown."""
    study = searched()
    study.finals(luck.pipeline(), rounds=6, progress=False)

    front = study.repeats(luck.pipeline(), seeds=20, progress=False)

    assert widths(front) == [1, 2, 4]
    assert (front.candidates[2].probability_nondominated or 0.0) < 0.05
    assert front.candidates[2].measurements["memory_mib"].low is not None


def test_later_candidates_are_pruned_by_means_over_seeds(searched: Callable[..., Study], luck: Luck) -> None:
    """What is said of the trial that would dominate a new candidate is its mean over seeds."""
    study = searched()
    mean = {"quality": Measurement(0.25, 0.24, 0.26)}
    write_repeats_result(study.optuna_study, RepeatsResult({0: mean}, {}, {0: Made("fit", "fit", 3)}, {}))
    poor = CostPruning(quality_bound=lambda params: {"quality": 0.0})

    study.enqueue({"width": UNTRAINED, "bits": 8})
    study.optimize(luck.pipeline(), n_trials=5, cost_pruning=poor, progress=False)

    assert "quality 0.25 (0.24 to 0.26)" in study.pruned()[0].reason


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fronts_are_the_true_one_more_often_than_without_repeats(tmp_path: Path) -> None:
    """Twenty searches whose trainings were lucky or not: repeats take out at least half of the wrong memberships."""
    wrong = {"search": 0, "repeats": 0}
    for table in range(20):
        luck = Luck(tmp_path / f"store{table}", luck={}, spread=0.02)
        pipeline = luck.pipeline(seed=1_000 * (table + 1))
        study = create_study(
            SearchSpace(width=Ordered(*TRUE)),
            objectives=[maximize("quality"), minimize("memory_mib")],
            storage=f"sqlite:///{tmp_path / f'{table}.db'}",
        )
        study.optimize(pipeline, progress=False)
        wrong["search"] += len({1, 2, 4} ^ set(widths(study.pareto_front())))
        wrong["repeats"] += len({1, 2, 4} ^ set(widths(study.repeats(pipeline, seeds=12, progress=False))))

    assert wrong["search"] >= 4
    assert wrong["repeats"] <= wrong["search"] / 2
