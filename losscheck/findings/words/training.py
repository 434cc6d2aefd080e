"""Words for what Keras does around a loss: configs, weights, training (LC601 to LC603)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from losscheck.advice import wording
from losscheck.advice.blamed import Blame
from losscheck.model import Argument, Suspect

Words = tuple[str, str, str]  # message, cause, fix


def not_serializable(suspect: Suspect, blame: Blame) -> Words:
    """LC601; facts: made, stage, exception, lost, config, class."""
    facts = suspect.facts
    name, made = str(facts.get("class", "The Loss")), _call(facts)
    raised = wording.sentence(facts.get("exception", ""))
    lost = list(facts.get("lost", {}))
    held = wording.listed(facts.get("config", {}), "and") or "nothing"
    if suspect.form == "config":
        return f"{made}.get_config() raises.", f"It raises: {raised}.", _config(lost or ["power"])
    if suspect.form == "rebuild":
        return (
            f"{name} cannot be made from its config.",
            f"The config holds {held}; the constructor does not take that. It raises: {raised}.",
            "def __init__(self, power=2.0, **kwargs):  # its own arguments in place of power\n"
            "    super().__init__(**kwargs)  # name, reduction and dtype",
        )
    if suspect.form == "file":
        stage = {"save": "saved", "load": "loaded"}.get(str(facts.get("stage")), "used")
        if not raised:
            return (
                f"A model that is compiled with {made} comes back with another loss.",
                f"{_gone(facts)} The config holds {held}.",
                _config(lost or ["power"]),
            )
        return (
            f"A model that is compiled with {made} cannot be {stage}.",
            f"It raises: {raised}. The config holds {held}.",
            _config(lost or ["power"], plain=True),
        )
    if facts.get("exception"):
        return (
            f"{made} does not run once it was made from its config.",
            f"It raises: {raised}. {_gone(facts)}".strip(),
            _config(lost or ["power"], plain=True),
        )
    return (
        f"{made} comes back from its config as another loss.",
        f"{_gone(facts)} The config holds {held}.".strip(),
        _config(lost or list(facts.get("made", {})) or ["power"]),
    )


def _call(facts: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in facts.get("made", {}).items())
    return f"{facts.get('class', 'The Loss')}({given})"


def _gone(facts: Mapping[str, Any]) -> str:
    pairs = facts.get("lost", {})
    told = [f"{name} was {before} and is {after}" for name, (before, after) in pairs.items()]
    return f"{wording.listed(told, 'and')}.".replace("..", ".") if told else ""


def _config(names: list[str], *, plain: bool = False) -> str:
    entries = ", ".join(f'"{name}": self.{name}' for name in names)
    note = "  # numbers, texts and lists of them alone" if plain else ""
    return f"def get_config(self):\n    return {{**super().get_config(), {entries}}}{note}"


def sample_weight(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Words:
    """LC602; facts: form, argument, weights, returns, exception, rows, sums, observed."""
    facts = suspect.facts
    name = str(facts.get("argument") or "sample_weight")
    weights = wording.array(facts.get("weights", ()))
    numbers = _numbers(facts, weights)
    if suspect.form == "scalar":
        return (
            "The loss returns a scalar, so that Keras' weights cannot act on the samples.",
            f"fit's sample_weight, class_weight and masks multiply the mean loss.{numbers} Under "
            "tf.distribute, Keras does not divide it by the number of devices either.",
            "return tf.reduce_mean(per_element, axis=-1)  # one value a sample: Keras averages",
        )
    if suspect.form == "elements":
        returned = wording.shape(facts.get("returns", ()))
        raised = wording.sentence(facts.get("exception", ""))
        happens = f"It raises: {raised}." if raised else f"They act on the wrong axis.{numbers}"
        return (
            f"The loss returns {returned}, on which weights of the samples do not fit.",
            f"Keras multiplies what the loss returns by weights of shape (B,). {happens}",
            "return tf.reduce_mean(per_element, axis=-1)  # over the last axis: one value a sample",
        )
    pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    fix = (
        f"each = tf.reduce_mean(tf.square({label} - {pred}), axis=-1)  # one value a sample\n"
        f"return tf.reduce_mean({name} * each)"
    )
    guess = ""
    if suspect.form == "guessed":
        guess = f" Its name says that {name} holds weights; declare it if it is so."
    if facts.get("form") == "ignored":
        cause = f"It comes out the same with any weights.{numbers}{guess}"
        return f"{name} has no effect on the loss.", cause, fix
    if suspect.form == "part":
        return (
            f"A part of the loss is not weighted by {name}.",
            f"A sample with a weight of 0 still counts.{numbers}",
            f"{fix}\n# If the other part is a penalty that no sample is to be weighted in, ignore "
            "this.",
        )
    return (
        f"{name} does not weigh the losses of the samples.",
        f"The result is none of Keras' reductions of weight times loss.{numbers}{guess}",
        fix,
    )


def _numbers(facts: Mapping[str, Any], weights: str) -> str:
    observed, sums = facts.get("observed"), facts.get("sums", {})
    if observed is None or not sums:
        return ""
    told = [f"{name} {wording.number(value)}" for name, value in sums.items()]
    return (
        f" With weights {weights} the loss is {wording.number(observed)}; the losses of the rows "
        f"give {wording.listed(told)}."
    )


_WAYS = {
    "evaluate": "model.evaluate",
    "fit": "model.fit with sample weights",
    "eager": "model.train_on_batch with run_eagerly=True",
    "jit": "model.train_on_batch with jit_compile=True",
    "mixed": "model.train_on_batch in mixed_float16",
    "mirrored": "model.evaluate under MirroredStrategy",
}


def training_fails(suspect: Suspect, blame: Blame) -> Words:
    """LC603; facts: how, exception, labels, reported, direct, ran."""
    facts = suspect.facts
    way = _WAYS.get(str(facts.get("how")), "Training")
    raised = wording.sentence(facts.get("exception", ""))
    if suspect.form == "differs":
        return (
            f"{way} reports another loss than a direct call gives.",
            f"Keras reports {wording.number(facts['reported'])}, the loss called on the model's "
            f"own outputs gives {wording.number(facts['direct'])}. Keras calls the loss once, to "
            "trace it: what Python keeps or decides inside stands still from then on.",
            "self.step = tf.Variable(0, trainable=False)  # state that a graph can change, made "
            "outside of call",
        )
    ran = [_WAYS[how] for how in facts.get("ran", ()) if how in _WAYS]
    works = f" {wording.listed(ran, 'and')} {'work' if len(ran) > 1 else 'works'}." if ran else ""
    labels = "" if facts.get("labels") == "float32" else f" with {facts.get('labels')} labels"
    return (
        f"{way}{labels} fails.",
        f"It raises: {raised}.{works}",
        _repair(suspect, raised),
    )


def _repair(suspect: Suspect, raised: str) -> str:
    if "positional argument" in raised and "__call__" in raised:
        return (
            "def call(self, y_true, y_pred):  # in place of __call__, which Keras gives the weights"
            " too"
        )
    if suspect.facts.get("how") == "jit":
        return "model.compile(..., jit_compile=False)  # for the whole model"
    if re.search(r"\brank\b|[Ss]hapes? must|[Dd]imension", raised):  # not a matter of the dtype
        return (
            "y_true = tf.reshape(y_true, tf.shape(y_pred)[:1])  # first thing in the loss\n"
            "# Keras hands labels (B,) over as (B, 1) where predictions are (B, 1)."
        )
    return "y_true = tf.cast(y_true, y_pred.dtype)  # first thing in the loss"
