"""Settings: what the user asked for in the configuration, on the command line, in decorators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.settings.budget import DEFAULT

ROLES = ("y_true", "y_pred", "weight", "input")
DTYPES = ("float32", "float16", "bfloat16", "float64")
MODES = ("eager", "graph", "xla")
FAIL_ON = ("error", "inconclusive", "warning", "never")  # each includes those before it
SEVERITIES = ("error", "warning", "note")
# A shape beside a domain, such as "(B, D)" or "(4,)"; "(0, inf)" is a domain itself.
_SHAPE = re.compile(r"\(\s*(?!inf\b)[A-Za-z].*\)|\(\s*[0-9]+\s*,\s*\)|\(\s*\)")
AUTO = "auto"
TIMEOUT = 300.0
ORDERS = (1, 2)  # derivatives that are checked: the gradient, and the second derivative as well


@attrs.frozen(kw_only=True)
class ArgumentSettings:
    """What the user declares of one argument; None leaves it to be known or inferred."""

    domain: str | None = None
    shape: str | None = None
    role: str | None = None  # y_true, y_pred, weight, input
    value: Any = None  # a constant, with `constant` set
    constant: bool = False

    def over(self, other: ArgumentSettings) -> ArgumentSettings:
        """Lay these settings over weaker ones: what is None here is taken from there."""
        if self.constant or (other.constant and (self.domain or self.shape)):
            return self  # a constant has neither domain nor shape: the stronger word replaces it
        return ArgumentSettings(
            domain=self.domain or other.domain,
            shape=self.shape or other.shape,
            role=self.role or other.role,
            value=other.value,
            constant=other.constant,
        )


@attrs.frozen(kw_only=True)
class LossSettings:
    """The per-loss table of the configuration."""

    ignore: Mapping[str, str] = attrs.field(factory=dict)
    arguments: Mapping[str, ArgumentSettings] = attrs.field(factory=dict)
    data: str = ""  # "batch.npz" or "my_module:batches"; "" for none


@attrs.frozen(kw_only=True)
class Settings:
    """All that steers a run; plain data that pickles."""

    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()  # patterns of targets that are left out
    changed: str | None = None  # a commit: what does not differ from it is left out; "": the usual
    dtypes: tuple[str, ...] = ("float32",)  # required dtypes
    modes: tuple[str, ...] = MODES
    fail_on: str = "inconclusive"
    select: tuple[str, ...] = ()  # codes or prefixes ("LC2"); empty: all
    ignore: Mapping[str, str] = attrs.field(factory=dict)  # code -> reason
    severity: Mapping[str, str] = attrs.field(factory=dict)  # code -> severity
    baseline: str = ""  # the file of findings that are known, absolute; "" for none
    losses: Mapping[str, LossSettings] = attrs.field(factory=dict)  # target -> its table
    arguments: Mapping[str, ArgumentSettings] = attrs.field(factory=dict)  # --arg, for every loss
    data: str = ""  # --data, for every loss
    names: tuple[str, ...] = ()  # of the arguments of all losses of a run, which data may hold
    seed: int = 0
    order: int = 1  # of ORDERS
    jobs: int | str = AUTO  # losses examined at the same time; AUTO: as many as there are cores
    budget: float = DEFAULT  # processor seconds that a loss may take; 0 for as many as it takes
    timeout: float = TIMEOUT  # seconds that a loss may take; 0 for as long as it likes
    memory: float = 0.0  # gigabytes that a loss may take; 0 for what is free, divided by the jobs
    isolation: bool | None = None  # losses in processes of their own; None where there are several
    shard: tuple[int, int] = (1, 1)  # (2, 3): every third loss from the second on
    executor: str = ""  # "dask://host:8786": losses are examined there; "" for here
    upload: str = ""  # a wheel or a zip of the project, for workers that do not have it
    cache: bool = True  # reports are kept from run to run, and taken where nothing has changed
    directory: str = "."  # the working directory; files are reported relative to it
    home: str = ""  # the folder of the configuration file, "" without one

    @property
    def apart(self) -> bool:
        """Whether losses are examined in processes of their own, as `isolated` has settled it."""
        return bool(self.isolation)

    @property
    def part(self) -> str:
        """The part of the losses that is examined, such as "2/3"; "" for all of them."""
        return "{}/{}".format(*self.shard) if self.shard[1] > 1 else ""

    def isolated(self, *, several: bool) -> Settings:
        """Settle whether losses are examined in processes of their own.

        Parameters
        ----------
        several
            Whether there may be more than one: none of them must be the others' end.
        """
        if self.isolation is not None:
            return self
        limited = self.timeout != TIMEOUT or self.memory > 0 or self.jobs not in (AUTO, 1)
        return attrs.evolve(self, isolation=several or limited)

    def ignored(self, target: str) -> Mapping[str, str]:
        """Give the codes whose findings are ignored for this target, with the reasons.

        What holds for all losses is overruled by tables of patterns, and these by the loss's own.
        """
        of_patterns = (
            table.ignore
            for pattern, table in self.losses.items()
            if is_pattern(pattern) and fnmatchcase(target, pattern)
        )
        found = dict(self.ignore)
        for ignore in (*of_patterns, self.for_loss(target).ignore):
            found |= ignore
        return found

    def for_loss(self, target: str) -> LossSettings:
        """Give the table of this target, the command line's arguments laid over it."""
        table = self.losses.get(target, LossSettings())
        return attrs.evolve(
            table,
            arguments=lay_over(self.arguments, table.arguments),
            data=self.data or table.data,
        )


