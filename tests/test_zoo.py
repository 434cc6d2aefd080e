"""Planted faults are found at their line, and sound losses get no error."""

from __future__ import annotations

import pytest

import losscheck
from tests.verdicts import errors, found
from tests.zoo.faulty import FAULTY, Planted
from tests.zoo.sound import SOUND, Sound

# Severity that policy gives the planted fault; error where it is not named.
SEVERITY = {
    "LC104": "note",
    "LC106": "warning",
    "LC403": "note",
    "LC502": "warning",
    "LC504": "warning",
}


@pytest.mark.parametrize("planted", FAULTY, ids=lambda planted: planted.name)
def test_a_planted_fault_is_found_at_its_line(planted: Planted) -> None:
    report = losscheck.check(planted.faulty, arguments=dict(planted.arguments), order=planted.order)
    severity = SEVERITY.get(planted.code, "error")
    assert found(report, planted.code, severity, planted.line_text), report.findings


@pytest.mark.parametrize("planted", FAULTY, ids=lambda planted: planted.name)
def test_its_sound_twin_is_not_flagged(planted: Planted) -> None:
    report = losscheck.check(planted.sound, arguments=dict(planted.arguments), order=planted.order)
    assert errors(report) == []
    if planted.code in SEVERITY:
        assert not found(report, planted.code)


@pytest.mark.parametrize("sound", SOUND, ids=lambda sound: sound.function.__name__)
def test_a_sound_loss_has_no_error(sound: Sound) -> None:
    report = losscheck.check(sound.function, arguments=dict(sound.arguments))
    assert errors(report) == []
    assert report.verdict == "pass"


# Quadratic, robust with a join, with a row's worth of coupling, and linear.
SOME = ("squared_distance", "huber", "smoothed_crossentropy", "pinball")


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
