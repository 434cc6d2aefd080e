"""What needs no inference: declared, known, or written in a docstring."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from losscheck.cases.user_data import Data


@attrs.frozen(kw_only=True, eq=False)
class Given:
    """By argument: role, domain, shape, and where they come from."""

    roles: Mapping[str, str]
    domains: Mapping[str, str]
    shapes: Mapping[str, str]
    documented: Mapping[str, str]  # what the docstring says of shapes, where others may know better
    origins: Mapping[str, tuple[str, str]]  # argument -> (origin, why)
    data: Data | None = None
    sizes: Mapping[str, int] = attrs.field(factory=dict)  # of letters, where data give them
