"""From a loss to its Spec: declared before known before inferred, with the reason kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from losscheck import domains
from losscheck.cases.user_data import Data
from losscheck.infer import compiled
from losscheck.infer.choose import Choice
from losscheck.infer.data import Asked, arranged, layout
from losscheck.infer.fit import reached
from losscheck.infer.known import Given, floats_in, intervals_in, known, shapes_in
from losscheck.infer.layouts import (
    INDEX_PAIRS,
    PAIRS,
    Pairs,
    Shapes,
    with_columns,
    with_numbers,
    with_widths,
)
from losscheck.infer.learnt import met, refuse, summary
from losscheck.infer.probe import ever_finite, first_finite, wider
from losscheck.infer.probe import options as domain_options
from losscheck.infer.settle import (
    declares_labels,
    find_layout,
    is_unfit,
    sparse_layout,
    whole_labels,
    wiring_at,
)
from losscheck.infer.slices import listed
from losscheck.infer.spec import Spec, by_gradient, narrow_sizes, roles
from losscheck.model import Argument, Met
from losscheck.program.programs import Programs
from losscheck.program.structures import Structure, structures
from losscheck.program.tracing.trace import Call, CallError
from losscheck.settings.argument_names import role as role_named
from losscheck.settings.settings import ArgumentSettings
from losscheck.settings.shapes import parse
from losscheck.targets import Loss, Parameter

__all__ = ["Asked", "Inferred", "infer"]


@attrs.frozen(kw_only=True, eq=False)
class Inferred:
    """A spec, the programs of the loss, and what it raised where no layout runs at all."""

    spec: Spec
    programs: Programs
    error: CallError | None = None
    data: Data | None = None  # of the user
    refused: CallError | None = None  # what labels of floats raise, where integers run
    structures: Mapping[str, Structure] = attrs.field(factory=dict)  # arguments that are no tensors


def infer(
    loss: Loss,
    declared: Mapping[str, ArgumentSettings],
    *,
    home: str,
    base: str,
    data: Asked | None = None,
) -> Inferred:
    """Find the domain, shape and role of every argument.

    Parameters
    ----------
    declared
        What the user says of its arguments, the configuration laid over the decorator.
    home, base
        The folder of its source, and the folder that files are reported relative to.
    data
        The user's data, if there are any.

    Raises
    ------
    OutputError
        The loss returns no tensor of numbers.
    UsageError
        A declaration or the data do not fit the loss.
    """
    rows = None
    if data is not None:
        rows, declared = arranged(loss, declared, data)
    names = roles(loss, declared)
    laid = _laid(loss, declared, names, rows, home, base)
    other = by_gradient(names, declared, laid.reached)
    if other != names:
        laid = _laid(loss, declared, other, rows, home, base)
    error = laid.error
    constants = {name: said.value for name, said in declared.items() if said.constant}
    spec = _spec(laid, tuple(names), constants)
    entries = _lists(laid, data)
    if entries:
        error = CallError(TypeError("a list of tensors is taken"), None)
    if error is None and not spec.laid_out and not _is_able(laid.programs, spec):
        spec = attrs.evolve(spec, narrow=spec.one_sample)
    return Inferred(
        spec=spec,
        programs=laid.programs,
        error=error,
        data=rows,
        refused=laid.refused,
        structures=entries or _no_tensors(laid.programs, error, spec),
    )


def _spec(laid: _Laid, names: tuple[str, ...], constants: Mapping[str, Any]) -> Spec:
    """What the arguments are, where they are laid out."""
    given = laid.given
    arguments, narrowed, beyond = _arguments(
        laid.programs, given, laid.shapes, laid.sizes, laid.error is None
    )
    letters = {letter for a in arguments.values() for letter in parse(a.shape).letters}
    sizes = {letter: size for letter, size in laid.sizes.items() if letter in letters}
    laid_out = all(
        name in given.shapes for name, r in given.roles.items() if r in ("y_true", "y_pred")
    )
    guessed = laid.error is None and not laid_out
    return Spec(
        arguments=tuple(arguments[name] for name in names),
        constants=constants,
        sizes=sizes,
        documented=given.documented,
        laid_out=laid_out,
        unfit=guessed and is_unfit(laid.programs, laid.shapes, laid.sizes),
        narrow=narrow_sizes(tuple(arguments.values()), sizes),
        narrowed=narrowed,
        wider=beyond,
    )


def _lists(laid: _Laid, data: Asked | None) -> dict[str, Structure]:
    """The arguments that are lists, where nobody gave their shape."""
    graph = None
    if laid.error is None and data is None:
        graph = wiring_at(laid.programs, laid.shapes, laid.sizes)
    found = {} if graph is None else listed(graph)
    return {n: Structure(length=k) for n, k in found.items() if n not in laid.given.shapes}


def _no_tensors(programs: Programs, error: CallError | None, spec: Spec) -> Mapping[str, Structure]:
    """The arguments that are no tensors, where nobody said of which shape they are."""
    return {} if error is None or spec.laid_out else structures(programs.call, error.error)


@attrs.frozen(kw_only=True, eq=False)
class _Laid:
    """The layout of a loss whose arguments have these roles."""

    given: Given
    programs: Programs
    shapes: Shapes
    sizes: dict[str, int]
    error: CallError | None
    refused: CallError | None

    @property
    def reached(self) -> frozenset[str]:
        """The arguments that a gradient can reach; all, where there is no graph that tells."""
        graph = wiring_at(self.programs, self.shapes, self.sizes) if self.error is None else None
        return reached(graph) if graph is not None else frozenset(self.given.roles)


def _laid(
    loss: Loss,
    declared: Mapping[str, ArgumentSettings],
    names: Mapping[str, str],
    rows: Data | None,
    home: str,
    base: str,
) -> _Laid:
    given = _given(loss, declared, names, rows)
    programs = Programs(_call(loss, declared, given.roles, home, base))
    refused = None
    for within, pairs, indices in _layouts(given, loss, programs.call.prediction):
        shapes, sizes, error = find_layout(programs, within, pairs)
        if error is not None and (whole := whole_labels(programs, within)) is not None:
            error, (programs, shapes, sizes, refused) = None, whole
        if error is None and not declares_labels(within):
            shapes, sizes = sparse_layout(programs, within, shapes, sizes, indices)
        given = within
        if error is None:
            break
    return _Laid(
        given=given, programs=programs, shapes=shapes, sizes=sizes, error=error, refused=refused
    )


def _is_able(programs: Programs, spec: Spec) -> bool:
    """Whether the loss runs for one sample of the smallest sizes, and is finite there."""
    try:
        programs.at(spec.shapes(spec.narrow))
    except CallError:
        return False
    return ever_finite(programs, spec, spec.narrow)


def _layouts(given: Given, loss: Loss, prediction: str) -> Iterator[tuple[Given, Pairs, Pairs]]:
    """What is given, the layouts to try, and those of labels that are indices; the best first."""
    if loss.placed is None:
        for within in with_widths(given):
            yield within, PAIRS, INDEX_PAIRS
        return
    for shape in loss.placed.shapes:
        within = compiled.within(given, loss.placed, shape)
        fixed = within.shapes[prediction]
        yield within, compiled.pairs(fixed), compiled.index_pairs(fixed)


def _given(
    loss: Loss,
    declared: Mapping[str, ArgumentSettings],
    found_roles: Mapping[str, str],
    data: Data | None,
) -> Given:
    by_role = {role: name for name, role in reversed([*found_roles.items()])}
    table = known(loss.known, loss.config)
    written = shapes_in(loss.docstring, tuple(found_roles))
    found_domains, shapes, origins = {}, {}, {}
    for name, shape in written.items():
        if found_roles[name] not in (
            "y_true",
            "y_pred",
        ):  # of the pair, only the ranks vary, and are tried
            shapes[name], origins[name] = shape, ("inferred", "its docstring gives the shape")
    # What labels and predictions hold is seen in the graph; of a parameter, hardly anything is.
    inputs = tuple(name for name, role in found_roles.items() if role == "input")
    for name in floats_in(loss.docstring, inputs):
        if name not in shapes:
            shapes[name] = "()"
            origins[name] = ("inferred", "its docstring says that it is one number")
    for name, domain in intervals_in(loss.docstring, inputs).items():
        found_domains[name] = domain
        origins[name] = ("inferred", f"its docstring says {domain}")
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
    given = Given(
        roles=found_roles,
        domains=found_domains,
        shapes=with_numbers(found_domains, shapes),
        documented=written,
        origins=origins,
    )
    return given if data is None else _beside_data(given, data, declared)


def _beside_data(given: Given, data: Data, declared: Mapping[str, ArgumentSettings]) -> Given:
    """Lay the shapes of data over what is not declared, and see that they lie in their domains."""
    prediction = next(name for name, role in given.roles.items() if role == "y_pred")
    classes = max(2, (data.rows[prediction].shape[1:] or (2,))[-1])
    for name, domain in given.domains.items():
        origin = "declared" if name in declared and declared[name].domain else "known"
        refuse(name, domain, origin, data.rows[name], classes, data.source)
    fixed = {
        name: given.shapes[name]
        for name in given.roles
        if name in declared and declared[name].shape
    }
    shapes, sizes = layout(data, prediction, fixed)
    return attrs.evolve(given, shapes=shapes, sizes=sizes, data=data)


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
        handed=loss.handed,
        weight=next((p.name for p in loss.parameters if _optional_weight(p, found)), ""),
    )


def _optional_weight(parameter: Parameter, found: Mapping[str, str]) -> bool:
    """Say whether a parameter is one of weights that a call may leave out."""
    left_out = parameter.name not in found and parameter.default is None
    return left_out and role_named(parameter.name) == "weight"


def _arguments(
    programs: Programs, given: Given, shapes: Shapes, sizes: dict[str, int], traced: bool
) -> tuple[dict[str, Argument], str, str]:
    program = programs.at({n: parse(s).at(sizes) for n, s in shapes.items()}) if traced else None
    graphed = None if program is None else program.graphed
    options = domain_options(given, shapes, graphed, programs.call.integers)
    chosen, narrowed = first_finite(programs, options, shapes, sizes) if traced else ({}, "")
    shapes = with_columns(chosen, shapes, sizes)
    target = programs.call.prediction
    beyond = wider(options[target], chosen[target]) if traced and not given.data else ""
    arguments = {}
    for name, role in given.roles.items():
        choice = chosen.get(name, options[name][0])
        origin, why = given.origins.get(name, ("inferred", choice.why))
        if given.data is not None:
            origin, why = _with_data(name, origin, why, choice, given)
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
            met=_met(name, choice, given),
        )
    return arguments, narrowed, beyond


def _with_data(name: str, origin: str, why: str, choice: Choice, given: Given) -> tuple[str, str]:
    """Say what data add to where a domain comes from."""
    assert given.data is not None
    if name not in given.domains:
        return "inferred", choice.why
    told = f"data: {summary(given.data.rows[name])}"
    return origin, f"{why}; {told}" if why else told


def _met(name: str, choice: Choice, given: Given) -> Met | None:
    """The numbers that a model gave, where the domain was learnt from them."""
    if given.data is None or name in given.domains:
        return None
    return met(given.data.rows[name], choice.domain)
