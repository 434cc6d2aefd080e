"""An input or output of a model, and the graph from the ones to the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from losscheck.program.tracing.origin import Origins
from losscheck.program.tracing.wiring import Node, Wiring

BATCH = 8  # rows where a model does not take an unknown number of them
FREE = ("T", "U", "V", "W")  # letters of the free axes of an output behind the batch
MANY = 64  # elements of an output above which its sizes are left free for the loss's own checks
FREE_SIZE = 6  # of a free axis of an input: longer than the kernels of most convolutions
FREE_PIXELS = 32  # the same of pictures, which are halved several times


@attrs.frozen(kw_only=True, eq=False)
class Tensor:
    """An input or output of a model."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    sizes: tuple[
        int | None, ...
    ] = ()  # of the axes behind the batch, where `shape` leaves them free

    @property
    def written(self) -> str:
        """The shape as users write it, with letters for free axes."""
        return _written(self.shape[1:])

    @property
    def loosened(self) -> str:
        """The same, with letters for the axes of an output of many elements too."""
        if math.prod(size or 1 for size in self.shape[1:]) <= MANY:
            return self.written
        last = self.shape[-1] if (self.shape[-1] or 0) <= MANY else None
        return _written((*(None for _ in self.shape[1:-1]), last))

    def at(self, rows: int) -> tuple[int, ...]:
        """The shape of a batch of so many rows."""
        usual = FREE_SIZE if len(self.shape) < 4 else FREE_PIXELS
        known = (*self.sizes, *(None for _ in self.shape))
        return (rows, *(a or b or usual for a, b in zip(self.shape[1:], known, strict=False)))


def _written(dims: Sequence[int | None]) -> str:
    free = iter(FREE)
    inner = [str(next(free) if size is None else size) for size in dims]
    return f"(B, {', '.join(inner)})" if inner else "(B,)"


@attrs.frozen(kw_only=True, eq=False)
class Forward:
    """The graph of a model's outputs."""

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]  # tensor names
    outputs: tuple[str, ...]
    origins: Origins
    rows: int | None  # that it takes; None: any number

    def wiring(self, output: int) -> Wiring:
        """The graph as one of a single output."""
        named = {f"x{i}": tensor for i, tensor in enumerate(self.inputs)}
        return Wiring(self.nodes, named, "x0", self.outputs[output], None)
