"""Where candidates come from: the samplers by default, and a draw for when a sampler repeats itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna

from paretoopt.errors import StudyError
from paretoopt.space import Float, Params, SearchSpace, Value

_N_DRAWS = 1000


def default_sampler(seed: int, turn: int) -> optuna.samplers.BaseSampler:
    """A tree-structured Parzen estimator whose draws depend on nothing but ``seed``, ``turn`` and the trials told.

    A study asks for a new one each turn, so that a resumed study goes on as if it had never stopped.
    """
    state = np.random.SeedSequence([seed, turn]).generate_state(1)
    return optuna.samplers.TPESampler(multivariate=True, constant_liar=False, seed=int(state[0]))


def refuse_self_stopping(sampler: optuna.samplers.BaseSampler | None) -> None:
    """Refuse the samplers that end a study on their own.

    Raises:
        StudyError: As said.
    """
    if isinstance(sampler, optuna.samplers.GridSampler | optuna.samplers.BruteForceSampler):
        raise StudyError(
            f"{type(sampler).__name__} ends a study on its own, which a paretoopt study does not let it. To evaluate "
            "every candidate of a finite space, leave n_trials out: study.optimize(pipeline)."
        )


def draw_unknown(
    space: SearchSpace, rng: np.random.Generator, is_known: Callable[[Params], bool]
) -> dict[str, Value] | None:
    """A random candidate that is not known yet; None where all are known."""
    for _ in range(_N_DRAWS):
        params = {name: _draw(dimension.values, dimension, rng) for name, dimension in space.dimensions.items()}
        if not is_known(params):
            return params
    if space.n_candidates is None:
        return None
    # Nearly every candidate is known, so that listing them all takes no longer than it took to get here.
    unknown = [params for params in space.grid() if not is_known(params)]
    return unknown[rng.integers(len(unknown))] if unknown else None


def _draw(values: tuple[Value, ...] | None, dimension: object, rng: np.random.Generator) -> Value:
    if values is not None:
        return values[rng.integers(len(values))]
    assert isinstance(dimension, Float)
    return float(rng.uniform(dimension.low, dimension.high))
