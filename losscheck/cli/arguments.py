"""The arguments and options that several commands take, as click wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Items = list[CompletionItem[str]]
Command = TypeVar("Command", bound=Callable[..., Any])


def completed(what: str) -> Callable[[click.Context, click.Parameter, str], Items]:
    """Let the shell complete a value by the function of this name in `completion`."""

    def complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
        from losscheck.cli import completion

        found: Items = getattr(completion, what)(incomplete)
        return found

    return complete


def jobs(text: str) -> Any:
    """Read a number of jobs, or "auto"."""
    auto = "auto"  # as settings have it, which take long to be imported
    return auto if text == auto else click.IntRange(min=1)(text)


TARGETS = click.argument(
    "targets", nargs=-1, metavar="[TARGET]...", shell_complete=completed("targets")
)
DECLARED = (
    click.option("--config", type=click.Path(path_type=Path), help="Configuration file to read."),
    click.option(
        "--arg",
        multiple=True,
        metavar="NAME=DOMAIN[:SHAPE]",
        help='What an argument takes, as in "y_pred=probability:(B, D)", or by column, as in '
        '"y_pred=[real, positive]". Repeatable.',
    ),
    click.option(
        "--role",
        multiple=True,
        metavar="NAME=ROLE",
        help="What an argument is: y_true, y_pred, weight or input. Repeatable.",
    ),
)
RUNS = (
    click.option(
        "--dtype",
        multiple=True,
        metavar="DTYPES",
        help="Required dtypes.",
        shell_complete=completed("dtypes"),
    ),
    click.option(
        "--mode",
        multiple=True,
        metavar="MODES",
        help="Of eager, graph, xla.",
        shell_complete=completed("modes"),
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random."),
)
BUDGET = click.option(
    "--budget",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Processor time for a loss; what it cuts is said. 0: as much as it takes. Default 20.",
)
OPTIONS = (
    TARGETS,
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help='Targets to leave out, as in "my_module:old_*". Repeatable.',
        shell_complete=completed("targets"),
    ),
    click.option(
        "--changed",
        is_flag=False,
        flag_value="",
        metavar="[REV]",
        help="Only losses that differ from a commit, or of which an imported module does; by "
        "default from the merge base with the default branch.",
        shell_complete=completed("targets"),  # what stands behind it may be one
    ),
    *DECLARED,
    click.option(
        "--data",
        metavar="FILE.npz|MODULE:BATCHES",
        help="Data of your own: arrays named like the arguments, or what yields batches.",
    ),
    click.option(
        "--select",
        multiple=True,
        metavar="CODES",
        help="Rules to run: codes, how they begin, or slugs.",
        shell_complete=completed("rules"),
    ),
    click.option("--ignore", multiple=True, metavar="CODE=REASON", help="Set findings apart."),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Findings that are known, and do not fail: see `losscheck baseline`.",
    ),
    *RUNS,
    click.option(
        "--order",
        type=click.IntRange(1, 2),
        help="2 checks the second derivative, too.",
    ),
    click.option(
        "--isolation/--no-isolation",
        default=None,
        help="Each loss in a process of its own, or all in this one; by default where there are "
        "several.",
    ),
    click.option(
        "--jobs",
        type=jobs,
        metavar="N|auto",
        help="Losses examined at the same time; auto, the default, for as many as there are cores.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="What a loss may take in its process; it then counts as failed. 0: as much as it "
        "takes. Default 300.",
    ),
    click.option(
        "--memory",
        type=click.FloatRange(min=0),
        metavar="GIGABYTES",
        help="What a loss may take in its process. 0, the default: what is free, divided by the "
        "jobs.",
    ),
    BUDGET,
    click.option(
        "--executor",
        metavar="dask://HOST:PORT",
        help="Examine losses on the workers of a Dask scheduler.",
    ),
    click.option(
        "--upload",
        metavar="FILE",
        help="A wheel or a zip of the project, for workers of `--executor` that do not have it.",
    ),
    click.option(
        "--shard",
        metavar="I/N",
        help="The I-th of N parts of the losses, for as many machines; `losscheck merge` puts the "
        "reports together.",
    ),
    click.option(
        "--no-cache",
        is_flag=True,
        help="Examine losses that have not changed, too, and keep no reports in .losscheck/.",
    ),
    click.option(
        "--fail-on",
        metavar="[error|inconclusive|warning|never]",
        shell_complete=completed("fail_on"),
        help="What makes the exit status 1; each includes those before it.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Only errors, a line each."),
    click.option("-v", "--verbose", is_flag=True, help="Everything; tracebacks of our own faults."),
)


def given(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Give a command these arguments and options, which `--help` lists in this order."""

    def decorated(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorated
