"""Dimensions hold distinct values, spaces span every combination, and what cannot be searched is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import SpaceError
from paretoopt.space import Categorical, Float, Int, Ordered, Parameter, SearchSpace, Value

numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
values = numbers | st.booleans() | st.text(max_size=5)
tuples_of_values = st.lists(values, min_size=1, max_size=5, unique=True)
finite_dimensions = st.one_of(
    tuples_of_values.map(lambda several: Ordered(*several)),
    tuples_of_values.map(lambda several: Categorical(*several)),
    st.builds(lambda low, n, step: Int(low, low + n * step, step), st.integers(), st.integers(0, 4), st.integers(1, 9)),
    st.builds(lambda low, n: Float(low / 8, low / 8 + n * 0.125, 0.125), st.integers(-40, 40), st.integers(0, 4)),
)
finite_spaces = st.dictionaries(st.sampled_from("abcd"), finite_dimensions, min_size=1, max_size=3).map(
    lambda dimensions: SearchSpace(**dimensions)
)


@given(finite_spaces)
def test_a_grid_holds_every_candidate_once(space: SearchSpace) -> None:
    """There are as many candidates as said, all different, and each is made of the dimensions' values."""
    grid = list(space.grid())

    assert len(grid) == space.n_candidates
    assert len({tuple(candidate.values()) for candidate in grid}) == len(grid)
    for candidate in grid:
        assert list(candidate) == list(space.dimensions)
        assert all(value in (space.dimensions[name].values or ()) for name, value in candidate.items())


def test_the_last_dimension_of_a_grid_varies_fastest() -> None:
    """Candidates that follow each other share the first dimensions, and with them the costly stages."""
    space = SearchSpace(embedding_dim=Ordered(16, 32), serving_workers=Int(1, 2))

    assert [tuple(candidate.values()) for candidate in space.grid()] == [(16, 1), (16, 2), (32, 1), (32, 2)]


@given(low=st.integers(-500, 500), n_steps=st.integers(0, 60), step=st.sampled_from([1, 5, 10, 25, 100, 125]))
def test_the_steps_of_a_float_are_the_decimals_that_one_writes(low: int, n_steps: int, step: int) -> None:
    """Stepping through 0.1, 0.2, 0.3 gives the number 0.3, and never 0.30000000000000004 or -0.0."""
    dimension = Float(low / 1000, (low + n_steps * step) / 1000, step=step / 1000)

    assert dimension.values == tuple((low + i * step) / 1000 for i in range(n_steps + 1))
    assert not any(str(value) == "-0.0" for value in dimension.values)


