"""A loss that was found: what is called, with which parameters, where; or its text alone."""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import attrs

from losscheck.model import Source, UsageError
from losscheck.settings.argument_names import is_pair
from losscheck.settings.decorator import ATTRIBUTE
from losscheck.settings.settings import ArgumentSettings, check_texts, did_you_mean
from losscheck.targets import reading
from losscheck.targets.written import Written

if TYPE_CHECKING:
    from losscheck.program.keras.compiled import Compiled
    from losscheck.targets.models import Placed


class DeclarationError(UsageError):
    """What a loss declares of itself cannot be used: it is a loss all the same."""


@attrs.frozen(kw_only=True, eq=False)
class Parameter:
    """A parameter of a loss."""

    name: str
    default: Any = inspect.Parameter.empty
    keyword_only: bool = False

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is inspect.Parameter.empty


@attrs.frozen(kw_only=True, eq=False)
class Loss:
    """A loss, ready to be called."""

    target: str  # as it was given; module:attr for losses found in a module
    function: Callable[..., Any]  # takes its arguments as `parameters` says
    python: Callable[..., Any]  # the Python function whose source is the loss
    form: str  # function, lambda, closure, loss-instance, metric, tf-function, keras-name,
    # or of a whole model: model, model-function
    parameters: tuple[Parameter, ...]
    source: Source | None  # None for Keras' own, and where there is no Python source
    docstring: str
    declared: Mapping[str, ArgumentSettings]  # by @losscheck.spec
    known: str | None  # Keras' own, by its public name: "keras.losses.BinaryCrossentropy"
    config: Mapping[str, Any]  # of a known instance
    autograph: bool  # a tf.function through AutoGraph: a Python `if` on tensors works in it
    placed: Placed | None = None  # the model's output that it is compiled for
    compiled: Compiled | None = None  # a whole model
    outputs: tuple[Loss, ...] = ()  # the losses of its parts
    written: Written | None = None  # how a program comes by it, where its target does not say
    handed: Any = None  # the object itself, as `compile` gets it; None where there is none

    @property
    def lines(self) -> tuple[int, int]:
        """The first line of its Python function, decorators included, and the last; 0 without."""
        code = getattr(self.python, "__code__", None)
        return (0, 0) if code is None else (code.co_firstlineno, max(_lines(code)))

    @property
    def file(self) -> str:
        """The file that its Python function was compiled from; "" where there is none."""
        code = getattr(self.python, "__code__", None)
        return str(code.co_filename) if code is not None else ""


def _lines(code: CodeType) -> Iterator[int]:
    """The lines of some code, and of the functions inside."""
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines(constant)


def build(
    obj: Any, target: str, directory: Path, *, form: str | None = None, maker: Any = None
) -> Loss:
    """Take an object that can be called for a loss.

    Parameters
    ----------
    obj
        The object: no class.
    directory
        The working directory, absolute.
    form
        Its form, where that is known better than the object shows.
    maker
        The factory or class that made it, whose docstring and declaration count too.

    Raises
    ------
    UsageError
        If it is no loss: it cannot be called, or takes no two arguments.
    """
    from losscheck.program import resolve

    _check_callable(obj, target)
    nature = resolve.nature(obj)
    declared = _declared((obj, type(obj), nature.python, maker))
    parameters = _parameters(nature.function, nature.python, declared, target)
    _check_declared(declared, parameters, target)
    return Loss(
        target=target,
        function=nature.function,
        python=nature.python,
        form=form or _form(nature.kind, nature.python),
        parameters=parameters,
        source=None if nature.known else reading.source(nature.python, directory),
        docstring=_docstring((nature.python, obj, type(obj), maker)),
        declared=declared,
        known=nature.known,
        config=nature.config,
        autograph=nature.autograph,
        handed=obj,
    )


def _check_callable(obj: Any, target: str) -> None:
    from losscheck.program import resolve

    if resolve.is_model(obj):
        raise UsageError(f"{target} is a model, where a loss was expected")
    if not callable(obj):
        raise UsageError(
            f"{target} is {obj!r:.60} ({type(obj).__name__}), which cannot be called; a function "
            "of labels and predictions or a keras.losses.Loss was expected"
        )
    if resolve.is_metric(obj) and resolve.averaged(obj) is None:
        raise UsageError(
            f"{target} is a metric ({type(obj).__name__}): it collects in variables over batches, "
            "and no gradient passes through them, so it cannot be a loss. Name the function of "
            "labels and predictions that it computes, or write one"
        )


def _form(kind: str, python: Callable[..., Any]) -> str:
    if kind != "callable":
        return kind
    if getattr(python, "__name__", "") == "<lambda>":
        return "lambda"
    return "closure" if getattr(python, "__closure__", None) else "function"


