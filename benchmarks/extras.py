"""What losscheck does beside the verdict: its time is shown and not counted.

compute_gradient has nothing of the kind, so counting it would compare different work.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.family import Array


def extras(programs: Any, inputs: Mapping[str, Array], verdict: Any) -> dict[str, float]:
    """Seconds of the second opinion and of the self-test after a verdict.

    Parameters
    ----------
    programs, inputs
        As the verdict was given them.
    verdict
        As `losscheck.evidence.gradient.large_case.check_case` returned it.

    Returns
    -------
    dict
        Empty where this losscheck has neither.
    """
    parts = {"second opinion": _second_opinion, "self-test": _self_test}
    seconds = {}
    for name, run in parts.items():
        start = time.perf_counter()
        if run(programs, inputs, verdict):
            seconds[name] = time.perf_counter() - start
    return seconds


def _second_opinion(programs: Any, inputs: Mapping[str, Array], verdict: Any) -> bool:
    """Run `tf.test.compute_gradient` on as few rows as losscheck gives it."""
    from losscheck.program.second_opinion import ELEMENTS, compute_gradient

    prediction = inputs[programs.call.prediction]
    rows = max(1, ELEMENTS * len(prediction) // prediction.size)
    fewer = {name: array[:rows] for name, array in inputs.items()}
    return compute_gradient(programs.call, fewer, "float64") is not None


def _self_test(programs: Any, inputs: Mapping[str, Array], verdict: Any) -> bool:
    """Put known errors into the verified gradient."""
    try:
        from losscheck.evidence.gradient.summary import self_test
    except ImportError:
        return False
    # Where there are verdicts the self-test asks the check for nothing else, and the evidence for
    # nothing at all.
    wrong, tie = np.asarray([len(verdict.wrong) > 0]), np.zeros(1, bool)
    check: Any = SimpleNamespace(verdicts=(verdict,), wrong=wrong, tie=tie)
    nowhere: Any = None
    return bool(self_test(nowhere, [check]))
