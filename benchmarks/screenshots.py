"""`python -m benchmarks.screenshots PAGE FOLDER`: pictures of a report for the README."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from tests.report.browser import CHROMIUM, browser

# The overview ends where the first loss begins; of one loss the pictures are shown.
PARTS = {
    "report-overview.png": "[0, 0, innerWidth, top(document.querySelector('section')) - 12]",
    "report-pictures.png": (
        "(each => [each.x - 12, top(each), each.width + 24, each.height])"
        "(document.querySelector('[id$=binary_crossentropy] .pictures').getBoundingClientRect())"
    ),
}
SCALE = 0.7  # as wide as a README is shown
TOP = "const top = each => (each.y ?? each.getBoundingClientRect().y) + scrollY;"


def main(page: Path, folder: Path) -> None:
    """Write the pictures; a Chromium takes them."""
    with browser() as tab:
        tab.open(page.resolve())
        for name, part in PARTS.items():
            x, y, width, height = tab.says(f"(() => {{ {TOP} return {part}; }})()")
            shot = tab.call(
                "Page.captureScreenshot",
                captureBeyondViewport=True,
                clip={"x": x, "y": y, "width": width, "height": height, "scale": SCALE},
            )
            (folder / name).write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("the pictures are taken by Chromium, which is not installed")
    main(*map(Path, sys.argv[1:3]))
