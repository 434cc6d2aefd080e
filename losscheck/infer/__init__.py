"""From a loss to its Spec: declared before known before inferred, with the reason kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.config import ArgumentSettings
from losscheck.infer.choose import Choice, label, prediction
from losscheck.infer.hints import hints
from losscheck.infer.known import known
from losscheck.infer.layouts import (
    INDEX_PAIRS,
    PAIRS,
    WIDTHS,
    Shapes,
    documented,
    layouts,
    with_width,
)
from losscheck.infer.roles import roles
from losscheck.infer.spec import Spec, last_letter, main_sizes, narrow_sizes
from losscheck.model import Argument
from losscheck.program.programs import Programs
from losscheck.program.trace import Call, CallError
from losscheck.program.wiring import Wiring, wiring
from losscheck.shapes import parse
from losscheck.targets import Loss

PROBES = 64  # ordinary cases that a domain is tried on
FINITE_SHARE = 0.99  # of them that must be finite


@attrs.frozen(kw_only=True, eq=False)
class Inferred:
    """A spec, the programs of the loss, and what it raised where no layout runs at all."""

    spec: Spec
    programs: Programs
    error: CallError | None = None


@attrs.frozen(kw_only=True, eq=False)
class _Known:
    """What needs no inference, by argument: domain, shape, and where it comes from."""

    roles: Mapping[str, str]
    domains: Mapping[str, str]
    shapes: Mapping[str, str]
    origins: Mapping[str, tuple[str, str]]  # argument -> (origin, why)


def infer(
    loss: Loss, declared: Mapping[str, ArgumentSettings], *, home: str, base: str
) -> Inferred:
    """Find the domain, shape and role of every argument.

    Parameters
    ----------
    loss
        The loss.
    declared
        What the user says of its arguments, the configuration laid over the decorator.
    home, base
        The folder of its source, and the folder that files are reported relative to.

    Raises
    ------
    OutputError
        The loss returns no tensor of numbers.
    UsageError
        A declaration does not fit the loss.
    """
    given = _given(loss, declared)
    names = tuple(given.roles)
    programs = Programs(_call(loss, declared, given.roles, home, base))
    shapes, sizes, error = _layout(programs, given, PAIRS)
    if error is None and not _declares_labels(given):
        shapes, sizes = _sparse_layout(programs, given, shapes, sizes)
    arguments, narrowed = _arguments(programs, given, shapes, sizes, traced=error is None)
    spec = Spec(
        arguments=tuple(arguments[name] for name in names),
        constants={n: d.value for n, d in declared.items() if d.constant},
        sizes=sizes,
        narrow=narrow_sizes(tuple(arguments.values()), sizes),
        narrowed=narrowed,
    )
    return Inferred(spec=spec, programs=programs, error=error)


def _given(loss: Loss, declared: Mapping[str, ArgumentSettings]) -> _Known:
    found_roles = roles(loss, declared)
    by_role = {role: name for name, role in reversed(found_roles.items())}
    table = known(loss.known, loss.config)
    written = documented(loss.docstring, tuple(found_roles))
    found_domains, shapes, origins = {}, {}, {}
    for name, shape in written.items():
        if found_roles[name] not in (
            "y_true",
            "y_pred",
        ):  # of the pair, only the ranks vary, and are tried
            shapes[name], origins[name] = shape, ("inferred", "its docstring gives the shape")
    for role, (domain, shape) in table.items():
        name = by_role.get(role, "")
        if name:
            found_domains[name], shapes[name] = domain, shape
            origins[name] = ("known", f"{loss.known} takes it")
    for name, settings in declared.items():
        if name in found_roles and (settings.domain or settings.shape):
            origins[name] = ("declared", "")
            if settings.domain:
                found_domains[name] = domains.parse(settings.domain).name
            if settings.shape:
                shapes[name] = parse(settings.shape).text
    return _Known(roles=found_roles, domains=found_domains, shapes=shapes, origins=origins)


def _call(
    loss: Loss,
    declared: Mapping[str, ArgumentSettings],
    found: Mapping[str, str],
    home: str,
    base: str,
) -> Call:
    names = tuple(found)
    order = [parameter.name for parameter in loss.parameters]
    positional = 0
    keyword_only = {parameter.name for parameter in loss.parameters if parameter.keyword_only}
    while (
        positional < len(names)
        and names[positional] == order[positional]
        and names[positional] not in keyword_only
    ):
        positional += 1
    return Call(
        function=loss.function,
        names=names,
        positional=positional,
        prediction=next(name for name, role in found.items() if role == "y_pred"),
        constants={n: d.value for n, d in declared.items() if d.constant},
        home=home,
        base=base,
        autograph=loss.autograph,
    )


def _declares_labels(given: _Known) -> bool:
    names = [name for name, role in given.roles.items() if role == "y_true"]
    return all(name in given.shapes for name in names)


def _layout(
    programs: Programs, given: _Known, pairs: Sequence[tuple[str, str]]
) -> tuple[Shapes, dict[str, int], CallError | None]:
    """Find the first layout that runs; where none does, the first one and what it raised."""
    first: tuple[Shapes, dict[str, int], CallError] | None = None
    for shapes in layouts(given.roles, given.shapes, pairs):
        parsed = {name: parse(text) for name, text in shapes.items()}
        sizes = main_sizes(parsed)
        error = _runs(programs, shapes, sizes)
        if error is None:
            return _settle_width(programs, given, shapes, sizes)
        first = first or (shapes, sizes, error)
        if _hopeless(error):
            break
        letter = last_letter(parsed)
        for width in WIDTHS if letter and pairs is PAIRS else ():
            sizes = main_sizes(parsed, width)
            if _runs(programs, shapes, sizes) is None:
                return _settle_width(programs, given, shapes, sizes)
    assert first is not None  # layouts gives at least one
    return first


def _hopeless(error: CallError) -> bool:
    """Say whether no other shape can help: a name that does not exist is missing in all of them."""
    missing = (AttributeError, NameError, ImportError, NotImplementedError)
    return isinstance(error.error, missing)


def _settle_width(
    programs: Programs, given: _Known, shapes: Shapes, sizes: dict[str, int]
) -> tuple[Shapes, dict[str, int], None]:
    """Write a number for the last axis where the loss runs at no other size."""
    letter = last_letter({name: parse(text) for name, text in shapes.items()})
    free = [name for name in shapes if name not in given.shapes]
    if (
        not letter
        or not free
        or (given.roles and any(letter in given.shapes.get(n, "") for n in shapes))
    ):
        return shapes, sizes, None
    other = {**sizes, letter: sizes[letter] + 1}
    if _runs(programs, shapes, other) is None:
        return shapes, sizes, None
    fixed = with_width(shapes, letter, sizes[letter])
    return fixed, {name: size for name, size in sizes.items() if name != letter}, None


def _runs(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> CallError | None:
    try:
        programs.at({name: parse(text).at(sizes) for name, text in shapes.items()})
    except CallError as error:
        return error
    return None


def _sparse_layout(
    programs: Programs, given: _Known, shapes: Shapes, sizes: dict[str, int]
) -> tuple[Shapes, dict[str, int]]:
    """Take labels that are used as class indices for what they are: one axis less."""
    graph = _wiring(programs, shapes, sizes)
    labels = [name for name, role in given.roles.items() if role == "y_true"]
    if graph is None or not labels:
        return shapes, sizes
    if not any(hint.use == "index" for hint in hints(graph, labels[0])):
        return shapes, sizes
    for pair in INDEX_PAIRS:
        rank = parse(shapes[programs.call.prediction]).rank
        if parse(pair[1]).rank == rank:
            found, found_sizes, error = _layout(programs, given, (pair,))
            if error is None:
                return found, found_sizes
    return shapes, sizes


def _wiring(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> Wiring | None:
    program = programs.at({name: parse(text).at(sizes) for name, text in shapes.items()})
    if program.traced is None:
        return None
    return wiring(program.traced, programs.call.names, programs.call.prediction)


def _arguments(
    programs: Programs, given: _Known, shapes: Shapes, sizes: dict[str, int], *, traced: bool
) -> tuple[dict[str, Argument], str]:
    graph = _wiring(programs, shapes, sizes) if traced else None
    options = _options(given, shapes, graph)
    chosen, narrowed = _first_finite(programs, options, shapes, sizes) if traced else ({}, "")
    arguments = {}
    for name, role in given.roles.items():
        choice = chosen.get(name, options[name][0])
        origin, why = given.origins.get(name, ("inferred", choice.why))
        if origin == "inferred" and name in given.domains:
            why = why or choice.why
        arguments[name] = Argument(
            name=name,
            role=role,
            domain=choice.domain,
            shape=parse(shapes[name]).text,
            dtype="float32",
            origin=origin,
            why=why,
            plausible=choice.plausible if name not in given.domains else (),
        )
    return arguments, narrowed


def _options(given: _Known, shapes: Shapes, graph: Wiring | None) -> dict[str, tuple[Choice, ...]]:
    """The domains that each argument may have, the likeliest first; one where it is given."""
    uses = {name: hints(graph, name) if graph else () for name in given.roles}
    target = next(name for name, role in given.roles.items() if role == "y_pred")
    options: dict[str, tuple[Choice, ...]] = {}
    for name, role in sorted(given.roles.items(), key=lambda item: item[1] != "y_pred"):
        if name in given.domains:
            options[name] = (Choice(given.domains[name], ""),)
        elif role == "y_pred":
            options[name] = prediction(uses[name])
        elif role == "y_true":
            same = parse(shapes[name]).rank == parse(shapes[target]).rank
            options[name] = label(uses[name], options[target][0], same)
        elif role == "weight":
            domain = "mask" if "mask" in name else "weight"
            options[name] = (Choice(domain, "named as a weight"),)
        else:
            options[name] = (Choice("real", "nothing is known of it"),)
    return options


def _first_finite(
    programs: Programs,
    options: Mapping[str, tuple[Choice, ...]],
    shapes: Shapes,
    sizes: dict[str, int],
) -> tuple[dict[str, Choice], str]:
    """Choose the first domains on whose ordinary points loss and gradient are finite."""
    combinations = _combinations(options)
    narrowed = ""
    for chosen in combinations:
        share = _finite_share(programs, chosen, shapes, sizes)
        if share >= FINITE_SHARE:
            return chosen, narrowed
        narrowed = narrowed or _narrowed(chosen, share)
    return combinations[0], ""


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
                    {**base, **{n: attrs.evolve(options[n][0], domain=same) for n in names}}
                )
    return result


def _finite_share(
    programs: Programs, chosen: Mapping[str, Choice], shapes: Shapes, sizes: dict[str, int]
) -> float:
    at = {name: parse(text).at(sizes) for name, text in shapes.items()}
    last = at[programs.call.prediction][-1:] or (2,)
    inputs: dict[str, Any] = {}
    for i, (name, choice) in enumerate(chosen.items()):
        domain = domains.parse(choice.domain)
        inputs[name] = domain.ordinary(PROBES, at[name], seed=i, classes=max(2, last[0]))
    try:
        outcome = programs.at(at).run(inputs)
    except Exception:  # an index out of range, say: not this domain
        return 0.0
    finite = np.isfinite(outcome.total) & np.isfinite(
        outcome.gradient.reshape(PROBES, -1).astype(float)
    ).all(axis=1)
    return float(finite.mean())
