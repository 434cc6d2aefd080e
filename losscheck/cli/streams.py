"""Standard output for results and nothing else: where it goes while the user's code runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[Callable[[str], None]]:
    """Send to stderr what is printed meanwhile, by Python or below it.

    A loss may print, from Python (sys.stdout) or from C (file descriptor 1, as tf.print and a
    kernel's own logging do); in the middle of a JSON report that would spoil it. What is given
    writes results to stdout all the same.
    """
    _flush()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    kept = os.dup(1)
    os.dup2(2, 1)

    def out(text: str) -> None:
        left = text.encode(encoding, errors="backslashreplace")
        try:
            while left:
                left = left[os.write(kept, left) :]
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), kept)

    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield out
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def close_stdout() -> None:
    """Send to stderr whatever is printed from now on: by what the user's code left for the exit."""
    _flush()
    with contextlib.suppress(OSError):  # stderr was closed by who started us
        os.dup2(2, 1)


def emit(text: str) -> None:
    """Write results to stdout; a reader who has left (`| head`) is no fault."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would raise once more when the interpreter closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def colorful() -> bool:
    """Say whether stdout is a terminal that wants colours (no-color.org) and knows them."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and sys.stdout.isatty()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or its reader has left
            stream.flush()
