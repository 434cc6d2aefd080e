from __future__ import annotations

import linecache

import attrs
import pytest

from losscheck.fixes.candidates import candidates
from losscheck.fixes.cure import cures
from losscheck.fixes.patch import Edit
from losscheck.fixes.transplant import transplanted
from tests.fixes import faulty_losses as losses
from tests.fixes.explained import Explained, explained

NONFINITE = ("LC201", "LC202", "LC203", "LC204")


@pytest.fixture(scope="module")
def entropy() -> Explained:
    return explained(losses.log_of_probability, NONFINITE, y_true="one_hot", y_pred="probability")


def test_a_floor_of_the_right_size_holds_and_says_what_it_clears(entropy: Explained):
    cure = cures(entropy.bench, entropy.desk, entropy.explanations)[-1]
    assert cure.verified.holds
    assert set(cure.verified.clears) == {e.finding.id for e in entropy.explanations}
    assert "+    return -tf.reduce_sum(y_true * tf.math.log(tf.maximum(" in cure.verified.diff


def test_an_epsilon_that_changes_ordinary_values_is_refused(entropy: Explained):
    first = next(candidates(entropy.explanations[0], entropy.desk))
    wide = Edit(
        file=first.file,
        line=first.line,
        column=first.column,
        end_line=first.end_line,
        end_column=first.end_column,
        new="tf.math.log(y_pred + 1e-3)",
    )
    found = entropy.bench.verify([wide], entropy.explanations)
    assert not found.holds
    assert "would change" in found.complaints[0]


def test_what_falls_where_the_loss_grows_without_bound_is_refused(entropy: Explained):
    first = next(candidates(entropy.explanations[0], entropy.desk))
    turned = attrs.evolve(first, new="tf.where(y_pred > 0.0, tf.math.log(y_pred), 100.0)")
    found = entropy.bench.verify([turned], entropy.explanations)
    assert not found.holds
    # -1 * log(0) is Inf; -1 * 100, a reward for what is quite wrong, is not.
    assert "would change its sign" in found.complaints[0]
    assert found.complaints[0].endswith("from Inf to -100")


def test_a_changed_file_is_read_as_changed_by_autograph_too():
    """AutoGraph has the lines of a module read anew from the disk before it converts a function."""
    file = losses.__file__
    old = linecache.getlines(file)
    changed = "".join(old).replace("tf.math.log(y_pred)", "tf.math.log1p(y_pred)")
    with transplanted({file: changed}, [losses.log_of_probability]):
        linecache.updatecache(file, vars(losses))
        assert "".join(linecache.getlines(file)) == changed
    assert linecache.getlines(file) == old


@pytest.mark.slow
def test_what_a_search_found_in_one_change_is_seen_at_once_in_another():
    """Where both are 0 the quotient of all these changes is NaN, until it has a floor."""
    found = explained(losses.divergence, NONFINITE, y_true="simplex", y_pred="simplex")
    nan = [each for each in found.explanations if each.finding.code == "LC201"]
    logarithm = next(e for e in nan if "log" in e.blame.expression)
    tried = cures(found.bench, found.desk, [logarithm])
    floor = "tf.where(tf.abs(y_pred) < 1e-7, 1e-7, y_pred)"
    assert tried[-1].verified.holds
    assert [step.new for step in tried[-1].edit.steps] == [
        "tf.math.xlogy(y_true, y_true / y_pred)",
        f"y_true / {floor}",
    ]


def test_a_change_that_raises_is_refused(entropy: Explained):
    first = next(candidates(entropy.explanations[0], entropy.desk))
    raising = Edit(
        file=first.file,
        line=first.line,
        column=first.column,
        end_line=first.end_line,
        end_column=first.end_column,
        new="tf.math.log(tf.ensure_shape(y_pred, (7, 7)))",
    )
    found = entropy.bench.verify([raising], entropy.explanations)
    assert "does not run" in found.complaints[0]


def test_nothing_is_left_behind(entropy: Explained):
    code, lines = losses.log_of_probability.__code__, linecache.getlines(losses.__file__)
    cures(entropy.bench, entropy.desk, entropy.explanations)
    assert losses.log_of_probability.__code__ is code
    assert linecache.getlines(losses.__file__) == lines


def test_the_whole_logarithm_is_written_as_softplus():
    found = explained(losses.softplus_by_hand, NONFINITE, y_true="binary", y_pred="logits")
    cure = cures(found.bench, found.desk, found.explanations)[-1]
    assert cure.verified.holds
    assert cure.edit.new == "tf.math.softplus(y_pred)"
    assert "- y_true * y_pred, axis=-1)  # here\n" in cure.verified.diff


def test_an_operand_is_made_safe_before_the_line():
    found = explained(losses.trap, NONFINITE, y_true="binary", y_pred="[0, 1]")
    cure = cures(found.bench, found.desk, found.explanations)[-1]
    assert cure.verified.holds
    assert cure.edit.before == ("safe = tf.where(y_pred > 0.0, y_pred, 1.0)",)


def test_a_division_in_place_over_several_lines():
    found = explained(losses.divided_in_place, NONFINITE, y_true="binary", y_pred="[0, 1]")
    cure = cures(found.bench, found.desk, found.explanations)[-1]
    assert cure.verified.holds
    # Of nothing that is there all is found, and the loss is 0.
    assert "+    share = (share + 1e-7) / (tf.reduce_sum(y_true, axis=-1) + 1e-7)" in (
        cure.verified.diff
    )
