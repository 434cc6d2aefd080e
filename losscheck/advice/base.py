"""One piece of advice: when it holds, why the op fails there, what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from losscheck.advice import source
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
    first: str = ""  # lines to put before it
    remark: str = ""  # further advice, as a comment under the code
    when: Callable[[Scene], bool | str] = always
    around: Callable[[Scene], str] | None = None  # larger expression that `write` replaces, or ""
    composite: bool = False  # made for the expression itself, which is more than the op

    def fill(self, scene: Scene) -> tuple[str, str] | None:
        """Give cause and fix for a scene, None where the advice does not hold."""
        found = self.when(scene)
        if not found:
            return None
        z = found if isinstance(found, str) else ""
        words = {**scene.words(), "z": z, "gz": source.grouped(z)}
        new = self.write.format_map(words)
        lines = [
            self.first.format_map(words),
            source.rewritten(scene.line, self._replaced(scene), new),
            *(f"# {line}" for line in self.remark.format_map(words).splitlines()),
        ]
        return self.cause.format_map(words), "\n".join(line for line in lines if line)

    def _replaced(self, scene: Scene) -> str:
        if not (scene.direct or self.composite):
            return ""
        return scene.expression if self.around is None else self.around(scene)
