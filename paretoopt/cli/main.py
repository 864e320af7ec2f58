"""The root of the command line: every verb hangs here, and every mistake ends here."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from paretoopt.cli import serve, store, verify
from paretoopt.cli.mistakes import STATUS, UserError, as_mistake, told
from paretoopt.errors import ParetooptError

app = typer.Typer(
    name="paretoopt",
    help="Which deployment of a recommendation model should be shipped?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(store.app, name="store")
app.command()(verify.verify)
app.command()(serve.serve)


@app.callback()
def root() -> None:
    """Which deployment of a recommendation model should be shipped?"""


def run(arguments: Sequence[str]) -> int:
    """Run the command line; gives the exit status: 0, 1 where the verb found something wrong, 2 for a mistake."""
    try:
        status = app(list(arguments), prog_name="paretoopt", standalone_mode=False)
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
        return 130
    return status if isinstance(status, int) else 0


def main() -> None:
    """Run the command line with what was typed."""
    sys.exit(run(sys.argv[1:]))


def _verb(arguments: Sequence[str]) -> str:
    """The verbs among the arguments, each followed by a space."""
    words = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        words.append(f"{argument} ")
    return "".join(words[:2])
