"""Random losses that are sound by construction: a seed gives a function's text and its domains."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Sequence

import attrs
import numpy as np

from tests.generated import operations
from tests.generated.operations import Elementwise, Pairwise, Whole

MOST = 60  # operations
LEAST_WIDTH = 1e-3  # of an interval: what lies in a narrower one is a constant but for rounding
LARGEST = 200.0  # of any number inside: a sum of a few squares is then exact to four digits
WIDEST = 24  # elements of the last axis; concatenations double it
MARGIN = 0.02  # of an interval that was sampled

DOMAINS: tuple[str, ...] = ("[-1, 1]", "[0, 1]", "[-3, 3]", "[0.5, 4]", "probability", "[-2, 5]")
ENDS = {"probability": (0.0, 1.0)}
SHAPES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("(B,)", ()),
    ("(B, 1)", (1,)),
    ("(B, 3)", (3,)),
    ("(B, D)", (5,)),
    ("(B, 6)", (6,)),
    ("(B, T, 3)", (8, 3)),
    ("(B, 2, 4)", (2, 4)),
    ("(B, 4, 4, 2)", (4, 4, 2)),
    ("(B, 2, 3, 2, 2)", (2, 3, 2, 2)),
)
FORMS = ("function", "lambda", "class", "factory", "tf.function", "partial", "callable")


@attrs.frozen(kw_only=True)
class Generated:
    """A loss as text, and what is to be declared of it."""

    name: str
    target: str  # behind the module's name and a colon
    source: str
    operations: int
    y_true: tuple[str, str]  # domain and shape
    y_pred: tuple[str, str]


@attrs.frozen
class Variable:
    """A tensor inside: its name, its axes behind the batch, and the interval that it lies in."""

    name: str
    axes: tuple[int, ...]  # their greatest sizes
    low: float
    high: float


class Composer:
    """Writes one loss, an operation a line."""

    def __init__(self, seed: int, skew: float = 1.0) -> None:
        self._random = random.Random(seed)
        self._skew = skew
        self._lines: list[str] = []
        self._count = 0

    def compose(self, name: str) -> Generated:
        """Write it."""
        shape, axes = self._random.choice(SHAPES)
        inputs = {n: self._random.choice(DOMAINS) for n in ("y_true", "y_pred")}
        label, prediction = (Variable(n, axes, *ends(inputs[n])) for n in ("y_true", "y_pred"))
        wanted = round(MOST ** (self._random.random() ** self._skew))
        live = [self._pairwise(prediction, label)]
        while self._count < wanted:
            live = self._step(live, label)
        # Without a slope of its own what is composed may be flat but for rounding.
        anchor = Variable("0.1 * tf.nn.softplus(y_pred)", axes, 0.0, math.inf)
        parts = [self._per_sample(variable) for variable in (*live, anchor)]
        result = self._random.choice(("{}", "{}", "tf.reduce_mean({})")).format(" + ".join(parts))
        lines = [*self._lines, f"return {result}"]
        form = self._random.choice(FORMS)
        source, target = _written(form, name, lines)
        return Generated(
            name=name,
            target=target,
            source=source,
            operations=self._count,
            y_true=(inputs["y_true"], shape),
            y_pred=(inputs["y_pred"], shape),
        )

    def _step(self, live: Sequence[Variable], label: Variable) -> list[Variable]:
        """Apply one operation to what depends on the prediction; most results replace a part."""
        chosen = self._random.choice(live)
        others = [v for v in live if v is not chosen]
        kind = self._random.random()
        if kind < 0.4:
            made = self._elementwise(chosen)
        elif kind < 0.7:
            made = self._whole(chosen)
        else:
            alike = [v for v in (*others, label) if v.axes == chosen.axes]
            if not alike:
                return [*others, self._elementwise(chosen)]
            partner = self._random.choice(alike)
            made = self._pairwise(chosen, partner)
            others = [v for v in others if v is not partner]
        keeps = self._random.random() < 0.15 and len(live) < 4
        return [*others, made, chosen] if keeps else [*others, made]

    def _elementwise(self, x: Variable) -> Variable:
        operation = self._random.choice(operations.ONE_OPERAND)
        x = self._inside(x, operation.domain)
        return self._assign(operation.text.format(x=x.name), x.axes, *_range(operation, x))

    def _pairwise(self, x: Variable, y: Variable) -> Variable:
        operation = self._random.choice(operations.TWO_OPERANDS)
        x, y = self._inside(x, operation.first), self._inside(y, operation.second)
        low, high = _range_of_two(operation, x, y)
        return self._assign(operation.text.format(x=x.name, y=y.name), x.axes, low, high)

    def _whole(self, x: Variable) -> Variable:
        table = (*operations.WHOLE, *(operations.IMAGE * 4 if len(x.axes) == 3 else ()))
        possible = [
            o
            for o in table
            if len(x.axes) + 1 >= o.rank and x.axes and x.axes[-1] >= o.least and self._fits(o, x)
        ]
        if not possible:
            return self._elementwise(x)
        operation = self._random.choice(possible)
        x = self._inside(x, operation.domain)
        n = x.axes[-1]
        low, high = eval(operation.bounds, {"math": math}, {"n": n, "low": x.low, "high": x.high})
        axes = (*x.axes[:-1], *_sizes(operation, n))
        if "transpose({x}, [0, 2, 1, 3])" in operation.text:
            axes = (x.axes[1], x.axes[0], x.axes[2])
        text = operation.text.format(x=x.name, n=f"{x.name}.shape[-1]")
        return self._assign(text, axes, float(low), float(high))

    @staticmethod
    def _fits(operation: Whole, x: Variable) -> bool:
        sizes = _sizes(operation, x.axes[-1])
        return all(0 < size <= WIDEST for size in sizes) and len(x.axes) - 1 + len(sizes) <= 4

    def _inside(self, x: Variable, domain: tuple[float, float]) -> Variable:
        """Bring a tensor into an interval, where it may lie outside, by an affine map."""
        low, high = domain
        if x.low >= low and x.high <= high:
            return x
        low, high = max(low, -LARGEST), min(high, LARGEST)
        middle, reach = (low + high) / 2, (high - low) / 2 * 0.95
        scale = reach / max((x.high - x.low) / 2, LEAST_WIDTH)
        scale = min(scale, 1.0)
        shift = middle - scale * (x.high + x.low) / 2
        scale, shift = float(f"{scale:.4g}"), float(f"{shift:.4g}")
        ends_ = scale * x.low + shift, scale * x.high + shift
        return self._assign(f"{x.name} * {scale!r} + {shift!r}", x.axes, *ends_)

    def _assign(self, text: str, axes: tuple[int, ...], low: float, high: float) -> Variable:
        self._count += 1
        found = Variable(f"v{self._count}", axes, low, high)
        self._lines.append(f"{found.name} = {text}")
        if max(-low, high) > LARGEST:
            return self._inside(found, (-10.0, 10.0))
        return found

    def _per_sample(self, variable: Variable) -> str:
        """One number a sample: what is left over is averaged over all axes but the first."""
        if not variable.axes:
            return variable.name
        axes = ", ".join(str(axis + 1) for axis in range(len(variable.axes)))
        return f"tf.reduce_mean({variable.name}, axis=[{axes}])"


def ends(domain: str) -> tuple[float, float]:
    """The ends of one of `DOMAINS`."""
    if domain in ENDS:
        return ENDS[domain]
    low, high = domain.strip("[]").split(",")
    return float(low), float(high)


def _sizes(operation: Whole, n: int) -> tuple[int, ...]:
    """The last axes of a result."""
    if not operation.last:
        return ()
    found = eval(operation.last, {"max": max}, {"n": n})
    return tuple(found) if isinstance(found, tuple) else (int(found),)


def _range(operation: Elementwise, x: Variable) -> tuple[float, float]:
    return _evaluated(operation.text, x.low, x.high, None)


def _range_of_two(operation: Pairwise, x: Variable, y: Variable) -> tuple[float, float]:
    return _evaluated(operation.text, x.low, x.high, (y.low, y.high))


@functools.cache
def _evaluated(
    text: str, low: float, high: float, other: tuple[float, float] | None
) -> tuple[float, float]:
    """The interval of an operation's results, by evaluating it closely, and a little more."""
    names = namespace()
    if other is None:
        names["a"] = names["tf"].constant(np.linspace(low, high, 401), "float32")
    else:
        grid = np.meshgrid(np.linspace(low, high, 61), np.linspace(*other, 61))
        names["a"], names["b"] = (names["tf"].constant(g.ravel(), "float32") for g in grid)
    found = np.asarray(eval(text.format(x="a", y="b"), names))
    assert np.isfinite(found).all(), (text, low, high, other)
    least, most = float(found.min()), float(found.max())
    extra = MARGIN * (most - least) + 1e-6
    return least - extra, most + extra


