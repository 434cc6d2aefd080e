"""The case that is being run, noted in a file for whoever finds that it has ended the process."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from losscheck.model import Array

if TYPE_CHECKING:
    from losscheck.program.running.execution import Run

MOST = 4096  # bytes of a case that is noted
_NOTHING = b"0000"
_file: int | None = None


def note_in(file: str) -> None:
    """Note the cases of this process in a file from now on."""
    global _file
    if hasattr(os, "pwrite"):
        _file = os.open(file, os.O_RDWR | os.O_CREAT)


@contextlib.contextmanager
def noting(names: Sequence[str], arrays: Sequence[Array]) -> Iterator[None]:
    """Note that a case is run meanwhile, in the order of its names; more arrays are no inputs."""
    if _file is None or sum(array.nbytes for array in arrays) > MOST:
        yield
        return
    os.pwrite(_file, _written(names, arrays), 0)
    try:
        yield
    finally:
        os.pwrite(_file, _NOTHING, 0)


def noted(run: Run, names: Sequence[str]) -> Run:
    """Note each case that this runs."""

    @functools.wraps(run)
    def call(*arrays: Array) -> list[Array]:
        with noting(names, arrays):
            return run(*arrays)

    return run if _file is None else call


def _written(names: Sequence[str], arrays: Sequence[Array]) -> bytes:
    known = [a if a.dtype.kind in "fiub" else a.astype(np.float32) for a in arrays[: len(names)]]
    kinds = [(name, a.dtype.str, a.shape) for name, a in zip(names, known, strict=True)]
    header = json.dumps(kinds).encode()
    return b"%04d%s%s" % (len(header), header, b"".join(a.tobytes() for a in known))


def read(file: Path) -> dict[str, Array]:
    """The case that was being run when its process ended; empty where none was, or is known."""
    found: dict[str, Array] = {}
    try:
        data = file.read_bytes()
        end = 4 + int(data[:4])
        for name, kind, shape in json.loads(data[4:end]) if end > 4 else ():
            array = np.frombuffer(data, kind, int(np.prod(shape)), end).reshape(shape)
            found[name], end = array, end + array.nbytes
    except (OSError, ValueError, TypeError):  # the loss may have written there
        return {}
    return found
