"""Words for a loss that does not finish, or takes its process down (LC902, LC903), and programs."""

from __future__ import annotations

from losscheck.advice.blamed import Blame
from losscheck.model import Suspect
from losscheck.rules.execution.ending import End, Ending

Words = tuple[str, str, str]  # message, cause, fix
START = 10.0  # seconds that TensorFlow takes to be imported, at most


def late(suspect: Suspect, blame: Blame) -> Words:
    """LC902; facts: stage, seconds."""
    seconds = float(suspect.facts["seconds"])
    return (
        f"The loss was not examined within {seconds:g} s.",
        f"Its time was over{_under_way(suspect)}. Either a call of it does not end on some input, "
        "or it is so slow that more time is needed.",
        "tf.while_loop(cond, body, loop_vars, maximum_iterations=100)  # a bound for every loop\n"
        f"# Or give it more time: losscheck ... --timeout {4 * seconds:g}",
    )


def ended(suspect: Suspect, blame: Blame) -> Words:
    """LC903; facts: stage, status."""
    status = str(suspect.facts["status"])
    causes = {
        "SIGKILL": "The system ends a process so when memory runs out.",
        "SIGABRT": "TensorFlow ends a process so when a check inside it fails.",
    }
    cause = next((text for name, text in causes.items() if name in status), "")
    if "exit status" in status:
        cause = "The loss, or what it calls, ends the process itself, as sys.exit does."
    return (
        "The loss takes the process down.",
        f"It ended with {status}{_under_way(suspect)}. {cause or 'A kernel or a library crashes.'}",
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


def _under_way(suspect: Suspect) -> str:
    stage = str(suspect.facts.get("stage", ""))
    if not stage:
        return " before anything was known of it"
    if stage == "spec":
        return " while its arguments were looked at"
    return f" while {stage} was checked"
