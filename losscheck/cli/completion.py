"""Shell completion: targets from the sources alone, codes of rules, and words of options.

The shell waits for it at every key, so that it imports neither TensorFlow nor the user's module.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from losscheck.settings.argument_names import is_pair

Items = list[CompletionItem[str]]

DEEPEST = 6  # packages within each other
MOST = 2000  # files that are looked at
PASSED_OVER = ("__pycache__", "node_modules", "site-packages", "build", "dist")
BREAKS = (":", "=")  # where bash breaks words


class ColonBash(BashComplete):
    """Bash, which takes `module:loss` for three words and completes the last of them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Put the words together again that were broken."""
        words, incomplete = super().get_completion_args()
        joined: list[str] = []
        glued = False
        self._typed = ""
        for word in (*words, incomplete):
            if joined and (glued or word in BREAKS):
                self._typed = joined[-1] + (word if word in BREAKS else "")
                joined[-1] += word
            else:
                self._typed = ""
                joined.append(word)
            glued = word in BREAKS
        return joined[:-1], joined[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Leave away what bash takes for other words."""
        value = item.value.removeprefix(self._typed)
        return super().format_completion(CompletionItem(value, type=item.type))


def register() -> None:
    """Let click use this bash instead of its own."""
    add_completion_class(ColonBash)


def targets(incomplete: str) -> Items:
    """Complete a target: modules of the working directory, and the losses in them."""
    place, colon, name = incomplete.partition(":")
    if colon:
        file = _file(place)
        names = () if file is None else losses(file)
        return [CompletionItem(f"{place}:{each}") for each in names if each.startswith(name)]
    if "/" in place or os.sep in place or place.startswith((".", "~")):
        return _of_file(place)
    found = sorted({module for module in modules() if module.startswith(place)})
    if not found:
        return _of_file(place)
    alone = _file(found[0]) if len(found) == 1 else None
    inside = losses(alone) if alone is not None else ()
    return [CompletionItem(each) for each in (*found, *(f"{found[0]}:{one}" for one in inside))]


def _of_file(place: str) -> Items:
    """The losses of a file; where it is not written in full, the shell completes its name."""
    file = _file(place) if place.endswith(".py") else None
    if file is None:
        return [CompletionItem(place, type="file")]
    return [CompletionItem(each) for each in (place, *(f"{place}:{one}" for one in losses(file)))]


def rules(incomplete: str) -> Items:
    """Complete a rule, by its code or its slug; the last one of several with commas."""
    from losscheck.rules import rules as known

    before, comma, last = incomplete.rpartition(",")
    names = [(rule.code, rule.slug) for rule in known()]
    coded = [CompletionItem(f"{before}{comma}{code}", help=slug) for code, slug in names]
    slugs = [CompletionItem(f"{before}{comma}{slug}", help=code) for code, slug in names]
    items = coded if last.upper() == last else slugs
    wanted = f"{before}{comma}{last}"
    return [item for item in items if item.value.startswith(wanted)]


def formats(incomplete: str) -> Items:
    """Complete a format of `check`."""
    from losscheck.report import FORMATS

    return _words(FORMATS, incomplete)


def dtypes(incomplete: str) -> Items:
    """Complete a dtype."""
    from losscheck.settings.settings import DTYPES

    return _words(DTYPES, incomplete)


def modes(incomplete: str) -> Items:
    """Complete a mode."""
    from losscheck.settings.settings import MODES

    return _words(MODES, incomplete)


def fail_on(incomplete: str) -> Items:
    """Complete what makes the exit status 1."""
    from losscheck.settings.settings import FAIL_ON

    return _words(FAIL_ON, incomplete)


def _words(words: Iterable[str], incomplete: str) -> Items:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def modules() -> Iterator[str]:
    """Give the modules below the working directory and its src/, dotted."""
    seen = 0
    for root in (Path("src"), Path()):
        for folder, inner, files in os.walk(root):
            below = Path(folder).relative_to(root).parts
            own = (name for name in inner if _holds_modules(Path(folder, name)))
            inner[:] = sorted(own) if len(below) < DEEPEST else []
            for name in sorted(files):
                seen += 1
                if seen > MOST:
                    return
                stem, suffix = os.path.splitext(name)
                if suffix == ".py" and stem.isidentifier():
                    parts = below if stem == "__init__" else (*below, stem)
                    yield from [".".join(parts)] if parts else []


def _holds_modules(folder: Path) -> bool:
    """Say whether modules of the user may lie in a folder, which needs no `__init__`."""
    plain = folder.name.isidentifier() and folder.name not in PASSED_OVER
    return plain and folder != Path("src") and not (folder / "pyvenv.cfg").exists()


def _file(place: str) -> Path | None:
    """The file of a module or path; None where there is none."""
    if place.endswith(".py"):
        file = Path(place).expanduser()
        return file if file.is_file() else None
    inner = Path(*place.split("."))
    for root in (Path(), Path("src")):
        for file in (root / inner / "__init__.py", root / inner.with_suffix(".py")):
            if place and file.is_file():
                return file
    return None


def losses(file: Path) -> tuple[str, ...]:
    """Give the names in a file that look like losses; where none does, all that can be called."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ()
    public = [node for node in body if not getattr(node, "name", "_").startswith("_")]
    found = [str(getattr(node, "name", "")) for node in public if _is_loss(node)]
    if file.name == "__init__.py":  # what a package hands on
        handed = (n for n in body if isinstance(n, ast.ImportFrom) and n.level and n.module)
        names = (alias.asname or alias.name for node in handed for alias in node.names)
        found += [name for name in names if name.isidentifier() and not name.startswith("_")]
    kinds = (ast.FunctionDef, ast.ClassDef)
    every = [node.name for node in public if isinstance(node, kinds)]
    return tuple(dict.fromkeys(found or every))


def _is_loss(node: ast.stmt) -> bool:
    """Say whether it takes a label and a prediction, or makes what does."""
    if isinstance(node, ast.ClassDef):
        bases = (ast.unparse(base) for base in node.bases)
        methods = (each for each in node.body if isinstance(each, ast.FunctionDef))
        called = (each for each in methods if each.name in ("call", "__call__"))
        return any(base.endswith("Loss") for base in bases) or any(map(_takes_pair, called))
    if not isinstance(node, ast.FunctionDef):
        return False
    inner = (each for each in ast.walk(node) if isinstance(each, ast.FunctionDef | ast.Lambda))
    return any(map(_takes_pair, inner))


def _takes_pair(node: ast.FunctionDef | ast.Lambda) -> bool:
    return is_pair(tuple(each.arg for each in (*node.args.posonlyargs, *node.args.args)))
