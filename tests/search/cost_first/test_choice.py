"""Which cell is chosen, given what is expected of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paretoopt.search.cost_first import choice
from paretoopt.search.cost_first.choice import Bundle, Outlook, choose

FRONT = np.array([[5.0, 5.0]])
REFERENCE = np.array([10.0, 10.0])


def outlook(*means: tuple[float, float], bundles: tuple[Bundle, ...], deviation: float = 0.1) -> Outlook:
    """Cells with these expected costs, which need these stages at 100 s each."""
    seconds = {key: 100.0 for bundle in bundles for key in bundle}
    mean = np.array(means)
    deviations = np.column_stack([np.full(len(means), deviation), np.zeros(len(means))])
    return Outlook(np.arange(10, 10 + len(means)), mean, deviations, np.ones(len(means)), bundles, seconds, 1.0)


NEW, PAID = frozenset({"fit"}), frozenset[str]()


def test_what_is_trained_already_comes_before_an_equal_new_model() -> None:
    """Of two equal improvements, the one that costs no training is taken."""
    assert choose(outlook((4.0, 4.0), (4.0, 4.0), bundles=(NEW, PAID)), FRONT, REFERENCE) == 11


def test_new_model_is_opened_when_its_variants_pay() -> None:
    """A model of which nothing is trained is opened when what is left of the others has next to nothing to give."""
    assert choose(outlook((1.0, 1.0), (4.99, 5.0), bundles=(NEW, PAID)), FRONT, REFERENCE) == 10


def test_model_with_many_variants_is_worth_more_than_one_with_a_single_one() -> None:
    """Three good variants that one training gives beat a somewhat better single one."""
    other = frozenset({"fit other"})
    cells = outlook((4.0, 4.0), (6.0, 1.0), (1.0, 6.0), (3.9, 3.9), bundles=(NEW, NEW, NEW, other))

    assert choose(cells, FRONT, REFERENCE) in (10, 11, 12)


def test_candidate_that_is_probably_infeasible_is_left() -> None:
    """The improvement counts by the probability that the candidate is feasible."""
    cells = replace(outlook((1.0, 1.0), (4.0, 4.0), bundles=(PAID, PAID)), promise=np.array([0.01, 1.0]))

    assert choose(cells, FRONT, REFERENCE) == 11


def test_doubt_decides_where_nothing_is_expected_to_improve() -> None:
    """When all is known to be dominated, there is still a choice: the first of the most doubtful."""
    assert choose(outlook((6.0, 6.0), (7.0, 7.0), bundles=(PAID, PAID), deviation=0.0), FRONT, REFERENCE) == 10


def test_screening_keeps_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among many cells, those that are looked at in full include the one that would be chosen from all."""
    rng = np.random.default_rng(3)
    means = [tuple(pair) for pair in rng.uniform(2.0, 8.0, size=(3_000, 2)).tolist()]
    cells = outlook(*means, bundles=(PAID,) * len(means), deviation=1.0)
    screened = choose(cells, FRONT, REFERENCE)

    monkeypatch.setattr(choice, "_MOST_SHAPES", len(means))

    assert choose(cells, FRONT, REFERENCE) == screened
