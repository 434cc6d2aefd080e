"""The commands that have commands of their own: `losscheck baseline` and `losscheck cache`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from losscheck.cli.arguments import OPTIONS, given


@click.group()
def baseline() -> None:
    """Write down what is known, so that only what is new fails.

    The file is named by --baseline or by `baseline` in the configuration, and is
    losscheck-baseline.json otherwise. Keep it beside the code.
    """


@baseline.command("write")
@given(*OPTIONS)
@click.option("--reason", default="", help="Why what is new in it is left as it is.")
@click.option("--expires", default="", metavar="DATE", help="The last day that it holds.")
def baseline_write(targets: tuple[str, ...], reason: str, expires: str, **options: Any) -> int:
    """Add what is found to the baseline; what it holds already stays as it is."""
    from losscheck.cli import kept

    return kept.write(targets, options, reason=reason, expires=expires)


@baseline.command("prune")
@given(*OPTIONS)
def baseline_prune(targets: tuple[str, ...], **options: Any) -> int:
    """Take out what was examined and is not found any more."""
    from losscheck.cli import kept

    return kept.prune(targets, options)


@baseline.command("show")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file to read.")
@click.option("--baseline", "file", type=click.Path(path_type=Path), metavar="FILE", help="File.")
def baseline_show(config: Path | None, file: Path | None) -> int:
    """List what the baseline holds."""
    from losscheck.cli import kept

    return kept.show_baseline(config, file)


@click.group()
def cache() -> None:
    """Show or clear the reports that are kept in .losscheck/.

    A loss of which nothing has changed is not run again: neither its source, nor what that imports,
    nor versions and settings. The folder lies beside the configuration, else where losscheck runs.
    --no-cache of the other commands does without it.
    """


@cache.command("show")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file to read.")
def cache_show(config: Path | None) -> int:
    """List the losses of which reports are kept."""
    from losscheck.cli import kept

    return kept.show_cache(config)


@cache.command("clear")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file to read.")
def cache_clear(config: Path | None) -> int:
    """Remove all that is kept."""
    from losscheck.cli import kept

    return kept.clear(config)
