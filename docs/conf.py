"""The documentation site: `make docs` builds it, offline, with warnings as errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import pages  # noqa: E402  behind the path

from losscheck import __version__  # noqa: E402

project = "losscheck"
author = "The losscheck developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header"]  # what is generated begins where its page needs it

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Data", "Declaration")}
napoleon_google_docstring = False

highlight_language = "text"  # where a block does not say

html_theme = "furo"
html_title = "losscheck"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False


def setup(app: Any) -> None:
    """Write the pages that are made of code, schemas and files of the project's root."""
    app.connect("builder-inited", lambda app: pages.write(Path(app.srcdir)))
