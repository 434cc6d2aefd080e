"""`python -m benchmarks.snapshot`: what losscheck says of every loss at hand, to compare later.

`write FOLDER` checks the losses and writes what is said of them, times left out, as one JSON file a
part; losses that stand there already are not checked again. `compare OLD NEW` names what differs,
finding by finding. Whoever reworks the inside of losscheck takes one before the first change.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import losscheck
from benchmarks.snapshot_difference import differences
from losscheck.model import LossReport
from losscheck.program.quiet import tensorflow
from losscheck.report.json import loss_tree

Check = Callable[[], LossReport]
NO_END = 0.0  # a budget would let the machine's speed settle what is examined


def main() -> int:
    """Write a snapshot or compare two; the exit status is 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="check the losses and write what is said of them")
    write.add_argument("folder", type=Path)
    write.add_argument("--only", choices=list(PARTS), help="one part, as another process may run")
    compare = commands.add_parser("compare", help="name what differs between two snapshots")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        return _compare(arguments.old, arguments.new)
    tensorflow()  # silently
    for part in [arguments.only] if arguments.only else PARTS:
        _write(arguments.folder / f"{part}.json", PARTS[part]())
    return 0


def _write(file: Path, checks: Iterator[tuple[str, Check]]) -> None:
    """Check what the file does not hold yet; it is written after every loss."""
    held = _read(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    for name, check in checks:
        if name not in held:
            held[name] = timeless(check())
            print(f"{file.stem}: {name}", file=sys.stderr, flush=True)
            file.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def timeless(report: LossReport) -> dict[str, Any]:
    """Give a loss's part of the JSON report without times and without the working directory."""
    text = json.dumps(loss_tree(report)).replace(str(Path.cwd()), ".")
    tree: dict[str, Any] = json.loads(text)
    for part in (tree, *tree["checks"]):
        part.pop("seconds")
    return tree


def _read(file: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return held


def _compare(old: Path, new: Path) -> int:
    parts = sorted({file.name for folder in (old, new) for file in folder.glob("*.json")})
    if not parts:
        print(f"{old} and {new} hold no snapshot: write one first", file=sys.stderr)
        return 2
    found = [
        f"{part.removesuffix('.json')}/{line}"
        for part in parts
        for line in differences(_read(old / part), _read(new / part))
    ]
    print("\n".join(found) if found else "no difference")
    return 1 if found else 0


def _zoo() -> Iterator[tuple[str, Check]]:
    from tests.zoo.catalogue import CATALOGUE

    for specimen in CATALOGUE:
        more = {"dtypes": specimen.dtypes, "order": specimen.order}
        for side, loss in (("faulty", specimen.faulty), ("sound", specimen.sound)):
            yield f"{specimen.name} {side}", _checked(loss, specimen.arguments, **more)


def _sound() -> Iterator[tuple[str, Check]]:
    from tests.zoo.sound import SOUND

    for sound in SOUND:
        yield sound.name, _checked(sound.function, sound.arguments)


def _seeds() -> Iterator[tuple[str, Check]]:
    from examples import seed_losses

    for name, value in vars(seed_losses).items():
        if getattr(value, "__module__", "") != seed_losses.__name__ or name.startswith("_"):
            continue
        if inspect.isclass(value) or not callable(value):
            continue
        made = "y_true" not in inspect.signature(value).parameters
        arguments = "([0.1, 0.9])" if "weights" in inspect.signature(value).parameters else "()"
        yield name, _checked(f"examples.seed_losses:{name}{arguments if made else ''}")


def _keras() -> Iterator[tuple[str, Check]]:
    from benchmarks.stability_keras import keras_losses

    for name, loss in keras_losses():
        yield name, _checked(loss)


def _models() -> Iterator[tuple[str, Check]]:
    from losscheck.engine.task import Task, examine
    from losscheck.settings.settings import Settings
    from tests.models import planted, sound

    settings = Settings(budget=NO_END)
    for module in (planted, sound):
        for name, value in vars(module).items():
            of_its_own = getattr(value, "__module__", "") == module.__name__
            if of_its_own and inspect.isfunction(value) and not inspect.signature(value).parameters:
                task = Task(target=f"{module.__name__}:{name}", settings=settings)
                yield f"{module.__name__}:{name}", lambda task=task: examine(task)


def _projects() -> Iterator[tuple[str, Check]]:
    from benchmarks.stability_projects import TRUTHS

    for truth in TRUTHS:
        yield truth.name, _checked(truth.loss, truth.arguments)


def _checked(loss: Any, arguments: Mapping[str, Any] | None = None, **more: Any) -> Check:
    return lambda: losscheck.check(loss, arguments=arguments, budget=NO_END, **more)


PARTS: dict[str, Callable[[], Iterator[tuple[str, Check]]]] = {
    "seeds": _seeds,
    "models": _models,
    "sound": _sound,
    "projects": _projects,
    "keras": _keras,
    "zoo": _zoo,
}


if __name__ == "__main__":
    sys.exit(main())
