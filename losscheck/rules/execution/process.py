"""LC902 and LC903: the loss does not finish, or takes its process down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Location, Severity, Suspect
from losscheck.rules.base import Rule
from losscheck.rules.execution.ending import End, Ending

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.rules.base import Arguments, Judgment, Words
    from losscheck.rules.execution.ending import Ending
    from losscheck.settings.settings import Settings

START = 10.0  # seconds that TensorFlow takes to be imported, at most
ALONE = "ask with --isolation"
CALLS = 4  # lines of a stack that are told
PRINTED, SAID = 5, 400  # lines and characters of what the loss printed that are told


class Timeout(Rule):
    """The examination did not finish in time.

    What it does
    ------------
    Runs where each loss is examined in a process of its own: where there are several, and with
    `--isolation`, `--timeout`, `--memory` or `--jobs`. The process is ended when its time is over
    (`--timeout SECONDS`, 300 by default); the other losses are examined as if nothing had
    happened. The finding names the part of the examination that was under way, the line of the
    loss that ran, where one did, and what the loss printed last.

    Why it matters
    --------------
    A loop that ends only for some inputs stops a training run without a word. In CI, one loss
    that hangs must not hide what is known of the others.

    Example
    -------
    Halving a NaN never makes it small:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            small = lambda e: tf.reduce_any(tf.logical_not(e < 1.0))
            return tf.reduce_mean(tf.while_loop(small, lambda e: [e / 2.0], [error])[0])

    Use instead
    -----------
    Bound the number of steps:

        def loss(y_true, y_pred):
            error = tf.abs(y_true - y_pred)
            small = lambda e: tf.reduce_any(tf.logical_not(e < 1.0))
            halve = lambda e: [e / 2.0]
            steps = tf.while_loop(small, halve, [error], maximum_iterations=64)
            return tf.reduce_mean(steps[0])

    References
    ----------
    - TensorFlow API documentation: tf.while_loop, maximum_iterations.
    """

    code = "LC902"
    slug = "timeout"
    forms = {"late": Severity.ERROR}
    numeric = False

    def left_out(self, settings: Settings) -> str:
        """Ask for a process of its own and a time, without which none can be over."""
        if not settings.apart:
            return ALONE
        return "" if settings.timeout else "ask with --timeout"

    def judge(self, ending: Ending) -> Judgment:
        """Name the loss if its time was over."""
        if ending.end is End.TIMEOUT:
            yield Suspect(
                code=self.code,
                form="late",
                facts={**_facts(ending), "seconds": ending.seconds},
                location=_where(ending),
                inputs=ending.case,
                expected_text=f"an answer within {ending.seconds:g} s",
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        seconds = float(suspect.facts["seconds"])
        whose, bound = "a call of it does not end on some input", ", maximum_iterations=100)."
        if suspect.facts["stage"] == "import":
            whose = "the import of its module does not end"
        return (
            f"The loss was not examined within {seconds:g} s.",
            f"It ran out of time{_under_way(suspect)}. Either {whose}, or it is so slow that more "
            f"time is needed.{_printed(suspect)}",
            f"# Give every loop a bound, as in tf.while_loop(cond, body, loop_vars{bound}\n"
            f"# Or give the loss more time: losscheck ... --timeout {4 * seconds:g}",
        )


class Crash(Rule):
    """The loss took the process down.

    What it does
    ------------
    Runs where each loss is examined in a process of its own: where there are several, and with
    `--isolation`, `--timeout`, `--memory` or `--jobs`. A process that ends before its loss has been
    examined is reported with the signal, the exit status or the exception that it ended with, the
    part of the examination that was under way, the line of the loss, where one ran, and what the
    loss printed last; what was found until then is kept. So is one that takes more memory than it
    may: `--memory GIGABYTES`, by default what was free, divided by the jobs.

    Why it matters
    --------------
    A crash in a kernel, a failed check inside TensorFlow or memory that runs out cannot be caught
    by `try`. The training process is gone, and so is what it had not saved.

    Example
    -------
    A custom op that reads beyond its input, or a loss that ends the process itself:

        def loss(y_true, y_pred):
            if y_pred.shape[-1] != 3:
                sys.exit("three classes, please")
            return tf.reduce_mean(tf.square(y_true - y_pred))

    Use instead
    -----------
    Raise an exception, which names the line and which the caller can catch:

        def loss(y_true, y_pred):
            if y_pred.shape[-1] != 3:
                raise ValueError(f"expected three classes, got predictions of {y_pred.shape}")
            return tf.reduce_mean(tf.square(y_true - y_pred))

    References
    ----------
    - Python documentation: subprocess, Popen.returncode, on what a negative status means.
    """

    code = "LC903"
    slug = "crash"
    forms = {"ended": Severity.ERROR, "memory": Severity.ERROR}
    numeric = False

    def left_out(self, settings: Settings) -> str:
        """Ask for a process of its own, without which nobody is left to tell."""
        return "" if settings.apart else ALONE

    def judge(self, ending: Ending) -> Judgment:
        """Name the loss if its process has ended."""
        if ending.end is End.CRASH:
            yield Suspect(
                code=self.code,
                form="ended",
                facts={**_facts(ending), "status": ending.status},
                location=_where(ending),
                inputs=ending.case,
                expected_text="the loss of the case, or an exception",
            )
        if ending.end is End.MEMORY:
            yield Suspect(
                code=self.code,
                form="memory",
                facts={**_facts(ending), "gigabytes": ending.memory / 1e9},
                location=_where(ending),
                inputs=ending.case,
                expected_text=f"the loss of the case, within {ending.memory / 1e9:.2g} GB",
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        if suspect.form == "memory":
            return _out_of_memory(suspect)
        status = str(suspect.facts["status"])
        causes = {
            "SIGKILL": "The system ends a process so when memory runs out.",
            "SIGABRT": "TensorFlow ends a process so when a check inside it fails.",
            "forked": "It kills processes that are not its own.",
            "closing": "Among them is what its process tells losscheck by.",
        }
        cause = next((text for name, text in causes.items() if name in status), "")
        if "exception" in status:
            cause = "It is no Exception, so that what handles errors does not stop it."
        if "exit status" in status:
            cause = "The loss, or what it calls, ends the process itself, as sys.exit does."
        return (
            "The loss takes the process down.",
            f"It ended with {status}{_under_way(suspect)}. "
            f"{cause or 'A kernel or a library crashes.'}{_printed(suspect)}",
            "raise ValueError(...)  # in place of what ends the process: it names the line\n"
            "# Of a crash in a kernel, the program that shows it prints the Python line.",
        )


def program(target: str, seed: int, ending: Ending) -> str:
    """Write a program that examines the loss, and prints the Python line that it ends or hangs at.

    Parameters
    ----------
    target
        The loss as it was given.
    seed
        Of the run, which brings the same cases.
    ending
        What is shown.
    """
    if ending.end is End.MEMORY:
        given = [target, "--seed", str(seed), "--memory", f"{ending.memory / 1e9:.2g}"]
        command = ", ".join(("sys.executable", '"-m"', '"losscheck"', *map(repr, given)))
        return f"import subprocess\nimport sys\n\nsubprocess.run([{command}])\n"
    watch = "faulthandler.enable(stderr)"
    if ending.end is End.TIMEOUT:
        patience = ending.seconds + START
        watch = f"faulthandler.dump_traceback_later({patience:g}, exit=True, file=stderr)"
    lines = (
        "import faulthandler",
        "import os",
        "",
        "import losscheck",
        "",
        'stderr = os.fdopen(os.dup(2), "w")  # losscheck silences TensorFlow\'s own',
        f"{watch}  # shows the Python line",
        f"losscheck.check({target!r}, seed={seed})",
    )
    return "\n".join(lines) + "\n"


def _out_of_memory(suspect: Suspect) -> Words:
    size = float(suspect.facts["gigabytes"])
    return (
        f"The loss takes more than {size:.2g} GB of memory.",
        f"Its process had more than that{_under_way(suspect)}, and was ended before it could take "
        f"what the others need.{_printed(suspect)}",
        "# Reduce before every element meets every other, or compute in parts, as tf.map_fn does.\n"
        f"# Or give the loss more memory: losscheck ... --memory {2 * size:.2g}",
    )


def _facts(ending: Ending) -> dict[str, object]:
    lines = [f"{call.file}:{call.line}" for call in ending.calls[:CALLS]]
    return {"stage": ending.stage, "lines": lines, "printed": ending.printed}


def _where(ending: Ending) -> Location | None:
    return ending.calls[0] if ending.calls else None


def _under_way(suspect: Suspect) -> str:
    stage = str(suspect.facts.get("stage", ""))
    lines = suspect.facts.get("lines") or ()
    called = f", at {', called at '.join(lines)}" if lines else ""
    case = wording.case(suspect.inputs)
    at = f"{called}, with {case}" if case else called
    if not stage:
        return f" before anything was known of it{at}"
    if stage == "import":
        return f" while its module was imported{at}"
    if stage == "spec":
        return f" while its arguments were looked at{at}"
    return f" while {stage} was checked{at}"


def _printed(suspect: Suspect) -> str:
    """The end of what the loss printed, on one line."""
    lines = str(suspect.facts.get("printed", "")).splitlines()
    said = " / ".join(line.strip() for line in lines[-PRINTED:] if line.strip())
    return f" It had printed: {said[-SAID:]}" if said else ""
