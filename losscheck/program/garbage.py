"""Python's garbage collection, kept from looking through what stays.

Importing TensorFlow makes a million objects. Collections run through them again and again while
they come, for a fifth of the time of the import, and every full one does so from then on.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def imported_to_stay() -> Iterator[None]:
    """Collect no garbage meanwhile, and look at nothing again that is there by then.

    For processes that are our own: the garbage of others that is there by then stays as well.
    """
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()
