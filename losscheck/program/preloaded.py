"""What the processes of `losscheck.workers` are forked from: importing this imports TensorFlow."""

import gc

from losscheck.program.quiet import imported

imported()
gc.freeze()  # a million objects that stay: no process need look at them, or copy their pages
