"""Slates: for each user a few candidate items, one of which the user really took next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.content import fingerprint_of, read_only
from paretoopt.data.requests import model_histories, targets_of
from paretoopt.data.split import Split
from paretoopt.errors import DataError


@dataclass(frozen=True, kw_only=True, eq=False)
class Slates:
    """One slate per user, which cannot be changed.

    Attributes:
        candidates: Dense item ids of shape ``(n_users, slate_size)``, with -1 on the right of shorter slates.
        positions: The column of each user's held-out item; shape ``(n_users,)``.

    Raises:
        DataError: The arrays do not fit together, a position is not in its slate, or a slate has no other candidate.
    """

    candidates: NDArray[np.int64]
    positions: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Freeze the content and check that it fits together."""
        for name in ("candidates", "positions"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        shape, n_positions = self.candidates.shape, len(self.positions)
        if len(shape) != 2 or shape[0] != n_positions:
            raise DataError(f"candidates have shape {shape} for {n_positions} positions. Give one row for each.")
        if n_positions and (self.positions.min() < 0 or self.positions.max() >= shape[1]):
            raise DataError(
                f"positions go from {self.positions.min()} to {self.positions.max()} in slates of {shape[1]}."
            )
        if (self.is_real.sum(1) < 2).any():
            raise DataError(f"slate {int((self.is_real.sum(1) < 2).argmax())} has no candidate beside its target.")

    def __reduce__(self) -> tuple[Callable[[], Slates], tuple[()]]:
        """Pickle through the constructor, so that a copy in another process is read-only too."""
        return partial(Slates, candidates=self.candidates, positions=self.positions), ()

    @property
    def targets(self) -> NDArray[np.int64]:
        """The held-out item of each user."""
        return self.candidates[np.arange(len(self.positions)), self.positions]

    @property
    def is_real(self) -> NDArray[np.bool_]:
        """Where there is a candidate; shape of ``candidates``."""
        return self.candidates >= 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SlateData:
    """Sequences to train on, and two slates per user: the same ones for every model, study and machine.

    Attributes:
        split: The sequences and the held-out items.
        validation: Each user's slate with the validation item.
        test: Each user's slate with the test item.

    Raises:
        DataError: The slates are not those of the split's held-out items.
    """

    split: Split
    validation: Slates
    test: Slates

    def __post_init__(self) -> None:
        """Check that split and slates belong together."""
        for phase in ("validation", "test"):
            slates = slates_of(self, phase)
            if not np.array_equal(slates.targets, targets_of(self.split, phase)):
                raise DataError(f"the {phase} slates are not those of {self.split!r}: their held-out items differ.")
            if slates.candidates.min() < -1 or slates.candidates.max() >= self.split.n_items:
                raise DataError(f"the {phase} slates name items beyond the {self.split.n_items} of {self.split!r}.")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content."""
        slates = (self.validation, self.test)
        arrays = (array for each in slates for array in (each.candidates, each.positions))
        return fingerprint_of(f"slates-1 {self.split.fingerprint}", *arrays)

    def __repr__(self) -> str:
        """The split, and the size of the slates."""
        return f"<SlateData of {self.split!r}: slates of {self.test.candidates.shape[1]}>"


def slates_of(data: SlateData, phase: str) -> Slates:
    """The slates of ``"validation"`` or ``"test"``.

    Raises:
        DataError: ``phase`` is another word.
    """
    targets_of(data.split, phase)
    return data.validation if phase == "validation" else data.test


def slate_requests(data: SlateData, phase: str, *, length: int) -> dict[str, NDArray[np.int64]]:
    """The requests of all users at ``phase``, stacked: ``user``, ``candidates`` and, from length 1 on, ``history``.

    In model ids: user or item ``i`` of the data is ``i + 1``, and 0 stands for none.

    Args:
        data: The slates.
        phase: ``"validation"`` or ``"test"``.
        length: Items of history that a request holds; 0 for none.
    """
    requests = {"user": np.arange(1, data.split.n_users + 1), "candidates": slates_of(data, phase).candidates + 1}
    return requests | ({"history": model_histories(data.split, phase, length)} if length else {})
