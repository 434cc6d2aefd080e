"""LC601: a Loss that does not come back from its config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Pin, Rule, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.keras.training import Saving
    from losscheck.program.keras.saving import Survival
    from losscheck.rules.base import Arguments, Judgment, Words
    from losscheck.rules.evidence import LeftOut


class NotSerializable(Rule):
    """A Loss does not survive get_config and from_config, or saving with a model.

    What it does
    ------------
    Makes the Loss anew from its config and compares what the two return, for the Loss as it is
    given and for others of its class with another number or switch in the constructor. What comes
    through that is compiled into a small model, saved as .keras and loaded with the class in
    custom_objects. Functions have no config, and are left out.

    Why it matters
    --------------
    A model is saved with the Loss it was compiled with. One whose config misses an argument is
    loaded without complaint and goes on training with the default; one whose constructor does not
    take name and reduction, which the config of every Loss holds, cannot be loaded at all.

    Example
    -------
    The inherited get_config knows nothing of power, and the constructor takes no name:

        class PowerError(keras.losses.Loss):
            def __init__(self, power=2.0):
                super().__init__()
                self.power = power

            def call(self, y_true, y_pred):
                return tf.reduce_mean(tf.abs(y_true - y_pred) ** self.power, axis=-1)

    Use instead
    -----------
    Hand on what the base class takes, and say what this class takes:

        class PowerError(keras.losses.Loss):
            def __init__(self, power=2.0, **kwargs):
                super().__init__(**kwargs)
                self.power = power

            def get_config(self):
                return {**super().get_config(), "power": self.power}

            def call(self, y_true, y_pred):
                return tf.reduce_mean(tf.abs(y_true - y_pred) ** self.power, axis=-1)

    References
    ----------
    - Keras documentation: Save, serialize, and export models, section Custom objects.
    - Keras documentation: keras.losses.Loss, method get_config.
    """

    code = "LC601"
    slug = "not-serializable"
    forms = {
        "config": Severity.WARNING,
        "rebuild": Severity.WARNING,
        "lost": Severity.WARNING,
        "file": Severity.WARNING,
    }
    masked_by = ("LC404", "LC501", "LC901")
    absent = ("saving", "the loss is no Loss of Keras")
    shown_by = Shown.SAVING
    pinned = Pin.RUNS

    def judge(self, saving: Saving | LeftOut) -> Judgment:
        """Name what is lost on the way."""
        if not saving:
            return
        bad = [one for one in saving.survivals if one.error or one.differs]
        if bad:
            yield self._suspect(saving, bad)

    def _suspect(self, saving: Saving, bad: list[Survival]) -> Suspect:
        first = bad[0]
        lost = {name: pair for one in reversed(bad) for name, pair in one.lost.items()}
        facts: dict[str, Any] = {
            "how": first.how,
            "made": dict(first.made),
            "stage": first.stage,
            "exception": first.error,
            "lost": lost,
            "config": dict(first.config),
            "class": saving.class_name,
            "task": saving.task,
        }
        return Suspect(
            code=self.code,
            form=_form(first),
            facts=facts,
            inputs=saving.inputs,
            value=first.after if first.differs else None,
            expected_value=first.before,
            expected_text="what the Loss returned before",
            location=saving.location,
            count=len(bad),
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        name, made = str(facts.get("class", "The Loss")), _call(facts)
        raised = wording.sentence(facts.get("exception", ""))
        lost = list(facts.get("lost", {}))
        held = wording.listed(facts.get("config", {}), "and") or "nothing"
        if suspect.form == "config":
            return (
                f"{made}.get_config() raises.",
                f"It raises: {raised}.",
                _config(lost or ["power"]),
            )
        if suspect.form == "rebuild":
            return (
                f"{name} cannot be made from its config.",
                f"The config holds {held}; the constructor does not take that. It raises: "
                f"{raised}.",
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


def _form(survival: Survival) -> str:
    if survival.how == "file":
        return "file"
    return {"get_config": "config", "from_config": "rebuild"}.get(survival.stage, "lost")


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
