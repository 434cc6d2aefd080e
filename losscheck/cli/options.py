"""The command line's options -> Settings, laid over the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.rules import EXAMPLE, prefixes, rule_code
from losscheck.settings.file import read
from losscheck.settings.settings import (
    DTYPES,
    FAIL_ON,
    MODES,
    ROLES,
    ArgumentSettings,
    Settings,
    a_shard,
    an_executor,
    check_texts,
    lay_over,
    one_of,
)

APART = ("jobs", "timeout", "memory")  # what takes processes of their own


def settings(directory: Path, options: dict[str, Any]) -> Settings:
    """Read the configuration and lay the options of the command line over it.

    Parameters
    ----------
    options
        As click gives them; what is None or empty was not given.

    Raises
    ------
    UsageError
        For anything that cannot be used; the message names the option or the file and key.
    """
    asked = [name for name in APART if options.get(name) not in (None, 1)]
    if options.get("isolation") is False and asked:
        raise UsageError(
            f"--{asked[0]} is for losses in processes of their own; give it or --no-isolation"
        )
    base = read(directory, options["config"])
    changes: dict[str, Any] = {}
    if options["dtype"]:
        given = split(options["dtype"])
        changes["dtypes"] = tuple(one_of(dtype, DTYPES, "--dtype") for dtype in given)
    if options["mode"]:
        given = split(options["mode"])
        changes["modes"] = tuple(one_of(mode, MODES, "--mode") for mode in given)
    if options.get("fail_on"):
        changes["fail_on"] = one_of(options["fail_on"], FAIL_ON, "--fail-on")
    for name in ("seed", "order", "data", "budget", "changed", *APART, "isolation"):
        if options.get(name) is not None:
            changes[name] = options[name]
    if options.get("executor") is not None:
        changes["executor"] = an_executor(options["executor"], "--executor")
    if options.get("upload") is not None:
        changes["upload"] = str(directory / options["upload"])
        if "executor" not in changes:
            raise UsageError("--upload is for the workers of --executor; give both or neither")
    if options.get("shard") is not None:
        changes["shard"] = a_shard(options["shard"], "--shard")
    if options.get("baseline") is not None:
        changes["baseline"] = str(directory / options["baseline"])
    return attrs.evolve(
        base,
        exclude=tuple(dict.fromkeys((*base.exclude, *options.get("exclude", ())))),
        select=prefixes(split(options.get("select", ())), "--select"),
        ignore={**base.ignore, **dict(map(_ignored, options.get("ignore", ())))},
        cache=base.cache and not options.get("no_cache"),
        arguments=lay_over(_roles(options.get("role", ())), _arguments(options["arg"])),
        **changes,
    )


def split(given: Sequence[str]) -> tuple[str, ...]:
    """Take apart what was given repeatedly, with commas, or both; each word once, in order."""
    words = (word.strip() for text in given for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _ignored(text: str) -> tuple[str, str]:
    code, _, reason = text.partition("=")
    if not reason.strip():
        raise UsageError(
            f"--ignore {text}: a reason is required, as in --ignore {code or EXAMPLE}="
            '"clipping is deliberate"; the report prints it'
        )
    return rule_code(code, "--ignore"), reason.strip()


def _arguments(given: Sequence[str]) -> dict[str, ArgumentSettings]:
    arguments: dict[str, ArgumentSettings] = {}
    for text in given:
        name, _, value = text.partition("=")
        if not name.strip().isidentifier() or not value.strip():
            raise UsageError(
                f"--arg {text}: expected NAME=DOMAIN or NAME=DOMAIN:SHAPE, such as "
                '--arg y_pred=probability, --arg "y_pred=probability:(B, D)" or, by column, '
                '--arg "y_pred=[real, positive]"'
            )
        domain, _, shape = value.partition(":")
        settings = ArgumentSettings(domain=domain.strip() or None, shape=shape.strip() or None)
        check_texts(settings, f"--arg {text}")
        arguments = lay_over({name.strip(): settings}, arguments)
    return arguments


def _roles(given: Sequence[str]) -> dict[str, ArgumentSettings]:
    found: dict[str, ArgumentSettings] = {}
    for text in given:
        name, _, role = (part.strip() for part in text.partition("="))
        if not name.isidentifier() or not role:
            raise UsageError(
                f"--role {text}: expected NAME=ROLE, such as --role q_values=y_pred; the roles are "
                f"{', '.join(ROLES)}"
            )
        known = found.get(name, ArgumentSettings()).role
        if known not in (None, role):
            raise UsageError(f"--role {text}: {name} is given as {known}, too. Keep one of them")
        found[name] = ArgumentSettings(role=one_of(role, ROLES, f"--role {text}"))
    predictions = [name for name, settings in found.items() if settings.role == "y_pred"]
    if len(predictions) > 1:
        raise UsageError(
            f"--role: {' and '.join(predictions)} are both given as y_pred; a loss is derived by "
            "one prediction. Give the others as input"
        )
    return found
