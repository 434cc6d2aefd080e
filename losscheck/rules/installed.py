"""Rules of other packages: found by entry points, and refused with a reason where unfit."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from losscheck.model import Severity, UsageError
from losscheck.rules import GROUP
from losscheck.rules.base import Rule
from losscheck.rules.evidence import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from losscheck.model import Suspect
    from losscheck.rules.crowd import Crowd

OWN = "LC"  # how no code of another package begins
CODE = re.compile(rf"(?!{OWN})[A-Z]{{2,8}}[0-9]{{3}}")
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def installed(built_in: Sequence[Rule]) -> tuple[Rule, ...]:
    """Make the rules that installed packages register.

    Parameters
    ----------
    built_in
        The rules of losscheck, whose codes and slugs are taken.

    Raises
    ------
    UsageError
        If a rule cannot be used; the message names its package, and what to do.
    """
    taken = {name: "losscheck" for rule in built_in for name in (rule.code, rule.slug)}
    found: list[Rule] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (_package(point), point.name)):
        rule = _loaded(point)
        for name in (rule.code, rule.slug):
            if name in taken:
                raise _refusal(point, f"{name} is taken by {taken[name]}; choose another one")
            taken[name] = f"the package {_package(point)}"
        rule.package = _package(point)
        found.append(rule)
    _check_masks((*built_in, *found))
    return tuple(found)


def check_suspects(rule: Rule, suspects: Iterable[Suspect | Crowd]) -> None:
    """Hold a rule to what it says that it may suspect.

    Raises
    ------
    UsageError
        If it suspects something else.
    """
    for suspect in suspects:
        if suspect.code != rule.code or suspect.form not in rule.forms:
            raise UsageError(
                f"the rule {rule.code} of the package {rule.package} suspects {suspect.form!r} of "
                f"{suspect.code!r}; of {rule.code} one of its forms was expected: "
                f"{', '.join(rule.forms)}. Mend the package."
            )


def _loaded(point: EntryPoint) -> Rule:
    try:
        named = point.load()
    except Exception as error:
        raise _refusal(point, f"it cannot be imported: {_told(error)}") from error
    if wrong := _unfit(named):
        raise _refusal(point, wrong)
    try:
        made: Rule = named()
    except Exception as error:
        raise _refusal(point, f"it cannot be made without arguments: {_told(error)}") from error
    return made


def _unfit(named: Any) -> str:
    """Say why something is no rule that can be judged; "" where it is one."""
    if not (isinstance(named, type) and issubclass(named, Rule)):
        return "a subclass of losscheck.rules.base.Rule was expected"
    code, slug = getattr(named, "code", None), getattr(named, "slug", None)
    if not (isinstance(code, str) and CODE.fullmatch(code)):
        return (
            f"its code is {code!r}; two to eight capital letters of your own and three digits were "
            f"expected, such as TEAM001, and {OWN} is losscheck's"
        )
    if not (isinstance(slug, str) and SLUG.fullmatch(slug)):
        return f"its slug is {slug!r}; small letters and hyphens were expected: loss-negative"
    if not (vars(named).get("__doc__") or "").strip():
        return "it has no docstring, which `losscheck explain` would print"
    forms: Mapping[str, Severity] | None = getattr(named, "forms", None)
    if not forms or not all(isinstance(found, Severity) for found in dict(forms).values()):
        return (
            f"its forms are {forms!r}; what it may suspect was expected, each with a "
            "losscheck.model.Severity"
        )
    if isinstance(named.masked_by, str):
        return f"its masked_by is a text; a tuple was expected: ({named.masked_by!r},)"
    if not hasattr(named, "judge"):
        return "it has no `judge`"
    if named.words is Rule.words:
        return "it has no `words`"
    return _unknown(named.needs)


def _unknown(needs: Sequence[str]) -> str:
    """Say which evidence there is none of; "" where there is all of it."""
    for name in needs:
        if name not in EVIDENCE:
            import difflib  # for a message alone

            close = difflib.get_close_matches(name, EVIDENCE, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            return (
                f"its `judge` asks for {name!r}, and there is no such evidence.{hint} There is "
                f"{', '.join(sorted(EVIDENCE))}"
            )
    return ""


def _check_masks(rules: Sequence[Rule]) -> None:
    import graphlib

    try:
        graphlib.TopologicalSorter({rule.code: rule.masked_by for rule in rules}).prepare()
    except graphlib.CycleError as error:
        packages = sorted({rule.package for rule in rules if rule.code in error.args[1]} - {""})
        raise UsageError(
            f"the rules {', '.join(dict.fromkeys(error.args[1]))} of {', '.join(packages)} mask "
            "each other (masked_by), so that none can be judged first. Take one of them out"
        ) from None


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _refusal(point: EntryPoint, why: str) -> UsageError:
    package = _package(point)
    return UsageError(
        f"the rule {point.name} ({point.value}) of the package {package} cannot be used: {why}. "
        f"Mend the package, or take it away with `pip uninstall {package}`."
    )


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
