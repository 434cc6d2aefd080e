"""One piece of advice: when it holds, why the op fails there, what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from losscheck.advice import source
from losscheck.advice.change import Change, Filled
from losscheck.advice.scene import Scene

Key = tuple[str, str]  # op type, and "forward" or "backward"


def always(_: Scene) -> bool:
    """Hold everywhere."""
    return True


def nowhere(_: Scene) -> str:
    """Stand beside the user's line, not in it: the code has placeholders."""
    return ""


@attrs.frozen(kw_only=True)
class Advice:
    """Templates over `Scene.words`; `{z}` is the text that `when` found, `{gz}` as a factor."""

    cause: str
    write: str  # stands in for the blamed expression
    true: Callable[[Scene], bool] = always  # when `cause` is so; else only what ran is said
    first: str = ""  # lines to put before it
    remark: str = ""  # further advice, as a comment under the code
    when: Callable[[Scene], bool | str] = always
    around: Callable[[Scene], str] | None = None  # larger expression that `write` replaces, or ""
    composite: bool = False  # made for the expression itself, which is more than the op

    def fill(self, scene: Scene) -> Filled | None:
        """Give cause, fix and change for a scene, None where the advice does not hold."""
        found = self.when(scene)
        if not found:
            return None
        z = found if isinstance(found, str) else ""
        words = {**scene.words(), "z": z, "gz": source.grouped(z)}
        new, first = self.write.format_map(words), self.first.format_map(words)
        remark, old = self.remark.format_map(words), self._replaced(scene)
        lines = [
            first,
            source.rewritten(scene.line, old, new),
            *(f"# {line}" for line in remark.splitlines()),
        ]
        change = Change(old, new, tuple(first.splitlines()), remark) if old else None
        fix = "\n".join(line for line in lines if line)
        cause = self.cause.format_map(words) if self.true(scene) else scene.measured()
        return Filled(cause, fix, change)

    def _replaced(self, scene: Scene) -> str:
        if not (scene.direct or self.composite):
            return ""
        return scene.expression if self.around is None else self.around(scene)
