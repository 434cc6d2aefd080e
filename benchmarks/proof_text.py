"""The page about published truths: what is found of them, beside what others have published."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence

from benchmarks.environment import machine, versions
from benchmarks.markdown import table
from benchmarks.peers import hamming
from benchmarks.peers.seen import Seen

# Of GRIST's 79 bugs and their mean seconds, and of the 15 programs of the Soft Assertion Fuzzer.
PUBLISHED = (
    ("Soft Assertion Fuzzer (FSE 2025)", "79", "0.646", "13"),
    ("RANUM (ICSE 2023)", "79", "2.209", "3"),
    ("GRIST (FSE 2021)", "78", "44.267", "3"),
    ("DEBAR (FSE 2020)", "47 or 48", "-", "-"),
    ("Atheris", "25", "0.283", "3"),
    ("PyFuzz", "24", "5.498", "3"),
    ("Hypothesis", "23", "5.945", "3"),
)
ABOUT = """Losses of which others have published what is wrong with them, written anew in
`benchmarks/peers`, and checked with the domains that their programs have. A fault counts by the
gravest severity at which one of its codes tells it; what is sound is alarmed where any rule gives
it an error."""
ABOUT_PUBLISHED = """Our seconds are those of a processor, for all that is looked at in a loss.
DEBAR's figure is what GRIST's authors say: it misses 31 of the 78 bugs that GRIST finds. Its own
authors publish another set: all known bugs of 9 architectures, in 1.7 to 2.3 s each and without a
false alarm, and 529 warnings on 48 further ones, of which 299 are true. All other figures are those
of one table that the authors of the Soft Assertion Fuzzer publish. These tools search a whole
program for an input that makes it NaN or infinite; losscheck was given the loss alone, and its
domains. The figures are to be read beside each other, not against each other."""
ABOUT_GRIST = """The 63 programs of GRIST hold 79 bugs. 75 of them come down to the 21 losses below;
the other four sit in a layer, and losscheck was not asked about them. Seven programs were edited by
the benchmark so that one bug is alive at a time, and 59 of the 79 are a logarithm of 0: a full
score proves little alone. The last four losses are repairs that the literature gives."""
ABOUT_PAIRS = """Single reports with a fix or a ground truth: TensorFlow-Program-Bugs (ISSTA 2018),
Defects4ML and Silent bugs in Keras and TensorFlow (both EMSE 2023), and seven losses of the 15
programs of the Soft Assertion Fuzzer."""
ABOUT_HAMMING = """Cancellation as R. W. Hamming teaches it: found where LC301 or LC302 tells that
digits are lost."""
ABOUT_FEATURES = """From their documentation and sources: `tf.test.compute_gradient` (TensorFlow
2.21), `torch.autograd.gradcheck` with `gradgradcheck`, `jax.test_util.check_grads`, and
`numerics_testing` of TensorFlow Probability, which stands in its repository and not in its package.
compute_gradient and gradcheck take complex inputs as well, which losscheck does not. How often the
first three are right stands in [Benchmarks](benchmarks.md)."""
FEATURES = (
    ("works on", "TensorFlow, Keras", "TensorFlow", "PyTorch", "JAX", "TensorFlow"),
    ("points", "searched for", *["the caller's"] * 4),
    (
        "gradient beside",
        "a ladder of differences",
        "central differences, step 1/1024",
        "differences, step 1e-6",
        "a difference",
        "-",
    ),
    ("directions", "all; some of a large one", "all", "all; one in fast mode", "one, random", "-"),
    ("tolerance", "the error bound", "the caller's", "1e-5, 1e-3", "the caller's", "-"),
    ("value beside", "exact numbers", "-", "-", "-", "float64"),
    ("allows for conditioning", "yes", "no", "no", "no", "yes"),
    ("forward mode", "no", "no", "yes", "yes", "-"),
    ("higher orders", "the second", "no", "the second", "any", "-"),
    ("shapes, batches, graph and XLA", "yes", "no", "no", "no", "no"),
    ("gives", "line, cause, fix", "two Jacobians", "an exception", "an exception", "wrong bits"),
    ("takes", "seconds a loss", *["milliseconds a point"] * 3, "-"),
)
ELSEWHERE = """\
- [Accuracy](accuracy.md): the zoo of faulty losses and their sound twins, Keras' own losses, losses
  of released packages and of public projects; every fault that was missed, every sound loss that
  was alarmed.
