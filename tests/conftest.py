"""What every test may rely on: one thread per process, and a store of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports torch or NumPy: tests share few cores, and threads would fight for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says nothing about whether it is right.
settings.register_profile("paretoopt", deadline=None)
settings.load_profile("paretoopt")


@pytest.fixture(autouse=True, scope="session")
def store_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The default store is a fresh folder, so that no test sees or fills the user's own."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARETOOPT_STORE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets that ``PARETOOPT_DATA`` names."""
    folder = os.environ.get("PARETOOPT_DATA")
    if not folder:
        pytest.skip("PARETOOPT_DATA names no folder of real data sets")
    return Path(folder)
