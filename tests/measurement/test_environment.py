"""The environment record tells what a measurement depends on."""

from __future__ import annotations

import json

import numpy as np

from paretoopt.measurement.environment import current_environment


def test_record_is_ready_for_json() -> None:
    """Every field and the fingerprint go through JSON unchanged."""
    record = current_environment([0]).to_dict()

    assert json.loads(json.dumps(record)) == record
    assert record["cores_used"] == [0]


def test_fingerprint_names_processor_cores_and_versions() -> None:
    """A person can see from the fingerprint why two environments differ."""
    environment = current_environment([0])

    assert environment.cpu_model in environment.fingerprint
    assert f"numpy {np.__version__}" in environment.fingerprint
    assert f"1 of {environment.n_cores} cores" in environment.fingerprint
