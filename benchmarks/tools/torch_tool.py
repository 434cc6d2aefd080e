"""`torch.autograd.gradcheck` in double precision, as its documentation asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.family import Array, Family
from benchmarks.spaces import torch_space
from benchmarks.tools.base import Answer, each_point


class Torch:
    """`torch.autograd.gradcheck` with its defaults.

    Parameters
    ----------
    fast
        Its fast mode: one random direction for all coordinates.
    """

    def __init__(self, fast: bool) -> None:
        self.fast = fast
        self.name = "torch.autograd.gradcheck, " + ("fast mode" if fast else "slow mode")
        self.criterion = "gradcheck gives False (eps 1e-6, atol 1e-5, rtol 1e-3)"

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Run it on every gradient at every point."""
        import torch

        space = torch_space()

        class Planted(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, slopes: Any) -> Any:
                ctx.save_for_backward(slopes)
                return family.value(space, x)

            @staticmethod
            def backward(ctx: Any, upstream: Any) -> Any:
                (slopes,) = ctx.saved_tensors
                return upstream * slopes, None

        def check(point: int, gradient: Array) -> bool:
            x = torch.tensor(family.points[point], dtype=torch.float64, requires_grad=True)
            slopes = torch.tensor(gradient, dtype=torch.float64)
            return bool(
                torch.autograd.gradcheck(
                    lambda v: Planted.apply(v, slopes),
                    (x,),
                    fast_mode=self.fast,
                    raise_exception=False,
                )
            )

        torch.manual_seed(0)
        outcome, seconds = each_point(check, gradients)
        return Answer(outcome=outcome, seconds=seconds)
