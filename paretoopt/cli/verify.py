"""``paretoopt verify``: whether a bundle is what its manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paretoopt.cli.output import Column, Format, FormatOption, print_rows

if TYPE_CHECKING:
    from paretoopt.bundle.verification import Finding

_FINDINGS: tuple[Column[Finding], ...] = (
    Column("check", "check", lambda one: one.check),
    Column("verdict", "verdict", lambda one: one.verdict),
    Column("what was found", "detail", lambda one: one.detail),
)

app = typer.Typer()


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    latency: Annotated[bool, typer.Option(help="Measure latency again, which takes some seconds.")] = True,
    latency_tolerance: Annotated[
        float, typer.Option(min=0.0, help="How much slower a percentile may be: 0.5 for half.")
    ] = 0.5,
    form: FormatOption = Format.TABLE,
) -> None:
    """Check a bundle: checksums, answers to its sample requests, and latency against its manifest.

    The exit status is 1 where something is wrong with the bundle.
    """
    # Whoever browses shall not wait for numpy and the runtime.
    from paretoopt.bundle.verification import verify as checked  # noqa: PLC0415

    verification = checked(folder, with_latency=latency, latency_tolerance=latency_tolerance)
    n_faults = len(verification.faults)
    note = "No faults." if n_faults == 0 else f"{n_faults} fault{'s' if n_faults > 1 else ''}."
    print_rows(verification.findings, _FINDINGS, form, note=note)
    if n_faults:
        raise typer.Exit(1)
