"""The seed of a loss, which neither its neighbours nor the order of a run change."""

from __future__ import annotations

import hashlib

BYTES = 4  # of a digest: a number that NumPy, Hypothesis and TensorFlow take


def own_seed(seed: int, target: str) -> int:
    """Derive the seed of a loss from the seed of the run and from what it is called.

    Parameters
    ----------
    seed
        As `--seed` gives it.
    target
        The name of the loss in reports.

    Examples
    --------
    >>> own_seed(0, "losses:mse") == own_seed(0, "losses:mae")
    False
    """
    digest = hashlib.sha256(f"{seed} {target}".encode()).digest()
    return int.from_bytes(digest[:BYTES], "big")
