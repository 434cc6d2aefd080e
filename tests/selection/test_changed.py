"""`--changed` on git repositories made here: which losses differ, why, and what is said of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losscheck.model import UsageError
from losscheck.selection import Selection, is_target
from losscheck.settings.settings import Settings

LOSSES = '''"""Losses."""

import numpy as np
from helpers import clipped, unused
import shapes.boxes
from shapes import corners

SCALE = 2.0
LIMITS = {"low": 0.0}


def scaled(x):
    return SCALE * x


def mse(y_true, y_pred):
    return scaled(y_true - y_pred) ** 2  # squares


def clip(y_true, y_pred):
    return clipped(y_true - y_pred)


@np.vectorize
def box(y_true, y_pred):
    """Overlap of boxes."""
    from lazily import late

    return late(shapes.boxes.overlap(y_true, y_pred), LIMITS)


class Corner:
    weight = corners.WEIGHT

    def __call__(self, y_true, y_pred):
        return y_pred * self.weight
'''
FILES = {
    "losses.py": LOSSES,
    "helpers.py": "from deep import EPSILON\ndef clipped(x): return x + EPSILON\nunused = 1\n",
    "deep.py": "EPSILON = 1e-7\n",
    "lazily.py": "def late(x, limits): return x\n",
    "apart.py": "import helpers\n",
    "shapes/__init__.py": "from .boxes import overlap\nfrom .circles import area\n",
    "shapes/boxes.py": "from ..roots import root\nfrom . import corners\n"
    "def overlap(a, b): return root(a)\n",
    "shapes/corners.py": "WEIGHT = 1.0\n",
    "shapes/circles.py": "from .corners import WEIGHT\ndef area(y_true, y_pred): return y_pred\n",
    ".gitignore": "ignored/\n",
}
ALL = ["mse", "clip", "box", "Corner"]


class Folder:
    """A git repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        named = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *named, *arguments], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self, message: str = "all") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def chosen(self, *targets: str, changed: str = "", **given: Any) -> dict[str, str]:
        """The losses that are run, by what stands behind the colon, with the reasons."""
        settings = Settings(directory=str(self.path), changed=changed, **given)
        selection = Selection(targets, settings)
        names = [t for t in targets if t in selection.targets and selection.takes(t)]
        said = (line.partition(" is checked: ") for line in selection.said())
        reasons = {target: why for target, is_checked, why in said if is_checked}
        assert list(reasons) == names
        return {target.partition(":")[2]: why for target, why in reasons.items()}

    def losses(self, **given: Any) -> dict[str, str]:
        return self.chosen(*(f"losses:{name}" for name in ALL), **given)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A project that has been committed."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    made = Folder(tmp_path.resolve())
    for name, text in FILES.items():
        made.write(name, text)
    made.replace("shapes/boxes.py", "from ..roots import root\n", "def root(x): return x\n")
    made.commit()
    return made


def _settings(folder: Folder) -> Settings:
    return Settings(directory=str(folder.path), changed="")


