"""The dashboard of a study that goes on meanwhile: a real process, asked over HTTP."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from paretoopt.objectives import maximize, minimize
from paretoopt.search.create import create_study
from paretoopt.search.study import Study
from paretoopt.space import Int, Params, SearchSpace


def measure(params: Params) -> dict[str, float]:
    """Every size is on the front."""
    return {"quality": float(params["size"]), "memory_mib": float(params["size"])}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the study is."""
    return f"sqlite:///{tmp_path_factory.mktemp('study') / 'study.db'}"


@pytest.fixture(scope="module")
def study(database: str) -> Study:
    """A study with two trials; all tests look at one, for a process takes a while to start."""
    made = create_study(
        SearchSpace(size=Int(1, 8)),
        objectives=[maximize("quality"), minimize("memory_mib")],
        study_name="growing",
        storage=database,
    )
    made.optimize(measure, n_trials=2, progress=False)
    return made


@pytest.fixture(scope="module")
def process(study: Study, database: str) -> Iterator[subprocess.Popen[str]]:
    """A dashboard of it, at a port of its own."""
    command = [sys.executable, "-m", "paretoopt.cli", "dashboard", "--port", "0", "--storage"]
    started = subprocess.Popen([*command, database], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield started
    started.kill()
    started.communicate()


@pytest.fixture(scope="module")
def url(process: subprocess.Popen[str]) -> str:
    """Where the dashboard says that it is."""
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line + process.stderr.read()
    return found.group()


def get(url: str, **headers: str) -> str:
    """What is answered, which must be well."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return str(answer.read().decode())


def test_the_report_follows_the_study(study: Study, url: str) -> None:
    """Another trial, another version, and a report that has it; nothing new, the same version."""
    before, page = json.loads(get(f"{url}version")), get(f"{url}report")
    assert json.loads(get(f"{url}version")) == before

    study.optimize(measure, n_trials=5, progress=False)

    after = json.loads(get(f"{url}version"))
    assert before["study_name"] == after["study_name"] == "growing"
    assert before["version"] != after["version"]
    assert "<title>" in page
    assert len(numbers(get(f"{url}report"))) == len(numbers(page)) + 3


def numbers(page: str) -> set[str]:
    """The trials that the table of the report names."""
    return set(re.findall(r"trial (\d+)", page))


def test_the_page_asks_for_the_version_by_itself(url: str) -> None:
    """The page polls and shows the report; it needs nothing from elsewhere."""
    page = get(url)

    assert 'fetch("/version")' in page
    assert "http" not in page


def test_nothing_can_be_changed(url: str) -> None:
    """Only reading is answered."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        with pytest.raises(HTTPError, match="405"):
            urllib.request.urlopen(urllib.request.Request(f"{url}report", method=method, data=b"{}"), timeout=30)


def test_names_of_elsewhere_get_nothing(url: str) -> None:
    """A page from elsewhere whose name points to this machine cannot read the study."""
    with pytest.raises(HTTPError, match="400"):
        get(f"{url}report", Host="evil.example")


def test_a_port_that_is_taken_is_a_mistake(url: str, database: str) -> None:
    """Exit status 2, with what is wrong and what to do."""
    port = url.rpartition(":")[2].strip("/")
    command = [sys.executable, "-m", "paretoopt.cli", "dashboard", "--port", port, "--storage", database]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 2
    cause, remedy = result.stderr.splitlines()
    assert cause == f"Error: 127.0.0.1:{port} cannot be used: Address already in use."
    assert remedy == "Give another --port, or 0."


def test_ctrl_c_ends_it(process: subprocess.Popen[str], url: str) -> None:
    """It ends at once and in good order, without a traceback; this is the last test of the process."""
    get(f"{url}version")
    process.send_signal(signal.SIGINT)

    _, told = process.communicate(timeout=30)

    assert (process.returncode, told) == (0, "")
