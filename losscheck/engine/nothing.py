"""The report of a run that had nothing to examine, and where it ran, made without TensorFlow."""

from __future__ import annotations

import platform
from importlib import metadata

from losscheck import __version__
from losscheck.engine.events import Done
from losscheck.model import Environment, Report, Summary
from losscheck.settings.settings import Settings

BUILDS = ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-macos")


def nothing(settings: Settings) -> Done:
    """Report that no loss was examined, as it was asked for."""
    report = Report(
        losscheck=__version__,
        environment=installed(),
        seed=settings.seed,
        seconds=0.0,
        summary=Summary(losses=0, passed=0, fail=0, inconclusive=0, error=0, cases=0),
        losses=(),
        shard=settings.part,
    )
    return Done(report=report)


def installed() -> Environment:
    """Versions as the packages that are installed state them; devices are not looked for."""
    return Environment(
        python=platform.python_version(),
        tensorflow=_version(*BUILDS),
        keras=_version("keras", "keras-nightly"),
        numpy=_version("numpy"),
        hypothesis=_version("hypothesis"),
        platform=platform.platform(),
    )


def _version(*names: str) -> str:
    """The version of the first of these packages that is installed; "" without any."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""