def test_nothing_has_changed(folder: Folder) -> None:
    assert folder.losses() == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "reasons"),
    [
        # Of the loss itself, and of what it uses within its module.
        ("losses.py", "return scaled(y", "return -scaled(y", {"mse": "its definition differs"}),
        ("losses.py", "SCALE = 2.0", "SCALE = 3.0", {"mse": "SCALE differs"}),
        ("losses.py", "SCALE * x", "x * SCALE", {"mse": "scaled differs"}),
        ("losses.py", '"low": 0.0', '"low": 0.1', {"box": "LIMITS differs"}),
        ("losses.py", "@np.vectorize\n", "", {"box": "its definition differs"}),
        ("losses.py", "weight = ", "weight = 2 * ", {"Corner": "its definition differs"}),
        ("losses.py", "import numpy as np", "import numpy.ma as np", {"box": "np differs"}),
        ("losses.py", "Overlap of boxes", "IoU", {"box": "its definition differs"}),
        # Of nothing.
        ("losses.py", "  # squares", "", {}),
        ("losses.py", '"""Losses."""', '"""Some losses."""', {}),
        ("losses.py", "SCALE = 2.0\n", "SCALE = (\n    2.0\n)\n\n\n", {}),
        ("losses.py", "clipped, unused", "clipped", {}),
        ("losses.py", "\nclass Corner", "\ndef added(x): return x\n\n\nclass Corner", {}),
        ("helpers.py", "EPSILON\n", "EPSILON  # small\n", {}),
        ("apart.py", "import helpers", "import deep", {}),
        # Of comments that mean something.
        ("losses.py", "  # squares", "  # losscheck: ignore[LC301] why", {"mse": "its definition"}),
        # What runs at the import of the module may change any loss in it.
        (
            "losses.py",
            "\n\ndef scaled",
            '\nLIMITS["low"] = 1.0\n\n\ndef scaled',
            dict.fromkeys(ALL),
        ),
        # Of modules that are imported, at whatever depth and wherever the import stands.
        ("helpers.py", "x + EPSILON", "x - EPSILON", {"clip": "helpers.py differs"}),
        ("helpers.py", "unused = 1", "unused = 2", {"clip": "helpers.py differs"}),
        ("deep.py", "1e-7", "1e-6", {"clip": "deep.py differs"}),
        ("lazily.py", "return x", "return -x", {"box": "lazily.py differs"}),
        ("shapes/boxes.py", "return x", "return -x", {"box": "shapes/boxes.py differs"}),
        # A relative import.
        (
            *("shapes/corners.py", "1.0", "2.0"),
            {"box": "shapes/corners.py differs", "Corner": "shapes/corners.py differs"},
        ),
        # A package around what is imported; what it only hands on has no part in it.
        (
            *("shapes/__init__.py", "from .circles", "LIMIT = 1\nfrom .circles"),
            {"box": "shapes/__init__.py differs", "Corner": "shapes/__init__.py differs"},
        ),
        ("shapes/__init__.py", "from .circles import area\n", "", {}),
        ("shapes/circles.py", "return y_pred", "return -y_pred", {}),
    ],
)
def test_an_edit(
    folder: Folder, file: str, old: str, new: str, reasons: dict[str, str | None]
) -> None:
    folder.replace(file, old, new)
    chosen = folder.losses()
    assert list(chosen) == list(reasons)
    for name, reason in reasons.items():
        assert (reason or "differs in losses.py") in chosen[name]
    folder.commit()
    assert list(folder.losses(changed="HEAD~1")) == list(reasons)
    assert folder.losses(changed="HEAD") == {}


def test_packages_that_do_more_than_to_hand_on(folder: Folder) -> None:
    folder.replace("shapes/__init__.py", "area\n", "area\nimport deep\nprint(deep)\n")
    folder.commit()
    folder.replace("deep.py", "1e-7", "1e-6")
    assert folder.losses() == dict.fromkeys(("clip", "box", "Corner"), "deep.py differs")


def test_a_name_that_is_handed_on_is_followed_to_its_definition(folder: Folder) -> None:
    targets = ("shapes:overlap", "shapes:area", "shapes.circles:area")
    assert folder.chosen(*targets) == {}
    folder.replace("shapes/circles.py", "return y_pred", "return -y_pred")
    said = "its definition differs in shapes/circles.py"
    assert folder.chosen(*targets) == {"area": said}
    folder.replace("shapes/__init__.py", "from .circles import area\n", "")
    assert folder.chosen("shapes:area") == {"area": "area is not written in shapes/__init__.py"}


def test_everything_out_of_a_module(folder: Folder) -> None:
    folder.write("pack/__init__.py", "from .one import *\nfrom .two import *\n")
    for name in ("one", "two"):
        text = "from helpers import *\ndef NAME(y_true, y_pred): return clipped(y_pred)\n"
        folder.write(f"pack/{name}.py", text.replace("NAME", name))
    folder.commit()
    targets = ("pack:one", "pack:two", "pack.one:one")
    assert folder.chosen(*targets) == {}
    folder.replace("pack/one.py", "return ", "return 2 * ")
    assert folder.chosen(*targets) == {"one": "its definition differs in pack/one.py"}
    assert Selection(("pack", "pack.two"), _settings(folder)).targets == ("pack",)
    folder.replace("deep.py", "1e-7", "1e-6")
    assert folder.chosen("pack:two") == {"two": "deep.py differs"}


