"""The rules, in the order of their codes, those of installed packages among them; found by code.

`importlib.metadata` takes longer to import than all rules, and most often there is nothing to read.
"""

from __future__ import annotations

import functools
import os
import string
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from losscheck.model import UsageError
from losscheck.rules.execution.call_fails import CallFails
from losscheck.rules.execution.dtype_rejected import DtypeRejected
from losscheck.rules.execution.mode_disagreement import ModeDisagreement
from losscheck.rules.execution.nondeterministic import Nondeterministic
from losscheck.rules.execution.not_traceable import NotTraceable
from losscheck.rules.execution.process import Crash, Timeout
from losscheck.rules.execution.value_rejected import ValueRejected
from losscheck.rules.execution.xla_unsupported import XlaUnsupported
from losscheck.rules.gradient.branch_untaken import BranchUntaken
from losscheck.rules.gradient.gradient_dead import GradientDead
from losscheck.rules.gradient.gradient_kink import GradientKink
from losscheck.rules.gradient.gradient_mismatch import GradientMismatch
from losscheck.rules.gradient.gradient_missing import GradientMissing
from losscheck.rules.gradient.gradient_size import GradientSize
from losscheck.rules.gradient.minimum_elsewhere import MinimumElsewhere
from losscheck.rules.gradient.second_order import SecondOrder
from losscheck.rules.gradient.value_jump import ValueJump
from losscheck.rules.nonfinite.half_nonfinite import HalfNonfinite
from losscheck.rules.nonfinite.label_outside import LabelOutsideRange
from losscheck.rules.nonfinite.nan_hidden import NanHidden
from losscheck.rules.nonfinite.nonfinite import ForwardInf, ForwardNan, GradientInf, GradientNan
from losscheck.rules.precision.integer_wrap import IntegerWrap
from losscheck.rules.precision.lost_digits import GradientPrecision, ValuePrecision
from losscheck.rules.shape.batch_coupling import BatchCoupling
from losscheck.rules.shape.empty_batch import EmptyBatchRule
from losscheck.rules.shape.output_shape import OutputShape
from losscheck.rules.shape.shape_rejected import ShapeRejected
from losscheck.rules.shape.silent_broadcast import SilentBroadcast
from losscheck.rules.training.not_serializable import NotSerializable
from losscheck.rules.training.sample_weight import SampleWeight
from losscheck.rules.training.training_fails import TrainingFails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.rules.base import Rule

BUILT_IN: tuple[Rule, ...] = (
    GradientMismatch(),
    GradientMissing(),
    GradientDead(),
    GradientKink(),
    ValueJump(),
    SecondOrder(),
    GradientSize(),
    MinimumElsewhere(),
    BranchUntaken(),
    ForwardNan(),
    ForwardInf(),
    GradientNan(),
    GradientInf(),
    NanHidden(),
    LabelOutsideRange(),
    ValuePrecision(),
    GradientPrecision(),
    IntegerWrap(),
    SilentBroadcast(),
    ShapeRejected(),
    BatchCoupling(),
    OutputShape(),
    EmptyBatchRule(),
    NotTraceable(),
    DtypeRejected(),
    ModeDisagreement(),
    Nondeterministic(),
    HalfNonfinite(),
    XlaUnsupported(),
    ValueRejected(),
    NotSerializable(),
    SampleWeight(),
    TrainingFails(),
    CallFails(),
    Timeout(),
    Crash(),
)
GROUP = "losscheck.rules"
METADATA = (".dist-info", ".egg-info")
EXAMPLE = "LC103"  # a code, where a message shows how one is written


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Give the rules, in the order of their codes.

    Raises
    ------
    UsageError
        If an installed package registers one that cannot be used.
    """
    if not registered():
        return BUILT_IN
    from losscheck.rules.installed import installed

    return tuple(sorted((*BUILT_IN, *installed(BUILT_IN)), key=lambda rule: rule.code))


@functools.cache
def _codes() -> Mapping[str, Rule]:
    return {rule.code: rule for rule in rules()}


def packages() -> dict[str, str]:
    """Give the packages that have installed rules, by the codes of these and by their modules."""
    theirs = [rule for rule in rules() if rule.package]
    return {name: r.package for r in theirs for name in (r.code, type(r).__module__)}


def by_code(code: str) -> Rule:
    """Give the rule of a code that is known to be one."""
    return _codes()[code]


def find(code_or_slug: str) -> Rule:
    """Find a rule by its code or its slug, in upper or lower case.

    Parameters
    ----------
    code_or_slug : str
        Such as "LC203" or "gradient-nan".

    Returns
    -------
    Rule
        The rule.

    Raises
    ------
    UsageError
        If there is no such rule; the message names the closest codes and slugs.

    Examples
    --------
    >>> find("lc203").slug
    'gradient-nan'
    """
    wanted = code_or_slug.strip().lower()
    names = {name.lower(): rule for rule in rules() for name in (rule.code, rule.slug)}
    if wanted in names:
        return names[wanted]
    import difflib  # for a message alone

    close = difflib.get_close_matches(wanted, names, n=3)
    shown = dict.fromkeys(f"{names[name].code} {names[name].slug}" for name in close)
    hint = f" Did you mean {', '.join(shown)}?" if shown else ""
    raise UsageError(
        f"There is no rule {code_or_slug!r}; a code such as LC203 or a slug such as gradient-nan "
        f"was expected.{hint} `losscheck rules` lists them all."
    )


def registered() -> bool:
    """Say whether an installed package may register rules."""
    if any(
        hasattr(finder, "find_distributions") for finder in sys.meta_path if finder != PathFinder
    ):
        return True
    return any(GROUP.encode() in text for folder in sys.path for text in _entry_points(folder))


def _entry_points(folder: str) -> Iterator[bytes]:
    """The entry points of the packages in a folder, as text."""
    if os.path.isfile(folder):  # packages in an archive, which we leave to who reads archives
        yield GROUP.encode()
        return
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(METADATA) or entry.name == "EGG-INFO":
            try:
                with open(os.path.join(entry.path, "entry_points.txt"), "rb") as file:
                    yield file.read()
            except OSError:
                continue


def rule_code(given: str, where: str) -> str:
    """Return the code of a rule that is named by its code or slug.

    Raises
    ------
    UsageError
        If there is no such rule; the message begins with `where`.
    """
    rules()  # one that cannot be used has nothing to do with what was given here
    try:
        return find(given).code
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def prefixes(given: Sequence[str], where: str) -> tuple[str, ...]:
    """Check codes of rules or their beginnings.

    Parameters
    ----------
    given
        Such as "LC203", "LC2" or a slug.
    where
        What gives them, for messages.

    Returns
    -------
    tuple of str
        Codes and beginnings of codes, in upper case.

    Raises
    ------
    UsageError
        If one of them selects nothing.
    """
    found = []
    for text in given:
        start = text.strip().upper()
        known = any(
            rule.code.startswith(start) and start.startswith(rule.code.rstrip(string.digits))
            for rule in rules()
        )
        found.append(start if known else rule_code(text, where))
    return tuple(found)
