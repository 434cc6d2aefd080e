"""What is made of a program is made once, and by whom it is told."""

from typing import Any

import pytest

from losscheck.program.running.runnable import remembered


class Owner:
    def __init__(self) -> None:
        self.remembered: dict[Any, Any] = {}


made: list[tuple[Any, ...]] = []


@remembered
def first(owner: Owner, number: int, *, twice: bool = False) -> list[int]:
    made.append((owner, number, twice))
    return [number] * (1 + twice)


@remembered
def second(owner: Owner, number: int) -> str:
    return str(number)


def test_each_owner_has_each_thing_once():
    one, other = Owner(), Owner()
    made.clear()
    assert first(one, 3) is first(one, 3)
    assert first(one, 3, twice=True) == [3, 3]
    assert first(one, 4) == [4]
    assert first(other, 3) is not first(one, 3)
    assert len(made) == 4


def test_what_two_functions_make_is_kept_apart():
    owner = Owner()
    assert (first(owner, 3), second(owner, 3)) == ([3], "3")


def test_what_raises_is_tried_again():
    tries: list[int] = []

    @remembered
    def fails_once(_: Owner) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return len(tries)

    owner = Owner()
    with pytest.raises(ValueError, match="not yet"):
        fails_once(owner)
    assert fails_once(owner) == fails_once(owner) == 2
