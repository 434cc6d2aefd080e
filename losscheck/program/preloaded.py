"""What the processes of `losscheck.workers` are forked from: importing this imports TensorFlow."""

from losscheck.program.quiet import imported

imported()
