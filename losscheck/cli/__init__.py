"""The command line: click, exit statuses, and what is shown of errors.

Everything else is imported by the commands that need it, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from losscheck import __version__
from losscheck.cli.arguments import BUDGET, DECLARED, OPTIONS, RUNS, completed, given
from losscheck.cli.groups import baseline, cache

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Completion = CompletionItem[str]
COMPLETION = "_LOSSCHECK_COMPLETE"  # set by the shell that wants completions
EXAMPLES = """\b
Examples:
  losscheck my_module:my_loss
  losscheck path/losses.py
  losscheck "my_module:focal(gamma=2.0)" --arg y_pred=probability
  losscheck mse --format json"""


class _Group(click.Group):
    """A group in which targets stand for `check`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {*self.commands, *self.get_help_option_names(ctx), "--version"}
        begun = ctx.resilient_parsing and not args  # the shell completes the first word
        known = begun or (args and args[0] in own)
        return super().parse_args(ctx, args if known else ["check", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Completion]:
        check = self.commands["check"]
        inner = check.make_context("check", [], parent=ctx, resilient_parsing=True)
        (targets,) = (p for p in check.params if p.name == "targets")
        own = super().shell_complete(ctx, incomplete)
        options = check.shell_complete(inner, incomplete)
        named = [] if incomplete.startswith("-") else targets.shell_complete(inner, incomplete)
        if own:  # a shell that is to complete files completes nothing else
            named = [item for item in named if item.type == "plain"]
        return [*own, *options, *named]


@click.group(cls=_Group, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="losscheck")
def command() -> None:
    """Check TensorFlow/Keras losses: the gradient, NaN and Inf, shapes.

    `losscheck TARGET ...` is short for `losscheck check TARGET ...`.
    """


@command.command()
@given(*OPTIONS)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=PATH]",
    shell_complete=completed("formats"),
    help="text, concise, json, markdown, html, sarif, junit, github or gitlab; with =PATH into a "
    "file. Repeatable.",
)
def check(targets: tuple[str, ...], formats: tuple[str, ...], **options: Any) -> int:
    """Check losses: each TARGET, or those of the configuration.

    A TARGET is module:loss, path/file.py:loss, module:factory(gamma=2.0), a module or file alone
    (every loss in it), or a name that Keras knows.
    """
    from losscheck.cli import commands

    return commands.check(targets, formats, options)


@command.command()
@given(*OPTIONS)
@click.option(
    "--out", type=click.Path(path_type=Path), default="reports", show_default=True, help="Folder."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="OLD.json",
    help="An earlier report: what is new, mended and else. --fail-on new then fails on new errors.",
)
@click.option(
    "--from",
    "stored",
    type=click.Path(path_type=Path),
    metavar="REPORT.json",
    help="A report that was made before: nothing is checked, and no TensorFlow is needed.",
)
def report(
    targets: tuple[str, ...],
    out: Path,
    against: Path | None,
    stored: Path | None,
    **options: Any,
) -> int:
    """Write the stability report: a page, JSON and Markdown.

    With --against the page begins with what is new, mended or else since an earlier report, and
    --fail-on new makes the exit status 1 where an error is new.
    """
    from losscheck.cli import reports

    return reports.report(targets, out, options, against=against, given=stored)


@command.command()
@given(*OPTIONS)
@click.option("--write", is_flag=True, help="Change the files, and check what was written.")
@click.option("--force", is_flag=True, help="With --write: files with uncommitted changes, too.")
def fix(targets: tuple[str, ...], write: bool, force: bool, **options: Any) -> int:
    """Show the verified fixes of all that is found, as one difference for `git apply`.

    A fix is verified where the changed loss was run: what it clears is gone, nothing new is found,
    and ordinary values and gradients are the same. With --write the files are changed, the losses
    checked once more, and the files put back should an error be left that was to go.

    The exit status is 0 where nothing is to be fixed or every error has a fix, and 1 where an error
    is left.
    """
    from losscheck.cli import fixing

    return fixing.fix(targets, options, write=write, force=force)


