"""What the report of a loss depends on in the sources, as a digest; none where nobody can say.

The digest holds lines as they are written, with their numbers, since a report does. In doubt there
is none: where a source reads data, draws random numbers, asks the clock or the machine, or imports
what may do so.
"""

from __future__ import annotations

import hashlib
import re
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from losscheck.selection.outline import Import, Unit
from losscheck.selection.project import Project
from losscheck.targets.importing import exists, lies_in
from losscheck.targets.reference import Reference, parse

# Packages whose version says what they do, and modules of Python that ask nothing; of others the
# files are looked into.
VERSIONED = ("attr", "attrs", "keras", "losscheck", "numpy", "scipy", "tensorflow", "tf_keras")
_PURE = """
__future__ abc cmath collections contextlib copy dataclasses decimal enum fractions functools
itertools logging math numbers operator os re statistics string textwrap types typing
typing_extensions warnings
"""
_KNOWN = frozenset((*VERSIONED, *_PURE.split()))
# What reads, draws or asks. Who calls something of his own so has his loss run again, and no more.
_ASKING = """
__builtins__ __file__ __import__ breakpoint compile eval exec globals hash id input locals open vars
"""
_BUILTINS = frozenset(_ASKING.split())
_DOUBTFUL = re.compile(
    r"(?:rand|load|read|fetch|open|from_(?:config|file|generator|json|saved)).*"
    r"|.*(?:_load|random|loadtxt|fromtxt|dropout|initializers?)"
    r"|Generator|Input|Model|Sequential|applications|compile|data|datasets|fromfile|fromregex"
    r"|get_file|gfile|io|layers|memmap|models|numpy_function|py_function|saved_model|saving"
)
_NAMED = re.compile(r"\b(?:attr|name)='([^']*)'")
_OF_OS = re.compile(r"(Attribute\(value=)?Name\(id='os', ctx=Load\(\)\)(?:, attr='(\w+)')?")
_DEFINES = ("FunctionDef(", "ClassDef(")
AROUND = 3  # lines about a statement, which the difference of a fix may show
MOST = 300  # files that are looked into for a loss


class _DoubtError(Exception):
    """Nobody can say what a loss depends on."""


class _Files:
    """The files that are looked into: all but those of Python itself."""

    def __init__(self) -> None:
        self._library = Path(sysconfig.get_path("stdlib"))

    def __contains__(self, file: object) -> bool:
        return isinstance(file, Path) and file.is_file() and not self._is_python(file)

    def _is_python(self, file: Path) -> bool:
        installed = {"site-packages", "dist-packages"}.intersection(file.parts)
        return not installed and file.is_relative_to(self._library)


class Dependencies:
    """Digests what losses depend on.

    Parameters
    ----------
    directory
        The working directory, absolute.
    home
        The folder of the configuration, which is on the import path too.
    environment
        The variables, which sources may ask for.

    Attributes
    ----------
    newest
        When the youngest of the files that were read was written, in seconds.
    """

    def __init__(
        self,
        targets: Sequence[str],
        directory: Path,
        home: Path | None,
        environment: Mapping[str, str],
    ) -> None:
        self.newest = 0.0
        self._directory = directory
        self._environment = environment
        root = Path(directory.anchor)
        self._project = Project(
            targets, directory, home, files=_Files(), gone=frozenset(), root=root, known=_KNOWN
        )

    def of_loss(self, target: str) -> str | None:
        """Digest what the report of a loss depends on."""
        reference = parse(target)
        if (file := self._project.file(reference)) is None:
            return self._of_package(reference)
        if not reference.names:
            return None
        return _digest(reference, self._of_name(file, reference.names[0], set()))

    def of_place(self, target: str) -> str | None:
        """Digest what says which losses a target names."""
        reference = parse(target)
        if (file := self._project.file(reference)) is None or reference.names:
            return self.of_loss(target)
        return _digest(reference, self._of_file(file))

    def _of_package(self, reference: Reference) -> str | None:
        """Digest a loss that Keras knows by its name, or of a package that has a version."""
        place = reference.place
        known = place.partition(".")[0] in VERSIONED
        alone = not known and not reference.names and place.isidentifier()
        by_name = alone and not lies_in(self._directory, place) and not exists(place)
        return _digest(reference, ()) if known or by_name else None

    def _of_file(self, file: Path) -> Iterator[bytes]:
        units = self._project.outline(file).units
        used = {name for unit in units for name in unit.uses}
        yield self._read(file)
        for unit in units:
            if unit.imported is None or unit.binds & used:
                yield self._asked(unit, file, inside=False)
        yield from self._of_reached(file, units, inside=False)

    def _of_name(self, file: Path, name: str, seen: set[Path]) -> Iterator[bytes]:
        """Give all that a name of a file depends on: its statements, and the files they import."""
        if file in seen:  # modules that hand a name to each other define none
            raise _DoubtError
        seen.add(file)
        outlined = self._project.outline(file)
        source = self._project.source(file, name)
        if not outlined.binding(name) and source is None:
            raise _DoubtError
        units = self._project.behind(file, outlined, name)
        if source is not None:
            units = tuple(unit for unit in units if name not in unit.binds)
            yield from self._of_name(source, name, seen)
        yield str(file).encode()
        lines = self._read(file).splitlines()
        for unit in units:
            yield self._asked(unit, file)
            yield unit.text.encode(errors="surrogatepass")
            if unit.imported is None:
                first, last = unit.lines
                yield b"%d" % first
                yield b"\n".join(lines[max(0, first - 1 - AROUND) : last + AROUND])
        yield from self._of_reached(file, units)

    def _of_reached(
        self, file: Path, units: Iterable[Unit], *, inside: bool = True
    ) -> Iterator[bytes]:
        for count, (module, whole) in enumerate(self._project.reached(file, units)):
            if count == MOST:
                raise _DoubtError
            yield str(module).encode()
            yield self._read(module)
            for unit in self._project.counting(module, whole):
                yield self._asked(unit, module, inside=inside)

    def _read(self, file: Path) -> bytes:
        self.newest = max(self.newest, file.stat().st_mtime)
        return file.read_bytes()

    def _asked(self, unit: Unit, file: Path, *, inside: bool = True) -> bytes:
        """Give what a statement asks of the environment; within functions, too, if asked."""
        for given in unit.imports:
            if not self._project.finds(given, file):
                _check_import(given)
        if unit.imported is not None or (not inside and unit.text.startswith(_DEFINES)):
            return b""
        if unit.free & _BUILTINS or any(map(_DOUBTFUL.fullmatch, _NAMED.findall(unit.text))):
            raise _DoubtError
        asked = [attribute for _, attribute in _OF_OS.findall(unit.text)]
        if not set(asked) <= {"environ", "getenv"}:
            raise _DoubtError
        return repr(sorted(self._environment.items())).encode() if asked else b""


def _check_import(given: Import) -> None:
    """Doubt an import of what no version, and no file, says enough of."""
    package, *inner = given.module.split(".")
    names = [*inner, *([given.name] if given.name else [])]
    if given.level or package not in _KNOWN:
        raise _DoubtError
    if any(map(_DOUBTFUL.fullmatch, names)) or (package == "os" and names):
        raise _DoubtError


def _digest(reference: Reference, pieces: Iterable[bytes]) -> str | None:
    digest = hashlib.sha256(reference.text.encode())
    try:
        for piece in pieces:
            digest.update(hashlib.sha256(piece).digest())
    except (_DoubtError, OSError):
        return None
    return digest.hexdigest()
