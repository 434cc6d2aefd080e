"""Checking a loss from Python."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import attrs
from numpy.typing import ArrayLike

from losscheck.comparison import Comparison
from losscheck.model import LossReport, UsageError, Verdict
from losscheck.result import CheckResult, ComparisonResult, UnstableLossError
from losscheck.settings.budget import DEFAULT
from losscheck.settings.decorator import Declaration
from losscheck.settings.given import laid_over
from losscheck.settings.settings import MODES, Settings
from losscheck.targets import Loss, from_callable, losses_of_model, resolve

# A file or what yields batches by name; arrays by argument or in order; or what gives such batches.
Data = str | Mapping[str, ArrayLike] | Iterable[Any] | Callable[[], Any]


def check(
    loss: str | Callable[..., Any],
    *,
    arguments: Mapping[str, Declaration] | None = None,
    dtypes: str | Sequence[str] = ("float32",),
    modes: str | Sequence[str] = MODES,
    select: str | Sequence[str] = (),
    ignore: Mapping[str, str] | str | Sequence[str] | None = None,
    seed: int = 0,
    order: int = 1,
    data: Data | None = None,
    budget: float = DEFAULT,
) -> CheckResult:
    """Check one loss: its gradient, its NaN and Inf, its shapes.

    No configuration file is read; what the loss declares with `@losscheck.spec` holds.

    Parameters
    ----------
    loss
        A function of labels and predictions, a keras.losses.Loss, a tf.function, a target as on the
        command line ("my_module:my_loss", "mse"), or a compiled Keras model: what it is trained on,
        down to its weights, and the loss of each of its outputs.
    arguments
        What is declared of each, by name: a domain, as "probability" or "probability:(B, D)", or a
        mapping with the keys domain, shape, role, value.
    dtypes
        The required dtypes: "float32, float16" or a list, of bfloat16 and float64, too.
    modes
        Of "eager", "graph" and "xla".
    select
        Codes of the rules to run, or their beginnings ("LC2"); empty for all.
    ignore
        Code to reason, or "CODE=REASON": findings of these rules are set apart, with the reason.
    seed
        The seed of everything random.
    order
        2 checks the second derivative, too (LC106).
    data
        Data to check on, and around: "batch.npz" or "my_module:batches", arrays by argument, a
        tuple of arrays, or what gives such batches. The first axis is the batch.
    budget
        Seconds of processor time, after which rules are left out and named; 0 for no end.

    Returns
    -------
    CheckResult
        What was found; its `verdict` is "pass", "fail", "inconclusive" or "error".

    Raises
    ------
    UsageError
        If something given cannot be used.
    """
    settings = _settings(arguments, dtypes, modes, select, ignore, seed, order, budget)
    return checked(losses_of(loss), settings, data)


def _settings(
    arguments: Mapping[str, Declaration] | None,
    dtypes: str | Sequence[str],
    modes: str | Sequence[str],
    select: str | Sequence[str],
    ignore: Mapping[str, str] | str | Sequence[str] | None,
    seed: int,
    order: int,
    budget: float,
) -> Settings:
    """Settings of what was given, each checked by its name."""
    given: dict[str, Any] = {
        "arguments": arguments,
        "dtypes": dtypes,
        "modes": modes,
        "select": select,
    }
    given |= {"ignore": ignore, "seed": seed, "order": order, "budget": budget}
    return laid_over(Settings(directory=os.getcwd()), given)


def checked(losses: Sequence[Loss], settings: Settings, data: Data | None = None) -> CheckResult:
    """Examine a loss, or a model and the losses of its outputs, as one report.

    Raises
    ------
    UsageError
        What is declared, or the data, cannot be used.
    """
    from losscheck.engine import outcomes
    from losscheck.engine.task import Task, examine

    first, *others = losses
    if data is not None and first.compiled is not None:
        raise UsageError(f"data are for the losses of {first.target}: check one of them by name")
    own: dict[str, Any] = {} if data is None else {"data": data}
    reports = [examine(Task(target=loss.target, settings=settings), loss, **own) for loss in losses]
    found = outcomes.together(reports[0], reports[1:]) if others else reports[0]
    from losscheck.program.quiet import environment

    given = {field.name: getattr(found, field.name) for field in attrs.fields(LossReport)}
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return CheckResult(**given, environment=environment(), seed=settings.seed, date=date)


def compare(
    old: str | Callable[..., Any],
    new: str | Callable[..., Any],
    *,
    arguments: Mapping[str, Declaration] | None = None,
    dtypes: str | Sequence[str] = ("float32",),
    modes: str | Sequence[str] = MODES,
    seed: int = 0,
    budget: float = DEFAULT,
) -> Comparison:
    """Say whether two losses are the same function, as one asks of a rewrite.

    Values, gradients, shapes and dtypes are compared over the domain of the old loss, declared or
    inferred, in the cases that a check of either of them looks at, in every mode. Where they differ
    by more than rounding, exact numbers say whose is right.

    Parameters
    ----------
    old, new
        The losses, as in `check`. The new one takes the same arguments by position.
    arguments
        What is declared of the arguments of the old loss, as in `check`.
    dtypes
        The dtypes to compare in: "float32", "float16", "bfloat16", "float64".
    modes
        Of "eager", "graph" and "xla".
    seed
        The seed of everything random.
    budget
        Seconds of processor time for each of the two losses; 0 for as many as it takes.

    Returns
    -------
    Comparison
        Its `answer` is "same"; "repairs", where they differ only where the old loss gives NaN or
        Inf, or has lost its digits, and the new one is right; or "differ". Each of its
        `differences` has the simplest case that shows it. ``print`` shows what the terminal shows.

    Raises
    ------
    UsageError
        If something given cannot be used, the old loss does not run, or the new one takes other
        arguments.

    Examples
    --------
    >>> compare("mse", my_mse).answer  # doctest: +SKIP
    'same'
    """
    from losscheck.comparing import compare as compared

    settings = _settings(arguments, dtypes, modes, (), None, seed, 1, budget)
    found = compared(losses_of(old)[0], losses_of(new)[0], settings)
    told = {field.name: getattr(found, field.name) for field in attrs.fields(Comparison)}
    return ComparisonResult(**told)


class CheckOptions(TypedDict, total=False):
    """What `check` takes besides the loss."""

    arguments: Mapping[str, Declaration] | None
    dtypes: str | Sequence[str]
    modes: str | Sequence[str]
    select: str | Sequence[str]
    ignore: Mapping[str, str] | str | Sequence[str] | None
    seed: int
    order: int
    data: Data | None
    budget: float


def assert_stable(loss: str | Callable[..., Any], **options: Unpack[CheckOptions]) -> None:
    """Fail a test unless a loss passes.

    Parameters
    ----------
    loss
        The loss, as in `check`.
    **options
        As in `check`: arguments, dtypes, modes, select, ignore, seed, order, data, budget.

    Raises
    ------
    UnstableLossError
        If the verdict is not "pass": an AssertionError whose message is the report as the terminal
        shows it, and whose `result` is what `check` gives.
    UsageError
        If something given cannot be used.

    Examples
    --------
    >>> def test_my_loss():
    ...     losscheck.assert_stable(my_loss, arguments={"y_pred": "probability"})
    """
    __tracebackhide__ = True  # pytest shows the user's line, and none of ours
    result = check(loss, **options)
    if result.verdict != Verdict.PASS:
        raise UnstableLossError(result)


def losses_of(loss: Any) -> list[Loss]:
    """Give the loss; of a compiled model what it is trained on, and the losses of its outputs.

    Raises
    ------
    UsageError
        There is none, or there are several.
    """
    if isinstance(loss, str):
        return _named(loss)
    if not callable(loss):
        raise UsageError(
            f"loss: {loss!r:.60} ({type(loss).__name__}) cannot be called; expected a function of "
            'labels and predictions, a keras.losses.Loss, or a target such as "my_module:my_loss"'
        )
    from losscheck.program import resolve as objects

    return losses_of_model(loss) if objects.is_model(loss) else [from_callable(loss)]


def _named(target: str) -> list[Loss]:
    losses, left_out = resolve(target, Path.cwd())
    if len(losses) == 1 or (losses and losses[0].compiled is not None):
        return losses
    if losses:
        names = ", ".join(loss.target for loss in losses)
        raise UsageError(f"{target!r} holds {len(losses)} losses; check one of them: {names}")
    reasons = "".join(f"\n  {item.target}: {item.reason}" for item in left_out)
    raise UsageError(f"there is no loss in {target!r}.{reasons}")
