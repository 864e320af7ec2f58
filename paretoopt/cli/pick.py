"""``paretoopt pick``: one trial within limits, with the reason."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from paretoopt.cli.output import Column, Format, FormatOption, print_rows
from paretoopt.cli.studied import StorageOption, StudyNameOption, opened, warnings_told
from paretoopt.cli.trial_columns import NUMBER, columns_of, record_of
from paretoopt.cli.wishes import parse_limit, parse_preference, parse_weight
from paretoopt.front.rules import Rule
from paretoopt.objectives import Objective
from paretoopt.search.trial_records import TrialRecord

app = typer.Typer()


@app.command()
def pick(
    within: Annotated[
        list[str] | None,
        typer.Option("--within", metavar="LIMIT", help="E.g. 'latency_p95_ms<=5'; may be given repeatedly."),
    ] = None,
    prefer: Annotated[
        str | None,
        typer.Option(
            "--prefer", metavar="METRIC", help="An objective, or e.g. minimize:artifact_mib; left out, the knee."
        ),
    ] = None,
    rule: Annotated[
        Rule | None, typer.Option("--rule", help="How one is chosen; docs/picking.md tells when to use which.")
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="METRIC=NUMBER", help="How much an objective counts; may be repeated."),
    ] = None,
    is_estimated: Annotated[
        bool, typer.Option("--on-estimate", help="Hold limits for values, and not for the ends of their intervals.")
    ] = False,
    storage: StorageOption = None,
    study_name: StudyNameOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Pick one trial within limits, and say why."""
    limits = [parse_limit(text) for text in within or ()]
    preferred = None if prefer is None else parse_preference(prefer)
    weights: dict[str | Objective, float] = dict(map(parse_weight, weight or ()))
    study = opened(storage, study_name)
    with warnings_told():
        chosen = study.pareto_front().pick(
            within=limits,
            prefer=preferred,
            weights=weights or None,
            rule=rule,
            on="estimate" if is_estimated else "bound",
        )
    row = record_of(chosen.candidate)
    why: Column[TrialRecord] = Column("why", "why", lambda one: chosen.why, is_shown=False)
    if form is Format.TABLE:
        sys.stdout.write(f"{chosen.why}\n\n")
    print_rows([row], [NUMBER, *columns_of([row], study.definition), why], form)
