"""The search for the layout of a loss: candidates are tried, and what runs is weighed by its fit.

The first layout with which nothing is wrong is taken, else the one with the least faults. Three
things can bring it to look further before it does: a size that fits by chance, a loss that returns
no loss of samples, and labels that turn out to be indices.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import attrs

from losscheck.infer.candidates import Candidates
from losscheck.infer.fit import Faults
from losscheck.infer.hints import hints
from losscheck.infer.known import Given
from losscheck.infer.layouts import PAIRS, Layout, Pair
from losscheck.infer.named import numbers_of
from losscheck.infer.trial import Trial, Trials
from losscheck.program.programs import Programs
from losscheck.program.structures import structures
from losscheck.program.tracing.trace import CallError
from losscheck.program.tracing.wiring import Wiring
from losscheck.settings.budget import within

MOST_TRIED = 600
"""Layouts, each of which is traced in some 10 ms. With two arguments besides the pair these are all
that have free sizes; with four of them there would be thousands."""
MOST_SPENT = 20_000
"""Operations traced in trials that fail, of which a second traces some 3,000."""
MOST_REPAIRED = 4  # times that a layout is mended
SHARE = 0.4  # of the budget, to which it may last
# What no other shape mends: a name, or an end, is missing in all of them.
_HOPELESS = (
    AttributeError,
    NameError,
    ImportError,
    NotImplementedError,
    RecursionError,
    EOFError,
)


def find_layout(
    programs: Programs, given: Given, pairs: Sequence[Pair], indices: Sequence[Pair] = ()
) -> tuple[Layout, CallError | None]:
    """Find the layout that fits a loss best; where none runs, the first one and what it raised.

    Parameters
    ----------
    given
        What is known of its arguments.
    pairs
        Shapes of labels and predictions, the likeliest first.
    indices
        Those of labels that are used as class indices.
    """
    layout, error = _Search(programs, given, pairs).find()
    if error is None and _looks_up(programs, given, layout):
        rank = layout.shapes[given.prediction].rank
        for pair in (p for p in indices if p[1].rank == rank):
            found, refused = find_layout(programs, given, (pair,))
            if refused is None:
                return found, None
    return layout, error


def _looks_up(programs: Programs, given: Given, layout: Layout) -> bool:
    """Whether it takes labels for indices that nobody declared, which have one axis less then."""
    if given.shapes.keys() >= set(given.labels):
        return False
    label = given.labels[0]
    graph = wiring_at(programs, layout)
    if graph is None or layout.shapes[label].rank < layout.shapes[given.prediction].rank:
        return False  # it was tried among the others
    return any(hint.use == "index" for hint in hints(graph, label))


def wiring_at(programs: Programs, layout: Layout) -> Wiring | None:
    """Read the graph of a layout; None where the loss cannot be traced."""
    graphed = programs.at(layout.at()).graphed
    return None if graphed is None else graphed.wiring


class _Search:
    """Looks for the layout of one loss."""

    def __init__(self, programs: Programs, given: Given, pairs: Sequence[Pair]) -> None:
        self._call = programs.call
        self._given = given
        # Whether it is left alone with the loss: other sizes than the usual ones are tried.
        self._thorough = given.data is None and set(pairs) >= set(PAIRS)
        self._trials = Trials(programs, given)
        own = numbers_of(programs.call.function)
        self._candidates = Candidates(given, pairs, self._trials, own)
        self._best: Trial | None = None

    def find(self) -> tuple[Layout, CallError | None]:
        """Find the layout that fits best; where none runs, the first one and what it raised."""
        candidates = self._candidates.free()
        if not self._settles(next(candidates)):
            with within(SHARE, "not all shapes were tried"):
                if not any(map(self._settles, candidates)) and self._goes_on():
                    any(map(self._settles, self._candidates.of_other_sizes()))
        if self._best is not None:
            return self._best.layout, None
        assert self._trials.first is not None  # there is at least one layout
        return self._trials.first

    def _goes_on(self) -> bool:
        """Whether other sizes may help: they do not where all that is raised are types."""
        of_types = not self._trials.ran and self._trials.kinds == {TypeError}
        return self._thorough and not of_types

    def _settles(self, layout: Layout) -> bool:
        """Look at a layout, and at what it suggests; say whether no other need be tried."""
        trial = self._look(layout)
        if trial is None:
            return self._is_over()
        columns = layout.shapes[layout.prediction].rank > 1  # else they may be taken for samples
        if layout.led and columns and trial.faults.grave == ["of_batch"]:
            self._best = trial  # its batch is the loss's own
            return True
        if trial.right:
            further = trial.coincident
        elif trial is self._best and self._is_own_form(trial):
            # A label of another shape may run by broadcasting alone; another prediction is not
            # looked for.
            looked = map(self._look, self._candidates.beside(layout.pair))
            further = not any(other is not None and other.right for other in looked)
        else:
            return self._is_over()
        if further and self._thorough:
            itself = not trial.right and trial.fit is not None and trial.fit.uneven
            self._best = (
                self._first_right(self._candidates.likelier(layout.pair, itself=itself))
                or self._best
            )
        return True

    def _is_own_form(self, trial: Trial) -> bool:
        """Whether it seems to be the loss itself that returns no loss of samples."""
        alone = trial.faults.grave == ["apart"] and not trial.coincident
        return alone and (self._trials.first is None or trial.faults.apart == 1)

    def _look(self, layout: Layout) -> Trial | None:
        trial = self._trial(layout)
        if trial is None or self._explains_away(trial):
            return None
        if self._best is None or trial.faults < self._best.faults:
            self._best = trial
        return trial

    def _first_right(self, layouts: Iterable[Layout]) -> Trial | None:
        trials = map(self._trial, layouts)
        return next((trial for trial in trials if trial is not None and trial.right), None)

    def _trial(self, layout: Layout) -> Trial | None:
        """Run a layout, and mend it as long as that helps."""
        first = best = self._trials.run(layout)
        if best is None or not self._thorough:
            return best
        for _ in range(MOST_REPAIRED):
            tries = map(self._trials.run, self._candidates.repairs(best))
            better = min((t for t in tries if t is not None), key=_faults, default=best)
            if better.faults >= best.faults:
                break
            best = better
        dims = layout.pair[1].dims
        if best is not first and len(set(dims)) < len(dims):  # one of two axes is what was meant
            return attrs.evolve(best, coincident=True)
        return best

    def _explains_away(self, trial: Trial) -> bool:
        """Whether labels of more axes than the prediction would take the place of a fault.

        Samples that meet others in a layout which runs with every batch may well be one, unless the
        loss itself writes an axis out for what labels have.
        """
        shapes = trial.layout.shapes
        rank = shapes[self._given.prediction].rank
        more = any(shapes[name].rank > rank for name in self._given.labels)
        if not more or self._best is None or self._best.fit is None:
            return False
        return not self._best.faults.of_batch and not self._best.fit.raised

    def _is_over(self) -> bool:
        """Whether no other shape can help, or enough of them were tried."""
        hopeless = not self._trials.ran and self._trials.first is not None and self._is_hopeless
        spent = len(self._trials.seen) >= MOST_TRIED or self._trials.spent >= MOST_SPENT
        return hopeless or spent

    @functools.cached_property
    def _is_hopeless(self) -> bool:
        assert self._trials.first is not None
        error = self._trials.first[1].error
        return isinstance(error, _HOPELESS) or bool(structures(self._call, error))


def _faults(trial: Trial) -> Faults:
    return trial.faults
