from losscheck.model import Report
from losscheck.report import render


def test_a_line_a_finding_and_a_line_a_verdict_without_one(report: Report) -> None:
    lines = render(report, "concise").splitlines()
    assert lines[0] == (
        "my_package/losses.py:16:34: LC203 error gradient-nan: "
        "the gradient is NaN while the loss is finite"
    )
    # Without a column, and without a place: the line alone, and where the loss begins.
    assert lines[2].startswith("my_package/losses.py:9: LC104 note gradient-kink: ")
    assert lines[3].startswith("my_package/losses.py:3: LC901 error call-fails: ")
    assert lines[4].startswith("my_package.losses:temporal: inconclusive: ")
    assert len(lines) == 5
