"""A pytest file that pins what was found: a test a diagnosis, seen to fail before it is written."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from losscheck import __version__
from losscheck.exporting.pins import Test, test_of
from losscheck.model import Diagnosis, Finding, LossReport, Severity
from losscheck.rules import by_code
from losscheck.rules.base import Pin

HELPERS = '''
def value_and_gradient({arguments}):
    """The loss, and its gradient by {prediction}."""
    with tf.GradientTape() as tape:
        tape.watch({prediction})
        value = {call}
    return value, tape.gradient(value, {prediction})


def run(mode, *inputs):
    """Both as numbers: eagerly, as a graph (as Keras traces it), or compiled by XLA."""
    function = {{
        "eager": value_and_gradient,
        "graph": tf.function(value_and_gradient, autograph={autograph}),
        "xla": tf.function(value_and_gradient, jit_compile=True),
    }}[mode]
    value, gradient = function(*map(tf.constant, inputs))
    if gradient is not None:
        gradient = tf.convert_to_tensor(gradient).numpy()
    return value.numpy(), gradient
'''
WHY = {  # of those that are left out
    False: "it does not fail when it is run alone",
    True: Pin.NOTHING.value,
}


@attrs.frozen(kw_only=True)
class LeftOut:
    """A diagnosis that no test pins."""

    id: str
    codes: tuple[str, ...]
    reason: str


@attrs.frozen(kw_only=True)
class Exported:
    """A pytest file."""

    text: str
    tests: tuple[str, ...]  # their names
    left_out: tuple[LeftOut, ...]


def exported(report: LossReport) -> Exported:
    """Write the pytest file that pins what was found of a loss.

    One test for each diagnosis that is an error or a warning: by the first of its findings, the
    worst before the others, that a single call shows. Each test was run on the loss as it is and
    has failed there; what did not is left out, and named in a comment.

    Parameters
    ----------
    report
        Of the loss, which can be imported here.
    """
    tests: list[Test] = []
    left: list[LeftOut] = []
    for diagnosis in _diagnoses(report):
        made = _pinned(report, diagnosis, tests)
        if isinstance(made, Test):
            tests.append(made)
        else:
            left.append(made)
    return Exported(
        text=_file(report, tests, left),
        tests=tuple(test.name for test in tests),
        left_out=tuple(left),
    )


def _diagnoses(report: LossReport) -> Iterator[Diagnosis]:
    return (d for d in report.diagnoses if d.severity in (Severity.ERROR, Severity.WARNING))


def _pinned(report: LossReport, diagnosis: Diagnosis, others: Sequence[Test]) -> Test | LeftOut:
    """The first test of a diagnosis that fails now."""
    by_id = {finding.id: finding for finding in report.findings}
    findings = [by_id[i] for i in diagnosis.findings if i in by_id]
    told = [f for f in findings if f.severity in (Severity.ERROR, Severity.WARNING)]
    none = True
    for finding in told:
        made = test_of(finding, diagnosis.cause or finding.message)
        if made is None or not _goes_with(made, others):
            continue
        none = False
        if (same := next((o for o in others if o.body == made.body), None)) is not None:
            return _left(diagnosis, told, f"{same.name} shows it, too")
        made = _named(made, [other.name for other in others])
        if _fails(made, report):
            return made
    return _left(diagnosis, told, WHY[none])


def _left(diagnosis: Diagnosis, told: Sequence[Finding], reason: str) -> LeftOut:
    codes = tuple(dict.fromkeys(finding.code for finding in told))
    return LeftOut(id=diagnosis.id, codes=codes, reason=reason)


def _goes_with(test: Test, others: Sequence[Test]) -> bool:
    """Say whether a test calls the loss as the others do, by the one helper of the file."""
    first = next((other for other in others if other.call), None)
    if first is None or not test.call:
        return True
    return (test.making, test.call, test.prediction) == (first.making, first.call, first.prediction)


def _named(test: Test, taken: Sequence[str]) -> Test:
    name, number = test.name, 2
    while name in taken:
        name, number = f"{test.name}_{number}", number + 1
    return attrs.evolve(test, name=name, head=test.head.replace(test.name, name, 1))


def _fails(test: Test, report: LossReport) -> bool:
    """Run a test by itself, and say whether it fails as it should."""
    space: dict[str, Any] = {"__name__": "pinned"}
    quiet = contextlib.redirect_stdout(io.StringIO())
    with warnings.catch_warnings(), quiet, _path():
        warnings.simplefilter("ignore")
        try:
            exec(compile(_file(report, [test], []), "<pins>", "exec"), space)
            space[test.name]()
        except AssertionError:
            return True
        except Exception:
            return test.raises
    return False


@contextlib.contextmanager
def _path() -> Iterator[None]:
    """Leave the import path as it was."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before


def _file(report: LossReport, tests: Sequence[Test], left: Sequence[LeftOut]) -> str:
    """The text of the file."""
    helped = next((test for test in tests if test.call), None)
    making = (helped or tests[0]).making if tests else ""
    top = [_head(report), _imports(tests), making]
    parts = ["\n\n".join(part for part in top if part)]
    if helped is not None:
        parts.append(_helpers(helped))
    parts += [test.written(making) for test in tests]
    text = "\n\n\n".join(part.strip("\n") for part in parts) + "\n"
    return text + _apology(left)


def _head(report: LossReport) -> str:
    target = report.target.replace("\\", "/").replace('"', "'")
    return (
        f'"""What losscheck found of {target}: each test fails as long as its fault is there.\n\n'
        f"Written by `losscheck export` {__version__}. It needs pytest, NumPy and TensorFlow, and\n"
        'is run where losscheck was run.\n"""'
    )


def _imports(tests: Sequence[Test]) -> str:
    needed = {line for test in tests for line in test.imports}
    needed |= {"import tensorflow as tf"} if any(test.call for test in tests) else set()
    texts = "\n".join(test.written("") for test in tests)
    if "np." in texts:
        needed.add("import numpy as np")
    kept = [line for line in needed if line != "import functools" or "functools." in texts]
    own = sorted(line for line in kept if line.split()[1].split(".")[0] in sys.stdlib_module_names)
    rest = sorted(line for line in kept if line not in own)
    path = ['sys.path[:0] = [".", "src"]']  # pytest does not put the working directory there
    return "\n".join([*dict.fromkeys([*own, "import sys"]), "", *rest, "", *path])


def _helpers(test: Test) -> str:
    return HELPERS.format(
        arguments=", ".join(test.finding.inputs),
        prediction=test.prediction,
        call=test.call,
        autograph=test.autograph,
    )


def _apology(left: Sequence[LeftOut]) -> str:
    """A comment that names what no test pins."""
    if not left:
        return ""
    slugs: Mapping[str, str] = {code: by_code(code).slug for each in left for code in each.codes}
    lines = [
        f"# - {', '.join(f'{code} {slugs[code]}' for code in each.codes)}: {each.reason}."
        for each in left
    ]
    return "\n\n" + "\n".join(["# Left out:", *lines]) + "\n"
