"""Changes beyond what advice knows: the expression at fault, rewritten by identities.

The expression is tried first, then what holds it within its statement, with local names written
out; on the numbers that they stand for in the cases of the finding and in ordinary ones.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np

from losscheck.advice.base import Change
from losscheck.evidence.desk import Desk
from losscheck.findings.code import Names, is_tensorflow, module_of
from losscheck.findings.explanation import Explanation
from losscheck.fixes.candidates import made
from losscheck.fixes.cases import Tried
from losscheck.fixes.patch import Edit
from losscheck.fixes.place import Place, place
from losscheck.model import Array, Inputs
from losscheck.rewriting import Spelling, leaves_in, rewritings
from losscheck.rewriting.inlining import inlined

OUTWARDS = 4  # expressions around the one at fault that are tried
# What gives the numbers that it is given.
SAME = frozenset({"cast", "convert_to_tensor", "identity"})


def rewritten(explanation: Explanation, desk: Desk) -> Iterator[Edit]:
    """Rewrite the expression that is to blame, then what holds it, each as it is asked for.

    There is nothing where the numbers are not known, or where nothing is lost in float32.
    """
    here = place(explanation.blame.span)
    case = explanation.case
    if here is None or case is None or explanation.finding.dtype != "float32":
        return
    module, function = module_of(here.span.file), _innermost(here)
    if module is None or function is None:
        return
    call = desk.evidence.programs.call
    block = Tried(desk.evidence, [explanation]).of(desk.evidence.instance_of(case), "float32")
    known = {**vars(module), **_closure(call.function), **call.constants}
    spelling = Spelling(_modules(vars(module), here))
    for text, whole in _texts(here, function, spelling, vars(module)):
        leaves = _leaves(whole, spelling, _own(block.inputs, function, call.names), known)
        if leaves is None:
            continue
        prediction = [leaf for leaf in leaves if call.prediction in leaf]
        try:
            found = rewritings(whole, leaves, spelling, prediction)
        except ValueError:  # shapes that meet in another way than the source says
            continue
        changes = [Change(text, each.text, each.statements) for each in found if not each.imports]
        yield from islice(made(changes, here, Names(vars(module), here.local)), 1)


def _innermost(here: Place) -> ast.FunctionDef | None:
    """The function that holds an expression; None where that is no plain one."""
    inner = here.functions[-1] if here.functions else None
    return inner if isinstance(inner, ast.FunctionDef) else None


def _texts(
    here: Place, function: ast.FunctionDef, spelling: Spelling, module: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """The expression and those around it, each as it stands and with its names written out."""
    source = ast.get_source_segment(here.source, function) or ""
    functions = _called(function, module)
    inner: ast.expr | None = None
    for node in list(reversed(here.around))[: OUTWARDS + 1]:
        if not isinstance(node, ast.expr):
            return
        passed_on = inner is not None and _passes_on(node, inner)
        inner = node
        if passed_on:
            continue
        text = ast.unparse(node)
        line = node.lineno - function.lineno + 1
        yield text, inlined(source, text, line, spelling, functions)


def _passes_on(node: ast.expr, inner: ast.expr) -> bool:
    """Whether all that is lost in an expression is lost in a part of it: a factor, a mean."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            other = right if left is inner else left
            own = {n.id for n in ast.walk(inner) if isinstance(n, ast.Name)}
            return isinstance(other, ast.Constant) or (
                isinstance(other, ast.Name) and other.id not in own
            )
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in ("reduce_mean", "reduce_sum", "mean", "sum")
        case ast.keyword() | ast.UnaryOp():
            return True
    return False


def _called(function: ast.FunctionDef, module: Mapping[str, Any]) -> dict[str, str]:
    """The sources of the module's short functions that a function calls, or that these call."""
    waiting = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name not in found and (text := _source_of(module.get(name))):
            found[name] = text
            waiting.update(module[name].__code__.co_names)
    return found


