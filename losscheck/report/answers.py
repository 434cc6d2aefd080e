"""What `losscheck diff` and `losscheck replay` answer, in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.text import Text

from losscheck.comparison import Answer, Comparison, Difference, Weight
from losscheck.model import Location
from losscheck.replayed import Replay, Replayed, State
from losscheck.report import words
from losscheck.report.arrays import SHORT, apart, array
from losscheck.report.excerpt import cut
from losscheck.report.lines import hang, printed, spread
from losscheck.report.verdicts import View

ANSWERS = {
    Answer.SAME.value: ("SAME", "bold green"),
    Answer.REPAIRS.value: ("REPAIRS", "bold cyan"),
    Answer.DIFFER.value: ("DIFFER", "bold red"),
}
COLORS = {
    Weight.DIFFERENCE.value: "red",
    Weight.REPAIR.value: "cyan",
    Weight.NOTE.value: "yellow",
}
INDENT = 5
SHOWN = 3  # differences whose cases are shown; the others on a line each
FINEST = 9  # significant digits that tell every float32 apart
WHOLE = {
    Answer.SAME.value: "They are the same function",
    Answer.REPAIRS.value: "NEW differs only where OLD has no right number",
    Answer.DIFFER.value: "They are not the same function",
}
STATES = {State.THERE.value: "red", State.GONE.value: "green", State.UNKNOWN.value: "yellow"}


def render_comparison(comparison: Comparison, view: View) -> str:
    """Write a comparison as text; notes in full where the view is verbose."""
    return printed(_lines(comparison, view), view)


def _lines(comparison: Comparison, view: View) -> Iterator[Text]:
    yield from _header(comparison, view.width)
    if view.verbosity < 0:
        return
    yield from hang(Text("  "), _assumed(comparison), view.width, "dim")
    yield from hang(Text("  "), _whole(comparison), view.width)
    full = [d for d in comparison.differences if _in_full(d, comparison, view)]
    for difference in full:
        yield Text()
        yield from _difference(difference, view.width)
    rest = [d for d in comparison.differences if d not in full]
    if full and (rest or comparison.notes):
        yield Text()
    for difference in rest:
        label = Text.assemble("  ", (difference.weight, COLORS[difference.weight]), "  ")
        said = f"{difference.what}, {difference.range} range: {difference.message}"
        yield from hang(label, words.clean(said), view.width)
    for note in comparison.notes:
        yield from hang(Text("  note  ", "yellow"), words.clean(note), view.width)


def _in_full(difference: Difference, comparison: Comparison, view: View) -> bool:
    """Say whether a difference is shown with its case: the first ones of what weighs most."""
    if view.verbosity > 0:
        return True
    if difference.weight == Weight.NOTE:
        return False
    alike = [d for d in comparison.differences if d.weight == difference.weight]
    most = SHOWN if difference.weight == Weight.DIFFERENCE else 1
    return difference in alike[:most]


def _header(comparison: Comparison, width: int) -> Iterator[Text]:
    word, style = ANSWERS[comparison.answer]
    yield Text.assemble("OLD  ", (words.clean(comparison.old.target), "bold"))
    target = words.clean(comparison.new.target)
    left = Text.assemble("NEW  ", (target, "bold"), "   ", (word, style))
    counts = [
        words.plural(sum(d.weight == weight for d in comparison.differences), weight.value)
        for weight in Weight
        if any(d.weight == weight for d in comparison.differences)
    ]
    if counts:
        left.append(f"   {', '.join(counts)}")
    right = f"{words.plural(comparison.cases, 'case')}   {words.seconds(comparison.seconds)}"
    yield from spread(left, Text(right, "dim"), width)


def _assumed(comparison: Comparison) -> str:
    """The domain that they were compared over, and whose it is."""
    parts = [f"{a.name} {a.domain} {a.shape}" for a in comparison.arguments]
    guessed = any(argument.origin == "inferred" for argument in comparison.arguments)
    whose = "assumed of OLD; declare with --arg" if guessed else "as OLD takes them"
    return f"{', '.join(parts)}: {whose}"


def _whole(comparison: Comparison) -> str:
    """The answer in a sentence: what was looked at, and what was the same."""
    answer = WHOLE[comparison.answer]
    if comparison.answer == Answer.DIFFER:
        return f"{answer}."
    dtypes, modes = ", ".join(comparison.dtypes), ", ".join(comparison.modes)
    same = "values and gradients are the same to rounding"
    if any(difference.weight == Weight.NOTE for difference in comparison.differences):
        same += ", but for the notes"
    elsewhere = same if comparison.answer == Answer.SAME else f"elsewhere {same}"
    shapes = f"shapes and dtypes for {words.plural(len(comparison.shapes), 'layout')}"
    return f"{answer}: {elsewhere} ({dtypes}; {modes}), and {shapes}."


def _difference(difference: Difference, width: int) -> Iterator[Text]:
    color = COLORS[difference.weight]
    left = Text.assemble(
        "  ", (difference.weight, f"bold {color}"), "  ", (difference.what, "bold")
    )
    where = words.place(difference.location)
    yield from spread(left, Text(where, "blue"), width) if where else iter([left])
    if difference.location is not None and difference.location.source.strip():
        yield from _source(difference.location, width, color)
    yield from hang(Text(" " * INDENT), words.clean(difference.message), width)
    yield from _case(difference, width)
    yield from hang(Text(" " * INDENT), _circumstances(difference), width, "dim")


def _source(location: Location, width: int, color: str) -> Iterator[Text]:
    margin = f"{' ' * INDENT}{location.line:>4} |  "
    excerpt = cut(location, width - len(margin))
    before, blamed, after = excerpt.parts
    yield Text.assemble((margin, "dim"), before, (blamed, f"bold {color}"), after)


def _case(difference: Difference, width: int) -> Iterator[Text]:
    """The case and what came out, on one line where they fit."""
    digits = apart(difference.inputs.values())
    inputs = [f"{words.clean(n)} {array(v, digits)}" for n, v in difference.inputs.items()]
    given = [("OLD", difference.old), ("NEW", difference.new), ("right", difference.truth)]
    results = [f"{name} {text}" for name, text in _written(given) if text]
    if not results and difference.what != "value":
        return
    line = f"{'  '.join(inputs)}   ->   {'   '.join(results)}" if results else "  ".join(inputs)
    if cell_len(line) <= width - INDENT:
        parts: Iterable[str] = [line]
    else:
        parts = [*inputs, *results]
    for part in parts:
        name, _, rest = part.partition(" ")
        yield from hang(Text.assemble(" " * INDENT, (f"{name} ", "bold")), rest, width, "bold")


def _written(given: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """Numbers with as many digits as tell OLD from NEW."""
    given = list(given)
    found: list[tuple[str, str]] = []
    for digits in range(SHORT, FINEST + 1):
        found = [(name, "" if part is None else array(part, digits)) for name, part in given]
        if found[0][1] != found[1][1]:
            break
    return found


def _circumstances(difference: Difference) -> str:
    parts = [f"{difference.range} range"] if difference.range else []
    parts.append(", ".join((difference.dtype, *difference.modes)))
    if difference.count > 1:
        least = "at least " if difference.more else ""
        parts.append(f"{least}{difference.count:,} such cases")
    return "; ".join(parts)


def render_replay(replay: Replay, view: View) -> str:
    """Write what became of findings as text; only the last line where the view is quiet."""
    return printed(_replayed(replay, view), view)


def _replayed(replay: Replay, view: View) -> Iterator[Text]:
    before = ""
    for finding in replay.findings if view.verbosity >= 0 else ():
        if finding.target != before:
            yield Text(words.clean(finding.target), "bold")
            before = finding.target
        yield from _finding(finding, view.width)
    counts = [
        f"{replay.count(state):,} {state.value}" for state in State if replay.count(state)
    ] or ["nothing to run"]
    whole = Text(words.plural(len(replay.findings), "finding"), "bold")
    whole.append(f":  {', '.join(counts)}")
    yield from spread(whole, Text(words.seconds(replay.seconds), "dim"), view.width)


def _finding(finding: Replayed, width: int) -> Iterator[Text]:
    left = Text.assemble(
        "  ",
        (finding.state, f"bold {STATES[finding.state]}"),
        "  ",
        (f"{finding.code} {finding.slug}", "bold"),
        (f"  {finding.id}", "dim"),
    )
    where = words.place(finding.location)
    yield from spread(left, Text(where, "blue"), width) if where else iter([left])
    if not finding.inputs:
        yield from hang(Text(" " * INDENT), words.clean(finding.message), width)
        return
    digits = apart(finding.inputs.values())
    given = "  ".join(f"{words.clean(n)} {array(v, digits)}" for n, v in finding.inputs.items())
    gradient = "none" if finding.gradient is None else array(finding.gradient, SHORT)
    now = f"loss {array(finding.value, SHORT)}   gradient {gradient}"
    yield from hang(Text(" " * INDENT), f"{given}   ->   {now}", width)
