"""Known data sets: fetched once from where they are published, never redistributed."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pooch

from paretoopt.errors import DataError


@dataclass(frozen=True)
class KnownData:
    """A published archive of interactions.

    Attributes:
        name: What users call it.
        url: Where its publisher has it.
        sha256: Checksum of the archive.
        folder: The folder inside the archive that holds the data.
        terms: Where its licence is; it binds whoever downloads it.
    """

    name: str
    url: str
    sha256: str
    folder: str
    terms: str


def _movielens(name: str, sha256: str) -> KnownData:
    site = "https://files.grouplens.org/datasets/movielens"
    return KnownData(name, f"{site}/{name}.zip", sha256, name, f"{site}/{name}-README.txt")


KNOWN: Mapping[str, KnownData] = {
    known.name: known
    for known in (
        _movielens("ml-100k", "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"),
        _movielens("ml-1m", "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"),
        # GroupLens may replace this one; it has not since 2018, and then the checksum tells.
        _movielens("ml-latest-small", "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
    )
}


@contextmanager
def unpacked(known: KnownData, cache: Path | None = None) -> Iterator[Path]:
    """A folder with the data, for as long as the context lasts.

    The archive stays in ``cache``; it is unpacked anew each time, so that nobody ever reads what a
    killed process unpacked by half.

    Args:
        known: What to fetch.
        cache: Where archives are kept; None for the user's cache.

    Raises:
        DataError: It cannot be fetched, or is not what was published.
    """
    archive = _fetch(known, cache or platformdirs.user_cache_path("paretoopt") / "data")
    with tempfile.TemporaryDirectory(prefix="paretoopt-") as folder:
        try:
            zipfile.ZipFile(archive).extractall(folder)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{archive} cannot be unpacked ({error}). Delete it and try again.") from error
        yield Path(folder) / known.folder


def _fetch(known: KnownData, cache: Path) -> Path:
    remedy = (
        f"Download {known.url} yourself, unpack it, and pass the folder: "
        f'load_interactions("path/to/{known.folder}"). Its terms: {known.terms}.'
    )
    try:
        return Path(pooch.retrieve(known.url, f"sha256:{known.sha256}", f"{known.name}.zip", cache))
    except OSError as error:
        raise DataError(f"{known.name} cannot be fetched: {error}. There may be no network. {remedy}") from error
    except ValueError as error:
        raise DataError(
            f"what {known.url} gives is not the published {known.name}: its checksum differs ({error}). {remedy}"
        ) from error
