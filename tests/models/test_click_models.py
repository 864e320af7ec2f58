"""DLRM, DeepFM and their parts against their definitions."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

from paretoopt.models.categorical_fields import CategoricalFields
from paretoopt.models.click_probability import ClickProbability
from paretoopt.models.deepfm import DeepFM, FactorizationMachine
from paretoopt.models.dlrm import DLRM

SIZES = (5, 3, 7)
CATEGORIES = torch.tensor([[4, 2, 6], [0, 1, 3], [1, 0, 0]])


def make_numbers(n_numeric: int) -> Tensor:
    """A number for each row and numeric field."""
    return torch.linspace(-1, 1, 3 * n_numeric).view(3, n_numeric)


def make_dlrm(n_numeric: int) -> DLRM:
    """A small untrained DLRM."""
    torch.manual_seed(0)
    return DLRM(sizes=SIZES, n_numeric=n_numeric, embedding_dim=4, bottom=(6,), top=(8,), dropout=0.1).eval()


def make_machine(n_numeric: int, *, embedding_dim: int = 4) -> FactorizationMachine:
    """A factorisation machine whose weights and factors are of the order of 1."""
    torch.manual_seed(0)
    machine = FactorizationMachine(sizes=SIZES, n_numeric=n_numeric, embedding_dim=embedding_dim)
    for parameter in machine.parameters():
        torch.nn.init.normal_(parameter)
    return machine.eval()


def test_every_value_of_every_field_has_a_row_of_its_own() -> None:
    """The same id in two fields is two values, and the table has no row to spare."""
    fields = CategoricalFields(SIZES, 2)
    every = [fields(torch.tensor([[user, 0, 0]]))[0, 0] for user in range(5)]
    every += [fields(torch.tensor([[0, item, 0]]))[0, 1] for item in range(3)]
    every += [fields(torch.tensor([[0, 0, place]]))[0, 2] for place in range(7)]

    assert torch.equal(torch.stack(every), fields.table.weight)


def test_an_id_that_the_field_does_not_have_is_the_unknown_one() -> None:
    """It must not read the rows of the next field."""
    fields = CategoricalFields(SIZES, 2)

    assert torch.equal(fields(torch.tensor([[5, 3, 900]])), fields(torch.tensor([[0, 0, 0]])))


@pytest.mark.parametrize("n_numeric", [0, 2])
def test_a_factorisation_machine_sums_over_all_pairs(n_numeric: int) -> None:
    """The linear-time form equals Rendle's definition, pair by pair."""
    machine, numbers = make_machine(n_numeric), make_numbers(n_numeric)
    vectors = machine.vectors(CATEGORIES, numbers)
    expected = [
        machine.bias + row[:, 0].sum() + sum(one[1:] @ other[1:] for one, other in combinations(row, 2))
        for row in vectors
    ]

    assert torch.allclose(machine(CATEGORIES, numbers), torch.stack(expected), atol=1e-5)


def test_a_machine_one_wide_is_logistic_regression() -> None:
    """Weights alone: the logit is the sum of those of the row's values."""
    machine, numbers = make_machine(1, embedding_dim=1), make_numbers(1)
    weights = machine.fields.table.weight[:, 0]
    expected = machine.bias + weights[4] + weights[5 + 2] + weights[8 + 6] + numbers[0, 0] * machine.numeric[0, 0]

    assert torch.allclose(machine(CATEGORIES, numbers)[0], expected)


def test_deepfm_adds_its_tower_to_its_machine() -> None:
    """Both read the same vectors."""
    torch.manual_seed(0)
    model = DeepFM(sizes=SIZES, n_numeric=2, embedding_dim=4, top=(8,), dropout=0.1).eval()
    numbers = make_numbers(2)
    vectors = model.machine.vectors(CATEGORIES, numbers)

    expected = model.machine(CATEGORIES, numbers) + model.top(vectors.flatten(1))[:, 0]

    assert torch.allclose(model(CATEGORIES, numbers), expected)


def test_dlrm_feeds_every_pair_of_vectors_to_its_tower_once() -> None:
    """The bottom tower's vector, then the products of each vector with those before it."""
    model, numbers = make_dlrm(2), make_numbers(2)
    assert model.bottom is not None
    dense = model.bottom(numbers).relu()
    vectors = torch.cat([dense[:, None], model.fields(CATEGORIES)], dim=1)
    pairs = [(later, earlier) for later in range(4) for earlier in range(later)]
    products = torch.stack([(vectors[:, one] * vectors[:, other]).sum(1) for one, other in pairs], dim=1)

    expected = model.top(torch.cat([dense, products], dim=1))[:, 0]

    assert torch.allclose(model(CATEGORIES, numbers), expected, atol=1e-6)


def test_dlrm_without_numbers_has_no_bottom_tower() -> None:
    """The top tower then reads the fields' vectors and the three products of their pairs."""
    model = make_dlrm(0)

    assert model.bottom is None
    assert model.top.hidden[0].in_features == 3 * 4 + 3
    assert torch.isfinite(model(CATEGORIES, make_numbers(0))).all()


def test_a_slate_is_answered_like_its_rows() -> None:
    """Probabilities do not depend on what else is in the request."""
    model, numbers = make_dlrm(2), make_numbers(2)

    together = ClickProbability(model)(CATEGORIES[None], numbers[None])

    assert together.shape == (1, 3)
    assert torch.allclose(together[0], model(CATEGORIES, numbers).sigmoid(), atol=1e-6)
