"""What is imported to stay is not looked through by the garbage collection."""

from __future__ import annotations

import gc

from losscheck.program.quiet import SELDOM, imported_to_stay, seldom_collected, uncollected


def test_nothing_is_collected_meanwhile() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_collects_nothing_goes_on_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_made_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    try:
        with imported_to_stay():
            kept = [[] for _ in range(100)]
        assert gc.get_freeze_count() >= before + len(kept)
        assert gc.isenabled()
    finally:
        if not before:
            gc.unfreeze()


def test_garbage_is_collected_seldom_and_not_at_all_where_nobody_wants_it() -> None:
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold()[0] >= SELDOM
    assert gc.get_threshold() == before
    gc.set_threshold(0)
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
