"""The root of the command line: every verb hangs here, and every mistake ends here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile

import typer
import typer.core
import typer.main

from paretoopt.cli.mistakes import STATUS, UserError, as_mistake, told
from paretoopt.cli.verbs import Verb
from paretoopt.errors import ParetooptError

VERBS = (
    Verb("run", "paretoopt.cli.run", "Search what a study file says, or go on where it was stopped."),
    Verb("studies", "paretoopt.cli.studies", "List the studies of a database."),
    Verb("trials", "paretoopt.cli.trials", "List every trial of a study: its state, parameters and measurements."),
    Verb("best-trials", "paretoopt.cli.best_trials", "List the trials on the Pareto front."),
    Verb("plot", "paretoopt.cli.plot", "Write one plot of a study as an HTML file."),
    Verb("report", "paretoopt.cli.report", "Write the report of a study: one HTML file that needs no network."),
    Verb("pick", "paretoopt.cli.pick", "Pick one trial within limits, and say why."),
    Verb("export", "paretoopt.cli.export", "Write the bundle of a trial: a folder that can be deployed."),
    Verb(
        "dashboard",
        "paretoopt.cli.dashboard",
        "Show the report of a study in the browser, and keep it up to date while the study goes on.",
    ),
    Verb(
        "verify",
        "paretoopt.cli.verify",
        "Check a bundle: checksums, answers to its sample requests, and latency against its manifest.",
    ),
    Verb(
        "serve",
        "paretoopt.cli.serve",
        "Serve a bundle over HTTP until SIGTERM: POST /recommend, GET /healthz, GET /metrics.",
    ),
    Verb("store", "paretoopt.cli.store", "The outputs of stages and measures that are kept on disk."),
)
_INTERRUPTED = 130

app = typer.Typer(
    name="paretoopt",
    help="Which deployment of a recommendation model should be shipped?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Which deployment of a recommendation model should be shipped?"""


def run(arguments: Sequence[str]) -> int:
    """Run the command line; gives the exit status: 0, 1 where the verb found something wrong, 2 for a mistake."""
    try:
        status = _command()(list(arguments), prog_name="paretoopt", standalone_mode=False)
    except UserError as mistake:
        return told(mistake)
    except ParetooptError as error:
        return told(as_mistake(str(error), "See --help."))
    except typer.TyperException as error:
        message = error.format_message()
        if not message:  # nothing was asked for, and the help was shown
            return STATUS
        return told(as_mistake(message, f"See paretoopt {_verb(arguments)}--help."))
    except typer.Abort:
        return _INTERRUPTED
    return status if isinstance(status, int) else 0


def main() -> None:
    """Run the command line with what was typed."""
    sys.exit(run(sys.argv[1:]))


def _command() -> typer.core.TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for verb in VERBS:
        group.add_command(verb)
    return group


def _verb(arguments: Sequence[str]) -> str:
    """The verb that was asked for, with the verb in its group, each followed by a space; empty where there is none."""
    if not any(verb.name == arguments[0] for verb in VERBS):
        return ""
    words = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    return "".join(f"{word} " for word in words[: 2 if arguments[0] == "store" else 1])
