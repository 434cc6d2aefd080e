"""The first change that cures a fault."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import chain

import attrs

from losscheck.evidence.desk import Desk
from losscheck.findings.explanation import Explanation
from losscheck.fixes.bench import Bench, Verified
from losscheck.fixes.candidates import candidates
from losscheck.fixes.edit import Edit
from losscheck.fixes.rewritten import rewritten

TRIED = 10  # changes of one fault that are tried
REWRITTEN = 2  # findings of one fault whose expressions are rewritten


@attrs.frozen(kw_only=True)
class Cure:
    """A change that was tried, and what came of it."""

    edit: Edit
    verified: Verified


def cures(
    bench: Bench, desk: Desk, explanations: Sequence[Explanation], most: int = TRIED
) -> list[Cure]:
    """Try the changes that the advice of some findings knows, until one cures the worst of them.

    Where none does, the expression at fault is rewritten by identities.

    Returns
    -------
    list of Cure
        Those that were tried, the best one last.
    """
    worst = max(each.weight for each in explanations)
    weighty = [each for each in explanations if each.weight == worst]
    wanted = {each.finding.id for each in weighty}
    tried: list[Cure] = []
    listed = dict.fromkeys(e for each in weighty for e in candidates(each, desk))
    for edit in chain(list(listed)[:most], _rewritten(weighty, desk, listed)):
        tried.append(Cure(edit=edit, verified=bench.verify([edit], explanations)))
        if tried[-1].verified.holds and wanted <= {*tried[-1].verified.clears}:
            return tried
    tried.sort(key=lambda cure: (cure.verified.holds, len(cure.verified.clears)))
    return tried


def _rewritten(
    explanations: Sequence[Explanation], desk: Desk, listed: Container[Edit]
) -> Iterator[Edit]:
    """What advice does not know, worked out when it is asked for."""
    told: set[Edit] = set()
    for each in explanations[:REWRITTEN]:
        for edit in rewritten(each, desk):
            if edit not in listed and edit not in told:
                told.add(edit)
                yield edit
