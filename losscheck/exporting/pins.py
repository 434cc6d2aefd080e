"""A finding as a test: its minimal case, the call, and an assertion of what is right."""

from __future__ import annotations

import textwrap
from typing import Any

import attrs
import numpy as np

from losscheck.exporting.program import Parts, parts
from losscheck.model import Array, Direction, Finding
from losscheck.rules import by_code
from losscheck.rules.base import Pin, Trail

WIDTH = 96
TWO_DIGITS = 1e-2  # relative: how near a right number has to be
PART = 4.0  # of how far the wrong number is from it, where that is less


@attrs.frozen(kw_only=True)
class Test:
    """A test function, and what it needs of the file around it."""

    __test__ = False  # nothing that pytest should collect here

    name: str
    head: str  # up to the docstring
    body: str
    finding: Finding
    imports: tuple[str, ...]
    making: str  # what makes `loss`
    call: str = ""  # how it is called, by the helper of the file; "" where the test does all
    prediction: str = ""  # what the gradient is taken of
    autograph: bool = False

    def written(self, making: str) -> str:
        """The function, in a file that makes `loss` so: where that is another way, by its own."""
        own = "" if making == self.making else textwrap.indent(self.making, "    ") + "\n"
        return f"{self.head}\n{own}{self.body}"

    @property
    def raises(self) -> bool:
        """Whether it fails by what the loss raises."""
        return by_code(self.finding.code).pinned in (Pin.RUNS, Pin.REFUSED)


def test_of(finding: Finding, said: str) -> Test | None:
    """Write a test that pins a finding; None where no single call shows it.

    Parameters
    ----------
    said
        Its cause, for the docstring.
    """
    pin = by_code(finding.code).pinned
    if pin is Pin.NOTHING or not finding.reproduce:
        return None
    program = parts(finding.reproduce)
    name = _name(finding)
    test = Test(
        name=name,
        head="\n".join([f"def {name}():", *_docstring(finding, said)]),
        body=textwrap.indent(program.body, "    "),
        finding=finding,
        imports=program.imports,
        making=program.making.strip("\n"),
    )
    if pin is Pin.RUNS and not program.call:
        return test
    own = by_code(finding.code).asserts(finding, program.prediction)
    asserted = [f"    {line}".rstrip() for line in own] or _asserted(finding, pin, program)
    if not (asserted or pin is Pin.RUNS) or "upstream" in finding.reproduce or not program.call:
        return None
    body = "\n".join([*_inputs(finding), "", *_run(finding, pin), "", *asserted])
    return attrs.evolve(
        test,
        body=body.rstrip("\n"),
        call=program.call,
        prediction=program.prediction,
        autograph=program.decorator == "tf.function",
    )


def _name(finding: Finding) -> str:
    slug = finding.slug.replace("-", "_")
    line = "" if finding.location is None else f"_line_{finding.location.line}"
    return f"test_{slug}{line}"


def _docstring(finding: Finding, said: str) -> list[str]:
    where = ""
    if finding.location is not None:
        where = f", {finding.location.file}:{finding.location.line}"
    text = " ".join(f"{said.rstrip('.')} ({finding.code}{where}).".split())
    text = text.replace("\\", "\\\\").replace('"', "'")
    if len(text) + 10 <= WIDTH:
        return [f'    """{text}"""']
    lines = textwrap.wrap(text, WIDTH - 7, break_long_words=False, break_on_hyphens=False)
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def _inputs(finding: Finding) -> list[str]:
    dtype = f'"{finding.dtype}"' if finding.dtype != "bfloat16" else "tf.bfloat16.as_numpy_dtype"
    return [line for name, a in finding.inputs.items() for line in _array(name, a, dtype)]


def _array(name: str, array: Any, dtype: str) -> list[str]:
    """Lines that make an array: of one that is long, a row a line."""
    if not np.size(array):
        return [f"    {name} = np.zeros({np.shape(array)}, {dtype})"]
    line = f"    {name} = np.array({_literal(array)}, {dtype})"
    if len(line) <= WIDTH or np.ndim(array) < 2:
        return [line]
    rows = [f"            {_literal(row)}," for row in np.asarray(array)]
    return [
        f"    {name} = np.array(",
        "        [",
        *rows,
        "        ],",
        f"        {dtype},",
        "    )",
    ]


