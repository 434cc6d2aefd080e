"""Nothing of TensorFlow's noise reaches the user, and what the user writes still does."""

import logging
import os
import subprocess
import sys
import textwrap

import pytest

from tests.program.calling import SHAPE, cases, program

pytest.importorskip("tensorflow")

from losscheck.program.quiet import environment, keras_module, silence, tensorflow


def run(code, **variables):
    """Run a program in a process of its own, as a user's shell would."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **variables},
        check=False,
    )


def test_importing_tracing_and_mapping_write_nothing():
    # A loop by the data cannot be vectorised, of which TensorFlow would log hundreds of lines.
    found = run(
        """
        import sys
        from losscheck.program.quiet import environment
        from losscheck.program.running.program import Program
        from losscheck.program.running.ways import Way
        from losscheck.program.tracing.trace import Call, trace
        import numpy as np

        def loss(y_true, y_pred):
            import tensorflow as tf
            step = lambda i, x: (i + 1, tf.cond(x > 0, lambda: x * y_pred[0], lambda: x - 1))
            return tf.while_loop(lambda i, x: x > y_true[0], step, (0, y_pred[0]))[1]

        call = Call(function=loss, names=("y_true", "y_pred"), positional=2, prediction="y_pred")
        made = Program(trace(call, {n: ((2,), "float32") for n in call.names}), call)
        ones = np.full((3, 2), 0.5)
        for mode in ("graph", "plain"):
            assert made.run({"y_true": 0.1 * ones, "y_pred": ones}, mode).value.shape == (3,)
            assert made.settle() is Way.SINGLY
        sys.stderr.write("own words")
        print(environment().tensorflow)
        """
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr == "own words"
    assert found.stdout.strip() == tensorflow().__version__


def test_a_closed_standard_error_is_no_hindrance():
    # As under `2>&-`, or in a service: Python's sys.stderr is None then.
    found = run(
        """
        import os, sys
        os.close(2)
        sys.stderr = None
        from losscheck.program.quiet import tensorflow
        print(float(tensorflow().constant(2.0)))
        """
    )
    assert found.stdout.strip() == "2.0"


def test_another_backend_of_keras_is_refused_with_what_to_do():
    found = run(
        """
        from losscheck.model import UsageError
        from losscheck.program.quiet import tensorflow
        try:
            tensorflow()
        except UsageError as error:
            print(error)
        """,
        KERAS_BACKEND="jax",
    )
    assert "jax backend" in found.stdout
    assert "KERAS_BACKEND=tensorflow" in found.stdout


def test_a_run_under_capture_writes_nothing(capfd):
    made = program(lambda t, p: tensorflow().reduce_sum(p / t))
    assert made.run(cases(4)).gradient.shape == (4, *SHAPE)
    made.run(cases(4), "xla")
    assert capfd.readouterr() == ("", "")


def test_a_run_under_capture_of_pythons_streams_alone_writes_nothing(capsys):
    program(lambda t, p: tensorflow().reduce_sum(p * t)).run(cases(4))
    assert capsys.readouterr() == ("", "")


def test_silence_holds_for_file_descriptors_and_ends(capfd):
    with silence():
        os.write(2, b"native noise\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def _fail_in_silence(logger):
    with silence():
        assert not logger.isEnabledFor(logging.ERROR)
        raise ZeroDivisionError


def test_silence_ends_when_something_raises(capfd):
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with pytest.raises(ZeroDivisionError):
        _fail_in_silence(logger)
    assert logger.level == level
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_what_was_written_before_is_kept(capfd):
    sys.stderr.write("before ")
    with silence():
        pass
    assert capfd.readouterr().err == "before "


def test_silence_may_be_nested(capfd):
    with silence():
        with silence():
            os.write(2, b"inner")
        os.write(2, b"outer")
    assert capfd.readouterr().err == ""


def test_silence_leaks_no_file_descriptor():
    with silence():
        pass
    before = os.dup(2)
    os.close(before)
    for _ in range(5):
        with silence():
            pass
    after = os.dup(2)  # the lowest free number
    os.close(after)
    assert after == before


def test_the_environment_is_what_is_installed():
    found = environment()
    assert found.keras == keras_module().__version__
    assert found.python == sys.version.split()[0]
    assert any("CPU" in device for device in found.devices)
