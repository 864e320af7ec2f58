"""paretoopt: which deployment of a recommendation model should be shipped?

A study draws parameters from a space, a pipeline turns parameters into measurements, and the
Pareto front keeps the trials that nothing beats. Importing this package loads neither torch nor
plotly: each public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paretoopt.artifact.describe import PartsList as PartsList
    from paretoopt.artifact.describe import describe as describe
    from paretoopt.artifact.export import export_onnx as export_onnx
    from paretoopt.bundle.export import export as export
    from paretoopt.bundle.manifest import read_manifest as read_manifest
    from paretoopt.bundle.verification import Verification as Verification
    from paretoopt.bundle.verification import verify as verify
    from paretoopt.candidate import Candidate as Candidate
    from paretoopt.candidate import Evaluation as Evaluation
    from paretoopt.candidate import Measurement as Measurement
    from paretoopt.candidate import RemainingStage as RemainingStage
    from paretoopt.compression.prune import prune as prune
    from paretoopt.compression.prune import prune_in_rounds as prune_in_rounds
    from paretoopt.compression.prune_plan import PruningPlan as PruningPlan
    from paretoopt.compression.prune_plan_found import plan_pruning as plan_pruning
    from paretoopt.compression.quantization_aware import quantization_aware as quantization_aware
    from paretoopt.compression.quantize import QuantizationRules as QuantizationRules
    from paretoopt.compression.quantize import quantize as quantize
    from paretoopt.compression.trim_vocabulary import trim_vocabulary as trim_vocabulary
    from paretoopt.data.clicks import Clicks as Clicks
    from paretoopt.data.examples import SplitExamples as SplitExamples
    from paretoopt.data.examples import split_examples as split_examples
    from paretoopt.data.groups import Grouping as Grouping
    from paretoopt.data.groups import by_attribute as by_attribute
    from paretoopt.data.groups import by_history_length as by_history_length
    from paretoopt.data.groups import by_item_popularity as by_item_popularity
    from paretoopt.data.interactions import Interactions as Interactions
    from paretoopt.data.k_core import k_core as k_core
    from paretoopt.data.load import load_interactions as load_interactions
    from paretoopt.data.load_clicks import load_clicks as load_clicks
    from paretoopt.data.ncf import load_ncf as load_ncf
    from paretoopt.data.popularity import popularity_baseline as popularity_baseline
    from paretoopt.data.slate_popularity import slate_popularity as slate_popularity
    from paretoopt.data.slate_sampling import sampled_slates as sampled_slates
    from paretoopt.data.slates import SlateData as SlateData
    from paretoopt.data.slates import Slates as Slates
    from paretoopt.data.split import leave_one_out as leave_one_out
    from paretoopt.data.synthetic import synthetic_shop as synthetic_shop
    from paretoopt.data.synthetic_clicks import synthetic_clicks as synthetic_clicks
    from paretoopt.errors import EnvironmentWarning as EnvironmentWarning
    from paretoopt.front.front_of import front_of as front_of
    from paretoopt.front.pareto_front import ParetoFront as ParetoFront
    from paretoopt.front.serving_cost import ServingCost as ServingCost
    from paretoopt.front.total_cost import TotalCost as TotalCost
    from paretoopt.measurement.click_quality import auc as auc
    from paretoopt.measurement.click_quality import log_loss as log_loss
    from paretoopt.measurement.environment_record import environment_of as environment_of
    from paretoopt.measurement.group_quality import quality_by_group as quality_by_group
    from paretoopt.measurement.load_measures import load as load
    from paretoopt.measurement.load_measures import throughput as throughput
    from paretoopt.measurement.measures import latency as latency
    from paretoopt.measurement.measures import memory as memory
    from paretoopt.measurement.output_quality import output_quality as output_quality
    from paretoopt.measurement.paired import PairedComparison as PairedComparison
    from paretoopt.measurement.paired import compare_quality as compare_quality
    from paretoopt.measurement.ranked_parity import ranked_parity as ranked_parity
    from paretoopt.measurement.score_parity import LabelledRows as LabelledRows
    from paretoopt.objectives import at_least as at_least
    from paretoopt.objectives import at_most as at_most
    from paretoopt.objectives import maximize as maximize
    from paretoopt.objectives import minimize as minimize
    from paretoopt.pipeline.input_range import InputRange as InputRange
    from paretoopt.pipeline.pipeline import Pipeline as Pipeline
    from paretoopt.pipeline.stage import Build as Build
    from paretoopt.pipeline.stage import Context as Context
    from paretoopt.pipeline.stage import Earlier as Earlier
    from paretoopt.pipeline.stage import Measure as Measure
    from paretoopt.pipeline.stage import Stage as Stage
    from paretoopt.pipeline.stage import reads as reads
    from paretoopt.report.report import write_report as write_report
    from paretoopt.report.terminal import front_table as front_table
    from paretoopt.search.convergence import Converged as Converged
    from paretoopt.search.cost_first.knowledge import Sources as Sources
    from paretoopt.search.cost_first.sampler import CostFirstSampler as CostFirstSampler
    from paretoopt.search.cost_pruning import CostPruning as CostPruning
    from paretoopt.search.create import create_study as create_study
    from paretoopt.search.early_stopping import EarlyStopping as EarlyStopping
    from paretoopt.search.encoding import suggest as suggest
    from paretoopt.search.evaluator import CostFirst as CostFirst
    from paretoopt.search.learning_curves import LearningCurves as LearningCurves
    from paretoopt.search.loading import load_study as load_study
    from paretoopt.search.optuna_dashboard import show_in_optuna_dashboard as show_in_optuna_dashboard
    from paretoopt.search.rungs import Rungs as Rungs
    from paretoopt.search.stopping_rule import StoppingRule as StoppingRule
    from paretoopt.search.study import Study as Study
    from paretoopt.space import Categorical as Categorical
    from paretoopt.space import Float as Float
    from paretoopt.space import Int as Int
    from paretoopt.space import Ordered as Ordered
    from paretoopt.space import Parameter as Parameter
    from paretoopt.space import Params as Params
    from paretoopt.space import SearchSpace as SearchSpace
    from paretoopt.store.store import Store as Store
    from paretoopt.training.distillation import Distillation as Distillation
    from paretoopt.training.loop import TrainingSettings as TrainingSettings
    from paretoopt.training.stages import distill as distill
    from paretoopt.training.stages import fine_tune as fine_tune
    from paretoopt.training.stages import fit as fit
    from paretoopt.training.supervised import Supervised as Supervised
    from paretoopt.visualization.compression import plot_compression as plot_compression
    from paretoopt.visualization.hypervolume_history import plot_hypervolume_history as plot_hypervolume_history
    from paretoopt.visualization.importances import plot_importances as plot_importances
    from paretoopt.visualization.marginal_effects import plot_marginal_effects as plot_marginal_effects
    from paretoopt.visualization.parallel_coordinates import plot_parallel_coordinates as plot_parallel_coordinates
    from paretoopt.visualization.pareto_front import plot_pareto_front as plot_pareto_front
    from paretoopt.visualization.pareto_front_3d import plot_pareto_front_3d as plot_pareto_front_3d
    from paretoopt.visualization.stage_seconds import plot_stage_seconds as plot_stage_seconds

_HOMES = {
    "Build": "pipeline.stage",
    "Candidate": "candidate",
    "Categorical": "space",
    "Clicks": "data.clicks",
    "Context": "pipeline.stage",
    "Converged": "search.convergence",
    "CostFirst": "search.evaluator",
    "CostFirstSampler": "search.cost_first.sampler",
    "CostPruning": "search.cost_pruning",
    "Distillation": "training.distillation",
    "Earlier": "pipeline.stage",
    "EarlyStopping": "search.early_stopping",
    "EnvironmentWarning": "errors",
    "Evaluation": "candidate",
    "Float": "space",
    "Grouping": "data.groups",
    "InputRange": "pipeline.input_range",
    "Int": "space",
    "Interactions": "data.interactions",
    "LabelledRows": "measurement.score_parity",
    "LearningCurves": "search.learning_curves",
    "Measure": "pipeline.stage",
    "Measurement": "candidate",
    "Ordered": "space",
    "PairedComparison": "measurement.paired",
    "Parameter": "space",
    "Params": "space",
    "ParetoFront": "front.pareto_front",
    "PartsList": "artifact.describe",
    "Pipeline": "pipeline.pipeline",
    "PruningPlan": "compression.prune_plan",
    "QuantizationRules": "compression.quantize",
    "RemainingStage": "candidate",
    "Rungs": "search.rungs",
    "SearchSpace": "space",
    "ServingCost": "front.serving_cost",
    "SlateData": "data.slates",
    "Slates": "data.slates",
    "Sources": "search.cost_first.knowledge",
    "SplitExamples": "data.examples",
    "Stage": "pipeline.stage",
    "StoppingRule": "search.stopping_rule",
    "Store": "store.store",
    "Study": "search.study",
    "Supervised": "training.supervised",
    "TotalCost": "front.total_cost",
    "TrainingSettings": "training.loop",
    "Verification": "bundle.verification",
    "at_least": "objectives",
    "at_most": "objectives",
    "auc": "measurement.click_quality",
    "by_attribute": "data.groups",
    "by_history_length": "data.groups",
    "by_item_popularity": "data.groups",
    "compare_quality": "measurement.paired",
    "create_study": "search.create",
    "describe": "artifact.describe",
    "distill": "training.stages",
    "environment_of": "measurement.environment_record",
    "export": "bundle.export",
    "export_onnx": "artifact.export",
    "fine_tune": "training.stages",
    "fit": "training.stages",
    "front_of": "front.front_of",
    "front_table": "report.terminal",
    "k_core": "data.k_core",
    "latency": "measurement.measures",
    "leave_one_out": "data.split",
    "load": "measurement.load_measures",
    "load_clicks": "data.load_clicks",
    "load_interactions": "data.load",
    "load_ncf": "data.ncf",
    "load_study": "search.loading",
    "log_loss": "measurement.click_quality",
    "maximize": "objectives",
    "memory": "measurement.measures",
    "minimize": "objectives",
    "output_quality": "measurement.output_quality",
    "plan_pruning": "compression.prune_plan_found",
    "plot_compression": "visualization.compression",
    "plot_hypervolume_history": "visualization.hypervolume_history",
    "plot_importances": "visualization.importances",
    "plot_marginal_effects": "visualization.marginal_effects",
    "plot_parallel_coordinates": "visualization.parallel_coordinates",
    "plot_pareto_front": "visualization.pareto_front",
    "plot_pareto_front_3d": "visualization.pareto_front_3d",
    "plot_stage_seconds": "visualization.stage_seconds",
    "popularity_baseline": "data.popularity",
    "prune": "compression.prune",
    "prune_in_rounds": "compression.prune",
    "quality_by_group": "measurement.group_quality",
    "quantization_aware": "compression.quantization_aware",
    "quantize": "compression.quantize",
    "ranked_parity": "measurement.ranked_parity",
    "read_manifest": "bundle.manifest",
    "reads": "pipeline.stage",
    "sampled_slates": "data.slate_sampling",
    "show_in_optuna_dashboard": "search.optuna_dashboard",
    "slate_popularity": "data.slate_popularity",
    "split_examples": "data.examples",
    "suggest": "search.encoding",
    "synthetic_clicks": "data.synthetic_clicks",
    "synthetic_shop": "data.synthetic",
    "throughput": "measurement.load_measures",
    "trim_vocabulary": "compression.trim_vocabulary",
    "verify": "bundle.verification",
    "write_report": "report.report",
}

__version__ = "0.1.0"
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'paretoopt' has no attribute {name!r}")
    return getattr(importlib.import_module(f"paretoopt.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return [*__all__, "__version__"]