def _run(finding: Finding, pin: Pin) -> list[str]:
    given = ", ".join(finding.inputs)
    if pin is Pin.OWN:
        return []
    if pin is Pin.REFUSED:
        return [
            "    try:",
            f'        value, gradient = run("{finding.mode}", {given})',
            "    except (ValueError, tf.errors.InvalidArgumentError):",
            "        return  # to refuse them is right as well",
        ]
    if pin is Pin.RUNS:
        return [f'    run("{finding.mode}", {given})']
    lines = [f'    value, gradient = run("{finding.mode}", {given})']
    if pin is Pin.AGREES:
        other = "eager" if finding.mode == "graph" else "graph"
        lines.append(f'    other_value, other_gradient = run("{other}", {given})')
    if pin is Pin.SAME:
        lines.append(f'    again, _ = run("{finding.mode}", {given})')
    return lines


def _asserted(finding: Finding, pin: Pin, program: Parts) -> list[str]:
    match pin:
        case Pin.FINITE:
            return _finite(finding)
        case Pin.AGREES:
            return _finite(finding) or _agreeing()
        case Pin.NUMBER | Pin.REFUSED:
            return _number(finding)
        case Pin.SLOPE:
            return ["    assert gradient is not None", "    assert gradient.any()"]
        case Pin.SAME:
            return ["    np.testing.assert_array_equal(value, again)"]
        case Pin.SHAPE:
            return [f"    assert value.shape == {program.prediction}.shape[: value.ndim]"]
        case _:
            return []


def _finite(finding: Finding) -> list[str]:
    """Assert that what was NaN or infinite is finite: the value, else the gradient."""
    if _is_odd(finding.observed.value):
        return ["    assert np.isfinite(value).all()"]
    if _is_odd(finding.observed.gradient):
        return ["    assert np.isfinite(value).all()", "    assert np.isfinite(gradient).all()"]
    return []


def _agreeing() -> list[str]:
    close = "rtol=0.01, atol=1e-6"
    return [
        f"    np.testing.assert_allclose(value, other_value, {close})",
        f"    np.testing.assert_allclose(gradient, other_gradient, {close})",
    ]


def _is_odd(numbers: Any) -> bool:
    return numbers is not None and not np.isfinite(np.asarray(numbers, np.float64)).all()


def _number(finding: Finding) -> list[str]:
    """Assert that a number is the right one, to a part of how far off the wrong one was."""
    pairs = {
        "value": (finding.observed.value, finding.expected.value),
        "gradient": (finding.observed.gradient, finding.expected.gradient),
    }
    backward = finding.location is not None and finding.location.direction == Direction.BACKWARD
    for name in ("gradient", "value") if backward else ("value", "gradient"):
        seen, right = pairs[name]
        if right is None or _is_odd(right):
            continue
        right = np.asarray(right, np.float64)
        size = float(np.abs(right).max(initial=0.0))
        far = _far(seen, right, size)
        if far == 0.0:
            continue
        near = float(f"{min(TWO_DIGITS, far / PART):.1g}")
        least = near * size
        if by_code(finding.code).trail is Trail.DIGITS and far <= 1.0:
            # With half of the error gone it is mended: of a small number no more may be had.
            least = max(least, far * (size or 1.0) / 2)
        room = f"rtol={near:g}, atol={least:.1g}"
        return [
            f"    right = np.array({_literal(right)})",
            f"    np.testing.assert_allclose({name}, right, {room})",
        ]
    return []


def _far(seen: Any, right: Array, size: float) -> float:
    """How far the wrong number is from the right one, relative; 1 where there is none."""
    if seen is None or np.shape(seen) != right.shape or _is_odd(seen):
        return 1.0
    apart = float(np.abs(np.asarray(seen, np.float64) - right).max(initial=0.0))
    return apart / size if size else float(apart > 0)


def _literal(array: Any) -> str:
    """Numbers that read back to the same float."""
    numbers = np.asarray(array)
    if numbers.ndim:
        return f"[{', '.join(_literal(part) for part in numbers)}]"
    number = float(str(numbers[()]))
    return f"np.{number}".replace("np.-inf", "-np.inf") if not np.isfinite(number) else repr(number)
