"""The two losses that are compared, laid out over the same arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import attrs

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.infer import Inferred, infer
from losscheck.infer.spec import Spec
from losscheck.model import Argument, Inputs, UsageError
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.settings import ArgumentSettings, Settings, lay_over
from losscheck.targets import Loss


@attrs.frozen(kw_only=True, eq=False)
class Side:
    """One of the two losses: what it is, and what is known of it."""

    loss: Loss
    evidence: Evidence
    names: Mapping[str, str]  # the name that it has for each argument of the old loss

    def inputs(self, inputs: Inputs) -> Inputs:
        """The same inputs by this loss's own names."""
        return {self.names[name]: array for name, array in inputs.items()}

    def cases(self, cases: CaseBlock) -> CaseBlock:
        """The same cases by this loss's own names."""
        return CaseBlock(self.inputs(cases.inputs), cases.ranges)

    def given_back(self, cases: CaseBlock) -> CaseBlock:
        """Cases of this loss by the names of the old one."""
        return CaseBlock({o: cases.inputs[n] for o, n in self.names.items()}, cases.ranges)


class UncallableError(Exception):
    """The new loss does not run with what the old one takes."""

    def __init__(self, error: CallError | OutputError) -> None:
        super().__init__(str(error))
        self.error = error


def old_side(loss: Loss, settings: Settings) -> Side:
    """Infer what the old loss takes, as a check does.

    Raises
    ------
    UsageError
        It cannot be run, so that there is nothing to compare with.
    """
    declared = lay_over(settings.for_loss(loss.target).arguments, loss.declared)
    try:
        inferred = _inferred(loss, declared, settings)
    except OutputError as error:
        raise UsageError(
            f"{loss.target} returns no tensor of numbers ({error}), so that nothing can be "
            "compared with it; give a loss that runs first"
        ) from error
    if inferred.error is not None:
        raise UsageError(
            f"{loss.target} raises whatever it is given ({_short(inferred.error)}), and nothing "
            f"can be compared with it; `losscheck check {loss.target}` says more"
        )
    names = {argument.name: argument.name for argument in inferred.spec.arguments}
    return Side(loss=loss, evidence=_evidence(inferred, settings), names=names)


def new_side(loss: Loss, old: Side, settings: Settings) -> Side:
    """Hand the new loss what the old one takes: by position, what has no position by name.

    Raises
    ------
    UsageError
        It takes other arguments.
    UncallableError
        It does not run with them.
    """
    spec = old.evidence.spec
    names = _matched(loss, old, settings)
    own = lay_over(settings.losses.get(loss.target, _NO_TABLE).arguments, loss.declared)
    constants = {name: given for name, given in own.items() if given.constant}
    taken = {p.name for p in loss.parameters}
    passed_on = {
        name: ArgumentSettings(value=value, constant=True)
        for name, value in spec.constants.items()
        if name in taken and name not in names.values()
    }
    told = {
        names[a.name]: ArgumentSettings(domain=a.domain, shape=a.shape, role=a.role)
        for a in spec.arguments
    }
    try:
        inferred = _inferred(loss, {**passed_on, **constants, **told}, settings)
    except OutputError as error:
        raise UncallableError(error) from error
    if inferred.error is not None:
        raise UncallableError(inferred.error)
    inferred = attrs.evolve(inferred, spec=_renamed(spec, names))
    return Side(loss=loss, evidence=_evidence(inferred, settings), names=names)


_NO_TABLE = type(Settings().for_loss(""))()


def _matched(loss: Loss, old: Side, settings: Settings) -> dict[str, str]:
    """The name that the new loss has for each argument of the old one."""
    arguments, call = old.evidence.spec.arguments, old.evidence.programs.call
    by_position = {p.name: i for i, p in enumerate(old.loss.parameters)}
    taken = [p.name for p in loss.parameters]
    open_to_position = [p.name for p in loss.parameters if not p.keyword_only]
    found: dict[str, str] = {}
    for argument in arguments[: call.positional]:
        place = by_position[argument.name]
        if place >= len(open_to_position):
            raise UsageError(_unlike(loss, old.loss, f"it has no argument in place {place + 1}"))
        found[argument.name] = open_to_position[place]
    for argument in arguments[call.positional :]:
        if argument.name not in taken:
            raise UsageError(_unlike(loss, old.loss, f"it has no argument {argument.name!r}"))
        found[argument.name] = argument.name
    own = lay_over(settings.losses.get(loss.target, _NO_TABLE).arguments, loss.declared)
    given = {
        *found.values(),
        *(n for n, a in own.items() if a.constant),
        *old.evidence.spec.constants,
    }
    for parameter in loss.parameters:
        if parameter.required and parameter.name not in given:
            raise UsageError(
                _unlike(loss, old.loss, f"it needs {parameter.name!r} as well")
                + f". A factory is called in the target, as in {loss.target}(...)"
            )
    return found


def _unlike(new: Loss, old: Loss, why: str) -> str:
    old_takes, new_takes = (
        ", ".join(p.name if p.required else f"{p.name}={p.default!r}" for p in loss.parameters)
        for loss in (old, new)
    )
    return (
        f"{new.target} cannot be handed what {old.target} takes: {why}. They take ({new_takes}) "
        f"and ({old_takes}); arguments are matched by position"
    )


def _inferred(loss: Loss, declared: Mapping[str, ArgumentSettings], settings: Settings) -> Inferred:
    base = os.path.abspath(settings.directory)
    return infer(loss, declared, home=os.path.dirname(loss.file), base=base)


def _evidence(inferred: Inferred, settings: Settings) -> Evidence:
    return Evidence(
        inferred=inferred,
        dtypes=settings.dtypes,
        modes_wanted=settings.modes,
        seed=settings.seed,
    )


def _renamed(spec: Spec, names: Mapping[str, str]) -> Spec:
    arguments: Iterator[Argument] = (
        attrs.evolve(argument, name=names[argument.name]) for argument in spec.arguments
    )
    return attrs.evolve(spec, arguments=tuple(arguments), documented={})


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