HEAD = "import functools\n\nimport keras\nimport numpy as np\nimport tensorflow as tf\n"


@functools.cache
def _helpers() -> dict[str, object]:
    names: dict[str, object] = {}
    exec(HEAD + operations.HELPERS, names)
    return names


def namespace() -> dict[str, object]:
    """The names that a generated module has, for evaluating an operation."""
    return dict(_helpers())


def _written(form: str, name: str, lines: Sequence[str]) -> tuple[str, str]:
    """The text of a loss in a form, and how it is named as a target."""
    body = "\n".join(f"    {line}" for line in lines)
    inner = body.replace("\n    ", "\n        ").replace("    ", "        ", 1)
    if form == "class":
        head = f"class {name}(keras.losses.Loss):\n    def call(self, y_true, y_pred):\n"
        return head + inner, name
    if form == "factory":
        head = f"def {name}(scale=1.0):\n    def inner(y_true, y_pred):\n"
        return f"{head}{inner}\n\n    return inner", f"{name}()"
    if form == "callable":
        head = f"class {name.title()}:\n    def __call__(self, y_true, y_pred):\n"
        return f"{head}{inner}\n\n\n{name} = {name.title()}()", name
    plain = f"def {name}(y_true, y_pred):\n{body}"
    if form == "tf.function":
        return f"@tf.function\n{plain}", name
    if form == "partial":
        weighted = plain.replace(
            f"def {name}(y_true, y_pred)", f"def _{name}(scale, y_true, y_pred)"
        )
        return f"{weighted}\n\n\n{name} = functools.partial(_{name}, 1.0)", name
    if form == "lambda":
        named = plain.replace(f"def {name}(", f"def _{name}(")
        return f"{named}\n\n\n{name} = lambda y_true, y_pred: _{name}(y_true, y_pred)", name
    return plain, name


def module(losses: Sequence[Generated]) -> str:
    """The text of a module of losses."""
    return "\n\n\n".join([HEAD + operations.HELPERS, *(loss.source for loss in losses)]) + "\n"


def generate(seed: int, count: int, skew: float = 1.0) -> list[Generated]:
    """Compose losses, each from a seed of its own, so that any of them can be made again.

    Parameters
    ----------
    skew
        1 for numbers of operations of which every order of magnitude is as frequent; above it most
        are small.
    """
    seeds = (seed * 1_000_003 + i for i in range(count))
    return [Composer(s, skew).compose(f"loss_{seed}_{i}") for i, s in enumerate(seeds)]
