"""What the report of a loss depends on: what is edited changes its digest, or leaves it alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscheck.selection.dependencies import Dependencies

LOSSES = """import os

import numpy as np
import tensorflow as tf
from tensorflow import keras

from helpers import guarded

FLOOR = 1e-7
SCALE = os.environ.get("SCALE", "1")
TABLE = np.load("table.npy")


def clipped(y_true, y_pred):
    p = tf.clip_by_value(y_pred, FLOOR, 1.0)
    return -tf.reduce_mean(y_true * tf.math.log(p), axis=-1)


def logarithm(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(guarded(y_pred)), axis=-1)


def scaled(y_true, y_pred):
    return float(SCALE) * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def from_table(y_true, y_pred):
    return tf.reduce_mean(tf.gather(TABLE, tf.cast(y_true, tf.int32)) * y_pred)


def focal(gamma):
    def loss(y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** gamma, axis=-1)

    return loss


class Squared(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return tf.square(y_true - y_pred)


cube = focal(3.0)
"""
HELPERS = "import floors\n\n\ndef guarded(x):\n    return x + floors.FLOOR\n\n\nOTHER = 1\n"
FLOORS = "FLOOR = 1e-7\n"
NAMES = ("clipped", "logarithm", "scaled", "focal(gamma=2.0)", "Squared", "cube")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("losses", LOSSES), ("helpers", HELPERS), ("floors", FLOORS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path.resolve()


def digests(folder: Path, **environment: str) -> dict[str, str | None]:
    targets = [f"losses:{name}" for name in (*NAMES, "from_table")]
    found = Dependencies(targets, folder, None, environment)
    return {target.partition(":")[2]: found.of_loss(target) for target in targets}


def edited(folder: Path, old: str, new: str, file: str = "losses.py") -> set[str]:
    """Edit a file, and name the losses that differ by it."""
    before = digests(folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    after = digests(folder)
    return {name for name, digest in after.items() if digest != before[name] or digest is None}


def test_a_loss_that_reads_data_has_none(folder: Path) -> None:
    found = digests(folder)
    assert {name for name, digest in found.items() if digest is None} == {"from_table"}
    assert len(set(found.values())) == len(found)
    assert found == digests(folder)


@pytest.mark.parametrize(
    ("old", "new", "file", "differ"),
    [
        ("FLOOR = 1e-7", "FLOOR = 1e-6", "losses.py", {"clipped", "scaled"}),
        ("FLOOR, 1.0)", "FLOOR, 1.0)  # a comment", "losses.py", {"clipped"}),
        ("** gamma", "** (gamma + 0)", "losses.py", {"focal(gamma=2.0)", "cube"}),
        ("focal(3.0)", "focal(4.0)", "losses.py", {"cube", "Squared"}),
        ("1e-7", "1e-5", "floors.py", {"logarithm"}),
        ("OTHER = 1", "OTHER = 2", "helpers.py", {"logarithm"}),
    ],
)
def test_what_an_edit_changes(
    folder: Path, old: str, new: str, file: str, differ: set[str]
) -> None:
    # Three lines about a statement count, too: the difference of a fix shows them.
    assert edited(folder, old, new, file) == differ | {"from_table"}


def test_a_line_above_moves_all_that_stands_below(folder: Path) -> None:
    assert edited(folder, "def scaled", "\ndef scaled") >= {"scaled", "Squared", "cube"}
    assert "clipped" not in edited(folder, "class Squared", "\nclass Squared")


def test_the_environment_counts_where_it_is_asked_for(folder: Path) -> None:
    before, after = digests(folder), digests(folder, SCALE="2")
    assert {name for name in before if before[name] != after[name]} == {"scaled"}


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nW = np.random.rand(3)",
        "from numpy import random\nW = random.rand(3)",
        "import random\nW = random.random()",
        "import time\nW = time.time()",
        "import json\nW = json.loads('1')",
        "import pathlib\nW = float(pathlib.Path('w.txt').read_text())",
        "W = float(open('w.txt').read())",
        "import tensorflow as tf\nW = tf.random.normal([3])",
        "import tensorflow as tf\nW = tf.io.read_file('w')",
        "from tensorflow import keras\nW = keras.layers.Dense(1)",
        "from keras import models\nW = models.load_model('w.keras')",
        "from keras.models import load_model\nW = load_model('w.keras')",
        "import numpy\nW = numpy.loadtxt('w.txt')",
        "import numpy\nW = numpy.genfromtxt('w.txt')",
        "import os\nW = len(os.listdir('.'))",
        "from os import getenv\nW = getenv('W')",
        "import unheard_of\nW = unheard_of.W",
        "from .beside import W",
        "W = eval('1')",
        "W = hash('a')",
        "globals()['W'] = 1",
        "def W():\n    import socket\n    return socket.gethostname()",
        "class W:\n    x = __import__('time').time()",
        "from reading import W",
        "import reading\nW = 1\nreading.W",
    ],
)
def test_what_may_differ_from_run_to_run_has_none(tmp_path: Path, source: str) -> None:
    text = f"{source}\n\n\ndef loss(y_true, y_pred):\n    return y_pred * W\n"
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    (tmp_path / "reading.py").write_text("W = open('w').read()\n", encoding="utf-8")
    assert Dependencies(["own"], tmp_path.resolve(), None, {}).of_loss("own:loss") is None
    assert Dependencies(["own.py"], tmp_path.resolve(), None, {}).of_loss("own.py:loss") is None


@pytest.mark.parametrize("target", ["own:missing", "own:loss", "no_such:loss", "own"])
def test_what_is_not_written_has_none(tmp_path: Path, target: str) -> None:
    (tmp_path / "own.py").write_text("import other\nsetattr(other, 'loss', 1)\n", encoding="utf-8")
    assert Dependencies([target], tmp_path.resolve(), None, {}).of_loss(target) is None


def test_losses_of_keras_depend_on_their_version_alone(folder: Path) -> None:
    found = Dependencies(["mse"], folder, None, {})
    assert len({found.of_loss(name) for name in ("mse", "mae", "keras.losses:huber")}) == 3
    assert found.of_loss("mse") is not None
    (folder / "mse.py").touch()
    assert Dependencies(["mse"], folder, None, {}).of_loss("mse") is None


def test_which_losses_a_module_has_depends_on_all_of_it(folder: Path) -> None:
    def place(target: str = "losses") -> str | None:
        return Dependencies([target], folder, None, {}).of_place(target)

    assert place() is None  # a loss might be made where data is read
    text = LOSSES.replace('np.load("table.npy")', "np.zeros(3)")
    (folder / "losses.py").write_text(text, encoding="utf-8")
    first = place()
    assert first is not None
    assert place() == first
    assert place("losses:clipped") != place("losses:scaled")
    (folder / "floors.py").write_text("FLOOR = 1e-8\n", encoding="utf-8")
    assert place() != first


def test_modules_that_hand_a_name_to_each_other_define_none(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.py").write_text(f"from {other} import loss\n", encoding="utf-8")
    assert Dependencies(["a"], tmp_path.resolve(), None, {}).of_loss("a:loss") is None


def test_a_name_that_is_handed_on_is_followed(folder: Path) -> None:
    (folder / "package.py").write_text("from losses import clipped\n", encoding="utf-8")

    def digest() -> str | None:
        return Dependencies(["package"], folder, None, {}).of_loss("package:clipped")

    first = digest()
    assert first is not None
    assert edited(folder, "FLOOR = 1e-7", "FLOOR = 1e-6") >= {"clipped"}
    assert digest() not in (None, first)
