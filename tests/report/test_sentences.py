"""The sentences that reports print, in one file to be read in one sitting, and none a riddle."""

from __future__ import annotations

import re

from syrupy.assertion import SnapshotAssertion

from tests.report.sentences import HOME, sentences

# Said of real losses once, and understood by nobody.
RIDDLES = (
    "had no end",
    "bad day",
    "no bound that helps",
    "who says so",
)
# The same plain subject-verb order everywhere: no sentence begins like this.
ARCHAIC = re.compile(r"\b(whence|whereof|thereof|wherein|alas|hath)\b", re.IGNORECASE)


def test_snapshot(snapshot: SnapshotAssertion) -> None:
    pages = ["\n".join([f"== {module}", *texts]) for module, texts in sentences().items()]
    assert "\n\n".join(pages) == snapshot


def test_no_sentence_is_a_riddle() -> None:
    templates = [file.read_text(encoding="utf-8") for file in HOME.rglob("*.j2")]
    said = [text for texts in sentences().values() for text in texts]
    for text in (*said, *templates):
        assert not any(riddle in text for riddle in RIDDLES), text
        assert not ARCHAIC.search(text), text
