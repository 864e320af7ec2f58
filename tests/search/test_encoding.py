"""How candidates and definitions are written, and that they come back."""

from __future__ import annotations

import json

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st

from paretoopt.objectives import at_most, maximize, minimize
from paretoopt.search.definition import StudyDefinition, from_record, to_record
from paretoopt.search.encoding import checked, decode, encode, suggest
from paretoopt.space import Categorical, Float, Int, Ordered, Params, SearchSpace

_SPACE = SearchSpace(
    bits=Ordered(32, 8, 4),
    layer=Categorical("dense", "sparse"),
    exact=Ordered(True, False),
    workers=Int(2, 8, step=3),
    ratio=Float(0.0, 0.3, step=0.1),
    rate=Float(0.5, 2.0),
)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_what_is_suggested_is_in_the_space_and_can_be_enqueued(seed: int) -> None:
    """A drawn candidate is a member of the space, survives JSON, and is drawn again when it is enqueued."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    drawn = suggest(study.ask(), _SPACE)
    assert checked(json.loads(json.dumps(drawn)), _SPACE) == drawn

    study.enqueue_trial(encode(drawn, _SPACE))
    trial = study.ask()

    assert suggest(trial, _SPACE) == drawn
    assert decode(trial.params, _SPACE) == drawn


def test_incomplete_parameters_are_no_candidate() -> None:
    """A trial whose process died while it drew has no candidate."""
    assert decode({"bits.index": 1}, _SPACE) is None


def test_enqueued_numbers_are_written_as_the_space_writes_them() -> None:
    """Equal values of another type name the same candidate."""
    given: Params = {"bits": 8.0, "layer": "dense", "exact": True, "workers": 5, "ratio": 0.1 + 0.2, "rate": 1}

    assert repr(list(checked(given, _SPACE).values())) == "[8, 'dense', True, 5, 0.3, 1.0]"


def test_definition_survives_json() -> None:
    """What the database keeps of a study gives the same study."""
    definition = StudyDefinition(_SPACE, (maximize("ndcg"), minimize("latency")), (at_most("memory", 20.0),))

    assert from_record(json.loads(json.dumps(to_record(definition)))) == definition
