"""On which line of a configuration a key is set."""

from __future__ import annotations

from losscheck.settings.origins import lines

TEXT = """# [tool.losscheck]
[project]
description = '''
[tool.losscheck]
targets = ["none"]
'''

[tool.losscheck]
# the losses
targets = [
  "a",  # one

  "b",
]
ignore = { LC103 = \"\"\"
many
lines\"\"\", LC104 = "b" }

fail-on = "never"
[tool.losscheck.losses."m:f"]
ignore.LC105 = "x"

[tool.losscheck.losses."m:f".arguments]

y_pred = { domain = "real" }

[tool.other]
fail-on = "x"
"""


def test_every_key_of_a_table() -> None:
    found = lines(TEXT, ("tool", "losscheck"))
    assert {".".join(keys): line for keys, line in found.items()} == {
        "": 8,
        "targets": 10,
        "ignore": 15,
        "ignore.LC103": 15,
        "ignore.LC104": 15,
        "fail-on": 19,
        "losses": 20,
        "losses.m:f": 20,
        "losses.m:f.ignore": 21,
        "losses.m:f.ignore.LC105": 21,
        "losses.m:f.arguments": 23,
        "losses.m:f.arguments.y_pred": 25,
        "losses.m:f.arguments.y_pred.domain": 25,
    }


def test_a_document_without_headers() -> None:
    assert lines("\n# first\r\na.b = 1\r\nc = '\u2028'\r\nd = 2") == {
        ("a",): 3,
        ("a", "b"): 3,
        ("c",): 4,
        ("d",): 5,
    }
    assert lines("tool.losscheck.order = 2\n[tool.losscheck.losses]\n", ("tool", "losscheck")) == {
        (): 1,
        ("order",): 1,
    } | {("losses",): 2}
    assert lines("[tool]\nlosscheck = { order = 2 }", ("tool", "losscheck"))[("order",)] == 2
