"""A reproduction program taken apart: its imports, how it makes the loss, and what it runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

import attrs

RUN = "value_and_gradient"  # what programs call the function that shows value and gradient


@attrs.frozen(kw_only=True)
class Parts:
    """The parts of a program, as text."""

    imports: tuple[str, ...]
    making: str  # what makes `loss`, behind the imports
    # The call of the loss, such as "loss(y_true, y_pred)"; "" in a program of another kind.
    call: str
    prediction: str  # what the gradient is taken of
    decorator: str  # of the function that runs it: "" where it runs eagerly
    # The rest, but for what a test has no use for: what is printed is compared, or left out.
    body: str


def parts(program: str) -> Parts:
    """Take a program apart."""
    tree = ast.parse(program)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in tree.body if node not in imports]
    made = 1 + max((i for i, node in enumerate(rest) if _assigns(node, ("loss",))), default=-1)
    function = next((n for n in rest if isinstance(n, ast.FunctionDef) and n.name == RUN), None)
    call = "" if function is None else _call(function)
    return Parts(
        imports=tuple(ast.unparse(node) for node in imports),
        making="\n".join(_text(program, node) for node in rest[:made]),
        call=call,
        prediction=_watched(tree),
        decorator="" if function is None else "".join(map(ast.unparse, function.decorator_list)),
        body=_compared(program, rest[made:]),
    )


def _assigns(node: ast.stmt, names: Collection[str]) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id in names for target in targets)


def _call(function: ast.FunctionDef) -> str:
    """What `value` is, anywhere in the function."""
    assigned = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
    found = next((node for node in assigned if _assigns(node, ("value",))), None)
    return "" if found is None else ast.unparse(found.value)


def _watched(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "tape.watch":
            return ast.unparse(node.args[0])
    return ""


def _text(program: str, node: ast.stmt) -> str:
    """The source of a statement; that of a function begins with its decorators."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    text = "\n".join(program.splitlines()[first - 1 : node.end_lineno])
    return f"\n{text}\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else text


def _compared(program: str, nodes: list[ast.stmt]) -> str:
    """Statements, with what is printed under a name assigned to it, and compared at the end."""
    lines: list[str] = []
    printed: dict[str, str] = {}
    for node in nodes:
        shown = _shown(node)
        if shown is None:
            lines.append(_text(program, node))
            continue
        label, what = shown
        if not label:
            lines.append(what)
        elif label not in ("loss", "gradient") or ".numpy()" not in what:
            name = f"{re.sub('[^a-z_]', '_', label.lower())}_number"
            printed[label] = name
            lines.append(f"{name} = {what}")
    return "\n".join([*lines, *_comparison(printed)])


def _shown(node: ast.stmt) -> tuple[str, str] | None:
    """Label and expression of a print; an empty label where it has none."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return None
    call = node.value
    if not (isinstance(call.func, ast.Name) and call.func.id == "print" and call.args):
        return None
    label = call.args[0]
    if len(call.args) > 1 and isinstance(label, ast.Constant):
        return str(label.value).rstrip(":"), ast.unparse(call.args[1])
    return "", ast.unparse(call.args[0])


# Which of the numbers that a program prints is compared with which.
_PAIRS = (
    ("after", "before"),
    ("reported", "direct"),
    ("Keras", "sum_over_batch_size"),
    ("second derivative times v", "differences of the gradient along v"),
)
_SUMS = ("sum", "sum_over_batch_size", "mean_with_sample_weight")


def _comparison(printed: dict[str, str]) -> list[str]:
    """Lines that compare what was printed; none where a program is to run, no more."""
    if "loss" in printed and all(label in printed for label in _SUMS):
        right = ", ".join(printed[label] for label in _SUMS)
        given = printed["loss"]
        return [f"assert any(np.isclose({given}, right, rtol=1e-3) for right in ({right}))"]
    for one, other in _PAIRS:
        if one in printed and other in printed:
            return [f"np.testing.assert_allclose({printed[one]}, {printed[other]}, rtol=1e-3)"]
    return []
