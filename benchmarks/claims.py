"""The numbers of what losscheck says, computed again by the loss alone, in plain TensorFlow.

The loss runs eagerly on the case of a finding while Python notes the variables at the blamed line;
what stands before each "= number" in the message and the cause is evaluated there.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

import attrs
import numpy as np
import tensorflow as tf

from losscheck.model import Finding, Severity
from losscheck.rules import by_code
from losscheck.rules.base import Doubt

NEAR = 1e-4  # relative: sentences have six digits, and modes round in ways of their own
RIGHT = 1e-2  # the same of what is right: float64 has digits where float32 has few
ROUNDED = 1e-7
NUDGED = 1.0 + 2.0**-20  # far enough for what rounding loses to be another number
PROGRAM = "def value_and_gradient"
_EQUALS = re.compile(r" = (?=-?(?:\d|inf|nan|\[))")
_NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)")
_PAST = 64  # times that a line of a loop is noted

Scope = Mapping[str, Any]


@attrs.frozen
class Claim:
    """A number that a finding names, and whether the loss gives it again."""

    finding: str
    said: str
    holds: bool | None  # None: what it is a number of is no expression at that line


def claims(finding: Finding, loss: Callable[..., Any]) -> list[Claim]:
    """Compute again what a finding says.

    Parameters
    ----------
    finding
        With a case; of one without there is nothing to compute.
    loss
        The loss, as it was checked.
    """
    if not finding.inputs or finding.severity == Severity.NOTE:
        return []
    try:
        value, gradient, scopes = _ran(finding, loss, finding.dtype)
        single = value
        if finding.mode == "graph":
            value, gradient = _traced(finding, loss)
    except Exception:  # what raises names no numbers
        return []
    found = []
    # What training does, what another mode gives, and what digits are left are shown otherwise.
    if PROGRAM in finding.reproduce and finding.mode != "xla":
        pairs = [("loss", finding.observed.value, value)]
        pairs += [("gradient", finding.observed.gradient, gradient)]
        found = [_claim(finding, *pair, NEAR) for pair in pairs if _same_size(*pair[1:])]
        if by_code(finding.code).doubt is not Doubt.ALL:
            found += _right(finding, loss, single)
    for text in dict.fromkeys((finding.message, finding.cause)):
        for before, said, number in _said(text):
            # What XLA has inside no eager run gives: it is neither confirmed nor refuted by one.
            given = [] if finding.mode == "xla" else list(_evaluated(before, scopes))
            held = any(_holds(each, number) for each in given) if given else None
            found.append(Claim(finding.id, said, held))
    return found


def repeated(said: Sequence[Claim]) -> str:
    """Say how many numbers the losses give again, and name those that they do not."""
    known = [claim for claim in said if claim.holds is not None]
    false = [f"{claim.finding}: {claim.said}" for claim in known if not claim.holds]
    named = f" ({'; '.join(false)})" if false else ""
    return (
        f"Of {len(known)} numbers in its sentences the losses give {len(known) - len(false)} again"
        f"{named}."
    )


def _right(finding: Finding, loss: Callable[..., Any], single: Any) -> list[Claim]:
    """Compute in float64 what is said to be right; nothing of a loss that is float32 inside."""
    try:
        value, gradient, _ = _ran(finding, loss, "float64")
    except Exception:  # many a loss takes float32 alone
        return []
    if np.array_equal(value, single, equal_nan=True):
        return []
    nearby = _ran(finding, loss, "float64", NUDGED)[:2]
    pairs = [("right loss", finding.expected.value, value)]
    if by_code(finding.code).doubt is not Doubt.GRADIENT:  # which differences alone give
        pairs += [("right gradient", finding.expected.gradient, gradient)]
    return [
        _claim(finding, what, due, again, RIGHT)
        for (what, due, again), near in zip(pairs, nearby, strict=False)
        # Where it loses its own digits, exact numbers are right and float64 is no judge of them.
        if _same_size(due, again) and np.isfinite(again).all() and _close(near, again, RIGHT / 10)
    ]


def _traced(finding: Finding, loss: Callable[..., Any]) -> tuple[Any, Any]:
    """Value and gradient out of one graph, as the program of the finding has them."""
    given = {name: tf.cast(array, finding.dtype) for name, array in finding.inputs.items()}
    name = "y_pred" if "y_pred" in given else [*given][-1]

    @tf.function(autograph=False)
    def both(given: dict[str, Any]) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(given[name])
            value = _called(loss)(*given.values())
        return value, tape.gradient(value, given[name])

    value, gradient = both(given)
    return _numbers(value), None if gradient is None else _numbers(gradient)


def _same_size(one: Any, other: Any) -> bool:
    return one is not None and other is not None and np.size(one) == np.size(other)


def _claim(finding: Finding, what: str, said: Any, again: Any, near: float) -> Claim:
    return Claim(finding.id, f"{what} {said}, again {again}", _close(again, said, near))


def _ran(
    finding: Finding, loss: Callable[..., Any], dtype: str, scale: float = 1.0
) -> tuple[Any, Any, list[Scope]]:
    """Value, gradient by the last argument but what is named otherwise, and variables.

    With `scale` the prediction is that of the case times it.
    """
    line = None if finding.location is None else finding.location.line
    file = "" if finding.location is None else finding.location.file
    given = {name: tf.cast(array, dtype) for name, array in finding.inputs.items()}
    name = "y_pred" if "y_pred" in given else [*given][-1]
    prediction = given[name] = given[name] * scale
    scopes: list[Scope] = [given]

    def note(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(file):
            return None
        if (event == "return" or frame.f_lineno == line) and len(scopes) < _PAST:
            scopes.append({**frame.f_globals, **frame.f_locals})
        return note

    before = sys.gettrace()
    with tf.GradientTape() as tape:
        tape.watch(prediction)
        sys.settrace(note if file else None)
        try:
            value = _called(loss)(*given.values())
        finally:
            sys.settrace(before)
    gradient = tape.gradient(value, prediction)
    return _numbers(value), None if gradient is None else _numbers(gradient), scopes


def _called(loss: Callable[..., Any]) -> Callable[..., Any]:
    """What Keras' own `__call__` takes the mean of, of a loss that is an object."""
    return loss.call if hasattr(loss, "reduction") else loss