@given(low=st.integers(), n_steps=st.integers(0, 20), step=st.integers(1, 100))
def test_an_int_holds_both_ends(low: int, n_steps: int, step: int) -> None:
    """The first value is ``low``, the last is ``high``, and neighbours are ``step`` apart."""
    steps = Int(low, low + n_steps * step, step).values

    assert (steps[0], steps[-1], len(steps)) == (low, low + n_steps * step, n_steps + 1)
    assert all(isinstance(a, int) and isinstance(b, int) and b - a == step for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize("kind", [Ordered, Categorical])
@pytest.mark.parametrize("several", [(1, 1.0), (1, True), (0, False), (0.0, -0.0), ("a", "a"), (2, 4, 2)])
def test_equal_values_are_one_value(kind: type[Ordered | Categorical], several: tuple[Value, ...]) -> None:
    """1, 1.0 and True are one value, so that two candidates of a grid never compare equal."""
    with pytest.raises(SpaceError, match="names a value twice"):
        kind(*several)


@pytest.mark.parametrize("value", [[16, 32], None, math.nan, math.inf, np.int64(16), np.float64(0.5), (1, 2)])
def test_a_value_is_a_finite_number_or_text(value: object) -> None:
    """Lists, arrays' scalars and NaN have no place in the store's keys; the error shows how to write them."""
    with pytest.raises(SpaceError, match=r"one by one.*\.tolist\(\)"):
        Ordered(value)  # type: ignore[arg-type]  # what a user may do by mistake


@pytest.mark.parametrize("kind", [Ordered, Categorical])
def test_a_dimension_has_a_value(kind: type[Ordered | Categorical]) -> None:
    """A dimension without values spans no candidate."""
    with pytest.raises(SpaceError, match="needs at least one value, for example"):
        kind()


@pytest.mark.parametrize("kind", [Int, Float])
def test_an_empty_range_is_refused(kind: type[Int | Float]) -> None:
    """The bounds' mix-up is named, with both ways out."""
    with pytest.raises(SpaceError, match=r"low=3 and high=1\. Swap the bounds, or leave the parameter out"):
        kind(3, 1)


@pytest.mark.parametrize("step", [0, -1])
def test_an_int_needs_a_positive_step(step: int) -> None:
    """A step of nought or less never leads upwards."""
    with pytest.raises(SpaceError, match=f"positive step, but got step={step}"):
        Int(1, 3, step)


@pytest.mark.parametrize("step", [0.0, -0.5, math.nan, math.inf])
def test_a_float_needs_a_positive_finite_step(step: float) -> None:
    """An infinite or missing step would make NaN of every value."""
    with pytest.raises(SpaceError, match=f"positive step, but got step={step}"):
        Float(0.0, 1.0, step)


@pytest.mark.parametrize("bounds", [(0.0, math.inf), (-math.inf, 0.0), (math.nan, 1.0), (0.0, math.nan)])
def test_bounds_are_finite(bounds: tuple[float, float]) -> None:
    """Nobody can draw from an endless range."""
    with pytest.raises(SpaceError, match="finite bounds"):
        Float(*bounds)


def test_a_step_leads_from_low_to_high() -> None:
    """A step that misses the upper end is refused with the nearest end that it does reach."""
    with pytest.raises(SpaceError, match=r"never reaches 0\.75\. Use high=0\.6"):
        Float(0.0, 0.75, step=0.2)


def test_an_int_is_whole() -> None:
    """Fractions are refused where they are written, and not once the values are listed."""
    with pytest.raises(SpaceError, match=r"whole numbers, but got low=1\.5"):
        Int(1.5, 3)  # type: ignore[arg-type]  # what a user may do by mistake


def test_a_continuous_space_has_no_grid() -> None:
    """The number of candidates is not known, and listing them says how to make it so."""
    space = SearchSpace(workers=Int(1, 2), pruning_ratio=Float(0.0, 0.5))

    assert space.n_candidates is None
    with pytest.raises(SpaceError, match=r"pruning_ratio is continuous.*Give it a step"):
        next(space.grid())


def test_a_space_has_a_dimension() -> None:
    """Without one there is nothing to search."""
    with pytest.raises(SpaceError, match="at least one dimension"):
        SearchSpace()


def test_a_bare_value_is_no_dimension() -> None:
    """Fixing a parameter by its value is refused with the dimension's name."""
    with pytest.raises(SpaceError, match="'embedding_dim' is 64, which is no kind of dimension"):
        SearchSpace(embedding_dim=64)  # type: ignore[arg-type]  # what a user may do by mistake


@given(finite_spaces, finite_spaces)
def test_spaces_are_equal_exactly_when_their_descriptions_are(first: SearchSpace, second: SearchSpace) -> None:
    """What a study writes down about its space tells it from every other, and equal spaces hash alike."""
    assert (first == second) == (first.describe() == second.describe())
    assert first != second or hash(first) == hash(second)


def test_the_order_of_dimensions_does_not_tell_spaces_apart() -> None:
    """A study is resumed though the dimensions were written in another order."""
    first = SearchSpace(a=Int(1, 2), b=Float(0, 1))
    second = SearchSpace(b=Float(0.0, 1.0), a=Int(1, 2))

    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize("other", [Ordered(True, 2), Ordered(1.0, 2), Ordered(2, 1), Categorical(1, 2), Int(1, 2)])
def test_another_kind_or_type_is_another_space(other: Ordered | Categorical | Int) -> None:
    """Equality of 1 and True does not make their spaces equal, nor does the list of values alone."""
    assert SearchSpace(a=Ordered(1, 2)) != SearchSpace(a=other)


def test_a_space_prints_as_the_call_that_makes_it() -> None:
    """A space copied from a log can be pasted into a study."""
    space = SearchSpace(embedding_dim=Ordered(16, 32), pruning_ratio=Float(0.0, 0.5, step=0.25))

    assert repr(space) == (
        "SearchSpace(embedding_dim=Ordered(values=(16, 32)), pruning_ratio=Float(low=0.0, high=0.5, step=0.25))"
    )


def test_a_parameter_says_why_it_refuses_a_value() -> None:
    """The message names the parameter and the value beside the parameter's own reason."""
    bits = Parameter("bits", default=32, refuse=lambda value: None if value in (8, 32) else "there is no kernel.")

    bits.check(8)
    with pytest.raises(SpaceError, match="bits=5 cannot be used: there is no kernel"):
        bits.check(5)


@pytest.mark.parametrize(("default", "value"), [(32, "32"), ("uniform", 3)])
def test_text_is_no_number(default: Value, value: Value) -> None:
    """A number in quotes is named before any rule about numbers sees it."""
    parameter = Parameter("p", default=default, refuse=lambda value: None if value == default else "it differs.")

    with pytest.raises(SpaceError, match=f"p={value!r} cannot be used: it has to be like its default, {default!r}"):
        parameter.check(value)
