"""The quantisation stage of the ready-made pipelines, and what it is calibrated on."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from paretoopt.compression.quantize import QuantizationRules, quantize
from paretoopt.pipeline.stage import Requests, Stage

N_CALIBRATED = 128
"""Requests that static layers are calibrated on."""


def quantizing(rules: QuantizationRules, requests: Requests) -> Stage:
    """The stage that makes bits by ``rules``; static layers are calibrated on the first 128 of ``requests``."""
    some = {name: array[:N_CALIBRATED] for name, array in requests.items()}
    return quantize(**asdict(rules), calibration_requests=some if rules.linear == "static" else None)


def earlier(requests: Requests) -> Requests:
    """The requests of the same users one item before, where they have a history, so that quality is of others."""
    if "history" not in requests:
        return requests
    return {**requests, "history": np.pad(requests["history"], ((0, 0), (1, 0)))[:, :-1]}
