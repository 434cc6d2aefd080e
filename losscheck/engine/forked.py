"""What processes of their own are forked from: importing this imports all that they need.

TensorFlow is imported, and no operation of it run: its threads begin with the first, and would not
come along into a fork. The threads of NumPy's and SciPy's linear algebra begin anew in each.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import pkgutil
import shutil
import sys
import warnings

import psutil

from losscheck.cases import search
from losscheck.cases.exhaustive import lattice
from losscheck.cases.problem import Problem
from losscheck.engine.inside import ROOMS
from losscheck.evidence.gather import MAIN_CASES, NARROW_CASES
from losscheck.model import Argument, UsageError
from losscheck.program.quiet import imported

LATER = (  # what is imported where it is first needed, which each process would do anew
    "hypothesis.extra.numpy",
    "hypothesis.internal.conjecture.engine",
    "hypothesis.internal.conjecture.shrinker",
    "libcst.metadata",
    "losscheck.cli.commands",
    "losscheck.engine.inside",
    "losscheck.engine.workers",
    "losscheck.program.exact",
    "tensorflow.python.data.ops.concatenate_op",
    "tensorflow.python.data.ops.flat_map_op",
    "tensorflow.python.data.ops.from_tensors_op",
    "tensorflow.python.data.ops.range_op",
    "tensorflow.python.data.ops.zip_op",
)
_PR_SET_CHILD_SUBREAPER = 36


def _end_all(own: int, rooms: str) -> None:
    """End what is left of all that was forked from here, and of what that has started."""
    if os.getpid() != own:
        return
    while children := psutil.Process().children(recursive=True):
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        for child in psutil.Process().children():
            child.wait()
    if rooms:  # who started us removes them as well, unless it was killed
        shutil.rmtree(rooms, ignore_errors=True)


def _draw() -> None:
    """Draw what most losses share, once; Hypothesis is ready for the cases of the others."""
    small, main = {"B": 1, "D": 1}, {"B": 4, "D": 3}
    for sizes, most in ((small, NARROW_CASES), (main, MAIN_CASES)):
        search(_pair("real"), sizes, classes=sizes["D"], budget=most)
    for domain in ("real", "probability"):
        pair = _pair(domain)
        at = {each.name: tuple(main.values()) for each in pair}
        lattice(Problem.of(pair, at, "float32", main["D"]), seed=0)


def _pair(domain: str) -> tuple[Argument, ...]:
    return tuple(
        Argument(name=name, role=name, domain=domain, shape="(B, D)", dtype="float32", origin="")
        for name in ("y_true", "y_pred")
    )


with contextlib.suppress(UsageError):  # who started us says so
    imported()
    for package in ("losscheck.advice", "losscheck.rules"):
        for each in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(each.name)
    for name in LATER:
        with contextlib.suppress(ImportError):  # another version keeps it elsewhere
            importlib.import_module(name)
    _draw()
if sys.platform == "linux":  # what leaves its parent is handed over to us
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
atexit.register(_end_all, os.getpid(), os.environ.pop(ROOMS, ""))
# What is handed over to us is nobody that the fork server knows.
warnings.filterwarnings("ignore", "forkserver: waitpid returned unexpected pid")
gc.collect()
gc.freeze()  # a million objects that stay: no process need look at them, or copy their pages
