"""The decorator: it attaches what was declared and leaves the loss alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

import losscheck
from losscheck.model import UsageError
from losscheck.settings.settings import ArgumentSettings


def test_it_returns_what_it_was_given() -> None:
    def loss(y_true, y_pred):
        return y_pred

    class Loss:
        pass

    assert losscheck.spec(y_pred="real")(loss) is loss
    assert losscheck.spec(y_pred="real")(Loss) is Loss
    assert Loss.__losscheck_spec__ == {"y_pred": ArgumentSettings(domain="real")}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("real", {"domain": "real"}),
        (("probability", "(B, D)"), {"domain": "probability", "shape": "(B, D)"}),
        ((None, "(B,)"), {"shape": "(B,)"}),
        (["real", "positive"], {"domain": "[real, positive]"}),
        (["real", "(0, inf)"], {"domain": "[real, (0, inf)]"}),
        (["real", "(B, D)"], {"domain": "real", "shape": "(B, D)"}),  # as TOML writes a pair
        ((["real", "positive"], "(B, T, 2)"), {"domain": "[real, positive]", "shape": "(B, T, 2)"}),
        (
            {"domain": ["real", "positive"], "shape": "(B, 2)"},
            {"domain": "[real, positive]", "shape": "(B, 2)"},
        ),
        ({"role": "y_pred"}, {"role": "y_pred"}),
        (
            {"domain": "weight", "shape": "(B,)", "role": "weight"},
            {"domain": "weight", "shape": "(B,)", "role": "weight"},
        ),
        ({"value": 2.0}, {"value": 2.0, "constant": True}),
        ({"value": None}, {"value": None, "constant": True}),
    ],
)
def test_forms_of_a_declaration(given: object, read: dict[str, object]) -> None:
    @losscheck.spec(y_pred=given)
    def loss(y_true, y_pred):
        return y_pred

    assert loss.__losscheck_spec__ == {"y_pred": ArgumentSettings(**read)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "3 is no declaration"),
        (("real", "(B,)", "more"), "no declaration"),
        ({"domian": "real"}, "Did you mean 'domain'?"),
        ({"role": "label"}, "expected one of y_true"),
        ({"domain": 3}, "expected a text, got 3"),
        ({"value": 1, "domain": "real"}, "a constant"),
    ],
)
def test_wrong_declarations_name_loss_and_argument(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=r"@losscheck\.spec of loss: y_pred") as caught:

        @losscheck.spec(y_pred=given)
        def loss(y_true, y_pred):
            return y_pred

    assert said in str(caught.value)


def test_the_public_name_is_the_decorator_once_its_room_is_imported() -> None:
    code = (
        "import losscheck.settings.decorator, losscheck\n"
        "from losscheck.settings.decorator import ATTRIBUTE\n"
        "import losscheck.targets\n"
        "assert callable(losscheck.spec(y_pred='real'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
