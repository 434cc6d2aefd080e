"""What is said of an operation is true of the numbers that went through it.

The numbers come out of NumPy in the dtype, and of TensorFlow's own kernels on the way back.
"""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.advice.blamed import CLAIMS, Ran

F32, F16 = np.float32, np.float16
TENS = F16(10_000.0)


def ran(op, outcome, *operands):
    arrays = tuple(np.asarray(operand) for operand in operands)
    outcome = np.asarray(outcome)
    return Ran(op=op, operands=arrays, outcome=outcome, dtype=str(outcome.dtype))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_sentence_names_the_numbers_that_did_it():
    zero, infinite = F32(0.0), F32(np.inf)
    assert ran("Mul", zero * infinite, zero, infinite).told() == "0 * Inf is NaN"
    large = ran("Mul", F16(10.0) * TENS, F16(10.0), TENS)
    assert large.told() == "10 * 10000 is larger than float16 can hold, which ends at 65504"
    assert ran("RealDiv", zero / zero, zero, zero).told() == "0 / 0 is NaN"
    assert ran("Sub", infinite - infinite, infinite, infinite).told() == "Inf - Inf is NaN"
    assert ran("Log", np.log(zero), zero).told() == "the logarithm of 0 is -Inf"
    hundred = ran("Exp", np.exp(F32(100.0)), F32(100.0)).told()
    assert hundred == "exp(100) is larger than float32 can hold, which ends at 3.4e38"
    half = ran("Pow", F32(-2.0) ** F32(0.5), F32(-2.0), F32(0.5)).told()
    assert half == "-2 to the power of 0.5 does not exist"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_speaks_of_the_element_that_went_wrong():
    # The first element is fine: 0 * 5 is 0. A sentence on it would be untrue.
    x, y = np.asarray([0.0, 10.0], F16), np.asarray([5.0, 10_000.0], F16)
    assert ran("Mul", x * y, x, y).told().startswith("10 * 10000 is larger than float16")


def test_nothing_is_said_of_numbers_that_are_right():
    one = F32(1.0)
    assert [op for op in CLAIMS if ran(op, one, one, one).told()] == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_is_said_of_what_the_operands_do_not_explain():
    # Another kernel gave NaN where the operands are fine: what is known is that it did.
    assert ran("Mul", F32(np.nan), F32(1.0), F32(2.0)).told() == ""
    assert ran("Exp", F32(np.inf), F32(3.0)).told() == ""
    assert ran("NoSuchOp", F32(np.nan), F32(1.0)).told() == ""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_sum_is_spoken_of_as_a_whole():
    terms = np.full(10, 20_000.0, F16)
    told = ran("Sum", terms.sum(), terms).told()
    assert told.startswith("the sum of 10 terms, the largest of them 20000, is larger than float16")
    both = np.asarray([np.inf, -np.inf], F32)
    assert ran("Sum", both.sum(), both).told().startswith("Inf - Inf is NaN")
    assert ran("Mean", F32(np.nan), np.zeros(0, F32)).told() == "the mean of no elements is 0 / 0"


def test_the_slope_of_a_root_at_zero():
    tf = pytest.importorskip("tensorflow")
    came = tf.raw_ops.SqrtGrad(y=[0.0], dy=[1.0]).numpy()
    told = ran("SqrtGrad", came, np.zeros(1, F32), np.ones(1, F32)).told()
    assert told == "the slope of the square root at 0 is infinite"
