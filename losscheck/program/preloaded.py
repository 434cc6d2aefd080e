"""What the processes of `engine.workers` are forked from: importing this imports TensorFlow."""

import contextlib
import gc

from losscheck.model import UsageError
from losscheck.program.quiet import imported

with contextlib.suppress(UsageError):  # who started us says so
    imported()
gc.freeze()  # a million objects that stay: no process need look at them, or copy their pages