def test_what_is_not_there_has_not_stayed_the_same(folder: Folder) -> None:
    assert folder.chosen("losses:msee") == {"msee": "msee is not written in losses.py"}
    for target, said in (("loses:mse", "no module 'loses'"), ("loses.py", "no file 'loses.py'")):
        with pytest.raises(UsageError, match=said):
            folder.chosen(target)
    folder.write("losses.py", "def mse(y_true, y_pred)")
    assert Selection(("losses", "helpers"), _settings(folder)).targets == ("losses",)


def test_a_module_that_is_never_named_again_is_imported_for_what_it_does(folder: Folder) -> None:
    folder.replace("losses.py", "import shapes.boxes\n", "import shapes.boxes\nimport apart\n")
    folder.commit()
    folder.replace("apart.py", "import helpers", "import helpers\nhelpers.clipped = None")
    assert folder.losses() == dict.fromkeys(ALL, "apart.py differs")


def test_renames(folder: Folder) -> None:
    folder.git("mv", "losses.py", "others.py")
    assert folder.chosen("others:mse") == {"mse": "others.py is new, losses.py before"}
    folder.commit()
    folder.git("mv", "helpers.py", "tools.py")
    assert folder.chosen("others:mse", "others:clip", changed="HEAD") == {
        "clip": "helpers.py is gone"
    }
    folder.replace("others.py", "from helpers import", "from tools import")
    said = "clipped differs in others.py"
    assert folder.chosen("others:mse", "others:clip", changed="HEAD") == {"clip": said}
    folder.git("mv", "deep.py", "helpers.py")  # another one takes the place
    folder.git("checkout", "HEAD", "others.py")
    chosen = folder.chosen("others:mse", "others:clip", changed="HEAD")
    assert chosen == {"clip": "helpers.py differs"}


def test_deleted_files(folder: Folder) -> None:
    (folder.path / "deep.py").unlink()
    assert folder.losses() == {"clip": "deep.py is gone"}
    folder.git("rm", "-q", "--cached", "helpers.py")  # it is still there, as it was
    folder.git("checkout", "HEAD", "deep.py")
    assert folder.losses() == {}


def test_untracked_files(folder: Folder) -> None:
    folder.write("fresh.py", "import deep\ndef loss(y_true, y_pred): return y_pred\n")
    assert folder.chosen("fresh:loss", "fresh.py:loss", "losses:mse") == {"loss": "fresh.py is new"}
    folder.write("numpy.py", "def vectorize(f): return f\n")  # found first, from now on
    assert folder.losses() == {"box": "numpy.py is new"}
    folder.write("ignored/numpy.py", "")
    assert list(folder.chosen("ignored/numpy.py:loss", "numpy:loss")) == ["loss"]
    folder.write("names like ünïcode.py", "def loss(y_true, y_pred): return y_pred\n")
    assert list(folder.chosen("names like ünïcode.py:loss")) == ["loss"]


def test_whole_modules_are_left_out_before_they_are_imported(folder: Folder) -> None:
    folder.replace("helpers.py", "unused = 1", "unused = 2")
    settings = Settings(directory=str(folder.path), changed="", exclude=("shapes*",))
    selection = Selection(("losses", "losses.py", "shapes.circles", "deep", "mse"), settings)
    assert selection.targets == ("losses", "losses.py")
    assert not selection.whole
    assert "1 target excluded" in selection.said()


def test_below_a_folder_and_beside_the_configuration(folder: Folder) -> None:
    folder.write("sub/inner.py", "from helpers import clipped\nloss = clipped\n")
    folder.commit()
    folder.replace("deep.py", "1e-7", "1e-6")
    settings = Settings(directory=str(folder.path / "sub"), changed="", home=str(folder.path))
    selection = Selection(("inner:loss", "../losses.py:clip", "../losses.py:mse"), settings)
    assert selection.targets == ("inner:loss", "../losses.py:clip")
    assert selection.takes("inner:loss")
    assert "inner:loss is checked: ../deep.py differs" in selection.said()