def is_pattern(table: str) -> bool:
    """Say whether the name of a table stands for several losses, as the shell has it."""
    return "*" in table or "?" in table


def lay_over(
    strong: Mapping[str, ArgumentSettings], weak: Mapping[str, ArgumentSettings]
) -> dict[str, ArgumentSettings]:
    """Merge two declarations of the same arguments, the strong one first in every field."""
    nothing = ArgumentSettings()
    return {
        name: strong.get(name, nothing).over(weak.get(name, nothing))
        for name in dict.fromkeys((*weak, *strong))
    }


def argument(given: Any, where: str) -> ArgumentSettings:
    """Read one argument as users declare it.

    Parameters
    ----------
    given
        A domain ("probability"), a list with the domain of each column (["real", "positive"]), a
        pair of domain and shape (("real", "(B, D)")), a mapping with the keys domain, shape, role
        and value, or settings already read.
    where
        What declares it, for messages: a file and key, an option or a decorator.

    Returns
    -------
    ArgumentSettings
        What was declared. Its texts are not yet checked: `check_texts` does that.

    Raises
    ------
    UsageError
        For anything else.
    """
    match given:
        case ArgumentSettings():
            return given
        case str():
            return ArgumentSettings(domain=given)
        case list() if _by_column(given):
            return ArgumentSettings(domain=_written(given))
        case (str() | None as domain, str() as shape):
            return ArgumentSettings(domain=domain, shape=shape)
        case (list() as columns, str() as shape) if _by_column(columns):
            return ArgumentSettings(domain=_written(columns), shape=shape)
        case Mapping():
            return _from_mapping(given, where)
    raise UsageError(
        f"{where}: {given!r} is no declaration of an argument; expected a domain such as "
        '"probability", or a domain, shape, role and value such as '
        '{domain = "probability", shape = "(B, D)"}'
    )


def _by_column(given: list[Any]) -> bool:
    """Say whether a list names a domain for each column; TOML writes a pair as a list, too."""
    texts = all(isinstance(item, str) for item in given)
    return bool(given) and texts and not _SHAPE.fullmatch(given[-1].strip())


def _written(columns: list[str]) -> str:
    return f"[{', '.join(columns)}]"


def _from_mapping(given: Mapping[Any, Any], where: str) -> ArgumentSettings:
    keys = ("domain", "shape", "role", "value")
    columns = given.get("domain")
    if isinstance(columns, list) and _by_column(columns):
        given = {**given, "domain": _written(columns)}
    for key, value in given.items():
        known_key(key, keys, where)
        if key != "value" and not isinstance(value, str):
            raise UsageError(f"{where}.{key}: expected a text, got {value!r}")
    if given.get("role") is not None:
        one_of(given["role"], ROLES, f"{where}.role")
    if "value" in given and ("domain" in given or "shape" in given):
        raise UsageError(
            f"{where}: a constant (value) has neither domain nor shape; leave one or the other away"
        )
    texts = {key: given.get(key) for key in ("domain", "shape", "role")}
    return ArgumentSettings(**texts, value=given.get("value"), constant="value" in given)


