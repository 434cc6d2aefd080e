"""`python -m benchmarks.stability`: recall, right lines and false alarms, in docs/accuracy.md.

Every part is a section of the page; `--only` measures one of them anew and leaves the others.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.environment import machine, versions
from losscheck.program.quiet import tensorflow

# Seconds for the published packages, some of which hold graphs of thousands of operations.
LIMIT = float(os.environ.get("LOSSCHECK_ACCURACY_SECONDS", "inf"))
PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"

HEAD = """\
# Accuracy

Made by `make accuracy`; nothing here is edited by hand. The zoo (`tests/zoo`) holds the catalogue
of numerical and shape faults of real custom losses, each beside a sound twin. A fault counts as
found where losscheck says one of its codes at the severity that its policy gives it, and its line
as right where the first such finding blames it; the rules asked of it are those that it may be
found by. A sound loss is alarmed where any rule gives it an error."""


def main() -> None:
    """Measure all parts, or one; the page is written when a part is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--only", choices=list(PARTS), help="measure one part, keep the others")
    arguments = parser.parse_args()
    tensorflow()  # silently

    for name in [arguments.only] if arguments.only else list(PARTS):
        title, measure = PARTS[name]
        section = f"## {title}\n\n{_made()}\n\n{measure()}"
        _put(arguments.output, title, section)
        print(f"{section}\n", flush=True)


def _made() -> str:
    return f"Measured with {versions(('tensorflow', 'keras', 'numpy'))}; {machine()}."


def _put(page: Path, title: str, section: str) -> None:
    """Replace a section of the page, the sections in the order of the parts."""
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    sections = {
        text.split("\n", 1)[0].strip(): "## " + text.strip() for text in old.split("\n## ")[1:]
    }
    sections[title] = section
    ordered = {title: sections[title] for title, _ in PARTS.values() if title in sections}
    page.parent.mkdir(exist_ok=True)
    text = "\n\n".join([HEAD, _in_short(ordered), *ordered.values()])
    page.write_text(text + "\n", encoding="utf-8")


def _in_short(sections: Mapping[str, str]) -> str:
    """Sum the page up by what each section says first, behind what it was measured with."""
    firsts = {title: text.split("\n\n", 3)[2] for title, text in sections.items()}
    return "\n".join(["## In short\n", *(f"- **{t}**: {said}" for t, said in firsts.items())])


def zoo_declared() -> str:
    """Check the zoo with its domains declared."""
    from benchmarks.stability_zoo import look
    from benchmarks.stability_zoo_text import describe_zoo, every_row
    from tests.zoo.catalogue import CATALOGUE

    looked = look(CATALOGUE, _tell, declared=True)
    return f"{describe_zoo(looked, recall=0.98, line=0.97, alarmed=0.0)}\n\n{every_row(looked)}"


def zoo_undeclared() -> str:
    """Check the zoo with nothing declared."""
    from benchmarks.stability_zoo import look
    from benchmarks.stability_zoo_text import describe_zoo, every_row
    from tests.zoo.catalogue import CATALOGUE

    looked = look(CATALOGUE, _tell, declared=False)
    return f"{describe_zoo(looked, recall=0.92, line=0.97, alarmed=0.02)}\n\n{every_row(looked)}"


def zoo_told() -> str:
    """Count the diagnoses and lines with which the zoo is told."""
    from benchmarks.stability_told import describe_told, tell_of
    from tests.zoo.catalogue import CATALOGUE
    from tests.zoo.faulty import PLANTED

    return describe_told(tell_of([*CATALOGUE, *PLANTED], _tell))


def zoo_fixed() -> str:
    """Write the fixes of the zoo, and check what comes of them."""
    from benchmarks.fixes import describe, look_at_fixes

    return describe(look_at_fixes(_tell))


def keras_losses() -> str:
    """Check what keras.losses offers."""
    from benchmarks.stability_keras import describe_keras, look_at_keras

    return describe_keras(look_at_keras(_tell))


def packages() -> str:
    """Check the packages of the corpus."""
    from benchmarks.stability_packages import look_at_packages
    from benchmarks.stability_packages_text import describe_packages

    return describe_packages(*look_at_packages(_tell, LIMIT))


def projects_declared() -> str:
    """Check losses of public projects with their domains declared."""
    from benchmarks.stability_projects import describe_projects, look_at_projects

    return describe_projects(look_at_projects(_tell, declared=True))


def projects_undeclared() -> str:
    """Check losses of public projects with nothing declared."""
    from benchmarks.stability_projects import describe_projects, look_at_projects

    return describe_projects(look_at_projects(_tell, declared=False))


def generated() -> str:
    """Check losses that are composed at random."""
    from benchmarks.stability_generated import describe_generated, look_at_generated

    return describe_generated(look_at_generated(_tell))


def exports() -> str:
    """Run the exported tests of the zoo on faulty losses and on their twins."""
    from benchmarks.stability_export import describe_exports, look_at_exports

    return describe_exports(look_at_exports(_tell))


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "declared": ("The zoo, domains declared", zoo_declared),
    "undeclared": ("The zoo, nothing declared", zoo_undeclared),
    "told": ("How the zoo is told", zoo_told),
    "fixes": ("Fixes, written and checked anew", zoo_fixed),
    "keras": ("Keras' own losses", keras_losses),
    "packages": ("Published packages", packages),
    "projects": ("Losses of public projects, domains declared", projects_declared),
    "bare-projects": ("Losses of public projects, nothing declared", projects_undeclared),
    "generated": ("Generated losses", generated),
    "export": ("Exported tests", exports),
}


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
