"""What a process of its own does: one thing, of which it tells as it goes, and nothing gets out."""

from __future__ import annotations

import contextlib
import ctypes
import enum
import faulthandler
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from losscheck.model import UsageError

OUTPUT, SILENCED, STACK, CASE = "output", "silenced", "stack", "case"
"""Files of a process's room: what it prints, what losscheck silences, where it was at its end."""
ROOMS = "LOSSCHECK_ROOMS"  # tells what the processes are forked from where all their rooms are
CLOSED = 117  # the exit status of a process that cannot tell any more
_PR_SET_PDEATHSIG = 1
_stack: list[Any] = []  # the file that faulthandler writes to stays open


class Told(enum.Enum):
    """What a process tells of."""

    BEGAN = enum.auto()  # with the environment
    STAGE = enum.auto()
    FOUND = enum.auto()
    DONE = enum.auto()  # with the result
    REFUSED = enum.auto()  # with the UsageError
    RAISED = enum.auto()  # with the status of its end, in words, and where it was raised


Tell = Callable[[Told, Any], None]
Work = Callable[[Tell], Any]  # picklable


def work(pipe: Connection, room: str, threads: int, do: Work) -> None:
    """Do something, and end at once, whatever it has left running.

    Parameters
    ----------
    pipe
        Where pairs of `Told` and what belongs to it are sent.
    room
        A folder for all that the process writes.
    threads
        Of TensorFlow, for one operation.
    """
    _keep_to_oneself(room)
    # Threads that wait for work of the others take the others' cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    own = os.getpid()

    def tell(what: Told, told: Any = None) -> None:
        if os.getpid() != own:  # a fork that the loss has made, and that came back from it
            os._exit(0)
        try:
            pipe.send((what, told))
        except OSError:  # the loss has closed what is not its own
            os._exit(CLOSED)

    try:
        from losscheck.program import quiet
        from losscheck.program.running import noted

        noted.note_in(os.path.join(room, CASE))
        quiet.turn_to(os.path.join(room, SILENCED))
        tell(Told.BEGAN, quiet.environment())
        tell(Told.DONE, do(tell))
    except UsageError as error:
        tell(Told.REFUSED, error)
    except BaseException as error:
        told = error.__cause__ if isinstance(error, KeyboardInterrupt) else None
        tell(Told.RAISED, _raised(told or error))
    os._exit(0)


def _keep_to_oneself(room: str) -> None:
    """Let nothing of the process out: neither output nor files, nor what would outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us
    output = os.open(os.path.join(room, OUTPUT), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.stdout = sys.stderr = open(  # noqa: SIM115
        1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    _stack.append(Path(room, STACK).open("w"))  # noqa: SIM115
    faulthandler.enable(_stack[0])
    tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(dir=room)
    # What it leaves running would keep alive what it was forked from: that waits for its users.
    server = getattr(forkserver, "_forkserver", None)
    if (alive := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(alive)
    if hasattr(os, "setsid"):
        os.setsid()  # what it starts can be ended with it
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # it ends with what it was forked from, which ends with us
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _raised(error: BaseException) -> tuple[str, tuple[tuple[str, int], ...]]:
    """How what no `except Exception` stops ended the process, and the lines, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = tuple((frame.filename, frame.lineno or 0) for frame in reversed(frames))
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        print(error.code) if isinstance(error.code, str) else None
        return f"the exit status {code}", lines
    name = type(error).__name__
    with contextlib.suppress(BaseException):  # its text is made by the user's code
        name = f"{name}: {error}"[:300]
    return f"the exception {' '.join(name.split())}", lines
