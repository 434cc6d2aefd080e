"""The programs that show what Keras does around a loss run as printed, and show it."""

from __future__ import annotations

import os
from typing import Any

import attrs
import keras
import pytest

from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import graph_facts
from losscheck.evidence.keras.sample_weights import weighing
from losscheck.evidence.keras.training import saving, training
from losscheck.findings.finding import Writer
from losscheck.infer import infer
from losscheck.model import Finding
from losscheck.rules import find
from losscheck.settings.settings import Settings, argument
from losscheck.targets import Loss, from_callable
from tests.zoo import planted_training as planted

REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
WEIGHTED = {**REALS, "sample_weight": ("weight", "(B,)")}
PLACE = "tests.zoo.planted_training"


@pytest.fixture(autouse=True)
def _beside(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Run the programs in a folder of their own: one of them saves a model."""
    monkeypatch.syspath_prepend(os.getcwd())
    monkeypatch.chdir(tmp_path)


def _finding(code: str, name: str, arguments: dict[str, tuple[str, str]]) -> Finding:
    made = getattr(planted, name)
    made = made() if isinstance(made, type) else made
    loss: Loss = from_callable(made)
    declared = {key: argument(given, key) for key, given in arguments.items()}
    home = os.path.dirname(planted.__file__)
    inferred = infer(loss, declared, home=home, base=os.getcwd())
    evidence = Evidence(
        inferred=inferred, dtypes=("float32",), modes_wanted=("eager", "graph"), seed=0
    )
    facts = graph_facts(evidence)
    given: dict[str, Any] = {
        "LC601": lambda: {"saving": saving(evidence)},
        "LC602": lambda: {"weighing": weighing(evidence, ()), "graph": facts},
        "LC603": lambda: {"training": training(evidence, (), None, facts)},
    }[code]()
    rule = find(code)
    named = attrs.evolve(loss, target=f"{PLACE}:{name}")
    writer = Writer(named, Settings(), Desk(evidence), os.getcwd())
    (finding,) = writer.findings(rule, list(rule.judge(**given)))
    return finding


@pytest.mark.parametrize(
    ("code", "name", "arguments", "shown"),
    [
        ("LC601", "PowerError", REALS, ("before:", "after:")),
        ("LC601", "RigidError", REALS, ("unexpected keyword argument 'name'",)),
        ("LC601", "TensorScale", REALS, ("before:", "dict")),
        ("LC602", "weights_within", WEIGHTED, ("loss:", "mean_with_sample_weight:")),
        ("LC602", "weights_left", REALS, ("loss:", "sum_over_batch_size:")),
        ("LC602", "DeafCall", REALS, ("loss:", "sum_over_batch_size:")),
        ("LC602", "scalar", REALS, ("sum_over_batch_size:", "Keras:")),
        ("LC602", "elements", REALS, ("Incompatible shapes",)),
        ("LC603", "BareCall", REALS, ("takes 3 positional arguments but 4 were given",)),
        ("LC603", "WarmUp", REALS, ("reported:", "direct:")),
    ],
)
def test_the_program_shows_it(
    code: str,
    name: str,
    arguments: dict[str, tuple[str, str]],
    shown: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name == "TensorScale" and not hasattr(keras.Model, "_compute_loss"):
        pytest.skip("Keras 3.3 cannot load the model of the program with any loss")
    finding = _finding(code, name, arguments)
    assert finding.location is not None
    assert finding.location.file.endswith("planted_training.py")
    assert finding.message
    assert finding.fix
    capsys.readouterr()
    raised = ""
    try:
        exec(compile(finding.reproduce, "reproduce.py", "exec"), {"__name__": "__main__"})
    except Exception as error:
        raised = str(error)
    said = capsys.readouterr().out + raised
    assert all(text in said for text in shown), said
    if not raised:  # it prints two numbers that are not the same
        numbers = {line.rpartition(" ")[2] for line in said.splitlines() if ":" in line}
        assert len(numbers) > 1
