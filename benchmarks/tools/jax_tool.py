"""`jax.test_util.check_grads` in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.family import Array, Family
from benchmarks.spaces import jax_space
from benchmarks.tools.base import Answer, each_point


class Jax:
    """`jax.test_util.check_grads` of first order with its defaults, forward and reverse mode."""

    name = "jax.test_util.check_grads"
    criterion = "AssertionError (float64: step 1e-4, atol and rtol 1e-5 times the size)"

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Run it on every gradient at every point, the function compiled once."""
        space = jax_space()
        import jax
        import jax.numpy as jnp
        from jax.test_util import check_grads

        @jax.custom_jvp
        def planted(x: Any, slopes: Any) -> Any:
            return family.value(space, x)

        @planted.defjvp
        def forward(primals: Any, tangents: Any) -> Any:
            x, slopes = primals
            return family.value(space, x), jnp.vdot(slopes, tangents[0])

        compiled = jax.jit(planted)

        def check(point: int, gradient: Array) -> bool:
            slopes = jnp.asarray(gradient)
            try:
                check_grads(lambda x: compiled(x, slopes), (jnp.asarray(family.points[point]),), 1)
            except AssertionError:
                return False
            return True

        outcome, seconds = each_point(check, gradients)
        return Answer(outcome=outcome, seconds=seconds)
