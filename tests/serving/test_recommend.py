"""``POST /recommend``: answers, and refusals that say what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.conftest import BEST, LENGTH, N_ITEMS, Server

_RIGHT = [[1, 2, 3]]


def ask(client: httpx.Client, history: object) -> httpx.Response:
    """What the server says to a history."""
    return client.post("/recommend", json={"inputs": {"history": history}})


def test_a_server_answers_as_the_bundle_does(client: httpx.Client, bundle: Path) -> None:
    """The sample requests of the bundle get its sample answers, bit by bit."""
    with np.load(bundle / "requests.npz") as requests, np.load(bundle / "answers.npz") as answers:
        outputs = ask(client, requests["history"].tolist()).json()["outputs"]

        assert outputs["items"] == answers["items"].tolist()
        assert np.array_equal(np.array(outputs["scores"], np.float32), answers["scores"])


def test_item_ids_come_along(client: httpx.Client) -> None:
    """The original id of each recommended item, where the bundle knows them."""
    answered = ask(client, _RIGHT).json()

    (items,), (ids,) = answered["outputs"]["items"], answered["item_ids"]
    assert len(ids) == BEST
    assert ids == [f"item {item}" if item else None for item in items]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "the body is no JSON"),
        (b"{", 400, "the body is no JSON"),
        (b"\xff", 400, "the body is no JSON"),
        (b"[" * 50_000, 400, "nested too deeply"),
        (b"[]", 422, "the body must be"),
        (b'{"inputs": 3}', 422, "the body must be"),
        (b'{"inputs": {}}', 422, "the model takes"),
        (b'{"inputs": {"history": [[1, 2, 3]], "user": [1]}}', 422, "the model takes"),
    ],
)
def test_a_body_that_is_no_request_is_refused(client: httpx.Client, body: bytes, status: int, reason: str) -> None:
    """400 where it is no JSON, 422 where it is JSON of another kind."""
    answered = client.post("/recommend", content=body)

    assert answered.status_code == status
    assert reason in answered.json()["error"]


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ([[1, 2]], "has shape [1, 2], but the model takes [requests, 3]"),
        ([1, 2, 3], "has shape [3]"),
        ([[[1, 2, 3]]], "has shape [1, 1, 3]"),
        ([[1, 2, 3], [1, 2]], "one shape"),
        ([[1, 2, 3.5]], "must hold whole numbers"),
        ([[1, 2, "3"]], "must hold whole numbers"),
        ([[1, 2, None]], "must hold whole numbers"),
        ([[True, True, True]], "must hold whole numbers"),
        ([[1, 2, True]], "must hold whole numbers"),
        ([[1, 2, N_ITEMS + 1]], f"from 0 to {N_ITEMS}"),
        ([[1, 2, -1]], f"from 0 to {N_ITEMS}"),
        ([[1, 2, 2**62]], f"from 0 to {N_ITEMS}"),
        ([[1, 2, 2**64]], "must hold whole numbers"),
        ([], "has shape [0]"),
        ([_RIGHT[0]] * 65, "there are 65 requests, but a body may hold 1 to 64"),
        ("all", "must hold whole numbers"),
    ],
)
def test_a_request_that_the_model_cannot_take_is_refused(client: httpx.Client, history: object, reason: str) -> None:
    """422, with the rule that it breaks; the runtime never sees it."""
    answered = ask(client, history)

    assert answered.status_code == 422
    assert reason in answered.json()["error"]


@pytest.mark.parametrize("n_bytes", [300_000, 3_000_000])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_body_that_is_too_long_is_refused(client: httpx.Client, n_bytes: int, is_told: bool) -> None:
    """413, whether the client told the length or sends chunks, and it can read the answer."""
    answered = client.post(
        "/recommend", content=b"x" * n_bytes if is_told else iter([b"x" * 1_000] * (n_bytes // 1_000))
    )

    assert answered.status_code == 413
    assert "262144 bytes" in answered.json()["error"]


def test_what_is_not_there_is_told(client: httpx.Client) -> None:
    """Other paths and methods have their own statuses."""
    assert client.get("/nothing").status_code == 404
    assert client.get("/recommend").status_code == 405


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_HISTORY = st.lists(st.lists(st.integers(-2, N_ITEMS + 2), min_size=LENGTH - 1, max_size=LENGTH + 1), max_size=3)
_INPUTS = st.fixed_dictionaries({"inputs": st.fixed_dictionaries({"history": _HISTORY | _JSON})})


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=100) | (_JSON | _INPUTS).map(lambda value: json.dumps(value).encode()))
def test_200_bodies_are_answered_or_refused(server: Server, client: httpx.Client, body: bytes) -> None:
    """No body is the server's fault, and what is right is answered."""
    answered = client.post("/recommend", content=body)

    assert answered.status_code in (200, 400, 422)
    content: dict[str, Any] = answered.json()
    assert ("outputs" in content) == (answered.status_code == 200)
