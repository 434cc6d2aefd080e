"""The problems of the page about rewriting are what they say, and its numbers are measured."""

from __future__ import annotations

import pytest

from benchmarks.peers import everyday, hamming
from benchmarks.rewriting import expression_of, measure, sample
from losscheck.rewriting import leaves_in
from losscheck.rewriting.judging import Judge
from losscheck.rewriting.python import read


@pytest.mark.parametrize("name", hamming.PROBLEMS)
def test_a_problem_is_one_expression_of_its_arguments(name: str) -> None:
    problem = hamming.PROBLEMS[name]
    names = {"y_true", *problem.domains}
    assert set(leaves_in(expression_of(problem.loss))) == names
    if problem.sound:
        assert set(leaves_in(expression_of(problem.sound))) <= names


@pytest.mark.parametrize("name", hamming.PROBLEMS)
def test_a_sound_form_is_the_same_function(name: str) -> None:
    problem = hamming.PROBLEMS[name]
    if problem.sound is None:
        return
    numbers = sample({"y_true": hamming.LABEL, **problem.domains}, 50, 3)
    loss, sound = (
        Judge(read(expression_of(form)), numbers).truth.value
        for form in (problem.loss, problem.sound)
    )
    assert loss == pytest.approx(sound, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ["2sqrt", "cos2", "2tan"])
def test_tensorflow_loses_fewer_bits_in_what_was_written(name: str) -> None:
    problem = hamming.PROBLEMS[name]
    domains = {"y_true": hamming.LABEL, **problem.domains}
    result = measure(expression_of(problem.loss), domains, ["y_pred"])
    assert result.before[0].mean > 7
    assert result.after[0].mean < 1
    assert result.after[1].mean < 1


@pytest.mark.parametrize("name", everyday.EXPRESSIONS)
def test_everyday_expressions_have_numbers(name: str) -> None:
    text, domains = everyday.EXPRESSIONS[name]
    assert set(leaves_in(text)) == set(sample(domains, 10, 0))
