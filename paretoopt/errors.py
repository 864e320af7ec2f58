"""Every error that paretoopt raises on purpose, as one tree, and its warnings.

Each message says what is wrong, with the value, and what to do about it.
"""


class ParetooptError(Exception):
    """Any error that paretoopt raises on purpose."""


class SpaceError(ParetooptError, ValueError):
    """A dimension or a search space that cannot be searched."""


class ObjectiveError(ParetooptError, ValueError):
    """An objective or constraint on a metric that nothing measures, or one that contradicts itself."""


class DataError(ParetooptError, ValueError):
    """Interaction data that cannot be read, or that is too small to split."""


class CostError(ParetooptError, ValueError):
    """Prices or a load from which no cost follows."""


class TableError(ParetooptError, ValueError):
    """A table or study of configurations that cannot be read, or that says two things at once."""


class PipelineError(ParetooptError, ValueError):
    """A pipeline whose parts do not fit together."""


class StoreError(ParetooptError, OSError):
    """A stage store that cannot be read or written."""


class ArtifactError(ParetooptError):
    """An exported artifact or bundle that is missing, corrupt or not what its manifest says."""


class CandidateError(ParetooptError):
    """One candidate could not be built, trained, compressed or measured.

    The study records the reason, tells the sampler that the candidate is infeasible, and goes on.

    Attributes:
        stage: Name of the stage or measure that failed; None where that is not known.
        training_cost: Worker-seconds of training that the candidate had newly spent.
    """

    def __init__(self, message: str, *, stage: str | None = None, training_cost: float = 0.0) -> None:
        """Say in ``message`` what failed, and why."""
        super().__init__(message)
        self.stage = stage
        self.training_cost = training_cost


class StoppedEarlyError(CandidateError):
    """Training that was ended because no candidate that needs it can join the front any more."""


class WeightsError(CandidateError):
    """A model whose weights no artifact could answer with: NaN, infinite, or all 0."""


class MeasurementError(CandidateError):
    """A measurement that failed: the measured process crashed, hung, or answered nonsense."""


class StudyError(ParetooptError):
    """A study that cannot go on."""


class StudyMismatchError(StudyError, ValueError):
    """A stored study was made with another space, pipeline or set of objectives."""


class NoFeasibleCandidateError(ParetooptError, LookupError):
    """No measured candidate satisfies every limit; the message names the nearest miss per limit."""


class MissingExtraError(ParetooptError, ImportError):
    """A feature needs an optional dependency; the message names the extra to install."""


class EnvironmentWarning(UserWarning):
    """Candidates that are compared were measured in different environments."""
