"""The gradient checkers, each behind one small adapter that gives it the function its own way."""

from __future__ import annotations

from benchmarks.tools.base import Answer, Outcome, Tool
from benchmarks.tools.estimates import NumDiffTools, SciPy
from benchmarks.tools.jax_tool import Jax
from benchmarks.tools.losscheck_tool import LossCheck
from benchmarks.tools.tensorflow_tool import BOUND, TensorFlow
from benchmarks.tools.torch_tool import Torch

__all__ = ["Answer", "Outcome", "Tool", "every_tool"]


def every_tool() -> tuple[Tool, ...]:
    """Give the tools in the order of the table."""
    return (
        LossCheck(),
        TensorFlow("float64", BOUND),
        TensorFlow("float32", BOUND),
        TensorFlow("float64"),
        TensorFlow("float32"),
        Torch(fast=False),
        Torch(fast=True),
        Jax(),
        NumDiffTools(),
        SciPy(),
    )