def _numbers(tensor: Any) -> Any:
    return np.asarray(tf.cast(tf.convert_to_tensor(tensor), tf.float64))


def _said(text: str) -> Iterator[tuple[str, str, Any]]:
    """What stands before each "= number" of a text, the claim as it stands, and its number."""
    for match in _EQUALS.finditer(text):
        number = _number(text[match.end() :])
        if number is not None:
            before = text[: match.start()]
            yield before, f"...{before[-40:]} = {text[match.end() :][:20]}", number


def _number(text: str) -> Any:
    if text.startswith("["):
        depth = np.cumsum([(c == "[") - (c == "]") for c in text])
        if "..." in (inside := text[: int(np.argmax(depth == 0)) + 1]):
            return None
        plain = re.sub(r"\b(nan|inf)\b", r"float('\1')", inside)
        return np.asarray(eval(plain, {"float": float}))
    match = _NUMBER.match(text)
    return None if match is None else np.asarray(float(match.group().replace(",", "")))


def _evaluated(before: str, scopes: Sequence[Scope]) -> Iterator[Any]:
    """Give what the longest expression at the end of a text comes to, wherever it does."""
    starts = [0, *(match.end() for match in re.finditer(r"[ (]", before))]
    for start in starts:
        text = before[start:]
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError:
            continue
        if isinstance(tree.body, ast.Tuple):  # the number of one claim, and the next
            continue
        code = compile(tree, "claim", "eval")
        found = []
        for scope in scopes:
            try:
                found.append(_numbers(eval(code, dict(scope))))
            except Exception:  # not every name is known everywhere
                continue
        if found:
            yield from found
            return


def _holds(given: Any, number: Any) -> bool:
    if number.ndim and number.size == given.size:
        return _close(given.ravel(), number.ravel())
    return any(_close(each, number) for each in given.ravel())


def _close(one: Any, other: Any, near: float = NEAR) -> bool:
    left, right = (np.asarray(each, np.float64).ravel() for each in (one, other))
    most = np.abs(right[np.isfinite(right)]).max(initial=0.0)
    rounded = ROUNDED * most if right.size > 1 else 0.0  # of a number beside larger ones
    return bool(np.isclose(left, right, rtol=near, atol=rounded, equal_nan=True).all())
