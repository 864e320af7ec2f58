"""From what a user writes to the canonical candidate, with every mistake named before anything runs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import ObjectiveError, PipelineError, SpaceError
from paretoopt.pipeline.parameters import canonical, check_metrics, check_space, merged, targets
from paretoopt.space import Float, Int, Ordered, Parameter, SearchSpace, Value
from paretoopt.store.keys import content_key


def refuse_ratio(value: Value) -> str | None:
    """Accept shares from 0 to below 1."""
    return None if 0 <= float(value) < 1 else "it is a share. Use a number from 0 to below 1."


KNOWN = merged(
    [
        Parameter("embedding_dim", 64),
        Parameter("pruning_ratio", 0.0, refuse_ratio),
        Parameter("linear_bits", 32, lambda value: None if value in (32, 8) else "there is no kernel for it."),
        Parameter("embedding_bits", 32, lambda value: None if value in (32, 8, 4) else "there is no kernel for it."),
        Parameter("serving_workers", 1),
        Parameter("importance", "magnitude"),
        Parameter("shared_table", True),
    ]
)
params_strategy = st.fixed_dictionaries(
    {},
    optional={
        "embedding_dim": st.integers(1, 512) | st.sampled_from([16.0, 16.5, True]),
        "pruning_ratio": st.floats(0, 0.99) | st.just(0) | st.just(False),
        "bits": st.sampled_from([32, 8, 8.0]),
        "workers": st.integers(1, 4) | st.just(True),
        "importance": st.text(),
        "shared_table": st.sampled_from([True, False, 0, 1, 1.0, 2]),
    },
)


@given(params_strategy)
def test_a_canonical_candidate_is_its_own_canonical_form(params: dict[str, Value]) -> None:
    """Writing a candidate out twice changes nothing, its key included, and every parameter has a value."""
    once = canonical(params, KNOWN)

    assert list(once) == list(KNOWN)
    assert content_key(canonical(once, KNOWN)) == content_key(once)


@given(params_strategy, params_strategy)
def test_equal_candidates_have_equal_keys(first: dict[str, Value], second: dict[str, Value]) -> None:
    """Where all values compare equal, whatever their types, the store sees one candidate."""
    one, other = canonical(first, KNOWN), canonical(second, KNOWN)

    assert (one == other) == (content_key(one) == content_key(other))


@given(params_strategy)
def test_the_candidate_keeps_the_values_that_were_given(params: dict[str, Value]) -> None:
    """No value changes on the way, and what was left out has its default."""
    complete = canonical(params, KNOWN)

    set_by_params = {target: value for name, value in params.items() for target in targets(name, KNOWN)}
    assert complete == {name: parameter.default for name, parameter in KNOWN.items()} | set_by_params


@pytest.mark.parametrize(
    ("shorthand", "set_by_it"),
    [("bits", {"linear_bits": 8, "embedding_bits": 8}), ("workers", {"serving_workers": 8})],
)
def test_a_shorthand_sets_every_parameter_that_the_pipeline_has(shorthand: str, set_by_it: dict[str, Value]) -> None:
    """``bits`` sets both; ``workers`` sets serving alone where training reads no workers."""
    complete = canonical({shorthand: 8}, KNOWN)

    assert {name: value for name, value in complete.items() if value == 8} == set_by_it


def test_a_parameter_named_like_a_shorthand_is_itself() -> None:
    """A pipeline that reads ``bits`` means its own."""
    assert canonical({"bits": 3}, {"bits": Parameter("bits", 32)}) == {"bits": 3}


@pytest.mark.parametrize("names", [("bits", "linear_bits"), ("linear_bits", "bits")])
def test_nothing_is_set_twice(names: tuple[str, str]) -> None:
    """A shorthand beside one of its parameters is ambiguous, in a candidate and in a space."""
    with pytest.raises(SpaceError, match="linear_bits is set twice"):
        canonical(dict.fromkeys(names, 8), KNOWN)
    with pytest.raises(SpaceError, match=f"'{names[0]}' and '{names[1]}' both set linear_bits. Leave one out"):
        check_space(SearchSpace(**dict.fromkeys(names, Ordered(8, 32))), KNOWN)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("embeding_dim", "Did you mean 'embedding_dim'?"),
        ("prunning_ratio", "Did you mean 'pruning_ratio'?"),
        ("q", "It reads embedding_dim, pruning_ratio"),
    ],
)
def test_an_unknown_dimension_is_refused_with_a_suggestion(name: str, suggestion: str) -> None:
    """The nearest name is offered, and the names that there are."""
    with pytest.raises(SpaceError) as of_space:
        check_space(SearchSpace(**{name: Int(1, 2)}), KNOWN)
    with pytest.raises(SpaceError) as of_candidate:
        canonical({name: 1}, KNOWN)

    assert str(of_space.value) == str(of_candidate.value)
    assert f"Dimension {name!r} is read by no part of this pipeline." in str(of_space.value)
    assert suggestion in str(of_space.value)


def test_a_shorthand_of_which_nothing_is_read_is_unknown() -> None:
    """``bits`` means nothing to a pipeline without quantisation."""
    with pytest.raises(SpaceError, match="'bits' is read by no part"):
        canonical({"bits": 8}, {"embedding_dim": KNOWN["embedding_dim"]})


@pytest.mark.parametrize(
    ("dimensions", "reason"),
    [
        ({"pruning_ratio": Float(0.0, 1.0)}, r"pruning_ratio=1\.0 cannot be used: it is a share"),
        ({"pruning_ratio": Float(-0.25, 0.5, 0.25)}, r"pruning_ratio=-0\.25 cannot be used"),
        ({"bits": Ordered(32, 5)}, "linear_bits=5 cannot be used: there is no kernel"),
        ({"bits": Ordered(32, 4)}, "linear_bits=4 cannot be used: there is no kernel"),
        ({"embedding_bits": Int(7, 8)}, "embedding_bits=7 cannot be used"),
        ({"embedding_dim": Ordered("64")}, "embedding_dim='64' cannot be used: it has to be like its default, 64"),
    ],
)
def test_every_value_of_a_space_is_checked(dimensions: dict[str, Any], reason: str) -> None:
    """One value among many that cannot be used is an error before the search begins."""
    with pytest.raises(SpaceError, match=reason):
        check_space(SearchSpace(**dimensions), KNOWN)


def test_a_sound_space_passes() -> None:
    """No mistake, no error."""
    check_space(SearchSpace(embedding_dim=Ordered(16, 32), pruning_ratio=Float(0, 0.5), bits=Ordered(32, 8)), KNOWN)


def test_a_default_that_cannot_be_used_is_refused_unless_searched() -> None:
    """The candidates would all fail on it; a dimension of that name takes its place."""
    known = merged([Parameter("dim", 64, lambda value: "it does not divide by 3." if int(value) % 3 else None)])
    known |= {"epochs": Parameter("epochs", 5)}

    check_space(SearchSpace(dim=Ordered(48, 96)), known)
    with pytest.raises(SpaceError, match="dim=64 cannot be used: it does not divide by 3"):
        check_space(SearchSpace(epochs=Int(1, 2)), known)
    with pytest.raises(SpaceError, match="dim=64 cannot be used"):
        canonical({}, known)


@pytest.mark.parametrize("value", [math.nan, math.inf, None, [8], b"8"])
def test_a_value_of_a_candidate_is_a_finite_number_or_text(value: Value) -> None:
    """What the store could not name is refused with the value."""
    with pytest.raises(SpaceError, match="is no parameter's value"):
        canonical({"embedding_dim": value}, KNOWN)


def test_an_unknown_metric_is_refused_with_a_suggestion() -> None:
    """A typing mistake in an objective is found before anything is trained."""
    with pytest.raises(
        ObjectiveError, match=r"'latency_p95' is not.*mean 'latency_p95_ms'\? It measures latency_p95_ms"
    ):
        check_metrics(["ndcg_at_10", "latency_p95"], ["ndcg_at_10", "latency_p95_ms"])


def test_a_parameter_that_two_steps_read_has_to_suit_both() -> None:
    """Each step's own rule is asked, whichever was declared last."""
    even = Parameter("dim", 8, lambda value: "it is odd." if int(value) % 2 else None)
    small = Parameter("dim", 8, lambda value: "it is large." if int(value) > 10 else None)
    known = merged([even, small])

    with pytest.raises(SpaceError, match="dim=7 cannot be used: it is odd"):
        canonical({"dim": 7}, known)
    with pytest.raises(SpaceError, match="dim=12 cannot be used: it is large"):
        canonical({"dim": 12}, known)


def test_a_parameter_has_one_default() -> None:
    """Two steps with two defaults of one name would each believe in their own."""
    with pytest.raises(PipelineError, match=r"workers is read with the defaults 1 and 2\. Give it one default"):
        merged([Parameter("workers", 1), Parameter("workers", 2)])
