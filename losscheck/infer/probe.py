"""Choosing domains: the first that the graph suggests whose ordinary points are all finite."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from losscheck import domains
from losscheck.infer.choose import Choice, label, parameter, prediction
from losscheck.infer.known import Given
from losscheck.infer.layouts import Shapes
from losscheck.infer.learnt import learnt
from losscheck.infer.spec import Spec
from losscheck.infer.uses import Uses
from losscheck.program.programs import Programs
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import Runnable

PROBES = 64  # ordinary cases that a domain is tried on
FEWEST = 4  # of large samples, each of which holds many numbers
WORK = 1 << 26  # elements times operations that a domain is tried on, beyond the fewest cases
UNREAD = 100  # operations, for all that is known, of a loss without a graph
FINITE_SHARE = 0.99  # of them that must be finite


def options(
    given: Given, shapes: Shapes, program: Program | None, integers: Collection[str] = ()
) -> dict[str, tuple[Choice, ...]]:
    """The domains that each argument may have, the likeliest first; one where it is given.

    What is taken as integers alone (`integers`) holds whole numbers.
    """
    uses = Uses(program, _columned(given, shapes))
    target = given.prediction
    found: dict[str, tuple[Choice, ...]] = {}
    for name, role in sorted(given.roles.items(), key=lambda item: item[1] != "y_pred"):
        if name in given.domains:
            found[name] = (Choice(given.domains[name], ""),)
        elif role == "y_pred":
            found[name] = uses.choices(name, prediction)
        elif role == "y_true":
            more = shapes[name].rank - shapes[target].rank
            chosen = found[target][0]
            found[name] = uses.choices(name, partial(label, chosen=chosen, more=more))
            if name in integers:
                whole = [c for c in found[name] if domains.parse(c.domain).integral]
                found[name] = (*whole, Choice("count", "is taken as integers alone"))
        elif role == "weight":
            domain = "mask" if "mask" in name else "weight"
            found[name] = (Choice(domain, "named as a weight"),)
        else:
            found[name] = uses.choices(name, parameter)
        if given.data is not None and name not in given.domains:
            rows = given.data.rows
            beside = rows[target] if role == "y_true" else None
            found[name] = (learnt(found[name], rows[name], role, beside),)
    return found


def _columned(given: Given, shapes: Shapes) -> tuple[str, ...]:
    """The arguments whose columns may have domains of their own: not those of any width."""
    return tuple(
        name
        for name in given.roles
        if name not in given.domains
        and not (name in given.shapes and isinstance((0, *shapes[name].dims)[-1], str))
    )


def first_finite(
    programs: Programs,
    options: Mapping[str, tuple[Choice, ...]],
    at: Mapping[str, tuple[int, ...]],
) -> tuple[dict[str, Choice], str]:
    """Choose the first domains on whose ordinary points loss and gradient are finite."""
    combinations = _combinations(options)
    narrowed = ""
    for chosen in combinations:
        share = _finite_share(programs, chosen, at)
        if share >= FINITE_SHARE:
            return chosen, narrowed
        narrowed = narrowed or _narrowed(chosen, share)
    return combinations[0], ""


def wider(options: Sequence[Choice], chosen: Choice) -> str:
    """Name the plausible domain of the prediction that its uses rule out; "" for none.

    A use that takes no negative number does so; and where ordinary points of the likeliest domain
    are not finite, that one was likelier.
    """
    first = options[0]
    return chosen.wider or ("" if chosen.domain == first.domain else first.domain)


def _narrowed(chosen: Mapping[str, Choice], share: float) -> str:
    domains_tried = ", ".join(f"{name} in {choice.domain}" for name, choice in chosen.items())
    return f"ordinary points with {domains_tried} are finite in {share:.0%} of the cases only"


def _combinations(options: Mapping[str, tuple[Choice, ...]]) -> list[dict[str, Choice]]:
    """All first choices, then one argument after the other varied, the prediction first."""
    base = {name: choices[0] for name, choices in options.items()}
    result = [base]
    for name, choices in options.items():
        result += [{**base, name: choice} for choice in choices[1:]]
    names = [name for name, choices in options.items() if len(choices) > 1]
    if len(names) > 1:
        for same in dict.fromkeys(c.domain for c in options[names[0]]):
            pick = {n: next((c for c in options[n] if c.domain == same), None) for n in names}
            if all(pick.values()):
                result.append({**base, **{n: c for n, c in pick.items() if c is not None}})
            else:
                result.append(
                    {**base, **{n: Choice(same, "the loss is finite there") for n in names}}
                )
    return result


def ever_finite(programs: Programs, spec: Spec, sizes: Mapping[str, int]) -> bool:
    """Whether the loss is finite for any ordinary input at these sizes.

    A difference along an axis of one is empty, and its mean NaN whatever it is given: where nobody
    said that the axis may be so short, it may not.
    """
    at = spec.shapes(sizes)
    program = programs.at(at)
    inputs = _ordinary(program, {a.name: a.domain for a in spec.arguments}, at)
    try:
        total = program.run(inputs).total
    except Exception:  # other evidence tells of it
        return True
    return bool(np.isfinite(total).any())


def _ordinary(
    program: Runnable, chosen: Mapping[str, str], at: Mapping[str, tuple[int, ...]]
) -> dict[str, Any]:
    last = at[program.prediction][-1:] or (2,)
    cases = probes(program, at)
    return {
        name: domains.parse(domain).ordinary(cases, at[name], seed=i, classes=max(2, last[0]))
        for i, (name, domain) in enumerate(chosen.items())
    }


def probes(program: Runnable, at: Mapping[str, tuple[int, ...]]) -> int:
    """The number of cases that a domain is tried on: fewer where each is large and long to run."""
    elements = sum(math.prod(shape) for shape in at.values())
    graphed = program.graphed
    operations = UNREAD if graphed is None else len(graphed.wiring.forward)
    return min(PROBES, max(FEWEST, WORK // max(1, elements * operations)))


def _finite_share(
    programs: Programs, chosen: Mapping[str, Choice], at: Mapping[str, tuple[int, ...]]
) -> float:
    program = programs.at(at)
    inputs = _ordinary(program, {name: choice.domain for name, choice in chosen.items()}, at)
    try:
        outcome = program.run(inputs)
    except Exception:  # an index out of range, say: not this domain
        return 0.0
    finite = np.isfinite(outcome.total) & np.isfinite(
        outcome.gradient.reshape(len(outcome.gradient), -1).astype(float)
    ).all(axis=1)
    return float(finite.mean())