@command.command()
@given(
    click.argument("old", metavar="OLD", shell_complete=completed("targets")),
    click.argument("new", metavar="NEW", shell_complete=completed("targets")),
    *DECLARED,
    *RUNS,
)
@given(BUDGET)
@click.option("--strict", is_flag=True, help="Repairs and notes make the exit status 1, too.")
@click.option(
    "--format", "formats", multiple=True, metavar="FORMAT[=PATH]", help="text or json. Repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="One line.")
@click.option("-v", "--verbose", is_flag=True, help="Notes in full, too.")
def diff(old: str, new: str, formats: tuple[str, ...], strict: bool, **options: Any) -> int:
    """Say whether two losses are the same function.

    Value, gradient, shapes and dtypes of NEW are compared with those of OLD, over the domain of OLD
    (--arg and --role are about its arguments; NEW is handed the same by position), in every mode.
    Where they part, exact numbers say whose is right.

    The exit status is 0 where they are the same, and where NEW differs only in repairing OLD: where
    OLD gives NaN or Inf, or has lost its digits, and NEW is right. It is 1 where they differ.
    """
    from losscheck.cli import single

    return single.diff(old, new, formats, options, strict=strict)


@command.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="REPORT.json")
@click.argument("wanted", required=False, default="", metavar="[ID]")
@click.option(
    "--format", "formats", multiple=True, metavar="FORMAT[=PATH]", help="text or json. Repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="The counts alone.")
@click.option("-v", "--verbose", is_flag=True, help="Tracebacks of our own faults.")
def replay(file: Path, wanted: str, formats: tuple[str, ...], quiet: bool, verbose: bool) -> int:
    """Run the findings of a JSON report again, on the losses as they are now.

    ID is that of a finding or of a diagnosis; without it, all errors and warnings are run. A
    finding of NaN, Inf, a wrong gradient or lost digits is judged by its recorded case, the others
    by their rules anew.

    The exit status is 0 where all of them are gone, and 1 where any is still there or cannot be
    run.
    """
    from losscheck.cli import reports

    return reports.replay(file, wanted, formats, verbose - quiet)


@command.command()
@given(
    click.argument("target", metavar="TARGET", shell_complete=completed("targets")),
    *DECLARED,
    *RUNS,
)
@click.option(
    "--select", multiple=True, metavar="CODES", help="Rules to run: codes, or how they begin."
)
@given(BUDGET)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="File to write; else stdout."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of the file that was written.")
@click.option("-v", "--verbose", is_flag=True, help="Tracebacks of our own faults.")
def export(target: str, out: Path | None, **options: Any) -> int:
    """Write a pytest file that pins what is wrong with a loss.

    One test for each diagnosis that is an error or a warning: its minimal case, the call, and what
    is right. A test fails as long as the fault is there, and passes once it is mended. The file
    needs TensorFlow, NumPy and pytest, and no losscheck. What no single call shows is left out, and
    named in a comment.
    """
    from losscheck.cli import single

    return single.export(target, out, options)


@command.command()
@given(*OPTIONS)
@click.option(
    "--format", "formats", multiple=True, metavar="FORMAT[=PATH]", help="text or json. Repeatable."
)
def config(targets: tuple[str, ...], formats: tuple[str, ...], **options: Any) -> int:
    """Print the settings in force, and where each comes from.

    They are those of a check with the same options: of the command line, of a line of the
    configuration file, or the defaults. What losses declare of themselves is not among them.
    """
    from losscheck.cli import configuration

    return configuration.config(targets, formats, options)


@command.command()
def rules() -> int:
    """List the rules."""
    from losscheck.cli import rulebook

    return rulebook.listing()


@command.command()
@click.argument("code", shell_complete=completed("rules"))
def explain(code: str) -> int:
    """Explain a rule, by its code or slug."""
    from losscheck.cli import rulebook

    return rulebook.explain(code)


@command.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="REPORT.json")
@click.option("--format", "formats", multiple=True, metavar="FORMAT[=PATH]", help="As of check.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors, a line each.")
@click.option("-v", "--verbose", is_flag=True, help="Everything.")
def render(file: Path, formats: tuple[str, ...], quiet: bool, verbose: bool) -> int:
    """Show a JSON report in another format."""
    from losscheck.cli import commands

    return commands.render(file, formats, verbose - quiet)


@command.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="REPORT.json..."
)
@click.option("--format", "formats", multiple=True, metavar="FORMAT[=PATH]", help="As of check.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file to read.")
@click.option(
    "--fail-on",
    metavar="[error|inconclusive|warning|never]",
    shell_complete=completed("fail_on"),
    help="What makes the exit status 1, as of check.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only errors, a line each.")
@click.option("-v", "--verbose", is_flag=True, help="Everything.")
def merge(
    files: tuple[Path, ...],
    formats: tuple[str, ...],
    config: Path | None,
    fail_on: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Put JSON reports together, as of the parts that --shard makes.

    What comes of it, and the exit status, are those of one run over all losses, but for times.
    Reports of other versions, a loss that is in two of them, and a part that is missing are
    refused.
    """
    from losscheck.cli import commands

    return commands.merge(files, formats, config=config, fail_on=fail_on, verbosity=verbose - quiet)


command.add_command(baseline)
command.add_command(cache)


def main() -> None:
    """Run the command line and exit."""
    if COMPLETION in os.environ:
        from losscheck.cli import completion

        completion.register()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    status = run(sys.argv[1:])
    from losscheck.cli.streams import close_stdout

    close_stdout()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run a command and turn every error into a message and an exit status.

    Parameters
    ----------
    arguments
        What stands behind `losscheck`.

    Returns
    -------
    int
        The exit status: 0 clean, 1 findings, 2 usage, 3 a fault of losscheck, 5 no loss found.
    """
    try:
        status = command.main(list(arguments), prog_name="losscheck", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        from losscheck.report.verdicts import INTERRUPTED

        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        return _failed(error, verbose=bool({"-v", "--verbose"} & set(arguments)))


def _failed(error: Exception, *, verbose: bool) -> int:
    from losscheck.model import UsageError
    from losscheck.report.verdicts import Exit

    if isinstance(error, UsageError):
        from losscheck.report.words import clean

        click.echo(clean(f"losscheck: {error}"), err=True)
        return Exit.USAGE
    if verbose:
        import traceback

        traceback.print_exception(error)
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    hint = "" if verbose else " Run again with -v for the traceback."
    click.echo(
        f"losscheck: {told}. This is a fault of losscheck, not of your loss.{hint}", err=True
    )
    return Exit.FAULT
