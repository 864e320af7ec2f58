"""Where candidates were measured, and a warning when that was not the same for all."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from paretoopt.candidate import Candidate
from paretoopt.errors import EnvironmentWarning


def environments_of(candidates: Iterable[Candidate]) -> dict[str, tuple[str, ...]]:
    """The environments that each measure was taken in, by the measure's name, in the order of first appearance.

    Measures whose values do not depend on the environment are left out, as are candidates of which it is not known.
    """
    found: dict[str, dict[str, None]] = {}
    for candidate in candidates:
        for run in candidate.runs:
            if run.environment is not None:
                found.setdefault(run.name, {})[run.environment] = None
    return {name: tuple(environments) for name, environments in found.items()}


def warn_of_several_environments(candidates: Iterable[Candidate]) -> None:
    """Warn where one measure was taken in several environments, naming them: its values do not compare."""
    for name, environments in environments_of(candidates).items():
        if len(environments) > 1:
            listed = "".join(f"\n  {environment}" for environment in environments)
            warnings.warn(
                f"the candidates' {name} was measured in {len(environments)} environments, so differences between "
                f"them may be those of the machines:{listed}\nMeasure them again in one of these.",
                EnvironmentWarning,
                stacklevel=3,
            )
