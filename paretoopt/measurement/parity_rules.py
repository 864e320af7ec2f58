"""How far quantisation may change what is ranked, and the failure of a candidate that is beyond."""

from __future__ import annotations

from dataclasses import dataclass

from paretoopt.candidate import Measurement
from paretoopt.errors import CandidateError, PipelineError

AUC_CHANGE = "auc_change"
"""The name of the change of the AUC."""

_REMEDY = "It takes more bits: raise the lower bound of linear_bits or embedding_bits."


@dataclass(frozen=True)
class ParityRules:
    """What is compared, and what a candidate must keep of it.

    Both limits count from what chance gives: of 20 candidates, any two lists of 10 share half.

    Attributes:
        k: Items of each list that are compared.
        least_overlap: A candidate whose lists share less of what chance does not give fails; with 0, none does.
        largest_loss: A candidate fails that loses more than this share of the quality above chance, interval included;
            with 1, none does.

    Raises:
        PipelineError: A limit is not between 0 and 1, or ``k`` is no positive number.
    """

    k: int = 10
    least_overlap: float = 0.25
    largest_loss: float = 0.5

    def __post_init__(self) -> None:
        """Refuse rules that make no sense."""
        if type(self.k) is not int or self.k < 1:
            raise PipelineError(f"k must be a whole number from 1 on, but is {self.k!r}.")
        for name, share in (("least_overlap", self.least_overlap), ("largest_loss", self.largest_loss)):
            if not 0 <= share <= 1:
                raise PipelineError(f"{name} must be from 0 to 1, but is {share!r}.")

    @property
    def overlap_metric(self) -> str:
        """The name of the overlap."""
        return f"overlap_at_{self.k}"

    @property
    def change_metric(self) -> str:
        """The name of the change of NDCG."""
        return f"ndcg_change_at_{self.k}"


def refuse_other_lists(overlap: Measurement, rules: ParityRules, n_lists: int, *, chance: float = 0.0) -> None:
    """Fail the candidate whose lists share too little with those before.

    Args:
        overlap: The share in common, mean over lists.
        rules: What must be kept.
        n_lists: Lists compared.
        chance: The share that lists have in common by chance; 0 where it is next to nothing, or not known.

    Raises:
        CandidateError: They do; the message holds the figures.
    """
    least = chance + rules.least_overlap * (1 - chance)
    if rules.least_overlap > 0 and overlap.value < least:
        beyond = f" of what chance ({chance:.3f}) leaves, so {least:.3f}" if chance else ""
        raise CandidateError(
            f"quantised, the model's top {rules.k} share {overlap.value:.3f} ({overlap.low:.3f} to {overlap.high:.3f}) "
            f"with those before, on {n_lists:,} requests, where least_overlap is {rules.least_overlap:g}{beyond}. "
            f"{_REMEDY}"
        )


def refuse_loss(change: Measurement, full: float, rules: ParityRules, *, quality: str, chance: float = 0.0) -> None:
    """Fail the candidate that certainly loses too much.

    Args:
        change: The quality less that before.
        full: The quality before.
        rules: What must be kept.
        quality: What it is called.
        chance: The quality of a model that scores all alike. One that was no better has nothing to lose.

    Raises:
        CandidateError: It does; the message holds the figures.
    """
    most = rules.largest_loss * (full - chance)
    if rules.largest_loss < 1 and full > chance and change.high is not None and change.high < -most:
        beyond = f" beyond the {chance:.4f} of chance" if chance else ""
        raise CandidateError(
            f"quantisation changes {quality} of {full:.4f} by {change.value:.4f} ({change.low:.4f} to "
            f"{change.high:.4f}), where largest_loss is {rules.largest_loss:g} of it{beyond}. {_REMEDY}"
        )
