import attrs
import pytest
from syrupy.assertion import SnapshotAssertion

from losscheck.model import Check, Fault, Report
from losscheck.report import render
from losscheck.report.lines import wrap
from losscheck.report.text import closing, loss_text
from losscheck.report.verdicts import View


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_snapshot(report: Report, snapshot: SnapshotAssertion, verbosity: int) -> None:
    assert render(report, "text", View(verbosity=verbosity)) == snapshot


@pytest.mark.parametrize("width", [80, 100, 160])
def test_prose_and_source_keep_the_width(report: Report, width: int) -> None:
    text = render(report, "text", View(width=width))
    # What is one word or one array stays whole, so that it can be copied.
    broken = [line for line in text.splitlines() if len(line) > width]
    assert all(len(line.split()) == 1 for line in broken), broken
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_carets_stand_below_what_is_blamed(report: Report, width: int) -> None:
    lines = render(report, "text", View(width=width)).splitlines()
    carets = [number for number, line in enumerate(lines) if set(line.strip()) == {"^"}]
    blamed = [
        lines[number - 1][lines[number].index("^") : lines[number].rindex("^") + 1]
        for number in carets
    ]
    assert blamed == ["tf.math.log(y_pred)"]


def test_worst_comes_first(report: Report) -> None:
    text = render(report, "text")
    assert text.index("LC203 gradient-nan") < text.index("LC202 forward-inf")
    assert "LC104" not in text
    full = render(report, "text", View(verbosity=1))
    assert full.index("LC202 forward-inf") < full.index("LC104 gradient-kink")


def test_markup_and_control_characters_are_text(report: Report) -> None:
    text = render(report, "text")
    assert "[bold]the square[/bold]" in text
    assert "\x1b" not in text
    assert "'diff'\\x1b[31m" in text


def test_color_changes_only_the_color(report: Report) -> None:
    from rich.text import Text

    plain = render(report, "text")
    colored = render(report, "text", View(color=True))
    assert "\x1b[" in colored
    assert Text.from_ansi(colored).plain.split() == plain.split()


def test_quiet_is_the_concise_lines_of_what_does_not_pass(report: Report) -> None:
    text = render(report, "text", View(verbosity=-1))
    concise = render(report, "concise").splitlines()
    kept = [line for line in concise if " warning " not in line and " note " not in line]
    assert text.splitlines() == kept
    assert "losses:mse" not in text


def test_single_loss_needs_no_summary(single: Report, report: Report) -> None:
    assert "1 loss" not in render(single, "text")
    assert "4 losses:" in render(report, "text")


def test_what_is_streamed_and_what_is_said_at_the_end_are_the_text(report: Report) -> None:
    for view in (View(verbosity=level) for level in (-1, 0, 1)):
        streamed = [loss_text(loss, view) for loss in report.losses]
        assert "".join([*streamed, closing(report, view)]) == render(report, "text", view)


def test_notes_are_counted_unless_asked_for_more(single: Report) -> None:
    note = single.losses[0].findings[0]
    other = attrs.evolve(note, id="LC104-00000000", message="the slope jumps at 2", location=None)
    loss = attrs.evolve(single.losses[0], findings=(note, other), diagnoses=())
    report = attrs.evolve(single, losses=(loss,))
    brief, full = (render(report, "text", View(verbosity=level)) for level in (0, 1))
    assert "2 notes" in brief.splitlines()[0]
    assert note.message not in brief
    assert full.count("LC104 gradient-kink  note") == 2


def test_programs_are_shown_when_asked_for(single: Report) -> None:
    brief, full = (render(single, "text", View(verbosity=level)) for level in (0, 1))
    assert "tape.gradient(loss, y_pred)" not in brief
    assert brief.splitlines()[-1].startswith("-v shows")
    assert "tape.gradient(loss, y_pred)" in full
    assert "-v shows" not in full


def test_comments_of_a_fix_keep_the_width_and_code_its_lines(single: Report) -> None:
    code = "x = tf.where(condition, value_if_true_which_is_long, value_if_false_which_is_long)"
    fix = f"{code}\n# {'word ' * 30}end"
    finding = attrs.evolve(single.losses[0].findings[2], fix=fix)
    loss = attrs.evolve(single.losses[0], findings=(finding,), diagnoses=())
    view = View(width=80, verbosity=1)
    lines = render(attrs.evolve(single, losses=(loss,)), "text", view).splitlines()
    first = next(number for number, line in enumerate(lines) if "Write:" in line)
    assert lines[first].endswith(code)
    comments = [line for line in lines if line.startswith(f"{' ' * 14}# ")]
    assert lines[first + 1 : first + 1 + len(comments)] == comments
    assert len(comments) > 1
    assert max(map(len, comments)) <= 80
    assert " ".join(line.strip(" #") for line in comments) == f"{'word ' * 30}end"


def test_many_rules_that_did_not_run_are_counted(single: Report) -> None:
    checks = tuple(
        Check(code=f"LC10{number}", slug="x", outcome="skip", reason="it raises")
        for number in range(1, 7)
    )
    loss = attrs.evolve(single.losses[0], checks=checks, ignored=())
    report = attrs.evolve(single, losses=(loss,))
    assert "not run   6 rules\n" in render(report, "text")
    assert "LC104 x, LC105 x" in render(report, "text", View(verbosity=1))


def test_the_traceback_of_our_own_fault_is_shown_when_asked_for(single: Report) -> None:
    fault = Fault(what="the guided search", error="KeyError: 'x'", traceback=("planted",))
    report = attrs.evolve(single, losses=(attrs.evolve(single.losses[0], faults=(fault,)),))
    text = render(report, "text")
    assert "fault     losscheck itself failed in the guided search: KeyError: 'x'" in text
    assert "Please report it" in text
    assert "planted" not in text
    assert "planted" in render(report, "text", View(verbosity=1))


def test_a_fault_that_is_the_reason_of_a_rule_is_told_once(single: Report) -> None:
    fault = Fault(what="the guided search", error="KeyError: 'x'")
    reason = "losscheck itself failed in the guided search: KeyError: 'x'"
    check = Check(code="LC201", slug="forward-nan", outcome="inconclusive", reason=reason)
    loss = attrs.evolve(single.losses[0], checks=(check,), faults=(fault,))
    text = render(attrs.evolve(single, losses=(loss,)), "text", View(width=200))
    assert text.count(reason) == 1


def test_the_way_to_report_a_fault_names_the_command_and_the_versions(single: Report) -> None:
    fault = Fault(what="the curves", error="ValueError")
    loss = attrs.evolve(single.losses[0], target="my.py:focal(gamma=2.0)", faults=(fault,))
    text = render(attrs.evolve(single, losses=(loss,)), "text", View(width=1000))
    assert "`losscheck 'my.py:focal(gamma=2.0)' --seed" in text
    assert single.environment.tensorflow in text.splitlines()[-1]


def test_a_name_keeps_its_value_on_the_line() -> None:
    # 30 columns would break behind "y_true =" if its spaces could be broken.
    assert wrap("The loss is infinite at y_true = 1e20.", 32) == [
        "The loss is infinite at",
        "y_true = 1e20.",
    ]


def test_cause_stands_for_the_message(single: Report) -> None:
    finding = attrs.evolve(single.losses[0].findings[2], cause="")
    loss = attrs.evolve(single.losses[0], findings=(finding,), diagnoses=())
    assert finding.message in render(attrs.evolve(single, losses=(loss,)), "text")
