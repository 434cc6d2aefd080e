"""`python -m benchmarks.rewriting`: what rewriting makes of expressions that lose digits."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import ast
import inspect
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.environment import machine, versions
from benchmarks.markdown import table
from benchmarks.peers import everyday, hamming
from losscheck.model import Array
from losscheck.rewriting import Error, Rewriting, leaves_in, rewritings
from losscheck.rewriting.arithmetic import error
from losscheck.rewriting.inlining import inlined
from losscheck.rewriting.judging import Judge
from losscheck.rewriting.python import read

PAGE = Path(__file__).parent.parent / "docs" / "rewriting.md"
GIVEN = 256  # points that the search has
MEASURED = 1024  # others, on which the numbers of the page are measured
REACH = 1e-6  # a domain around 0 is sampled down to this part of its ends
BAR = 3.0  # mean bits


@dataclass(frozen=True)
class Result:
    """An expression, what became of it, and what TensorFlow loses in both."""

    text: str
    best: Rewriting | None
    seconds: float
    before: tuple[Error, Error]  # of value and derivative
    after: tuple[Error, Error]


def sample(domains: Mapping[str, Any], count: int, seed: int) -> dict[str, Array]:
    """Numbers of all sizes in each domain, float32."""
    rng = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for name, domain in domains.items():
        if isinstance(domain, everyday.Near):
            sizes = np.exp(rng.uniform(*np.log(domain.apart), count))
            apart = 1.0 + sizes * np.where(rng.random(count) < 0.5, 1.0, -1.0)
            numbers = apart * (found[domain.of] if domain.of else 1.0)
        elif domain[0] * domain[1] > 0:
            low, high = sorted(map(abs, domain))
            sizes = np.exp(rng.uniform(np.log(low), np.log(high), count))
            numbers = sizes * np.sign(domain[0])
        else:
            sizes = np.exp(rng.uniform(np.log(REACH), 0, count))
            numbers = sizes * np.where(rng.random(count) < 0.5, *domain)
        found[name] = numbers.astype(np.float32)
    return found


def measure(text: str, domains: Mapping[str, Any], by: Sequence[str]) -> Result:
    """Rewrite an expression, and run it and what it became in TensorFlow, at other points."""
    given = sample(domains, GIVEN, 0)
    start = time.process_time()
    found = rewritings(text, given, by=by)
    seconds = time.process_time() - start
    best = found[0] if found else None
    numbers = sample(domains, MEASURED, 1)
    judge = Judge(read(text), numbers, frozenset(by))
    before = _lost(judge, [], text, numbers)
    after = _lost(judge, best.statements, best.text, numbers) if best else before
    return Result(text, best, seconds, before, after)


def _lost(
    judge: Judge, statements: Sequence[str], text: str, numbers: Mapping[str, Array]
) -> tuple[Error, Error]:
    """What TensorFlow loses in value and derivative, one operation at a time.

    As a graph it would mend a few expressions by itself: exp(x) - 1 alone becomes expm1 there.
    """
    values = {name: tf.constant(array) for name, array in numbers.items()}
    space = {"tf": tf, **values}
    with tf.GradientTape() as tape:
        tape.watch(list(values.values()))
        exec("\n".join([*statements, f"result = {text}"]), space)
    slopes = tape.gradient(space["result"], values)
    given = {name: np.asarray(slope) for name, slope in slopes.items() if slope is not None}
    value = np.asarray(space["result"])
    return error(judge.value_lost(value)), error(judge.slope_lost(given))


def expression_of(loss: Callable[..., Any]) -> str:
    """What a loss returns, with its local names written out."""
    functions = {"cube_root": inspect.getsource(hamming.cube_root)}
    source = textwrap.dedent(inspect.getsource(loss))
    (found,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Return))
    assert found.value is not None
    return inlined(source, ast.unparse(found.value), found.lineno, None, functions)


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    output = parser.parse_args().output
    textbook, twins = {}, {}
    for name, problem in hamming.PROBLEMS.items():
        domains = {"y_true": hamming.LABEL, **problem.domains}
        textbook[name] = measure(expression_of(problem.loss), domains, ["y_pred"])
        if problem.sound:
            twins[name] = measure(expression_of(problem.sound), domains, ["y_pred"])
    own = {
        name: measure(text, domains, leaves_in(text))
        for name, (text, domains) in everyday.EXPRESSIONS.items()
    }
    page = _page(textbook, twins, own)
    print(page)
    output.write_text(page + "\n", encoding="utf-8")


def _page(
    textbook: Mapping[str, Result], twins: Mapping[str, Result], own: Mapping[str, Result]
) -> str:
    parts = [
        "# Rewriting",
        "Made by `make rewriting`; nothing here is edited by hand.",
        f"- Made with {versions(('tensorflow', 'numpy', 'mpmath'))}\n- Machine: {machine()}",
        textwrap.fill(ABOUT, 100),
        "## Hamming's 28 problems",
        textwrap.fill(f"{_reached(textbook)} {_of_twins(twins)}", 100),
        table(
            ["problem", "before", "after", "derivative before", "after", *PUBLISHED, "s"],
            [_hamming_row(name, result) for name, result in textbook.items()],
        ),
        textwrap.fill(PUBLISHED_ABOUT, 100),
        "### What was written",
        _written(textbook),
        "## Expressions of everyday losses",
        _reached(own),
        table(
            ["expression", "before", "after", "derivative before", "after", "s"],
            [[name, *_figures(result)] for name, result in own.items()],
        ),
        "### What was written",
        _written(own),
    ]
    return "\n\n".join(parts)


PUBLISHED = ("Herbie, before", "after", "textbook")
ABOUT = f"""Bits lost are log2(1 + the error in ulps), beside exact numbers; a NaN or an Inf where
the truth is finite counts as 32. Means over {MEASURED} points, in brackets the maximum. What is
measured is what TensorFlow gives for the text that was written, value and derivative (by y_pred, or
by all names), in float32. The points are spread evenly over the orders of magnitude of each domain,
in one around 0 down to a millionth of its ends. The search had {GIVEN} other points. Of a
derivative, what is small beside its median is not lost. *s*: seconds of processor time."""
PUBLISHED_ABOUT = """Herbie's figures are those that it has published: mean bits in binary64, over
numbers of all sizes, of the formula, of what Herbie makes of it, and of the textbook's form where
there is one. They are other points and another type: to be read beside ours, not against them."""


def _reached(results: Mapping[str, Result]) -> str:
    good = [name for name, result in results.items() if result.after[0].mean <= BAR]
    missed = [name for name in results if name not in good]
    told = f"{len(good)} of {len(results)} lose {BAR:g} bits or less on average when rewritten"
    return f"{told}; not so: {', '.join(missed)}." if missed else f"{told}."


def _of_twins(twins: Mapping[str, Result]) -> str:
    told = f"Of their {len(twins)} sound twins {{}} left as they are"
    touched = {name: result for name, result in twins.items() if result.best}
    if not touched:
        return told.format("all are") + "."
    changes = [
        f"{name} (value {r.before[0].mean:.1f} to {r.after[0].mean:.1f}, "
        f"derivative {r.before[1].mean:.1f} to {r.after[1].mean:.1f})"
        for name, r in touched.items()
    ]
    left = f"{len(twins) - len(touched)} are"
    return f"{told.format(left)}; those that still lose bits are rewritten: {', '.join(changes)}."


def _figures(result: Result) -> list[str]:
    (value, slope), (new_value, new_slope) = result.before, result.after
    bits = [f"{e.mean:.1f} ({e.maximum:.0f})" for e in (value, new_value, slope, new_slope)]
    return [*bits, f"{result.seconds:.1f}"]


def _hamming_row(name: str, result: Result) -> list[str]:
    problem = hamming.PROBLEMS[name]
    *bits, seconds = _figures(result)
    textbook = "-" if problem.textbook is None else f"{problem.textbook:.1f}"
    return [name, *bits, *(f"{b:.1f}" for b in problem.herbie), textbook, seconds]


def _written(results: Mapping[str, Result]) -> str:
    told = []
    for name, result in results.items():
        lines = [f"# {name}: {result.text}"]
        if result.best:
            lines += [f"# if {condition}" for condition in result.best.conditions]
            lines += [*result.best.statements, result.best.text]
        else:
            lines.append("# nothing better was found")
        told.append("\n".join(lines))
    return "```python\n" + "\n\n".join(told) + "\n```"


if __name__ == "__main__":
    main()
