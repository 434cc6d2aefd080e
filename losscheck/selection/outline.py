"""The top level of a module, statement by statement, as far as losses depend on it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator

import attrs

# A comment that sets findings apart changes the report; no other comment does.
_IGNORE = re.compile(rb"#\s*losscheck\s*:\s*ignore.*")
_UNRUN = re.compile(r"(\w+\.)?TYPE_CHECKING|__name__ == '__main__'")  # conditions, at an import


@attrs.frozen
class Import:
    """One name of an import."""

    level: int  # the dots in front
    module: str  # the dotted module, "" where there are dots alone
    name: str | None  # what is taken out of it: "*" for everything, None for `import module`


@attrs.frozen
class Unit:
    """A statement, or one name of an import."""

    text: str  # the same for statements that differ in comments and spaces alone
    # Names of the module; what is used may be a name of a function inside as well.
    binds: frozenset[str]
    uses: frozenset[str]
    free: frozenset[str] = frozenset()  # of those that are used the ones that nothing inside binds
    imports: tuple[Import, ...] = ()  # everything that is imported in it, at whatever depth
    acts: bool = False  # whether running it does more than to bind names
    # The first and the last one, 1-based, with what decorates it; the same statement may move.
    lines: tuple[int, int] = attrs.field(default=(0, 0), eq=False)

    @property
    def imported(self) -> Import | None:
        """What it imports, where it does nothing else."""
        return self.imports[0] if self.text.startswith("import ") else None


class Outline:
    """All of a module's top level.

    Parameters
    ----------
    units
        In the order of the source.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units = tuple(units)
        self._binding: dict[str, list[Unit]] = {}
        for unit in self.units:
            for name in unit.binds:
                self._binding.setdefault(name, []).append(unit)
        self._used = {name for unit in self.units for name in unit.uses}

    @property
    def texts(self) -> tuple[str, ...]:
        """What is the same for modules that differ in comments and spaces alone."""
        return tuple(unit.text for unit in self.units)

    @property
    def own(self) -> tuple[str, ...]:
        """The texts without what is only handed on from other modules."""
        kept = (unit for unit in self.units if unit.binds != {"__all__"})
        return tuple(u.text for u in kept if u.imported is None or u.binds & self._used)

    @property
    def acting(self) -> tuple[Unit, ...]:
        """What runs at the import for more than a name, with all that it uses."""
        return self._closed(unit for unit in self.units if unit.acts)

    @property
    def starred(self) -> tuple[Unit, ...]:
        """The imports of everything out of a module."""
        return self.binding("*")

    def binding(self, name: str) -> tuple[Unit, ...]:
        """What binds a name."""
        return tuple(self._binding.get(name, ()))

    @property
    def unnamed(self) -> tuple[Unit, ...]:
        """Modules that are imported and never named again: for what they do, it seems."""
        return tuple(u for u in self.units if _is_module(u) and not u.binds & self._used)

    def behind(self, name: str) -> tuple[Unit, ...]:
        """What a name depends on within the module: what binds it, what acts, what these use."""
        return self._closed([*self.binding(name), *(unit for unit in self.units if unit.acts)])

    def needs_starred(self, units: Iterable[Unit]) -> bool:
        """Say whether units use a name that nothing here binds: it comes from `import *`."""
        free = {name for unit in units for name in unit.free}
        return any(name not in self._binding and not hasattr(builtins, name) for name in free)

    def _closed(self, units: Iterable[Unit]) -> tuple[Unit, ...]:
        waiting = list(units)
        found = set(waiting)
        while waiting:
            for name in waiting.pop().uses:
                more = set(self.binding(name)) - found
                found |= more
                waiting += more
        return tuple(unit for unit in self.units if unit in found)


def outline(source: bytes) -> Outline:
    """Read a module; an empty one where it is no Python."""
    try:
        tree = ast.parse(source)
        return Outline(_units(tree.body, source.splitlines()))
    except (SyntaxError, ValueError, RecursionError):
        return Outline(())


def _units(body: list[ast.stmt], lines: list[bytes]) -> Iterator[Unit]:
    for node in body:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield _imported(Import(0, alias.name, None), alias, node)
            case ast.ImportFrom(names=names, level=level, module=module):
                for alias in names:
                    yield _imported(Import(level, module or "", alias.name), alias, node)
            case ast.If(test=test) if _UNRUN.fullmatch(ast.unparse(test)):
                yield from _units(node.orelse, lines)
            case _:
                yield _unit(node, lines)


def _imported(given: Import, alias: ast.alias, node: ast.stmt) -> Unit:
    bound = alias.asname or alias.name.partition(".")[0]
    text = f"import {'.' * given.level}{given.module} {given.name} as {bound}"
    lines = node.lineno, node.end_lineno or node.lineno
    return Unit(text, frozenset({bound}), frozenset(), imports=(given,), lines=lines)


def _unit(node: ast.stmt, lines: list[bytes]) -> Unit:
    nodes = list(ast.walk(node))
    names = [inner for inner in nodes if isinstance(inner, ast.Name)]
    used = {each.id for each in names if not isinstance(each.ctx, ast.Store)}
    inside = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    inside |= {inner.arg for inner in nodes if isinstance(inner, ast.arg)}
    for inner in nodes:
        if isinstance(inner, ast.Global):
            used |= set(inner.names)
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    last = node.end_lineno or node.lineno
    above = max(0, first - 2)  # a comment may stand on the line above
    comments = _IGNORE.findall(b"\n".join(lines[above:last]))
    text = "\n".join([ast.dump(node), *(comment.decode(errors="replace") for comment in comments)])
    imports = tuple(given for inner in nodes for given in _imports(inner))
    return Unit(
        text,
        frozenset(_bound(node)),
        frozenset(used),
        frozenset(used - inside),
        imports,
        _acts(node),
        (first, last),
    )


def _imports(node: ast.AST) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(0, alias.name, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Import(node.level, node.module or "", alias.name)


def _bound(node: ast.AST) -> Iterator[str]:
    """The names of the module that a statement binds, below if, try and with too."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias(name=name, asname=bound):
            yield bound or name.partition(".")[0]
        case ast.Lambda():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _bound(child)


def _acts(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=value):
            return not isinstance(value, ast.Constant)
        case ast.Assign(targets=targets):
            return any(not isinstance(n, ast.Name | ast.Tuple | ast.List) for n in targets)
        case ast.AnnAssign(target=target):
            return not isinstance(target, ast.Name)
        case ast.If() | ast.Try():
            handlers = [s for h in getattr(node, "handlers", ()) for s in h.body]
            below = [*node.body, *handlers, *node.orelse, *getattr(node, "finalbody", ())]
            return any(map(_acts, below))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return False
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return False
    return True


def _is_module(unit: Unit) -> bool:
    """Say whether a unit imports a module, and not something out of one."""
    given = unit.imported
    return given is not None and (given.name is None or not given.module)
