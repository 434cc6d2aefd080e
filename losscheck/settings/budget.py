"""What is settled for each loss: the processor time that it may take, and its seed.

Stages come in an order, the cheapest and most telling first, and how many cases they run follows
from what is counted in the graph. The clock has a say only where that was not enough: then whole
rules are left out, and the report names them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

DEFAULT = 20.0  # seconds
LEAST = 5.0  # seconds for what everything else rests on: roles, shapes and domains
LATE = 0.1  # of them more, in which what was found may still be told
SIMPLER = 0.05  # of them more, in which a case is made simpler: less, so that it is told
FIXES = 0.15  # of them more, in which what is told may be done without, as fixes are
BYTES = 4  # of a digest: a number that NumPy, Hypothesis and TensorFlow take


Result = TypeVar("Result")


class CutError(BaseException):
    """The budget is spent. No `Exception`, so that no way of trying something else takes it."""


class Budget:
    """What is left of the processor time of a loss.

    Parameters
    ----------
    seconds
        Of the process, from now on; 0 for as many as it takes.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.process_time() + seconds if seconds else float("inf")
        self._held = False
        self._late = 0.0
        self.shortened: list[str] = []  # what was searched for in part

    @property
    def spent(self) -> bool:
        """Whether nothing more may begin."""
        return not self._held and time.process_time() > self._end + self._late

    @property
    def reason(self) -> str:
        """Why something did not run."""
        return f"cut by the budget of {self.seconds:g} s of processor time; raise it with --budget"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Cut nothing meanwhile: what was found is told."""
        before, self._held = self._held, True
        try:
            yield
        finally:
            self._held = before

    @contextlib.contextmanager
    def within(self, share: float, what: str) -> Iterator[None]:
        """End meanwhile what takes longer than to a share of it; it is noted."""
        end = self._end
        self._end -= (1.0 - share) * self.seconds
        try:
            yield
        except CutError:
            self.shortened.append(what)
        finally:
            self._end = end
        if self.spent:
            raise CutError

    @contextlib.contextmanager
    def least(self) -> Iterator[None]:
        """Leave meanwhile what everything else rests on some seconds, however few there are."""
        self._late = max(0.0, LEAST - self.seconds)
        try:
            yield
        finally:
            self._late = 0.0

    @contextlib.contextmanager
    def late(self) -> Iterator[None]:
        """Cut what is told meanwhile a little later than what is looked for."""
        self._late = LATE * self.seconds
        try:
            yield
        finally:
            self._late = 0.0

    @contextlib.contextmanager
    def strict(self, share: float) -> Iterator[None]:
        """Cut meanwhile what `held` would let pass: it can be done without."""
        before = self._held, self._late
        self._held, self._late = False, share * self.seconds
        try:
            yield
        finally:
            self._held, self._late = before

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let `spend` ask this budget meanwhile."""
        global _running
        before, _running = _running, self
        try:
            yield
        finally:
            _running = before


_running: Budget | None = None  # losses are examined by one thread of a process


def spend() -> None:
    """Say that something that takes time is about to begin.

    Raises
    ------
    CutError
        There is no time left for it.
    """
    if is_spent():
        raise CutError


def is_spent() -> bool:
    """Whether nothing more may begin."""
    return _running is not None and _running.spent


def once(gather: Callable[[Any], Result]) -> Callable[[Any], Result]:
    """Keep what gathering raises in the `raised` of its object: failing again takes as long.

    What was cut is begun again only where there is time again.
    """

    @functools.wraps(gather)
    def gathered(self: Any) -> Result:
        name = gather.__name__
        match self.raised.get(name):
            case CutError():
                spend()
            case Exception() as known:
                raise known
        try:
            return gather(self)
        except (Exception, CutError) as error:
            self.raised[name] = error
            raise

    return gathered


@contextlib.contextmanager
def within(share: float, what: str) -> Iterator[None]:
    """End what takes longer than to a share of the budget: what was found so far has to do.

    Parameters
    ----------
    what
        Said in the report where it was ended.
    """
    with _running.within(share, what) if _running is not None else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def strictly(share: float = FIXES) -> Iterator[None]:
    """Cut what can be done without, though what was found is being told.

    Parameters
    ----------
    share
        Of the budget, which it may take beyond that.
    """
    with _running.strict(share) if _running is not None else contextlib.nullcontext():
        yield


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