def test_the_default_is_where_the_default_branch_was_left(folder: Folder) -> None:
    folder.git("checkout", "-q", "-b", "work")
    folder.replace("deep.py", "1e-7", "1e-6")
    folder.commit()
    folder.git("checkout", "-q", "main")
    folder.replace("lazily.py", "return x", "return -x")  # what others did meanwhile
    folder.commit()
    folder.git("checkout", "-q", "work")
    assert folder.losses() == {"clip": "deep.py differs"}
    folder.git("update-ref", "refs/remotes/origin/trunk", "work")
    folder.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert folder.losses() == {}
    folder.git("checkout", "-q", "--detach", "main")
    assert list(folder.losses(changed="work")) == ["clip", "box"]


def test_without_anything_to_compare_with(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"git knows no commit 'mian' here; --changed alone"):
        folder.losses(changed="mian")
    folder.git("checkout", "-q", "--orphan", "alone")
    folder.commit("another beginning")
    with pytest.raises(UsageError, match="HEAD and main have no commit in common; name"):
        folder.losses()
    folder.git("branch", "-q", "-D", "main")
    with pytest.raises(UsageError, match="no default branch is known here, neither origin/HEAD"):
        folder.losses()
    folder.git("config", "init.defaultBranch", "alone")
    assert folder.losses() == {}


def test_a_shallow_clone(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder.git("checkout", "-q", "-b", "work")
    folder.replace("deep.py", "1e-7", "1e-6")
    folder.commit()
    place = tmp_path_factory.mktemp("clone")
    clone = Folder(place.resolve())
    clone.git("fetch", "-q", "--depth", "1", f"file://{folder.path}", "work", "main:main2")
    clone.git("checkout", "-q", "FETCH_HEAD")
    clone.git("branch", "-q", "-m", "main2", "other")  # as CI checks out: a commit, and no branch
    with pytest.raises(UsageError, match=r"no default branch is known .*fetch-depth: 0"):
        clone.losses()
    clone.git("branch", "-q", "-m", "other", "main2")
    clone.git("update-ref", "refs/remotes/origin/main", "main2")
    with pytest.raises(UsageError, match=r"no commit in common .*fetch-depth: 0"):
        clone.losses()
    with pytest.raises(UsageError, match=r"knows no commit 'work~1' here .*unshallow"):
        clone.losses(changed="work~1")
    assert clone.losses(changed="main2") == {"clip": "deep.py differs"}  # no history is needed


def test_what_may_be_a_commit_or_a_target(folder: Folder) -> None:
    assert is_target("losses.py:mse", folder.path)
    assert is_target("losses", folder.path)
    assert not is_target("main", folder.path)
    assert not is_target("mse", folder.path)  # of Keras: more likely a mistake
    assert not is_target("no_such:loss", folder.path)


Run = Callable[..., tuple[int, str, str]]


def test_on_the_command_line(folder: Folder, run: Run, fake_engine: Any) -> None:
    status, _, err = run("--changed", "losses.py", "--format", "json=r.json", "-v")
    assert (status, fake_engine.examined) == (0, [])
    assert "nothing to check: 1 target left out that did not change" in err
    assert '"losses": []' in (folder.path / "r.json").read_text()
    folder.write(
        "two.py", "def a(y_true, y_pred): return y_pred\ndef b(y_true, y_pred): return 1\n"
    )
    folder.commit()
    folder.replace("two.py", "return 1", "return 2")
    status, _, err = run("two.py", "losses.py", "--changed", "--arg", "nowhere=real")
    assert (status, [task.target for task in fake_engine.examined]) == (0, ["two.py:b"])
    assert "losscheck: two.py:b is checked: its definition differs in two.py" in err
    assert "losscheck: 2 targets left out that did not change" in err
    status, _, err = run("two.py", "--changed=mian")
    assert status == 2
    assert "git knows no commit 'mian'" in err


def test_outside_of_a_repository(run: Run, tmp_path: Path) -> None:
    status, out, err = run("mse", "--changed")
    assert (status, out) == (2, "")
    assert f"--changed: {tmp_path.resolve()} is in no git repository (fatal: not a git" in err
