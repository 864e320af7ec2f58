"""qLogNEHVI of BoTorch (Ament et al. 2023) on a finite table, where it need not round and never repeats itself.

Each objective has a Gaussian process with BoTorch's defaults over the positions of the values. The first ten
configurations are random ones. Hyperparameters are fitted anew each time that there are a tenth more values. Exact
for the acquisition's noiseless limit, the closed form of expected hypervolume improvement under the same models picks
the ``_N_SCREENED`` configurations among which BoTorch chooses: on all of them each choice would take a minute. The
reference point is a tenth of the span beyond the worst value so far. At its first use BoTorch compiles a kernel, for
about a minute, and keeps it; without a C++ compiler it is slower.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.utils import get_default_partitioning_alpha
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.transforms.outcome import Standardize
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import SumMarginalLogLikelihood
from numpy.typing import NDArray

import paretoopt as po
from paretoopt.front.dominance import is_nondominated, reference_point
from paretoopt.search.cost_first.improvement import expected_improvement, nondominated_boxes
from studies.benchmarks.search_table import Table

_N_INITIAL = 10
_N_SCREENED = 128
_N_SAMPLES = 32
_GROWTH = 1.1
_MOST_AT_ONCE = 1000
Floats = NDArray[np.float64]


def qlognehvi(table: Table, seed: int) -> Iterator[int]:
    """All configurations, each time the one with the greatest acquisition value."""
    inputs, costs = encoded(table), table.costs(is_log=False)
    rows = list(map(int, np.random.default_rng(seed).permutation(len(costs))[:_N_INITIAL]))
    yield from rows
    hyperparameters, n_fitted = list[torch.Tensor](), 0
    while len(rows) < len(costs):
        model = _model(inputs[rows], -costs[rows])
        with torch.no_grad():
            for parameter, fitted in zip(model.parameters(), hyperparameters, strict=False):
                parameter.copy_(fitted)
        if len(rows) >= _GROWTH * n_fitted:
            _fit(model)
            hyperparameters, n_fitted = [one.detach().clone() for one in model.parameters()], len(rows)
        model.eval()
        rows.append(_choose(model, inputs, costs, rows, seed))
        yield rows[-1]


def encoded(table: Table) -> Floats:
    """Array of shape ``(n_rows, n_columns)`` in [0, 1]: positions of ordered values, a column per category."""
    columns = []
    for place, dimension in enumerate(table.space.dimensions.values()):
        values = list(dimension.values or ())
        places = np.array([values.index(params[place]) for params in table.rows])
        if isinstance(dimension, po.Categorical):
            columns += [places == value for value in range(len(values))]
        else:
            columns.append(places / max(1, len(values) - 1))
    return np.column_stack(columns).astype(np.float64)


def _model(inputs: Floats, values: Floats) -> ModelListGP:
    at, observed = torch.from_numpy(inputs), torch.from_numpy(values)
    return ModelListGP(
        *(SingleTaskGP(at, observed[:, [place]], outcome_transform=Standardize(1)) for place in range(values.shape[1]))
    )


def _fit(model: ModelListGP) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BotorchWarning)
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))


def _expected(model: ModelListGP, inputs: Floats) -> tuple[Floats, Floats]:
    # Part by part: the covariances of ten thousand points with each other are a gibibyte.
    parts = [model.posterior(part) for part in torch.split(torch.from_numpy(inputs), _MOST_AT_ONCE)]
    mean = torch.cat([part.mean for part in parts]).numpy()
    return mean, torch.cat([part.variance for part in parts]).sqrt().numpy()


def _choose(model: ModelListGP, inputs: Floats, costs: Floats, rows: list[int], seed: int) -> int:
    reference = reference_point(costs[rows])
    members = np.array(rows)[is_nondominated(costs[rows])]
    left = np.setdiff1d(np.arange(len(costs)), rows)
    with torch.no_grad():
        mean, deviation = _expected(model, inputs[left])
        gains = expected_improvement(-mean, deviation, nondominated_boxes(costs[members], reference))
        left = left[np.argsort(-gains, kind="stable")[:_N_SCREENED]]
        acquisition = qLogNoisyExpectedHypervolumeImprovement(
            model,
            torch.from_numpy(-reference),
            torch.from_numpy(inputs[members]),
            sampler=SobolQMCNormalSampler(torch.Size([_N_SAMPLES]), seed=seed),
            alpha=get_default_partitioning_alpha(costs.shape[1]),
        )
        best = acquisition(torch.from_numpy(inputs[left]).unsqueeze(1)).argmax()
    return int(left[best])
