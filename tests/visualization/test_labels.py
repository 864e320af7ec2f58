"""What metrics, parameters and numbers are called."""

from __future__ import annotations

import pytest

from paretoopt.candidate import Measurement
from paretoopt.durations import duration_text
from paretoopt.visualization.labels import interval_text, number_text, short_title, title, value_text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ndcg_at_10", "NDCG@10 (validation)"),
        ("hr_at_10", "HR@10 (validation)"),
        ("test_ndcg_at_10", "NDCG@10 (test)"),
        ("latency_p95_ms", "latency p95 (ms)"),
        ("memory_mib", "memory (MiB)"),
        ("memory_total_mib", "total memory (MiB)"),
        ("artifact_mib", "artifact size (MiB)"),
        ("throughput_rps", "throughput (requests/s)"),
        ("training_cost", "training cost (worker-seconds)"),
        ("embedding_dim", "embedding dim"),
        ("my_own_score", "my own score"),
        ("ms", "ms"),
    ],
)
def test_names_become_titles_with_units(name: str, expected: str) -> None:
    """The unit is what the name ends with; a quality says which data it is of."""
    assert title(name) == expected


def test_a_short_title_has_no_brackets() -> None:
    """For places where the unit is said elsewhere."""
    assert short_title("throughput_rps") == "throughput"


@pytest.mark.parametrize(
    ("value", "expected"), [(0.123456, "0.1235"), (8, "8"), (1234.5, "1,234"), (float("inf"), "–")]
)
def test_numbers_have_the_digits_that_a_reader_needs(value: float, expected: str) -> None:
    """At most four digits, thousands set apart, and a dash for what is no number."""
    assert number_text(value) == expected


def test_values_of_any_kind_are_shown() -> None:
    """Words and truth values stay what they are."""
    assert [value_text(value) for value in ("global", True, 0.5)] == ["global", "True", "0.5"]


def test_an_unknown_interval_has_no_text() -> None:
    """Half an interval is none."""
    assert interval_text(Measurement(1.0, 0.9, 1.1)) == "0.9 – 1.1"
    assert interval_text(Measurement(1.0, 0.9)) == ""


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0.0 s"), (42, "42 s"), (59.7, "60 s"), (119.8, "2 min 0 s"), (3600, "1 h 0 min")]
)
def test_times_are_told_in_words(seconds: float, expected: str) -> None:
    """Seconds, minutes or hours as they fit."""
    assert duration_text(seconds) == expected
