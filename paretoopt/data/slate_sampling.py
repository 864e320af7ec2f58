"""Slates of a held-out item among items drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.interactions import Interactions
from paretoopt.data.negatives import draw_distinct_negatives, pair_keys
from paretoopt.data.requests import distinct_items, targets_of
from paretoopt.data.slates import SlateData, Slates
from paretoopt.data.split import Split, leave_one_out
from paretoopt.errors import DataError


def sampled_slates(interactions: Interactions | Split, *, slate_size: int = 100, seed: int = 0) -> SlateData:
    """Put each user's held-out items among items that the user never had.

    With 99 others this is the protocol of He et al. 2017 ("Neural Collaborative Filtering"). Sampled candidates are
    easier than the whole catalogue, and metrics on them can order models otherwise (Krichene and Rendle 2020, "On
    Sampled Metrics for Item Recommendation"): they say how well slates are ranked, not how well items are found.

    Args:
        interactions: Events; each user's last item is held out for test, the one before for validation.
        slate_size: Candidates of a slate, the held-out item included.
        seed: The same seed gives the same slates.

    Raises:
        DataError: A user lacks fewer than ``slate_size - 1`` items, or the data cannot be split.
    """
    if type(slate_size) is not int or slate_size < 2:
        raise DataError(f"slate_size must be a whole number from 2 on, but is {slate_size!r}.")
    split = leave_one_out(interactions) if isinstance(interactions, Interactions) else interactions
    random = np.random.default_rng(seed)
    known = _all_pairs(split)
    slates = {
        phase: mixed(
            targets_of(split, phase),
            draw_distinct_negatives(split.n_users, known, split.n_items, slate_size - 1, random),
            random,
        )
        for phase in ("validation", "test")
    }
    return SlateData(split=split, **slates)


def mixed(targets: NDArray[np.int64], others: NDArray[np.int64], random: np.random.Generator) -> Slates:
    """Slates with each target at a random place among the others.

    Args:
        targets: Dense item ids; shape ``(n_users,)``.
        others: Dense item ids of shape ``(n_users, slate_size - 1)``, with -1 on the right of shorter slates.
        random: Where the places come from.
    """
    rows, n_others = np.arange(len(targets)), (others >= 0).sum(1)
    positions = random.integers(n_others + 1)
    candidates = np.pad(others, ((0, 0), (0, 1)), constant_values=-1)
    candidates[rows, n_others] = candidates[rows, positions]
    candidates[rows, positions] = targets
    return Slates(candidates=candidates, positions=positions)


def _all_pairs(split: Split) -> NDArray[np.int64]:
    """What users have, all phases together."""
    users, items = distinct_items(split, "test")
    everyone = np.arange(split.n_users)
    return pair_keys(np.append(users, everyone), np.append(items, split.test_items), split.n_items)
