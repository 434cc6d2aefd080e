"""The seed of a loss: the same everywhere, and another one for another loss."""

from __future__ import annotations

from losscheck.settings.budget import own_seed


def test_it_is_the_same_on_every_machine() -> None:
    # sha256("0 losses:mse") and sha256("7 losses:mse"), their first four bytes, by `sha256sum`.
    assert f"{own_seed(0, 'losses:mse'):08x}" == "efa8643e"
    assert f"{own_seed(7, 'losses:mse'):08x}" == "6dda4d30"


def test_each_loss_has_its_own() -> None:
    seeds = {own_seed(seed, f"losses:{i}") for i in range(50) for seed in (0, 1)}
    assert len(seeds) == 100
