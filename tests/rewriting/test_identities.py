"""Every identity is tested by itself: both of its sides are equal, in exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.rewriting.arithmetic import Exact
from losscheck.rewriting.evaluation import Values
from losscheck.rewriting.expressions import Expression, leaves_of
from losscheck.rewriting.identities import FAMILIES
from losscheck.rewriting.moves import Identity, identities, parse
from losscheck.rewriting.python import PLAIN, read

LINES = [(family, line) for family, lines in FAMILIES.items() for line in lines]
COUNT = 400


def points(identity: Identity) -> dict[str, np.ndarray]:
    """Numbers of either sign and of several sizes for every variable; a row of three in a sum."""
    rng = np.random.default_rng(0)
    leaves = sorted(leaf.text for leaf in leaves_of(identity.pattern))
    shape = (COUNT, 3) if "reduce" in identity.text or "softmax" in identity.text else (COUNT,)
    numbers = {}
    for text in leaves:
        size = np.exp(rng.uniform(np.log(0.05), np.log(8.0), shape))
        signs = np.where(rng.random(shape) < 0.3, -1.0, 1.0)
        whole = rng.integers(1, 5, shape) if text in ("n", "m") else size * signs
        numbers[text] = whole.astype(np.float32)
    return numbers


def sides(identity: Identity) -> tuple[list[float], list[float]]:
    """Both sides where the pattern is defined and the conditions hold."""
    values = Values(points(identity), Exact(200))
    left, right = (
        values.of(side) for side in map(along_last_axis, (identity.pattern, identity.replacement))
    )
    holds = np.ones(COUNT, bool)
    for condition in identity.conditions:
        holds &= np.asarray(values.of(condition), bool)
    left, right = (
        np.broadcast_to(side, (COUNT, *side.shape[1:])).reshape(COUNT, -1) for side in (left, right)
    )
    kept = [
        (a, b)
        for row in np.flatnonzero(holds)
        for a, b in zip(left[row], right[row], strict=True)
        if abs(a) < 1e300
    ]
    return [a for a, _ in kept], [b for _, b in kept]


def along_last_axis(side: Expression) -> Expression:
    from losscheck.rewriting.expressions import Operation, op

    if not isinstance(side, Operation):
        return side
    options = tuple((n, True if n == "keepdims" else -1) for n, _ in side.options)
    return op(side.name, *map(along_last_axis, side.operands), options=options)


@pytest.mark.parametrize(("family", "line"), LINES, ids=[line for _, line in LINES])
def test_both_sides_are_equal(family: str, line: str) -> None:
    left, right = sides(parse(line, family))
    assert len(left) >= 20, "too few points say anything of this identity"
    for a, b in zip(left, right, strict=True):
        assert abs(a - b) <= 1e-30 * max(abs(a), 1), (a, b)


def test_no_line_stands_there_twice() -> None:
    lines = [line for _, line in LINES]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(("family", "line"), LINES, ids=[line for _, line in LINES])
def test_each_is_found_in_its_own_pattern(family: str, line: str) -> None:
    """With names that are no variables of a pattern, and constants for those that are constants."""
    identity = parse(line, family)
    text = line.partition(" -> ")[0]
    names = {leaf.text: f"{leaf.text}_tensor" for leaf in leaves_of(identity.pattern)}
    names |= {"n": "3", "m": "2"}
    from losscheck.rewriting.expressions import Leaf, substitute

    new = {Leaf(old): read(to, PLAIN) for old, to in names.items()}
    node = substitute(read(text, PLAIN), dict(new))
    head = next(h for h in heads() if identity in identities(h))
    if "softmax" in line.partition(" -> ")[2]:
        node = along_last_axis(node)
    assert any(True for _ in identity.on(node)), head


def heads() -> list[str]:
    from losscheck.rewriting.functions import FUNCTIONS, REDUCTIONS

    return ["sum", "product", *FUNCTIONS, *REDUCTIONS]


def test_a_false_identity_is_seen() -> None:
    left, right = sides(parse("exp(a) - 1 -> a"))
    assert any(abs(a - b) > 1e-3 for a, b in zip(left, right, strict=True))
