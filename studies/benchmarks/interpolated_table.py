"""A larger table than can be measured: between measured widths and pruning ratios, metrics are interpolated.

Widths go up by half of the least measured one, pruning ratios by 0.05; the other dimensions keep their values. Quality
is interpolated linearly in the logarithm of the width and in the pruning ratio; costs likewise, as logarithms. The
epochs of a training are the weighted mean of those measured neighbours that have one of its kind, rounded. Artifacts
and stages are named by the parameters that the measured ones vary with. Nothing is drawn at random: quality between
measured configurations has no luck of its own, so that the table is smoother than a measured one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from paretoopt.errors import DataError
from studies.benchmarks.search_table import is_cost

_WIDTH = "params.embedding_dim"
_PRUNING = "params.pruning_ratio"
_STEP = 0.05
Floats = NDArray[np.float64]


def interpolated_frame(measured: pd.DataFrame) -> pd.DataFrame:
    """The columns of the larger table; ``search_table.py`` describes them.

    Raises:
        DataError: There is no width or pruning ratio to interpolate between, or the configurations are no full grid.
    """
    params = [str(column) for column in measured if str(column).startswith("params.")]
    kept = [column for column in params if column not in (_WIDTH, _PRUNING)]
    _check_grid(measured, params)
    cells = _cells(measured)
    names = ["artifact", *(str(one) for one in measured if str(one).startswith("stages.") and str(one).endswith("key"))]
    varied = {name: [one for one in params if _varies(measured, name, one, params)] for name in names}
    pieces = [_piece(group, cells, kept, varied) for _, group in measured.groupby(kept, sort=False)]
    table = pd.concat(pieces, ignore_index=True)
    return table[[*params, *(column for column in table if column not in params)]]


def _check_grid(measured: pd.DataFrame, params: Sequence[str]) -> None:
    lacking = [name for name in (_WIDTH, _PRUNING) if name not in params or measured[name].nunique() < 2]
    if lacking:
        raise DataError(f"Nothing to interpolate between: the table has fewer than two values of {', '.join(lacking)}.")
    n_cells = int(np.prod([measured[name].nunique() for name in params]))
    if len(measured[list(params)].drop_duplicates()) != n_cells or len(measured) != n_cells:
        raise DataError(
            f"Interpolation needs a full grid, each configuration once: {n_cells} of them, but the table has "
            f"{len(measured)}. Measure those that are missing."
        )


def _cells(measured: pd.DataFrame) -> pd.DataFrame:
    """The widths and pruning ratios of the larger table, each with each."""
    low, high = int(measured[_WIDTH].min()), int(measured[_WIDTH].max())
    widths = {*range(low, high + 1, max(1, low // 2)), *map(int, measured[_WIDTH])}
    n_steps = round((measured[_PRUNING].max() - measured[_PRUNING].min()) / _STEP)
    ratios = {round(measured[_PRUNING].min() + _STEP * step, 6) for step in range(n_steps + 1)}
    ratios |= {round(float(ratio), 6) for ratio in measured[_PRUNING]}
    return pd.DataFrame(list(product(sorted(widths), sorted(ratios))), columns=[_WIDTH, _PRUNING])


def _varies(measured: pd.DataFrame, name: str, param: str, params: Sequence[str]) -> bool:
    """Whether what the column names is another one where only ``param`` differs."""
    present = measured[measured[name].fillna("") != ""]
    return bool((present.groupby([one for one in params if one != param])[name].nunique() > 1).any())


def _piece(group: pd.DataFrame, cells: pd.DataFrame, kept: Sequence[str], varied: dict[str, list[str]]) -> pd.DataFrame:
    """The part of the larger table in which all but width and pruning ratio are as in ``group``."""
    group = group.sort_values([_WIDTH, _PRUNING])
    between = _interpolation(group, cells)
    piece = cells.assign(**{name: group[name].iloc[0] for name in kept})
    for metric in (str(column) for column in group if str(column).startswith("metrics.")):
        values = group[metric].to_numpy(dtype=np.float64)
        is_log = is_cost(metric.removeprefix("metrics.")) and bool((values > 0).all())
        piece[metric] = np.exp(between(np.log(values))) if is_log else between(values)
    for name, params in varied.items():
        labels = [f"{name} " + "/".join(map(str, row)) for row in piece[params].itertuples(index=False, name=None)]
        has = (group[name].fillna("") != "").to_numpy().astype(np.float64)
        share = between(has)
        piece[name] = np.where(share > 0, labels, "")
        epochs = name.removesuffix(".key") + ".epochs"
        if epochs in group:
            total = between(has * group[epochs].to_numpy(dtype=np.float64))
            piece[epochs] = np.where(share > 0, np.round(total / np.where(share > 0, share, 1)), 0)
    return piece


def _interpolation(group: pd.DataFrame, cells: pd.DataFrame) -> Callable[[Floats], Floats]:
    """From the values of the sorted ``group`` to those of ``cells``."""
    widths, ratios = np.unique(group[_WIDTH]), np.unique(group[_PRUNING])
    points = np.column_stack([np.log2(cells[_WIDTH]), cells[_PRUNING]])

    def between(values: Floats) -> Floats:
        grid = values.reshape(len(widths), len(ratios))
        found: Floats = RegularGridInterpolator((np.log2(widths), ratios), grid)(points)
        return found

    return between
