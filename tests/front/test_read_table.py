"""A front of any table of measured configurations."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Candidate, Measurement
from paretoopt.errors import ObjectiveError, TableError
from paretoopt.front.front_of import front_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import at_most, maximize, minimize

MakeCandidate = Callable[..., Candidate]
OBJECTIVES = (maximize("quality"), minimize("cost"))


def make_frame(**changes: list[object]) -> pd.DataFrame:
    """Three configurations, the last dominated, with changed columns."""
    columns: dict[str, list[object]] = {
        "width": [64, 16, 16],
        "kind": ["a", "b", "c"],
        "quality": [0.9, 0.5, 0.4],
        "cost": [5, 1, 2],
        "cost_high": [6, 1, 2],
    }
    return pd.DataFrame({**columns, **changes})


def test_a_data_frame_gives_a_front() -> None:
    """Columns before the first objective are parameters, the others metrics, and ends of intervals belong to theirs."""
    front = front_of(make_frame(), OBJECTIVES, [at_most("cost", 5)])

    assert [member.number for member in front] == [0, 1]
    assert front.members[0] == Candidate(
        0, {"width": 64, "kind": "a"}, {"quality": Measurement(0.9), "cost": Measurement(5.0, None, 6.0)}
    )
    assert front.constraints == (at_most("cost", 5),)


def test_parameters_can_be_named() -> None:
    """A table that is ordered otherwise says which columns are parameters; the rest are metrics."""
    frame = make_frame()[["cost", "quality", "width", "kind"]]

    assert front_of(frame, OBJECTIVES, params=["width", "kind"]).members[1].params == {"width": 16, "kind": "b"}
    with pytest.raises(TableError, match=r"row 0: kind is 'a', which is no number.*name 'kind' in params="):
        front_of(frame, OBJECTIVES, params=["width"])


_numbers = st.floats(-1e9, 1e9, allow_nan=False).map(float)
_measured = st.builds(lambda value, half: Measurement(value, value - half, value + half), _numbers, st.floats(0, 1e6))
_rows = st.lists(st.tuples(_measured, st.none() | _measured, st.none() | st.floats(0, 1)), min_size=1, max_size=8)


@given(_rows)
def test_what_to_frame_writes_is_read_back_as_the_same_front(
    rows: list[tuple[Measurement, Measurement, float]],
) -> None:
    """Numbers, parameters, values, intervals and probabilities survive the way through a CSV file, to the last bit."""
    candidates = [
        Candidate(
            number + 3,
            {"bits": 8, "ratio": number / 7, "kind": f"k{number}", "flag": number % 2 == 0},
            {"cost": Measurement(float(number))} | {"quality": one} | ({"extra": other} if other else {}),
            probability_nondominated=probability,
        )
        for number, (one, other, probability) in enumerate(rows)
    ]
    front = ParetoFront(candidates, OBJECTIVES)
    text = front.to_frame().to_csv(index=False)

    frame = pd.read_csv(io.StringIO(text))

    assert front_of(frame, OBJECTIVES).members == front.members


def test_a_csv_file_gives_the_front_that_was_written(tmp_path: Path, make: MakeCandidate) -> None:
    """A path is read, plain or gzipped."""
    front = ParetoFront([make(4, quality=Measurement(0.1 + 0.2, 0.1, 0.7), cost=1 / 3)], OBJECTIVES)
    for name in ("front.csv", "front.csv.gz"):
        front.to_frame().to_csv(tmp_path / name, index=False)

        assert front_of(tmp_path / name, OBJECTIVES).members == front.members
        assert front_of(str(tmp_path / name), OBJECTIVES).members == front.members


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quality": ["0.9", "good", 0.4]}, r"row 1: quality is 'good', which is no number\. Mend the cell"),
        ({"quality": [True, False, True]}, "row 0: quality is True, which is no number"),
        ({"cost": [5, float("inf"), 2]}, "row 1: cost is inf, which is no measurement. Leave the cell empty"),
        ({"cost": [None, None, None]}, "column 'cost' is empty in every row"),
        ({"cost_low": [7, 1, 2]}, "row 0: cost lies between cost_low=7 and cost_high=6, which is upside down. Swap"),
        ({"kind": ["a", "b", "b"]}, r"rows 1 and 2 are the same configuration \(width=16, kind=b\)\. Keep one"),
        ({"number": [1, 2, 2]}, "number 2 is there twice"),
        ({"number": [1, 2, 2.5]}, "row 2: number is 2.5, which is no whole number"),
    ],
)
def test_a_bad_table_is_refused_with_the_row_and_the_remedy(changes: dict[str, list[object]], message: str) -> None:
    """Nothing is guessed: what cannot be read is named."""
    with pytest.raises(TableError, match=message):
        front_of(make_frame(**changes), OBJECTIVES)


def test_missing_and_repeated_columns_are_refused(tmp_path: Path) -> None:
    """Also those of a CSV file, whose second column of a name pandas would rename."""
    with pytest.raises(TableError, match=r"column 'latency' is missing\. The columns are: width, kind, quality, cost"):
        front_of(make_frame(), OBJECTIVES, [at_most("latency", 1)])
    with pytest.raises(TableError, match="column 'deep' is missing"):
        front_of(make_frame(), OBJECTIVES, params=["deep"])
    with pytest.raises(TableError, match="'cost' is a parameter and a metric at once"):
        front_of(make_frame(), OBJECTIVES, params=["kind", "cost"])
    with pytest.raises(TableError, match="a column is named 3"):
        front_of(make_frame().rename(columns={"kind": 3}), OBJECTIVES)
    (tmp_path / "twice.csv").write_text("quality,cost,cost\n1,2,3\n")
    with pytest.raises(TableError, match="column 'cost' is there 2 times"):
        front_of(tmp_path / "twice.csv", OBJECTIVES)


def test_what_is_no_table_is_refused(tmp_path: Path, make: MakeCandidate) -> None:
    """No file, no content, no objectives, or something else altogether."""
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(TableError, match=r"there is no file .*nothing\.csv"):
        front_of(tmp_path / "nothing.csv", OBJECTIVES)
    with pytest.raises(TableError, match=r"empty\.csv cannot be read as CSV"):
        front_of(tmp_path / "empty.csv", OBJECTIVES)
    with pytest.raises(ObjectiveError, match="A table needs objectives="):
        front_of(make_frame())
    with pytest.raises(TableError, match="is no study, front, DataFrame or path"):
        front_of([1, 2], OBJECTIVES)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TableError, match="params= names columns of a table"):
        front_of(ParetoFront([make(0, quality=1, cost=1)], OBJECTIVES), params=["size"])


def test_an_unmeasured_objective_leaves_a_candidate_off_the_front() -> None:
    """An empty cell is a measurement that was not taken, as in a study."""
    front = front_of(make_frame(quality=[None, 0.5, 0.4]), OBJECTIVES)

    assert [member.number for member in front] == [1]
    assert len(front.candidates) == 3


def test_a_front_can_be_seen_in_other_objectives(make: MakeCandidate) -> None:
    """What was set aside was so in the objectives of then."""
    candidates = [make(0, quality=0.9, cost=5, file=9), make(1, quality=0.5, cost=6, file=1)]
    front = ParetoFront(candidates, OBJECTIVES, [at_most("cost", 7)], set_aside={1})

    assert [member.number for member in front_of(front, [minimize("file")])] == [1]
    assert front_of(front) == front
    assert front_of(front, constraints=[]).constraints == ()
