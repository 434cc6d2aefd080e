"""Layouts that nobody declared: a loss takes what its author meant, not what runs by chance.

Each loss says in its docstring what it takes; that follows from its code alone.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest

pytest.importorskip("tensorflow")

import losscheck
from losscheck.infer import infer
from losscheck.infer.spec import Spec
from losscheck.targets import from_callable
from tests.verdicts import codes, errors, found
from tests.wild import shapes_losses as losses


@functools.cache
def spec_of(loss: Any) -> Spec:
    made = infer(from_callable(loss), {}, home=".", base=".")
    assert made.error is None
    return made.spec


def shapes(loss: Any) -> tuple[str, ...]:
    return tuple(argument.shape for argument in spec_of(loss).arguments)


@pytest.mark.parametrize(
    ("loss", "label", "prediction"),
    [
        (losses.checked_quaternion, "(B, 4)", "(B, 4)"),
        (losses.unstacked_quaternion, "(B, 4)", "(B, 4)"),
        (losses.asserted_six, "(B, 6)", "(B, 6)"),
        (losses.five_quarters, "(B, 3)", "(B, 12)"),
        (losses.laplace_by_split, "(B, 3)", "(B, 6)"),
        (losses.masked_by_second_half, "(B, 6)", "(B, 3)"),
        (losses.mixture_of_gaussians, "(B, 3)", "(B, 9)"),
        (losses.corner_slices, "(B, 4)", "(B, 4)"),
        (losses.overlap_by_slices, "(B, 4)", "(B, 4)"),
        (losses.sizes_between_numbers, "(B, 4)", "(B, 4)"),
        (losses.overlap_between_numbers, "(B, 4)", "(B, 4)"),
        (losses.the_first_ten, "(B, D)", "(B, D)"),
        (losses.place_and_width_unstacked, "(B,)", "(B, 2)"),
        (losses.three_unstacked, "(B,)", "(B, 3)"),
        (losses.one_column_squeezed, "(B,)", "(B, 1)"),
        (losses.mean_of_one_column, "(B,)", "(B, 1)"),
        (losses.both_columns_squeezed, "(B, 1)", "(B, 1)"),
        (losses.embeddings_side_by_side, "(B, 24)", "(B, 24)"),
        (losses.embeddings_in_a_stack, "(B, 3, D)", "(B, 3, D)"),
        (losses.nine_quantiles, "(B,)", "(B, 9)"),
        (losses.margin_of_seven_classes, "(B,)", "(B, 7)"),
        (losses.time_and_event, "(B, 2)", "(B, 2)"),
        (losses.survival_of_time_and_event, "(B, 2)", "(B, 1)"),
        (losses.joints_and_whether_seen, "(B, T, 3)", "(B, T, 2)"),
        (losses.boxes_with_class, "(B, T, 3)", "(B, T, 5)"),
        (losses.words_of_a_sequence, "(B, T)", "(B, T, D)"),
        (losses.overlap_of_volumes, "(B, D, H, W, C)", "(B, D, H, W, C)"),
        (losses.structure, "(B, H, W, C)", "(B, H, W, C)"),
        (losses.blocks_of_four, "(B, 8, 12, C)", "(B, 8, 12, C)"),
        (losses.frames_of_sixty_four, "(B, D)", "(B, D)"),
        (losses.pulled_to_centres, "(B, T)", "(B, T, D)"),
        (losses.beside_all_others, "(B,)", "(B, B)"),
        (losses.log_determinant, "(B, N, N)", "(B, N, N)"),
        (losses.over_the_batch, "(B, D)", "(B, D)"),
    ],
)
def test_a_loss_has_the_layout_that_its_author_meant(loss, label, prediction):
    assert shapes(loss) == (label, prediction)


def test_no_axis_has_the_size_of_the_batch():
    assert spec_of(losses.checked_quaternion).sizes["B"] != 4


def test_images_and_waves_grow_until_there_is_something_to_see():
    sizes = spec_of(losses.structure).sizes
    assert min(sizes["H"], sizes["W"]) >= 11
    assert spec_of(losses.frames_of_sixty_four).sizes["D"] >= 64


def test_one_sample_is_as_large_as_the_loss_needs():
    assert spec_of(losses.structure).narrow["B"] == 1
    assert spec_of(losses.structure).narrow["H"] >= 11


@pytest.mark.parametrize(
    ("loss", "roles"),
    [
        (losses.clipped_ratio, ("y_true", "y_pred", "input")),
        (losses.gathered_value, ("y_pred", "y_true")),
        (losses.value_of_action, ("y_pred", "input", "y_true")),
    ],
)
def test_what_gets_a_gradient_is_the_prediction(loss, roles):
    assert tuple(argument.role for argument in spec_of(loss).arguments) == roles


def test_extra_arguments_have_shapes_of_their_own():
    assert shapes(losses.value_of_action) == ("(B, D)", "(B, D)", "(B,)")


@pytest.mark.parametrize("loss", [losses.five_quarters, losses.checked_quaternion])
def test_a_sound_loss_of_a_fixed_width_passes(loss):
    report = losscheck.check(loss, select=["LC101", "LC102", "LC4", "LC901"])
    assert errors(report) == []
    assert report.verdict == "pass"


def test_a_loss_of_one_column_is_no_fault_of_its_labels():
    report = losscheck.check(losses.one_column_squeezed, select=["LC102", "LC4"])
    assert codes(report, "error", "warning") == set()


def test_a_faulty_form_is_not_hidden_by_another_layout():
    report = losscheck.check(losses.over_the_batch, select=["LC404"])
    assert found(report, "LC404")


def test_a_batch_that_is_written_down_is_still_told():
    def of_four(y_true, y_pred):
        import tensorflow as tf

        return tf.reduce_sum(tf.square(tf.reshape(y_true - y_pred, (4, -1))), axis=-1)

    assert "LC402" in codes(losscheck.check(of_four, select=["LC402"]), "error")
