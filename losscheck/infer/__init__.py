"""From a loss to its Spec: declared before known before inferred, with the reason kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from losscheck import domains
from losscheck.cases.user_data import Data
from losscheck.infer import compiled
from losscheck.infer.choose import Choice
from losscheck.infer.data import Asked, arranged, layout
from losscheck.infer.fit import fit, reached
from losscheck.infer.known import Given, floats_in, intervals_in, known, shapes_in
from losscheck.infer.layouts import (
    INDEX_PAIRS,
    PAIRS,
    Layout,
    Pair,
    with_columns,
    with_numbers,
    with_widths,
)
from losscheck.infer.learnt import met, refuse, summary
from losscheck.infer.probe import ever_finite, first_finite, wider
from losscheck.infer.probe import options as domain_options
from losscheck.infer.search import find_layout, wiring_at
from losscheck.infer.slices import listed
from losscheck.infer.spec import Spec, by_gradient, narrow_sizes, roles
from losscheck.model import Argument, Met
from losscheck.program.programs import Programs
from losscheck.program.structures import Structure, structures
from losscheck.program.tracing.trace import Call, CallError
from losscheck.program.tracing.wiring import Wiring
from losscheck.settings.argument_names import role as role_named
from losscheck.settings.settings import ArgumentSettings
from losscheck.settings.shapes import Shape, parse
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
    arguments, narrowed, beyond = _arguments(laid)
    letters = {letter for a in arguments.values() for letter in parse(a.shape).letters}
    sizes = {letter: size for letter, size in laid.layout.sizes.items() if letter in letters}
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
        unfit=guessed and _is_unfit(laid),
        narrow=narrow_sizes(tuple(arguments.values()), sizes),
        narrowed=narrowed,
        wider=beyond,
    )


def _lists(laid: _Laid, data: Asked | None) -> dict[str, Structure]:
    """The arguments that are lists, where nobody gave their shape."""
    graph = laid.graph if data is None else None
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
    layout: Layout
    error: CallError | None
    refused: CallError | None = None

    @property
    def graph(self) -> Wiring | None:
        """The graph that was traced for it, where there is one."""
        return wiring_at(self.programs, self.layout) if self.error is None else None

    @property
    def reached(self) -> frozenset[str]:
        """The arguments that a gradient can reach; all, where there is no graph that tells."""
        return frozenset(self.given.roles) if self.graph is None else reached(self.graph)


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
    for within, pairs, indices in _layouts(given, loss):
        layout, error = find_layout(programs, within, pairs, indices)
        found = _Laid(given=within, programs=programs, layout=layout, error=error)
        if error is not None:
            found = _of_whole_labels(found, indices) or found
        if found.error is None:
            break
    return found


def _of_whole_labels(laid: _Laid, indices: Sequence[Pair]) -> _Laid | None:
    """Hand over labels as int32 to a loss that raises on floats; None where it raises on both."""
    labels = tuple(laid.given.labels)
    whole = Programs(attrs.evolve(laid.programs.call, integers=labels))
    pairs = tuple(dict.fromkeys((*INDEX_PAIRS, *PAIRS)))
    layout, error = find_layout(whole, laid.given, pairs, indices) if labels else (None, None)
    if layout is None or error is not None:
        return None
    try:
        laid.programs.at(layout.at())
    except CallError as refused:
        return attrs.evolve(laid, programs=whole, layout=layout, error=None, refused=refused)
    return None


def _is_unfit(laid: _Laid) -> bool:
    """Say whether the layout is not what the loss is made for, as far as its graph tells.

    Samples meet others in it by broadcasting alone, or something inside is empty.
    """
    if laid.graph is None:
        return False
    faults = fit(laid.graph, None, laid.layout.at()).faults
    return faults.crossed or faults.empty


def _is_able(programs: Programs, spec: Spec) -> bool:
    """Whether the loss runs for one sample of the smallest sizes, and is finite there."""
    try:
        programs.at(spec.shapes(spec.narrow))
    except CallError:
        return False
    return ever_finite(programs, spec, spec.narrow)


def _layouts(given: Given, loss: Loss) -> Iterator[tuple[Given, Sequence[Pair], Sequence[Pair]]]:
    """What is given, the layouts to try, and those of labels that are indices; the best first."""
    if loss.placed is None:
        for within in with_widths(given):
            yield within, PAIRS, INDEX_PAIRS
        return
    for shape in loss.placed.shapes:
        within = compiled.within(given, loss.placed, parse(shape))
        fixed = within.shapes[given.prediction]
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
        if found_roles[name] not in ("y_true", "y_pred"):  # the ranks of the pair are tried
            origins[name] = ("inferred", "its docstring gives the shape")
            shapes[name] = parse(shape)
    # What labels and predictions hold is seen in the graph; of a parameter, hardly anything is.
    inputs = tuple(name for name, role in found_roles.items() if role == "input")
    for name in floats_in(loss.docstring, inputs):
        if name not in shapes:
            shapes[name] = Shape(())
            origins[name] = ("inferred", "its docstring says that it is one number")
    for name, domain in intervals_in(loss.docstring, inputs).items():
        found_domains[name] = domain
        origins[name] = ("inferred", f"its docstring says {domain}")
    for role, (domain, shape) in table.items():
        name = by_role.get(role, "")
        if name:
            found_domains[name], shapes[name] = domain, parse(shape)
            origins[name] = ("known", f"{loss.known} takes it")
    for name, settings in declared.items():
        if name in found_roles and (settings.domain or settings.shape):
            origins[name] = ("declared", "")
            if settings.domain:
                found_domains[name] = domains.parse(settings.domain).name
            if settings.shape:
                shapes[name] = parse(settings.shape)
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
    classes = max(2, (data.rows[given.prediction].shape[1:] or (2,))[-1])
    for name, domain in given.domains.items():
        origin = "declared" if name in declared and declared[name].domain else "known"
        refuse(name, domain, origin, data.rows[name], classes, data.source)
    fixed = {
        name: given.shapes[name]
        for name in given.roles
        if name in declared and declared[name].shape
    }
    shapes, sizes = layout(data, given.prediction, fixed)
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


def _arguments(laid: _Laid) -> tuple[dict[str, Argument], str, str]:
    """The arguments, what a wider domain gave, and which plausible one their uses rule out."""
    given, programs, layout, traced = laid.given, laid.programs, laid.layout, laid.error is None
    graphed = programs.at(layout.at()).graphed if traced else None
    options = domain_options(given, layout.shapes, graphed, programs.call.integers)
    chosen, narrowed = first_finite(programs, options, layout.at()) if traced else ({}, "")
    shapes = with_columns(chosen, layout)
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
            shape=shapes[name].text,
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
