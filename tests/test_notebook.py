"""The notebook of examples/: its cells run, and in a kernel they show what they promise."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import nbclient
import nbformat
import pytest

from losscheck import comparing
from losscheck.findings.code import module_of
from losscheck.model import Argument, Execution, Layout
from losscheck.program.tracing.origin import relative
from losscheck.report.lines import printed
from losscheck.report.verdicts import View
from tests.report.conftest import GRADIENT_NAN, diagnosis
from tests.test_comparison import comparison

NOTEBOOK = Path(__file__).parent.parent / "examples/notebook.ipynb"


def test_the_cells_use_what_there_is(fake_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.reports["notebook:rmse"] = {
        "verdict": "fail",
        "findings": (GRADIENT_NAN,),
        "diagnoses": (diagnosis(GRADIENT_NAN),),
        "arguments": (
            Argument(
                name="y",
                role="y_pred",
                domain="real",
                shape="(B,)",
                dtype="float32",
                origin="known",
            ),
        ),
        "executions": (Execution(dtype="float32", mode="xla", outcome="agrees", cases=7),),
        "layouts": (Layout(form="size", shapes={"y": "(3,)"}, outcome="runs"),),
    }
    monkeypatch.setattr(comparing, "compare", lambda *_: comparison())
    module = ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", module)
    with redirect_stdout(io.StringIO()) as told:
        for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), vars(module))
    said = told.getvalue()
    assert "<losscheck notebook:rmse: fail, 1 error, 100 cases in 0.5 s>" in said
    assert "error    line 16: The slope of log at y_pred = 0 is infinite" in said
    assert "safe = tf.where(y_pred > 0.0, y_pred, 1.0)" in said
    assert "rmse.html: " in said


@pytest.mark.slow
def test_it_shows_what_it_promises() -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # they differ from run to run
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    cards = [each.data["text/html"] for each in outputs if each.output_type == "execute_result"]
    said = "".join(each.text for each in outputs if each.get("name") == "stdout")
    result, worst, compared = cards
    for card in (result, worst):
        assert '<code class="place">In[2]:3</code>' in card
        assert "return <mark>tf.sqrt(square)</mark>" in card
        assert "verified: clears LC203" in card
    assert "OLD gives NaN where no finite number is right" in compared
    assert "\nrepairs\n" in said
    assert "<losscheck __main__:repaired: pass" in said


def test_a_cell_goes_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(file: str) -> Sequence[str] | None:
        return ("Cell", "In[3]") if file == "/tmp/cells/77.py" else None

    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=named))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert relative("/tmp/cells/77.py", "/tmp") == "In[3]"
    assert relative("/tmp/losses.py", "/tmp") == "losses.py"
    shell.compile = SimpleNamespace()  # a shell that names nothing
    assert relative("/tmp/cells/77.py", "/tmp") == "cells/77.py"


def test_the_names_of_a_cell_are_those_of_the_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(compile("def loss(): ...", "/tmp/cells/1.py", "exec"), vars(main))
    exec(compile("class Own:\n    def call(self): ...", "/tmp/cells/2.py", "exec"), vars(main))
    assert module_of("/tmp/cells/1.py") is module_of("/tmp/cells/2.py") is main
    assert module_of("/tmp/cells/3.py") is None


def test_text_stays_text_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.text import Text

    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert printed([Text("a"), Text("b")], View()) == "a\nb\n"