def _declared(places: tuple[Any, ...]) -> Mapping[str, ArgumentSettings]:
    for place in places:
        declared: Mapping[str, ArgumentSettings] | None = getattr(place, ATTRIBUTE, None)
        if declared:
            return declared
    return {}


def _parameters(
    function: Callable[..., Any],
    python: Callable[..., Any],
    declared: Mapping[str, ArgumentSettings],
    target: str,
) -> tuple[Parameter, ...]:
    listed = reading.parameters_of(function)
    if listed is None:
        raise UsageError(
            f"{target}: its arguments cannot be read; wrap it in a Python function "
            "def loss(y_true, y_pred)"
        )
    names = tuple(p.name for p in listed)
    if not is_pair(names) and reading.makes_loss(python):
        example = ", ".join(f"{p.name}={p.default!r}" for p in listed if p.default is not p.empty)
        raise UsageError(
            f"{target} takes ({', '.join(names)}) and returns a loss: it is a factory. Write its "
            f"call, such as {target}({example or ', '.join(f'{name}=…' for name in names)})"
        )
    # TensorFlow's functions end in `name`, which names their operations.
    tensors = [p for p in listed if p.name != "name" or p.default is p.empty]
    if len(tensors) < 2 and not declared:  # a label and a prediction
        raise UsageError(
            f"{target} takes ({', '.join(names)}); a loss takes at least a label and a prediction. "
            f"If it makes a loss, write its call: {target}(…)"
        )
    return tuple(
        Parameter(name=p.name, default=p.default, keyword_only=p.kind is p.KEYWORD_ONLY)
        for p in listed
    )


def _check_declared(
    declared: Mapping[str, ArgumentSettings], parameters: tuple[Parameter, ...], target: str
) -> None:
    names = tuple(parameter.name for parameter in parameters)
    for name, settings in declared.items():
        if name not in names:
            raise DeclarationError(
                f"@losscheck.spec of {target} names {name!r}, which is no argument of it "
                f"({', '.join(names)}).{did_you_mean(name, names)}"
            )
        try:
            check_texts(settings, f"@losscheck.spec of {target}: {name}")
        except UsageError as error:
            raise DeclarationError(str(error)) from None


def _docstring(places: tuple[Any, ...]) -> str:
    """Join what the function, the object, its class and its factory say, each once."""
    texts: dict[str, None] = {}
    for place in places:
        cls = place if inspect.isclass(place) else type(place)
        # The docstrings of `partial` or of tf.function's class say nothing of a loss.
        library = cls.__module__.split(".")[0] in ("builtins", "functools", "tensorflow")
        own = (
            vars(place).get("__doc__") if inspect.isclass(place) else getattr(place, "__doc__", "")
        )
        if isinstance(own, str) and (inspect.isroutine(place) or not library):
            texts.setdefault(inspect.cleandoc(own))
    return "\n\n".join(text for text in texts if text)


def unrun(target: str, source: Source | None, directory: Path) -> Loss:
    """Make a loss of what its source says, which is compiled and not executed.

    Parameters
    ----------
    source
        Where it is written; None where that is not known.
    directory
        The folder that the file is named from.

    Returns
    -------
    Loss
        It cannot be called, and without a source it has no line.
    """
    python = _compiled(source, directory) or repr
    return Loss(
        target=target,
        function=python,
        python=python,
        form="function",
        parameters=(),
        source=source,
        docstring="",
        declared={},
        known=None,
        config={},
        autograph=False,
    )


def _compiled(source: Source | None, directory: Path) -> Callable[..., Any] | None:
    """The function that a source names, which has its code and no globals."""
    if source is None:
        return None
    file = directory.resolve() / source.file
    code: CodeType | None = None
    with contextlib.suppress(OSError, ValueError, SyntaxError):  # it has changed, or is gone
        tree = ast.parse(file.read_bytes(), str(file))
        first = _first(tree, source.line)
        every = within(compile(tree, str(file), "exec", dont_inherit=True))
        code = next((each for each in every if each.co_firstlineno == first), None)
    if code is None:  # its line is known yet
        nothing = (lambda: None).__code__
        code = nothing.replace(co_filename=str(file), co_firstlineno=source.line)
    return FunctionType(code.replace(co_freevars=()), {})


def _first(tree: ast.Module, line: int) -> int:
    """The first line of what is defined on a line: that of its first decorator, if it has any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == line:
            return min((line, *(each.lineno for each in node.decorator_list)))
    return line


def within(code: CodeType) -> Iterator[CodeType]:
    """The code of every function inside."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from within(each)
