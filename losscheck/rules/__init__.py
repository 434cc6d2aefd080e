"""The rules, in the order of their codes."""

from __future__ import annotations

import difflib

from losscheck.model import UsageError
from losscheck.rules.base import Rule
from losscheck.rules.batch_coupling import BatchCoupling
from losscheck.rules.branch_untaken import BranchUntaken
from losscheck.rules.call_fails import CallFails
from losscheck.rules.dtype_rejected import DtypeRejected
from losscheck.rules.empty_batch import EmptyBatchRule
from losscheck.rules.gradient_dead import GradientDead
from losscheck.rules.gradient_kink import GradientKink
from losscheck.rules.gradient_mismatch import GradientMismatch
from losscheck.rules.gradient_missing import GradientMissing
from losscheck.rules.gradient_precision import GradientPrecision
from losscheck.rules.gradient_size import GradientSize
from losscheck.rules.half_nonfinite import HalfNonfinite
from losscheck.rules.integer_wrap import IntegerWrap
from losscheck.rules.label_outside import LabelOutsideRange
from losscheck.rules.minimum_elsewhere import MinimumElsewhere
from losscheck.rules.mode_disagreement import ModeDisagreement
from losscheck.rules.nan_hidden import NanHidden
from losscheck.rules.nondeterministic import Nondeterministic
from losscheck.rules.nonfinite import ForwardInf, ForwardNan, GradientInf, GradientNan
from losscheck.rules.not_serializable import NotSerializable
from losscheck.rules.not_traceable import NotTraceable
from losscheck.rules.output_shape import OutputShape
from losscheck.rules.process import Crash, Timeout
from losscheck.rules.sample_weight import SampleWeight
from losscheck.rules.second_order import SecondOrder
from losscheck.rules.shape_rejected import ShapeRejected
from losscheck.rules.silent_broadcast import SilentBroadcast
from losscheck.rules.training_fails import TrainingFails
from losscheck.rules.value_jump import ValueJump
from losscheck.rules.value_precision import ValuePrecision
from losscheck.rules.xla_unsupported import XlaUnsupported

RULES: tuple[Rule, ...] = (
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
    NotSerializable(),
    SampleWeight(),
    TrainingFails(),
    CallFails(),
    Timeout(),
    Crash(),
)


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
    names = {name.lower(): rule for rule in RULES for name in (rule.code, rule.slug)}
    if wanted in names:
        return names[wanted]
    close = difflib.get_close_matches(wanted, names, n=3)
    shown = dict.fromkeys(f"{names[name].code} {names[name].slug}" for name in close)
    hint = f" Did you mean {', '.join(shown)}?" if shown else ""
    raise UsageError(
        f"There is no rule {code_or_slug!r}; a code such as LC203 or a slug such as gradient-nan "
        f"was expected.{hint} `losscheck rules` lists them all."
    )