def _source_of(value: Any) -> str:
    """The source of a short function of the user's own."""
    if not inspect.isfunction(value) or value.__code__.co_argcount == 0:
        return ""
    try:
        lines, _ = inspect.getsourcelines(value)
    except (OSError, TypeError):
        return ""
    return "".join(lines) if len(lines) < 12 else ""


def _own(inputs: Inputs, function: ast.FunctionDef, names: tuple[str, ...]) -> Inputs:
    """The arguments that are parameters of this function; of another one none is known."""
    parameters = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    return inputs if {name for name in names if name in inputs} <= parameters else {}


def _leaves(
    whole: str, spelling: Spelling, inputs: Inputs, known: Mapping[str, Any]
) -> dict[str, Array] | None:
    leaves: dict[str, Array] = {}
    if not inputs:
        return None
    for text in leaves_in(whole, spelling):
        numbers = numbers_of(text, inputs, known)
        if numbers is None:
            return None
        leaves[text] = numbers
    return leaves


def _closure(function: Any) -> Mapping[str, Any]:
    """What a function took along from the one that made it."""
    try:
        return inspect.getclosurevars(function).nonlocals
    except (TypeError, ValueError):
        return {}


def _modules(module: Mapping[str, Any], here: Place) -> dict[str, str]:
    """What names of a module stand for: TensorFlow, Keras, and their functions by other names."""
    found: dict[str, str] = {}
    for name, value in module.items():
        if name in here.local:
            continue
        path = value.__name__ if isinstance(value, ModuleType) else ""
        if path and is_tensorflow(value):
            found[name] = "tensorflow"
        elif path.partition(".")[0] == "keras":
            last = path.rpartition(".")[2]
            found[name] = f"keras.{last}" if last in ("ops", "backend") else "keras"
        elif names := getattr(value, "_tf_api_names", ()):
            found[name] = f"tensorflow.{names[0]}"
    return found


def numbers_of(text: str, inputs: Inputs, known: Mapping[str, Any]) -> Array | None:
    """Give the numbers of an argument, a part of one, or a constant.

    Parameters
    ----------
    inputs
        (N, *shape) for each argument of the loss.
    known
        Other values that names have at its place.

    Returns
    -------
    Array or None
        (N, *shape) float32; None where the text is something else.

    Examples
    --------
    >>> pairs = {"y_pred": np.float32([[1, 2], [3, 4]])}
    >>> numbers_of("y_pred[..., 0]", pairs, {})
    array([1., 3.], dtype=float32)
    """
    found = _numbers(ast.parse(text, mode="eval").body, inputs, known)
    if found is None or found.dtype == bool:
        return found
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def _numbers(node: ast.expr, inputs: Inputs, known: Mapping[str, Any]) -> Array | None:
    count = len(next(iter(inputs.values())))
    match node:
        case ast.Name(id=name) if name in inputs:
            return inputs[name]
        case ast.Name(id=name):
            value = known.get(name)
            return np.full(count, value) if isinstance(value, int | float) else None
        case ast.Subscript(value=value, slice=index):
            found = _numbers(value, inputs, known)
            place = _index(index)
            if found is None or place is None:
                return None
            try:
                return np.asarray(found[(slice(None), *place)])
            except IndexError:
                return None
        case ast.Call(func=ast.Attribute(attr=attr), args=[value, *_]) if attr in SAME:
            return _numbers(value, inputs, known)
    return None


def _index(node: ast.expr) -> tuple[Any, ...] | None:
    """Read an index of constants."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = []
    for part in parts:
        if isinstance(part, ast.Slice):
            ends = [_whole(end) for end in (part.lower, part.upper, part.step)]
            if any(end is Ellipsis for end in ends):
                return None
            found.append(slice(*ends))
            continue
        one = _whole(part)
        if one is None and not (isinstance(part, ast.Constant) and part.value is None):
            return None
        found.append(one)
    return tuple(found)


def _whole(node: ast.expr | None) -> Any:
    """Read a whole number or an ellipsis; None where it is neither."""
    try:
        value = None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) or value is Ellipsis else None
