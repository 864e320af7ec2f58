"""Small tables of events."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from paretoopt.data.interactions import Interactions
from paretoopt.data.load import load_interactions

MakeInteractions = Callable[[dict[str, list[str]]], Interactions]


@pytest.fixture
def make_interactions() -> MakeInteractions:
    """Builds interactions from each user's items, oldest first."""

    def make(items_of: dict[str, list[str]]) -> Interactions:
        rows = [(user, item, time) for user, items in items_of.items() for time, item in enumerate(items)]
        return load_interactions(pd.DataFrame(rows, columns=["user", "item", "timestamp"]))

    return make
