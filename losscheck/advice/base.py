"""One piece of advice: when it holds, why the op fails there, what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from losscheck.advice import source

if TYPE_CHECKING:
    from losscheck.advice.scene import Scene

Key = tuple[str, str]  # op type, and "forward" or "backward"


@attrs.frozen
class Change:
    """An expression of the user's, and what to write in its place."""

    old: str  # the blamed expression, or a larger one that holds it
    new: str
    before: tuple[str, ...] = ()  # statements that go before the statement which holds it
    why: str = ""  # further advice
    early: bool = False  # these statements go before all others of the function, and that is all
    # Or else: expressions, and what is to stand there wherever they are in the function.
    throughout: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Filled:
    """A piece of advice in the words of a scene."""

    cause: str
    fix: str  # Python; advice that is no code stands in comments
    change: Change | None = None  # None where it stands beside the user's line, not in it


def always(_: Scene) -> bool:
    """Hold everywhere."""
    return True


def nowhere(_: Scene) -> str:
    """Stand beside the user's line, not in it: the code has placeholders."""
    return ""


def fits(*patterns: str, of: str = "expression") -> Callable[[Scene], dict[str, str]]:
    """Hold where the blamed expression, or an operand of it, is like one of these (`source.like`).

    Parameters
    ----------
    of
        The field of the scene: "expression", "x" or "y".
    """
    return lambda s: next(filter(None, (source.like(p, getattr(s, of)) for p in patterns)), {})


@attrs.frozen(kw_only=True)
class Rewrite:
    """Templates over `Scene.words`, and over what `when` found: `{z}`, and `{gz}` as a factor.

    Where it found the `whole` of what the blamed expression is a part of, that is what is replaced.
    """

    write: str  # stands in for the blamed expression
    first: str = ""  # lines to put before it
    remark: str = ""  # further advice, as a comment under the code
    when: Callable[[Scene], bool | str | Mapping[str, str]] = always
    around: Callable[[Scene], str] | None = None  # larger expression that `write` replaces, or ""
    composite: bool = False  # made for the expression itself, which is more than the op

    def change(self, scene: Scene) -> Change | None:
        """Give the change for a scene, None where there is none."""
        words = self._words(scene)
        old = "" if words is None else self._replaced(scene, words)
        return self._written(old, words) if words is not None and old else None

    def _words(self, scene: Scene) -> dict[str, str] | None:
        """What the templates may name; None where it does not hold."""
        found = self.when(scene)
        if not found:
            return None
        words = found if isinstance(found, Mapping) else {"z": found if found is not True else ""}
        z = words["z"]
        return {**scene.words(), **words, "z": z, "gz": source.grouped(z)}

    def _written(self, old: str, words: dict[str, str]) -> Change:
        new, first = self.write.format_map(words), self.first.format_map(words)
        return Change(old, new, tuple(first.splitlines()), self.remark.format_map(words))

    def _replaced(self, scene: Scene, words: Mapping[str, str]) -> str:
        if not (scene.direct or self.composite):
            return ""
        whole = words.get("whole", scene.expression)
        return whole if self.around is None else self.around(scene)


@attrs.frozen(kw_only=True)
class Advice(Rewrite):
    """A rewrite that is told, with the reason."""

    cause: str
    true: Callable[[Scene], bool] = always  # when `cause` is so; else only what ran is said

    def fill(self, scene: Scene) -> Filled | None:
        """Give cause, fix and change for a scene, None where the advice does not hold."""
        words = self._words(scene)
        if words is None:
            return None
        change = self._written(self._replaced(scene, words), words)
        lines = [
            *change.before,
            source.rewritten(scene.line, change.old, change.new),
            *(f"# {line}" for line in change.why.splitlines()),
        ]
        fix = "\n".join(line for line in lines if line)
        cause = self.cause.format_map(words) if self.true(scene) else scene.measured()
        return Filled(cause, fix, change if change.old else None)
