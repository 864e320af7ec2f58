"""The luck of training: how far the quality of one training lies from what its configuration gives on average.

The same configuration, trained again from another seed, comes out a little better or worse. Of ``n`` trainings the
mean is known up to ``sigma / sqrt(n)``, where ``sigma`` is estimated from all trainings that were repeated, together:
a variance pooled over configurations, so that those of which there is a single training are judged by it, too. Two
kinds of luck are told apart. That of a *training* is shared by all artifacts that were made of it; that of an
*artifact* is its own, for what pruning or rounding does is not the same for every training. With ``x`` an array of
artifacts, seeds and users, ``.`` a mean:

    training:  sum over seeds of (x[.,s,.] - x[.,.,.])**2,                                  seeds - 1 degrees of freedom
    artifact:  sum over both of (x[a,s,.] - x[a,.,.] - x[.,s,.] + x[.,.,.])**2,   (artifacts - 1) (seeds - 1) of them

Quality is a mean over users, and part of how it differs between seeds is that of the single users: what the draws of
users have already. That share, the mean over users of their own variance over the seeds, divided by their number, is
taken out (the method of moments in the crossed model of seeds and users; Searle, Casella and McCulloch, "Variance
Components", 1992).

How well ``sigma`` is known itself counts: each draw has one of its own, ``squares / chi-squared``, its posterior
without prior knowledge (Box and Tiao, "Bayesian Inference in Statistical Analysis", 1973). So luck has the tails of
Student's t with as many degrees of freedom as there are repeats. With fewer than four, nothing shall be decided on
it: trainings that happen to be alike would make luck look small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""Of shape ``(n_artifacts, n_seeds, n_users)``: the artifacts of one training; one user where no values of users are
known."""

# The default of five seeds reaches it with a single training, too.
_LEAST_DEGREES = 4
_OF_SINGLE = 2.0


@dataclass(frozen=True)
class Spread:
    """What is known of a variance of luck.

    Attributes:
        squares: Sum of squared deviations.
        degrees: Degrees of freedom that they have; 0 where nothing is known.
        of_users: The part of the variance that draws of users have already.
    """

    squares: float = 0.0
    degrees: int = 0
    of_users: float = 0.0

    def variances(self, n_draws: int, random: np.random.Generator) -> NDArray[np.float64]:
        """Draws of the variance, the part of users included.

        Raises:
            ValueError: Nothing is known of it.
        """
        if self.degrees == 0:
            raise ValueError("a variance of which nothing is known cannot be drawn. Repeat a training first.")
        return self.squares / random.chisquare(self.degrees, n_draws)


def spread_of_trainings(groups: Sequence[Values]) -> Spread:
    """The luck that all artifacts of a training share, pooled over trainings.

    >>> spread_of_trainings([np.array([[[1.0], [3.0]]]), np.array([[[5.0], [5.0], [8.0]]])])
    Spread(squares=8.0, degrees=3, of_users=0.0)
    """
    return _pooled([group.mean(axis=0, keepdims=True) for group in groups], [group.shape[1] - 1 for group in groups])


def spread_of_artifacts(groups: Sequence[Values]) -> Spread:
    """The luck that each artifact of a training has of its own, pooled over trainings; of one artifact, none."""
    own = [group - group.mean(axis=0, keepdims=True) for group in groups]
    return _pooled(own, [(group.shape[0] - 1) * (group.shape[1] - 1) for group in groups])


def _pooled(groups: Sequence[Values], degrees: Sequence[int]) -> Spread:
    total = sum(degrees)
    if not total:
        return Spread()
    deviations = [
        group - group.mean(axis=1, keepdims=True) for group, count in zip(groups, degrees, strict=True) if count
    ]
    squares = sum(float((one.mean(axis=2) ** 2).sum()) for one in deviations)
    of_users = sum(float((one**2).mean(axis=2).sum()) / one.shape[2] for one in deviations if one.shape[2] > 1)
    return Spread(squares, total, of_users / total)


@dataclass(frozen=True)
class Made:
    """How a candidate came about.

    Attributes:
        training: Names what was trained; candidates of one training share its luck. None where nothing is trained.
        artifact: Names what quality is measured on; candidates of one artifact share all luck.
        n_seeds: Trainings that the candidate's quality is the mean of.
    """

    training: str | None
    artifact: str
    n_seeds: int = 1


@dataclass(frozen=True)
class Luck:
    """What is known of the luck of one metric.

    Attributes:
        of_trainings: What all artifacts of a training share.
        of_artifacts: What each has of its own.
        unknown: The standard deviation that is assumed as long as nothing is known.
        of_single: How many times larger luck is taken to be where there is a single training.
    """

    of_trainings: Spread
    of_artifacts: Spread
    unknown: float = 0.0
    of_single: float = 1.0

    def to_decide(self) -> Luck:
        """What decisions may build on: nothing, where there are too few repeats.

        A single training that put a candidate where it is was picked for it among many, so that its luck is no
        average one.
        """
        enough = self.of_trainings.degrees >= _LEAST_DEGREES
        return replace(self, of_single=_OF_SINGLE, of_trainings=self.of_trainings if enough else Spread())


@dataclass(frozen=True)
class LuckDraws:
    """Luck, drawn again and again.

    Attributes:
        deviations: How far each candidate's mean over seeds lies from its true value; shape
            ``(n_draws, n_candidates)``.
        looks: What one more seed would show of it, likewise.
    """

    deviations: NDArray[np.float64]
    looks: NDArray[np.float64]


def draw_luck(luck: Luck, made: Sequence[Made], n_draws: int, seed: Sequence[int]) -> LuckDraws:
    """Draws for candidates that were made as ``made`` says.

    Args:
        luck: Of the metric.
        made: How each candidate came about.
        n_draws: How many.
        seed: Of the draws; a training has the same ones whatever other trainings there are.
    """
    shared, own = _variances(luck, n_draws, np.random.default_rng([*seed]))
    deviations, looks = np.zeros((n_draws, len(made))), np.zeros((n_draws, len(made)))
    for column, one in enumerate(made):
        if one.training is None:
            continue
        parts = [(one.training, shared, luck.of_trainings.of_users)]
        if len({other.artifact for other in made if other.training == one.training}) > 1:
            parts.append((one.artifact, own, luck.of_artifacts.of_users))
        for name, variance, of_users in parts:
            known, new = np.random.default_rng([*seed, *name.encode()]).standard_normal((2, n_draws))
            deviation = np.sqrt(np.clip(variance - of_users, 0.0, None) / one.n_seeds) * known
            deviation *= luck.of_single if one.n_seeds == 1 else 1.0
            deviations[:, column] += deviation
            looks[:, column] += deviation + np.sqrt(variance) * new
    return LuckDraws(deviations, looks)


def _variances(
    luck: Luck, n_draws: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draws of both variances; as long as an artifact's own is not known, it is taken to be that of a training."""
    if luck.of_trainings.degrees == 0:
        assumed = np.full(n_draws, luck.unknown**2)
        return assumed, assumed
    shared = luck.of_trainings.variances(n_draws, random)
    is_known = luck.of_artifacts.degrees >= _LEAST_DEGREES
    return shared, luck.of_artifacts.variances(n_draws, random) if is_known else shared
