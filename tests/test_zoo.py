"""Every specimen of the zoo is found at its line, its twin is not alarmed, and no name matters.

A check takes seconds, so that `make test` sees a specimen of every family and rule, and `-m slow`
and `make accuracy` the whole zoo.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import losscheck
from losscheck.model import LossReport
from losscheck.rules import BUILT_IN
from tests.verdicts import errors, found
from tests.zoo import disguise
from tests.zoo.catalogue import CATALOGUE, ROWS
from tests.zoo.faulty import PLANTED
from tests.zoo.judging import hits, right_line
from tests.zoo.sound import SOUND, Sound
from tests.zoo.specimen import Specimen

# A guard, an empty sum, a call; the planted faults below are of every rule.
SAMPLE = (
    "01-guarded_log",
    "37-bare_masked_mean",
    "73-missing_function",
)
# Its roles and its ranks are what names could say most about.
DISGUISED_SAMPLE = ("49-column_against_row",)


BUILT = frozenset(rule.code for rule in BUILT_IN)


def _slow(specimens: tuple[Specimen, ...], sample: tuple[str, ...]) -> list[object]:
    """Mark all but a sample as slow, and skip those that no rule is about."""
    marked = []
    for one in specimens:
        marks = [] if one.name in sample else [pytest.mark.slow]
        if one.codes.isdisjoint(BUILT):
            marks.append(pytest.mark.skip(reason="losscheck has no rule for it"))
        marked.append(pytest.param(one, marks=marks, id=one.name))
    return marked


def _check(specimen: Specimen, loss: object, select: Sequence[str] = ()) -> LossReport:
    return losscheck.check(
        loss,  # type: ignore[arg-type]
        arguments=dict(specimen.arguments),
        select=select,
        dtypes=specimen.dtypes,
        order=specimen.order,
    )


def test_the_zoo_holds_every_row_of_the_catalogue_once() -> None:
    names = Counter(specimen.name for specimen in (*CATALOGUE, *PLANTED))
    assert {specimen.row for specimen in CATALOGUE} == set(range(1, ROWS + 1))
    assert max(names.values()) == 1


def test_notes_are_expected_of_what_is_inherent_and_of_half_types_that_nobody_required() -> None:
    notes = [one for one in CATALOGUE if one.severity == "note"]
    halves = {one.row for one in notes if one.codes == {"LC505"}}
    assert halves == {8, 46, 47}
    assert {one.row for one in notes} - halves == {29, 54, 65}


EVERY = (*(one for one in CATALOGUE if one.reproduced), *PLANTED)
QUICK = (*SAMPLE, *(one.name for one in PLANTED))


@pytest.mark.parametrize("specimen", _slow(EVERY, QUICK))
def test_a_fault_is_found_at_its_line(specimen: Specimen) -> None:
    report = _check(specimen, specimen.faulty, sorted(specimen.codes & BUILT))
    seen = hits(specimen, report)
    assert seen, report.findings
    assert right_line(specimen, seen) is not False, seen[0].location


@pytest.mark.parametrize(
    "specimen",
    [
        pytest.param(one, marks=() if one.name in QUICK else pytest.mark.slow, id=one.name)
        for one in (*CATALOGUE, *PLANTED)
    ],
)
def test_its_sound_twin_is_not_flagged(specimen: Specimen) -> None:
    # The rules that the fault is about; `make accuracy` asks all of them.
    report = _check(specimen, specimen.sound, sorted(specimen.codes & BUILT))
    assert errors(report) == []
    if specimen.severity == "warning" and specimen.row is None:
        assert not any(found(report, code) for code in specimen.codes)


@pytest.mark.parametrize("form", disguise.FORMS)
@pytest.mark.parametrize(
    "specimen",
    _slow(
        tuple(one for one in CATALOGUE if one.reproduced and hasattr(one.faulty, "__code__")),
        DISGUISED_SAMPLE,
    ),
)
def test_no_verdict_depends_on_a_name(specimen: Specimen, form: str, tmp_path: Path) -> None:
    report = losscheck.check(
        disguise.disguised(specimen.faulty, specimen.arguments, form, tmp_path),
        arguments=disguise.declared(specimen.arguments),
        dtypes=specimen.dtypes,
    )
    assert _said(report) == _said(_undisguised(specimen))


@functools.cache
def _undisguised(specimen: Specimen) -> LossReport:
    """Check a specimen once for all its disguises."""
    return _check(specimen, specimen.faulty)


def _said(report: LossReport) -> Counter[tuple[object, ...]]:
    """Count the findings by all that no name may change.

    Ids hash the target. Keras aligns the ranks of functions but not of Loss subclasses, so that
    the rank form of LC401 differs; LC601 is about classes alone. Where a loss is blamed as a whole,
    the line is that of its definition, which a wrapper has on another one.
    """
    return Counter(
        (f.code, f.severity, f.kind, f.range, f.mode, f.dtype, _place(f.location))
        for f in report.findings
        if f.code != "LC601" and not (f.code == "LC401" and f.severity != "error")
    )


def _place(location: object) -> object:
    line, text = getattr(location, "line", None), getattr(location, "source", "").lstrip()
    return "the loss" if text.startswith(("def ", "class ", "g = lambda")) else line


# With a mask, of classes, of embeddings.
SOME_SOUND = (
    "masked_mean",
    "sparse_crossentropy",
    "triplet",
)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(one, marks=() if one.name in SOME_SOUND else pytest.mark.slow, id=one.name)
        for one in SOUND
    ],
)
def test_a_sound_loss_has_no_error(sound: Sound) -> None:
    report = losscheck.check(sound.function, arguments=dict(sound.arguments))
    assert errors(report) == []
    assert report.verdict == "pass"


# Robust with a join, and with a row's worth of coupling.
SOME = ("huber", "smoothed_crossentropy")


def check_second_order(sound: Sound) -> None:
    report = losscheck.check(
        sound.function, arguments=dict(sound.arguments), order=2, select=["LC101", "LC106"]
    )
    assert errors(report) == []
    assert not found(report, "LC106"), report.findings


@pytest.mark.parametrize("name", SOME)
def test_a_sound_loss_has_a_sound_second_derivative(name: str) -> None:
    check_second_order(next(sound for sound in SOUND if sound.name == name))


@pytest.mark.slow
@pytest.mark.parametrize("sound", SOUND, ids=lambda sound: sound.function.__name__)
def test_every_sound_loss_has_a_sound_second_derivative(sound: Sound) -> None:
    check_second_order(sound)
