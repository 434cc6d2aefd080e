"""`python -m benchmarks.rule_examples`: what is printed of each rule's example, for its page."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import json
import sys
import tempfile
from pathlib import Path

from losscheck.program.quiet import tensorflow
from losscheck.report.concise import render
from losscheck.report.text import loss_text
from losscheck.report.verdicts import View
from tests.rules.test_examples import SHOWN, check
from tests.rules.test_registry import code_of, sections

WIDTH = 88  # columns of a block of the site
KEPT = Path(__file__).parent.parent / "docs" / "rule-examples.json"


def main() -> None:
    """Check the example of each rule by that rule alone, and keep what is printed."""
    tensorflow()  # silently
    kept = {}
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        sys.path.insert(0, name)
        for rule in SHOWN:
            report = check(rule, "Example", Path(name), [rule.code])
            printed = loss_text(report, View(width=WIDTH))
            if concise := rule.slug not in printed:  # a note, which is counted there
                printed = render(report.report, View())
            example = code_of(sections(rule)["Example"])
            kept[rule.code] = {"example": example, "concise": concise, "printed": printed}
            print(printed, flush=True)
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
