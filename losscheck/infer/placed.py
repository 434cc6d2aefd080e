"""What the model that a loss is compiled with says of its arguments."""

from __future__ import annotations

import attrs

from losscheck import domains
from losscheck.infer.ending import ending
from losscheck.infer.given import Given
from losscheck.infer.layouts import Pairs
from losscheck.settings.shapes import Shape, parse
from losscheck.targets.models import Placed

ANY_NUMBER = frozenset({"real", "logits"})  # domains that a linear layer does not leave


def within(given: Given, placed: Placed, shape: str) -> Given:
    """Lay what the model says over what is known of the loss; what the user declares stays.

    Parameters
    ----------
    given
        What is declared and known of the loss.
    placed
        The output that it is compiled for.
    shape
        Of the prediction there.
    """
    roles, shapes = dict(given.roles), dict(given.shapes)
    found, origins = dict(given.domains), dict(given.origins)
    prediction = next(name for name, role in roles.items() if role == "y_pred")
    declared = origins.get(prediction, ("", ""))[0] == "declared"
    if not (declared and prediction in given.shapes):
        shapes[prediction] = shape
    if not (declared and prediction in given.domains):
        domain, why = _domain(given, placed, prediction)
        if domain:
            found[prediction], origins[prediction] = domain, ("known", why)
    for name, role in roles.items():
        if role == "y_true" and origins.get(name, ("", ""))[0] == "known":
            shapes[name] = label(shapes[prediction], found.get(name, ""))
    return attrs.evolve(given, shapes=shapes, domains=found, origins=origins)


def _domain(given: Given, placed: Placed, prediction: str) -> tuple[str, str]:
    if placed.part.through:
        return "logits", f"the loss takes what goes into the {placed.part.through} of the output"
    last = ending(placed.compiled.forward.wiring(placed.part.output))
    if last.domain:
        return domains.parse(last.domain).name, last.why
    suggested = given.domains.get(prediction, "")
    if last.unbounded and suggested and suggested not in ANY_NUMBER:
        return "logits", last.why
    return "", ""


def label(prediction: str, domain: str) -> str:
    """The shape of labels beside a prediction of this shape."""
    dims = parse(prediction).dims
    return Shape(dims[:-1]).text if domains.names_classes(domain) and len(dims) > 1 else prediction


def pairs(prediction: str) -> Pairs:
    """Layouts of labels beside a prediction of this shape, the likeliest first."""
    return ((prediction, prediction), *index_pairs(prediction))


def index_pairs(prediction: str) -> Pairs:
    """The same of labels that are class indices: one axis less, or a last axis of 1."""
    dims = parse(prediction).dims
    if len(dims) < 2:
        return ()
    fewer, single = Shape(dims[:-1]), Shape((*dims[:-1], 1))
    return ((fewer.text, prediction), (single.text, prediction))
