"""`python -m benchmarks.keras_contract`: every loss of Keras as Keras itself calls it.

Reductions, weights, training, mixed precision, two devices, configs and saved models.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import inspect
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from benchmarks.environment import machine, versions
from benchmarks.markdown import table
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import graph_facts
from losscheck.evidence.keras.sample_weights import weighing
from losscheck.evidence.keras.training import Training, saving, task, training, why_not
from losscheck.evidence.shape.calls import XlaCall
from losscheck.findings.finding import Writer
from losscheck.infer import infer
from losscheck.model import Finding
from losscheck.program.keras.keras_loss import KerasLoss, reduced
from losscheck.program.keras.training import Trainer
from losscheck.program.quiet import undisturbed
from losscheck.program.tracing.trace import CallError
from losscheck.rules import find
from losscheck.settings.settings import Settings
from losscheck.targets import Loss, from_callable

PAGE: Final = Path(__file__).parent.parent / "docs" / "keras.md"
NO_LOSSES: Final = frozenset({"Loss", "deserialize", "get", "serialize"})
REDUCTIONS: Final = ("none", "sum", "sum_over_batch_size", "mean_with_sample_weight")
HALF: Final = 1e-5
"""Relative: a Loss casts half-precision predictions to float32, and computes in it."""

HEAD = """\
# Keras' own losses, as Keras calls them

Made by `make keras-contract`; nothing here is edited by hand. Every class and function of
`keras.losses`, with default arguments, on ordinary data of its domain.

Measured with {versions}; {machine}."""
ABOUT = """\
- *none* to *mean_with_sample_weight*: the loss with this reduction and with uneven weights, zeros
  among them, beside the formula: the same (ok), or not.
- *fit*: evaluate and fit (a smaller last batch, sample weights, labels as integers), a step
  eagerly, with labels as bools where they are such, and a step under XLA: what Keras reports beside
  direct calls.
- *mixed*: a step in mixed_float16 with loss scaling, and the loss of float16 predictions with every
  reduction beside that of the same numbers in float32.
- *mirrored*: evaluate under MirroredStrategy on two logical CPU devices, half of a batch on each;
  "batch" stands for losses whose samples depend on each other, which are compared half by half.
- *saved*: get_config and from_config with default and with other arguments, then a compiled model
  saved and loaded. Functions have no config.
- *s*: seconds of processor time of LC601, LC602 and LC603 together, fit and saving included.

