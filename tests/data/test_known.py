"""Known data sets are fetched once, verified, and never needed by those who have them."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from paretoopt.data.known import KnownData, unpacked
from paretoopt.data.load import load_interactions
from paretoopt.errors import DataError


@pytest.fixture
def published(tmp_path: Path) -> Iterator[KnownData]:
    """A data set on a server of this machine."""
    site = tmp_path / "site"
    site.mkdir()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("tiny/u.data", "1\t5\t3\t100\n1\t6\t3\t200\n")
    (site / "tiny.zip").write_bytes(archive.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/tiny.zip"
    yield KnownData("tiny", url, hashlib.sha256(archive.getvalue()).hexdigest(), "tiny", "the terms")
    server.shutdown()
    server.server_close()


def test_a_data_set_is_fetched_and_read(published: KnownData, tmp_path: Path) -> None:
    """The archive is downloaded, verified, unpacked and loaded."""
    with unpacked(published, tmp_path / "cache") as folder:
        interactions = load_interactions(folder)

    assert interactions.name == "tiny"
    assert interactions.item_ids.tolist() == [5, 6]
    assert not folder.exists()


def test_a_data_set_is_fetched_once(published: KnownData, tmp_path: Path) -> None:
    """With the archive in the cache no network is needed."""
    with unpacked(published, tmp_path / "cache"):
        pass

    with unpacked(replace(published, url="http://127.0.0.1:9/tiny.zip"), tmp_path / "cache") as folder:
        assert (folder / "u.data").exists()


def test_another_content_than_published_is_refused(published: KnownData, tmp_path: Path) -> None:
    """A checksum that differs stops the load before anything is unpacked."""
    with (
        pytest.raises(DataError, match="its checksum differs"),
        unpacked(replace(published, sha256="0" * 64), tmp_path / "cache"),
    ):
        pass


def test_a_missing_page_says_how_to_go_on(published: KnownData, tmp_path: Path) -> None:
    """A publisher that moved the file is told like a missing network."""
    moved = replace(published, url=published.url.replace("tiny.zip", "moved.zip"))

    with pytest.raises(DataError, match=r'load_interactions\("path/to/tiny"\)'), unpacked(moved, tmp_path / "cache"):
        pass


def test_without_a_network_the_message_says_how_to_pass_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way around is named: download it yourself, and pass the folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=r'no network\. Download .*load_interactions\("path/to/ml-100k"\)'):
        load_interactions("ml-100k")


def test_a_folder_of_the_same_name_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the data here already fetches nothing."""
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("1\t5\t3\t100\n")
    monkeypatch.chdir(tmp_path)

    assert load_interactions("ml-100k").n_events == 1
