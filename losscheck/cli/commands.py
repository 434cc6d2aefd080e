"""What the commands do that run or show reports."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from losscheck.cli import outputs, streams
from losscheck.cli.options import settings
from losscheck.cli.progress import watch
from losscheck.engine.events import Done, Event, Finished, Printed
from losscheck.engine.whole import merged, nothing, summary
from losscheck.keeping import Kept
from losscheck.model import LeftOut, LossReport, Report, UsageError
from losscheck.report import verdicts, words
from losscheck.report.text import loss_text as text_of_loss
from losscheck.selection import Selection, is_target
from losscheck.settings.file import read
from losscheck.settings.reading import LARGE, text_of
from losscheck.settings.settings import FAIL_ON, Settings, did_you_mean, one_of
from losscheck.targets.importing import lies_in
from losscheck.targets.reference import parse

if TYPE_CHECKING:
    from losscheck.engine.plan import Plan
    from losscheck.engine.task import Task

COMMANDS = (
    "check",
    "report",
    "fix",
    "diff",
    "replay",
    "export",
    "baseline",
    "cache",
    "config",
    "rules",
    "explain",
    "render",
    "merge",
)


def check(targets: Sequence[str], formats: Sequence[str], options: dict[str, Any]) -> int:
    """Check losses and write what was found in the formats asked for."""
    wanted = outputs.parse(formats)
    held = settings(Path.cwd(), options)
    verbosity = options["verbose"] - options["quiet"]
    streamed = wanted.stdout == "text"
    view = outputs.screen(verbosity)  # of stdout, before it is somewhere else
    show = functools.partial(text_of_loss, view=view) if streamed else None
    done = examined(targets, held, quiet=options["quiet"], show=show)
    if done is None:
        return verdicts.Exit.NO_LOSS
    outputs.write(done.report, wanted, verbosity, streamed=streamed)
    return status(done, held)


def status(done: Done, held: Settings) -> int:
    """The exit status of a run; of one that was interrupted what shells give for Ctrl-C."""
    if done.interrupted:
        print("interrupted: what was found until then is reported", file=sys.stderr)
        return verdicts.INTERRUPTED
    found = verdicts.status(done.report, held.fail_on)
    return verdicts.Exit.USAGE if done.refused and found != verdicts.Exit.FAULT else found


def render(file: Path, formats: Sequence[str], verbosity: int) -> int:
    """Show a JSON report in another format.

    Returns
    -------
    int
        The exit status: 0, whatever the report says.
    """
    wanted = outputs.parse(formats)
    outputs.write(stored(file), wanted, verbosity)
    return verdicts.Exit.CLEAN


def merge(
    files: Sequence[Path],
    formats: Sequence[str],
    *,
    config: Path | None,
    fail_on: str | None,
    verbosity: int,
) -> int:
    """Put the reports of several runs together, and write them as one.

    Returns
    -------
    int
        The exit status, as of one run.
    """
    wanted = outputs.parse(formats)
    held = one_of(fail_on, FAIL_ON, "--fail-on") if fail_on else read(Path.cwd(), config).fail_on
    whole = merged([(str(file), stored(file)) for file in files])
    outputs.write(whole, wanted, verbosity)
    return verdicts.INTERRUPTED if whole.unexamined else verdicts.status(whole, held)


def stored(file: Path) -> Report:
    """Read a JSON report.

    Raises
    ------
    UsageError
        If the file cannot be read, or is no report.
    """
    from losscheck.report.json import from_json

    try:
        text = text_of(file, LARGE, "a report")
    except OSError as error:
        raise UsageError(f"cannot read the report {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no JSON report: {error}") from error
    return from_json(text)


def examined(
    targets: Sequence[str],
    held: Settings,
    *,
    quiet: bool,
    show: Callable[[LossReport], str] | None = None,
) -> Done | None:
    """Run the engine; None where the targets hold no loss, which is said on stderr.

    What `show` gives of a loss is written to stdout as soon as the loss is done.
    """
    given, held = _given(targets, held)
    with streams.stdout_to_stderr() as out, watch(quiet=quiet) as watching:

        def tell(event: Event) -> None:
            watching.hear(event)
            if isinstance(event, Printed):
                with watching.aside():
                    print(f"losscheck: {event.target} printed:\n{event.text}", file=sys.stderr)
            if isinstance(event, Finished) and show is not None and (said := show(event.report)):
                with watching.aside():
                    out(said)

        say = functools.partial(_say, quiet=quiet)
        kept = Kept(given, held) if held.cache else None
        if kept is not None and (whole := kept.whole()) is not None:
            say(whole.said)
            done = _of_known(whole.losses, kept, held, tell)
            say(words.kept(whole.losses))
            return attrs.evolve(done, report=attrs.evolve(done.report, left_out=whole.left_out))
        planned = _planned(given, held)
        _say_found(planned, quiet=quiet)
        if not planned.tasks and planned.unchanged:
            return nothing(held)
        if not planned.tasks:
            _say_no_loss(given, planned.left_out)
            return None
        watching.begin(len(planned.tasks))
        known = {} if kept is None else kept.losses(task.target for task in planned.tasks)
        say(words.kept(known.values()))
        done = _of_known(tuple(known.values()), kept, held, tell)
        if fresh := [task for task in planned.tasks if task.target not in known]:
            taken = {} if kept is None else kept.seconds()  # those that take longest come first
            fresh.sort(key=lambda task: -taken.get(task.target, 0.0))
            done = _run(fresh, held, watching.hear, tell)
        names = () if planned.broken else planned.sources
        if kept is not None and not kept.keep(done.report, names, planned.left_out):
            say((f"{kept.folder.path} cannot be written: nothing is kept for the next run",))
    return _ordered(done, known, planned, held)


def _ordered(done: Done, known: Mapping[str, LossReport], planned: Plan, held: Settings) -> Done:
    """Put what was known beside what was run, in the order of the plan."""
    found = dict(known) | {loss.target: loss for loss in done.report.losses}
    losses = tuple(found[task.target] for task in planned.tasks if task.target in found)
    report = attrs.evolve(
        done.report,
        losses=losses,
        summary=summary(losses),
        left_out=(*planned.left_out, *planned.refused),
        shard=held.part,
    )
    return attrs.evolve(done, report=report, refused=bool(planned.refused))


def _given(targets: Sequence[str], held: Settings) -> tuple[tuple[str, ...], Settings]:
    """What is to be examined, and how."""
    if held.changed and is_target(held.changed, Path(held.directory)):  # `--changed TARGET`
        targets, held = (held.changed, *targets), attrs.evolve(held, changed="")
    given = tuple(targets) or held.targets
    if not given:
        raise UsageError(
            "no target: name a loss, as in `losscheck my_module:my_loss`, or list targets in "
            "[tool.losscheck] of pyproject.toml. `losscheck --help` shows more."
        )
    return given, held.isolated(several=several(given))


def several(targets: Sequence[str]) -> bool:
    """Say whether targets may name more than one loss, before anything is imported."""
    first = parse(targets[0])
    module = first.is_file or "." in first.place or lies_in(Path.cwd(), first.place)
    return len(targets) > 1 or (module and not first.names)


def _run(
    tasks: Sequence[Task],
    held: Settings,
    hear: Callable[[Event], None],
    tell: Callable[[Event], None],
) -> Done:
    from losscheck.engine.run import run

    done = None
    for event in run(tasks, held, hear):
        tell(event)
        if isinstance(event, Done):
            done = event
    assert done is not None  # the engine's promise: the last event is Done
    return done


def _of_known(
    losses: Sequence[LossReport],
    kept: Kept | None,
    held: Settings,
    tell: Callable[[Event], None],
) -> Done:
    """Report losses that an earlier run has examined."""
    for loss in losses:
        tell(Finished(target=loss.target, report=loss))
    done = nothing(held)
    where = None if kept is None else kept.environment
    report = attrs.evolve(
        done.report,
        losses=tuple(losses),
        summary=summary(losses),
        environment=where or done.report.environment,
    )
    return attrs.evolve(done, report=report)


def _say(lines: Sequence[str], *, quiet: bool) -> None:
    for line in lines if not quiet else ():
        print(f"losscheck: {line}", file=sys.stderr)


def _say_found(planned: Plan, *, quiet: bool) -> None:
    _say(planned.said, quiet=quiet)
    _say([f"{item.target}: {item.reason}" for item in planned.refused], quiet=False)
    if planned.printed:
        print(planned.printed, file=sys.stderr)


def _planned(given: Sequence[str], held: Settings) -> Plan:
    """Find the losses; what is not there is told before TensorFlow is imported."""
    from losscheck.targets import check as check_targets
    from losscheck.targets.importing import put_on_path

    if held.home:  # modules that the configuration names lie beside it
        put_on_path(Path(held.home))
    try:
        chosen = Selection(given, held)
        check_targets(chosen.targets, Path(held.directory).resolve())
        if held.apart and chosen.targets:
            from losscheck.engine.planning import planned

            return planned(given, held, chosen)
        from losscheck.engine.plan import plan
        from losscheck.program.quiet import imported_to_stay

        with imported_to_stay():
            return plan(given, held, chosen)
    except UsageError as error:
        raise UsageError(f"{error}{_command_hint(given)}") from error


def _command_hint(targets: Sequence[str]) -> str:
    """Suggest a command where the first target looks like a mistyped one."""
    given = targets[0]
    near = did_you_mean(given, COMMANDS) if given.isidentifier() else ""
    return f"{near[:-1]}, the command?" if near and given not in COMMANDS else ""


def _say_no_loss(targets: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    print(f"losscheck: no loss found in {', '.join(targets)}", file=sys.stderr)
    for item in left_out:
        print(f"  {item.target}: {item.reason}", file=sys.stderr)