A dash: not tried; the reasons are below the table."""


@attrs.frozen(kw_only=True, eq=False)
class Contract:
    """What was seen of one loss."""

    name: str
    cells: dict[str, str]
    seconds: float
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--only", default="", help="losses whose name begins so")
    arguments = parser.parse_args()
    head = HEAD.format(versions=versions(("tensorflow", "keras", "numpy")), machine=machine())
    _two_devices()
    looked = []
    for name, loss in _losses():
        if name.startswith(arguments.only):
            looked.append(_look(name, loss))
            print(name, looked[-1].cells, f"{looked[-1].seconds:.1f} s", flush=True)
    arguments.output.write_text("\n\n".join(_page(head, looked)) + "\n", encoding="utf-8")


def _two_devices() -> None:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)


def _losses() -> Iterator[tuple[str, Any]]:
    import keras

    for name, value in sorted(vars(keras.losses).items()):
        if name.startswith("_") or name in NO_LOSSES:
            continue
        if inspect.isclass(value):
            yield name, value()
        elif inspect.isfunction(value):
            yield name, value


def _look(name: str, obj: Any) -> Contract:
    loss = attrs.evolve(from_callable(obj), target=f"keras.losses:{name}")
    inferred = infer(loss, {}, home="", base=os.getcwd())
    evidence = Evidence(
        inferred=inferred,
        dtypes=("float32",),
        modes_wanted=("eager", "graph", "xla"),
        seed=0,
    )
    graph = graph_facts(evidence)
    cells: dict[str, str] = {}
    findings: list[Finding] = []
    reasons: list[str] = []
    begin = time.process_time()
    compiled = XlaCall(error=None, inputs={})  # whether XLA compiles it at all is LC506's
    trained = training(evidence, (), compiled, graph)
    own = time.process_time() - begin
    begin = time.process_time()
    gathered: dict[str, dict[str, Any]] = {
        "LC601": {"saving": saving(evidence)},
        "LC602": {"weighing": weighing(evidence, ()), "graph": graph},
        "LC603": {"training": trained},
    }
    writer = Writer(loss, Settings(), Desk(evidence), os.getcwd())
    for code, given in gathered.items():
        rule = find(code)
        first = next(iter(given.values()))
        if not first:
            reasons.append(f"{code}: {first.reason}")
        findings += writer.findings(rule, list(rule.judge(**given)))
    own += time.process_time() - begin
    codes = {finding.code for finding in findings}
    cells["saved"] = "-" if not gathered["LC601"]["saving"] else _ok("LC601" not in codes)
    cells |= _trials(trained, reasons)
    if not why_not(evidence):
        cells |= _reductions(evidence, loss, obj)
    return Contract(
        name=name,
        cells=cells,
        seconds=own,
        findings=tuple(findings),
        reasons=tuple(reasons),
    )


def _ok(right: bool) -> str:
    return "ok" if right else "no"


def _trials(trained: Any, reasons: list[str]) -> dict[str, str]:
    if not isinstance(trained, Training):
        return {"fit": "-", "mixed": "-", "mirrored": "-"}
    right = {trial.how: trial.error is None and trial.apart < 1e-3 for trial in trained.trials}
    whole = [right[how] for how in ("evaluate", "fit", "eager", "jit") if how in right]
    reasons += [f"{how}: {reason}" for how, reason in trained.left_out.items()]
    return {
        "fit": _ok(all(whole)),
        "mixed": _ok(right["mixed"]) if "mixed" in right else "-",
        "mirrored": _ok(right["mirrored"]) if "mirrored" in right else "-",
    }


def _reductions(evidence: Evidence, loss: Loss, obj: Any) -> dict[str, str]:
    """Compare every reduction with its formula, for float32 and float16 predictions."""
    import keras

    call = evidence.programs.call
    given = task(evidence)
    rows = given.parts[0]
    predicted = Trainer(call, given).outputs()[rows]
    labels, weights = given.labels[rows], np.array([0.0, 1.0, 2.0, 0.5], np.float32)
    cells: dict[str, str] = {}
    half_right = True
    for reduction in REDUCTIONS:
        if inspect.isfunction(obj):

            class Given(keras.losses.Loss):
                def call(self, y_true: Any, y_pred: Any) -> Any:
                    return obj(y_true, y_pred)

            made: Any = Given(reduction=reduction)
        else:
            made = type(obj)(reduction=reduction)
        right = True
        for dtype in ("float32", "float16"):
            p = predicted.astype(dtype)
            try:
                with undisturbed():
                    values = KerasLoss(attrs.evolve(call, handed=made)).returned(labels, p)
                    shaped = weights.reshape((-1, *(1,) * (values.ndim - 1)))
                    whole = np.asarray(made(labels, p, shaped), np.float64)
            except (Exception, CallError):
                same = False
            else:
                formula = reduced(values, shaped, reduction)
                same = bool(abs(whole.mean() - formula) <= HALF * max(abs(formula), 1e-6))
            if dtype == "float32":
                right = same
            else:
                half_right &= same
        cells[reduction] = _ok(right)
    cells["float16"] = _ok(half_right)
    return cells


def _page(head: str, looked: list[Contract]) -> Iterator[str]:
    columns = ("loss", *REDUCTIONS, "fit", "mixed", "mirrored", "saved", "s")
    rows = []
    for one in looked:
        cells = dict(one.cells)
        if cells.get("float16") == "no":
            cells["mixed"] = "no"
        shown = [cells.get(column, "-") for column in columns[1:-1]]
        rows.append([one.name, *shown, f"{one.seconds:.1f}"])
    seconds = sorted(one.seconds for one in looked)
    errors = [f for one in looked for f in one.findings if f.severity == "error"]
    yield head
    yield (
        f"{len(looked)} classes and functions, {len(errors)} errors; "
        f"{seconds[len(seconds) // 2]:.1f} s a loss (median), {seconds[-1]:.1f} s at the most."
    )
    yield table(columns, rows)
    yield ABOUT
    yield "## Not tried"
    yield "\n".join(f"- {one.name}: {'; '.join(one.reasons)}" for one in looked if one.reasons)
    yield "## Found"
    found = [(one, finding) for one in looked for finding in one.findings]
    if not found:
        yield "Nothing."
    for one, finding in found:
        yield f"### {one.name}: {finding.code} {finding.slug}, {finding.severity}"
        yield f"{finding.message} {finding.cause}"
        yield f"```python\n{finding.reproduce.rstrip()}\n```"


if __name__ == "__main__":
    main()
