import pytest

from losscheck.cases.problem import Problem
from losscheck.settings import shapes


@pytest.fixture
def problem():
    def make(arguments, sizes, dtype="float32", classes=3):
        at = {item.name: shapes.parse(item.shape).at(sizes) for item in arguments}
        return Problem.of(arguments, at, dtype, classes)

    return make