def check_texts(settings: ArgumentSettings, where: str) -> None:
    """Check that a declared domain and shape can be read.

    Raises
    ------
    UsageError
        With the place of the declaration in front of what is wrong with it.
    """
    from losscheck import domains
    from losscheck.settings import shapes

    try:
        if settings.domain is not None:
            domains.parse(settings.domain)
        if settings.shape is not None:
            shapes.parse(settings.shape)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def one_of(given: str, choices: tuple[str, ...], where: str) -> str:
    """Return the given word if it is one of the choices.

    Raises
    ------
    UsageError
        If it is not; the message names the closest choice.
    """
    if given in choices:
        return given
    raise UsageError(
        f"{where}: expected one of {', '.join(choices)}, got {given!r}."
        f"{did_you_mean(given, choices)}"
    )


def a_shard(given: str, where: str) -> tuple[int, int]:
    """Read which part of the losses is examined, such as "2/3".

    Raises
    ------
    UsageError
        It is no part.
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", given.strip())
    part, of = map(int, match.groups()) if match else (0, 0)
    if not 1 <= part <= of:
        raise UsageError(f"{where}: expected a part such as 1/3, 2/3 or 3/3, got {given!r}")
    return part, of


def an_executor(given: str, where: str) -> str:
    """Return the given address of a scheduler if it is one.

    Raises
    ------
    UsageError
        It is none.
    """
    if re.fullmatch(r"dask://([\w.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}", given):
        return given
    raise UsageError(f"{where}: expected dask://HOST:PORT of a Dask scheduler, got {given!r}")


def an_order(given: Any, where: str) -> int:
    """Return the given order of derivatives if there is one like it.

    Raises
    ------
    UsageError
        If it is neither 1 nor 2.
    """
    if given in ORDERS and type(given) is int:  # True equals 1
        return given
    raise UsageError(
        f"{where}: expected 1 (the gradient) or 2 (the second derivative, too), got {given!r}"
    )


def an_amount(given: Any, where: str, what: str) -> float:
    """Return the given number if it is one of seconds or gigabytes, as `what` says.

    Raises
    ------
    UsageError
        If it is negative, or no finite number.
    """
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < float("inf"):
        return float(given)
    raise UsageError(f"{where}: expected {what}, got {given!r}")


def a_budget(given: Any, where: str) -> float:
    """Return the given number of seconds if it is one.

    Raises
    ------
    UsageError
        If it is negative, or no finite number.
    """
    return an_amount(given, where, "seconds of processor time, 0 for as many as it takes")


def a_number_of_jobs(given: Any, where: str) -> int | str:
    """Return the given number of losses at a time if it is one, or "auto".

    Raises
    ------
    UsageError
        If it is neither.
    """
    if type(given) is int and given >= 1:  # True is an int
        return given
    if given == AUTO:
        return AUTO
    raise UsageError(
        f'{where}: expected a whole number from 1 on, or "{AUTO}" for as many as there are cores, '
        f"got {given!r}"
    )


def known_key(given: Any, keys: tuple[str, ...], where: str) -> None:
    """Complain of a key that is none of the known ones.

    Raises
    ------
    UsageError
        The message suggests the right key.
    """
    if given not in keys:
        raise UsageError(
            f"{where}: unknown key {given!r}.{did_you_mean(str(given), keys)} "
            f"The keys here are {', '.join(keys)}."
        )


def did_you_mean(given: str, choices: tuple[str, ...]) -> str:
    """Suggest the closest choice: a sentence after a space, or nothing."""
    import difflib

    # 0.6 is difflib's own cutoff, which reads "ignor" as "ignore" and "loses" as "losses".
    close = difflib.get_close_matches(given, choices, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