- [Rewriting](rewriting.md): what becomes of Hamming's formulas beside what Herbie makes of them.
- [Benchmarks](benchmarks.md): losscheck and other checkers before right and wrong gradients.
- [Trophies](trophies.md): findings in released packages."""


def page(grist: Sequence[Seen], pairs: Sequence[Seen], textbook: Sequence[Seen]) -> str:
    """Write the page."""
    seconds = [one.seconds for one in (*grist, *pairs, *textbook)]
    took = f"{len(seconds)} checks, {sum(seconds) / 60:.0f} minutes of processor time"
    median = f"median {statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s"
    return "\n\n".join(
        [
            "# Proof",
            "Made by `make proof`; nothing here is edited by hand.",
            f"- Made with {versions(('tensorflow', 'keras', 'numpy', 'scipy', 'mpmath'))}\n"
            f"- Machine: {machine()}\n- {took}: {median}",
            _filled(ABOUT),
            "## The programs of GRIST",
            _filled(ABOUT_GRIST),
            _outcome(grist),
            _published(grist),
            _filled(ABOUT_PUBLISHED),
            _rows(grist),
            "## Single reports",
            _filled(ABOUT_PAIRS),
            _outcome(pairs),
            _rows(pairs),
            "## Hamming's 28 problems",
            _filled(f"{ABOUT_HAMMING} {_herbie()}"),
            _outcome(textbook),
            _rows(textbook),
            "## What other checkers do",
            table(
                ["", "losscheck", "compute_gradient", "gradcheck", "check_grads", "TFP"], FEATURES
            ),
            _filled(ABOUT_FEATURES),
            "## More",
            ELSEWHERE,
        ]
    )


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 100)


def _outcome(looked: Sequence[Seen]) -> str:
    """Say how many bugs are told, and how gravely; what is missed or alarmed by its name."""
    faulty = [one for one in looked if one.problem.codes]
    sound = [one for one in looked if not one.problem.codes]
    rows = [
        (said, str(sum(len(one.problem.bugs) for one in faulty if one.severity == severity)))
        for severity, said in (
            ("error", "told as an error"),
            ("warning", "told as a warning"),
            ("note", "told as a note"),
            ("", "missed"),
        )
    ]
    rows.append(
        ("sound losses with an error", f"{sum(bool(s.errors) for s in sound)} of {len(sound)}")
    )
    bugs = sum(len(one.problem.bugs) for one in faulty)
    parts = [table(["", f"of {bugs}"], rows)]
    for title, listed in (
        ("Told as a note alone", [one for one in faulty if one.severity == "note"]),
        ("Missed", [one for one in faulty if not one.severity]),
        ("Sound losses with an error", [one for one in sound if one.errors]),
    ):
        if listed:
            parts.append("\n".join([f"{title}:", "", *(f"- {_said(one)}" for one in listed)]))
    return "\n\n".join(parts)


def _said(one: Seen) -> str:
    """Say what was expected of a loss, and what is said instead."""
    said = "; ".join(f"{f.code} {f.severity}: {f.message}" for f in (one.told or one.findings)[:3])
    wanted = f" ({' or '.join(one.problem.codes.split())})" if one.problem.codes else ""
    why = f": {one.problem.why}" if one.problem.why else ""
    return f"`{one.name}`{wanted}{why}. losscheck says: {said or 'nothing.'}"


def _rows(looked: Sequence[Seen]) -> str:
    head = ["loss", "published as", "trigger", "told", "other errors", "seconds"]
    return table(
        head,
        [
            [
                one.name,
                " ".join(one.problem.bugs) or "-",
                one.problem.why or "-",
                ", ".join(dict.fromkeys(f"{f.code} {f.severity}" for f in one.told))
                or ("**missed**" if one.problem.codes else "sound"),
                " ".join(sorted({f.code for f in one.errors} - {f.code for f in one.told})) or "-",
                f"{one.seconds:.1f}",
            ]
            for one in looked
        ],
    )


def _published(grist: Sequence[Seen]) -> str:
    found = [one for one in grist if one.severity in ("error", "warning")]
    own = (
        "losscheck, loss alone",
        f"{sum(len(one.problem.bugs) for one in found)} of 75",
        f"{statistics.mean(one.seconds for one in found):.3f}",
        "-",
    )
    return table(["tool", "GRIST's 79 bugs", "seconds", "15 programs"], [own, *PUBLISHED])


def _herbie() -> str:
    """Say Herbie's own figures on these problems."""
    problems = hamming.PROBLEMS.values()
    before, after = (statistics.mean(p.herbie[of] for p in problems) for of in (0, 1))
    own = [p.textbook for p in problems if p.textbook is not None]
    return (
        f"Herbie, which rewrites such formulas, publishes mean errors in binary64 of {before:.1f} "
        f"bits before and {after:.1f} after; the textbook's own forms of {len(own)} of them have "
        f"{statistics.mean(own):.1f}."
    )
