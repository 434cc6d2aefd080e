"""Running graphs: by sessions, for a call of a small graph takes them 100 microseconds.

A call of the same graph as a `tf.function` takes 700, and compiling it for another set of results
twice as long. Variables live outside of a graph and cannot be handed to a session: what a loss
reads of them is handed over as numbers, and one that does more with them is run by functions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.blockwise import (
    count_from_the_front,
    flatten_products,
    without_branches,
)
from losscheck.program.running.state import Reading
from losscheck.program.tracing.graphdef import COMPLEX, FLOATS, rewrite

Run = Callable[..., list[Array]]  # arrays in, arrays out
_CASE = "loop_body/case/"  # where `vectorized_map` puts what `Cut.embed` gives it
_SESSION = "losscheck/session"  # the collection of a graph that keeps it
_ANEW = "/pfor/Const"  # of a constant that it makes once more


@attrs.frozen(kw_only=True, eq=False)
class Cut:
    """One case of a graph, up to some of its tensors.

    Parameters
    ----------
    graph
        It may get further operations later on, as long as these tensors are in it now.
    feeds
        Names of the tensors that are given, in the order of the call.
    tensors
        Names of those that are wanted.
    captured
        What the loss took from outside, by the name of its placeholder, or of the tensor that is
        read from it.
    """

    graph: Any  # tf.Graph
    feeds: tuple[str, ...]
    tensors: tuple[str, ...]
    captured: Mapping[str, Any]

    @property
    def sessions(self) -> bool:
        """Whether a session can run it."""
        tf = tensorflow()
        return all(outer.dtype not in (tf.resource, tf.variant) for outer in self.captured.values())

    @property
    def reads(self) -> bool:
        """Whether it reads variables, whose numbers may change from call to call."""
        return any(isinstance(outer, Reading) for outer in self.captured.values())

    def values(self) -> list[Array]:
        """What was captured, in the dtypes of the graph."""
        found = []
        for name, outer in self.captured.items():
            dtype = self.graph.get_tensor_by_name(name).dtype.as_numpy_dtype
            found.append(np.asarray(outer).astype(dtype))
        return found

    def embed(self, tensors: Sequence[Any], *, flat: bool = False) -> tuple[Any, ...]:
        """Put it into the graph that is being built, behind these tensors.

        With `flat`, both sides of its branches are computed, products are those of two matrices
        where they can be, and axes are counted from the front, so that it can be vectorized.
        """
        tf = tensorflow()
        given = dict(zip((*self.feeds, *self.captured), tensors, strict=True))
        wanted = [name for name in dict.fromkeys(self.tensors) if name not in given]
        if not wanted:
            return tuple(given[name] for name in self.tensors)
        definition = self._without_feeds(wanted)
        if flat:
            with self.graph.as_default():  # which has the functions
                definition = without_branches(definition)
            flatten_products(definition, self.graph)
            count_from_the_front(definition, self.graph)
        _register(definition)
        used = {_tensor(name) for node in definition.node for name in node.input}
        results = tf.graph_util.import_graph_def(
            definition,
            input_map={name: tensor for name, tensor in given.items() if name in used},
            return_elements=wanted,
            name="case",
        )
        found = {**given, **dict(zip(wanted, results, strict=True))}
        return tuple(found[name] for name in self.tensors)

    def _without_feeds(self, wanted: Sequence[str]) -> Any:
        """The definition of the part that makes these tensors; XLA refuses idle placeholders."""
        definition = tensorflow().compat.v1.graph_util.extract_sub_graph(
            self.graph.as_graph_def(), [name.split(":")[0] for name in wanted]
        )
        places = {
            name.split(":")[0]
            for name in (*self.feeds, *self.captured)
            if self.graph.get_tensor_by_name(name).op.type in ("Placeholder", "ReadVariableOp")
        }
        if self.sessions:  # the handles of variables that are read
            places |= {node.name for node in definition.node if _is_handle(node)}
        kept = [node for node in definition.node if node.name not in places]
        del definition.node[:]
        definition.node.extend(kept)
        return definition


def _register(definition: Any) -> None:
    """Let functions that were rewritten be found where a tf.function runs, which has no library."""
    from tensorflow.python.eager import context

    known = context.context()
    for function in definition.library.function:
        if not known.has_function(function.signature.name):
            known.add_function_def(function)


def _is_handle(node: Any) -> bool:
    kind = node.attr["dtype"].type if node.op == "Placeholder" else None
    return kind is not None and bool(kind == tensorflow().resource.as_datatype_enum)


def _tensor(name: str) -> str:
    """The name of a tensor as nodes write it, in full."""
    return name if ":" in name else f"{name}:0"


_forbidden = False  # whether nothing is to be vectorized


@contextlib.contextmanager
def unvectorized(wanted: bool) -> Iterator[None]:
    """Vectorize nothing meanwhile, where that has ended a process before."""
    global _forbidden
    before, _forbidden = _forbidden, wanted
    try:
        yield
    finally:
        _forbidden = before


def mapped(cut: Cut, given: Sequence[Any], taken: Sequence[Any]) -> list[Any]:
    """Put a block of cases into the graph that is being built.

    Raises
    ------
    Exception
        TensorFlow cannot vectorize it, each version says so in its own way; or it must not.
    """
    if _forbidden:
        raise RuntimeError("to vectorize this has ended a process")
    found: Any = tensorflow().vectorized_map(
        lambda tensors: cut.embed([*tensors, *taken], flat=True),
        given,
        fallback_to_while_loop=False,
    )
    return list(found)


def vectorized(cut: Cut, probe: Sequence[Array]) -> Cut:
    """A block of cases: the graph of one, vectorized; what the loss captured is handed on.

    Parameters
    ----------
    probe
        A block of one.

    Raises
    ------
    Exception
        TensorFlow cannot vectorize it; each version says so in its own way.
    """
    tf = tensorflow()
    values = cut.values()
    graph = tf.Graph()
    with graph.as_default():
        place = tf.compat.v1.placeholder
        given = [place(tf.as_dtype(a.dtype), (None, *a.shape[1:])) for a in probe]
        taken = [place(tf.as_dtype(a.dtype), a.shape) for a in values]
        results = mapped(cut, given, taken)
    return Cut(
        graph=graph,
        feeds=tuple(tensor.name for tensor in given),
        tensors=tuple(tensor.name for tensor in results),
        captured={t.name: o for t, o in zip(taken, cut.captured.values(), strict=True)},
    )


def widened(block: Cut, definition: Any) -> Cut | None:
    """A vectorized float32 block in float64, where nothing but the dtype differs.

    Parameters
    ----------
    definition
        The GraphDef of one case in float64, with the constants that it should have.
    """
    tf = tensorflow()
    wide = rewrite(block.graph.as_graph_def(), "float64")
    meant = {f"{_CASE}{node.name}": node for node in definition.node if _is_wide(node)}
    given = [(node, node.name.removesuffix(_ANEW)) for node in wide.node if _is_wide(node)]
    if block.captured or wide.library.function or any(name not in meant for _, name in given):
        return None
    for node, name in given:
        node.attr["value"].CopyFrom(meant[name].attr["value"])
    graph = tf.Graph()
    try:
        with silence(), graph.as_default():
            tf.graph_util.import_graph_def(wide, name="")
    except ValueError:  # a kernel that gives float32 whatever it is given
        return None
    return attrs.evolve(block, graph=graph)


def _is_wide(node: Any) -> bool:
    return node.op == "Const" and node.attr["dtype"].type in (FLOATS["float64"], COMPLEX["float64"])


def in_session(cut: Cut) -> Run:
    """The graph of a cut as it is: arrays by position to its tensors."""
    fixed = None if cut.reads else cut.values()
    feeds = (*cut.feeds, *cut.captured)
    # Tensors that are given themselves may be wanted, too.
    wanted = [name for name in dict.fromkeys(cut.tensors) if name not in feeds]
    dtypes = [cut.graph.get_tensor_by_name(name).dtype.as_numpy_dtype for name in wanted]
    run = _prepared(_session(cut.graph), feeds, wanted) if wanted else lambda *arrays: []

    def call(*arrays: Array) -> list[Array]:
        arrays = (*arrays, *(cut.values() if fixed is None else fixed))
        found = dict(zip(feeds, arrays, strict=True))
        results = run(*arrays)
        for name, result, dtype in zip(wanted, results, dtypes, strict=True):
            found[name] = np.asarray(result, dtype)  # NumPy knows no single bfloat16 number
        return [found[name] for name in cut.tensors]

    return call


def _session(graph: Any) -> Any:
    """The session of a graph: each new one would be handed the whole graph once more."""
    known = graph.get_collection_ref(_SESSION)
    if not known:
        known.append(open_session(graph))
    return known[0]


def open_session(graph: Any) -> Any:
    """Open a session that leaves its graph as it is, but for the functions that it calls."""
    v1 = tensorflow().compat.v1
    # The calling thread could run it alone and sooner, but only TensorFlow's own threads flush
    # subnormal numbers to zero, as a training step does.
    config = v1.ConfigProto(allow_soft_placement=True)
    # One of them runs an operation after the other: they are small, and to hand them on to another
    # thread, or to wait for it, takes longer. What an operation calls by itself has other threads.
    config.session_inter_op_thread_pool.add(num_threads=1, global_name="losscheck")
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    return v1.Session(graph=graph, config=config)


def executed(cut: Cut, arrays: Sequence[Array]) -> int:
    """How many operations a run executes, those of a loop as often as it goes round."""
    v1 = tensorflow().compat.v1
    given = zip((*cut.feeds, *cut.captured), (*arrays, *cut.values()), strict=True)
    dtypes = {name: cut.graph.get_tensor_by_name(name).dtype.as_numpy_dtype for name in cut.feeds}
    found = v1.RunMetadata()
    session = open_session(cut.graph)
    session.run(
        list(cut.tensors),
        {name: np.asarray(array, dtypes.get(name)) for name, array in given},
        options=v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE),
        run_metadata=found,
    )
    session.close()
    return sum(len(device.node_stats) for device in found.step_stats.dev_stats)


def _prepared(session: Any, feeds: Sequence[str], wanted: Sequence[str]) -> Callable[..., Any]:
    # The way Keras 2 called sessions; the public one looks its lists through anew at every call.
    fast = getattr(session, "_make_callable_from_options", None)
    if fast is None:
        public: Callable[..., Any] = session.make_callable(list(wanted), list(feeds))
        return public
    from tensorflow.core.protobuf.config_pb2 import CallableOptions

    prepared: Callable[..., Any] = fast(CallableOptions(feed=list(feeds), fetch=list(wanted)))
    return prepared


def as_array(result: Any) -> Array:
    """A tensor as an array; NumPy does not take a single bfloat16 number for one."""
    return np.asarray(result.numpy() if hasattr(result, "numpy") else result)
