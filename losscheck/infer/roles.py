"""Which argument is prediction, label or weight: by declaration, name or place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from losscheck.model import UsageError
from losscheck.settings.argument_names import role
from losscheck.settings.settings import ArgumentSettings
from losscheck.targets import Loss, Parameter


def roles(loss: Loss, declared: Mapping[str, ArgumentSettings]) -> dict[str, str]:
    """Name the role of every argument that is a tensor, in the order of the signature.

    A parameter with a default is a constant of the loss unless it is declared or is one of the
    first two.

    Raises
    ------
    UsageError
        No argument can be the prediction, or a declared argument does not exist.
    """
    names = [parameter.name for parameter in loss.parameters]
    _known(loss.target, declared, names)
    tensors = [
        parameter.name
        for parameter in loss.parameters
        if not declared.get(parameter.name, _NOTHING).constant
        and (
            parameter.required
            or (parameter.name in names[:2] and _is_pair(loss.parameters[:2]))
            or _is_declared(declared, parameter.name)
        )
    ]
    if not tensors:
        raise UsageError(
            f"{loss.target} has no argument that could be a prediction (its parameters: "
            f"{', '.join(names) or 'none'}). A loss takes (y_true, y_pred); declare other names "
            'with { role = "y_pred" }.'
        )
    found = {name: declared[name].role or "" for name in tensors if name in declared}
    given = {name: role for name, role in found.items() if role}
    return _assign(tensors, given)


def _is_pair(parameters: Sequence[Parameter]) -> bool:
    """Say whether two parameters, defaults or not, are a label and a prediction."""
    named = any(role(parameter.name) in ("y_true", "y_pred") for parameter in parameters)
    return named or any(parameter.required for parameter in parameters)


_NOTHING = ArgumentSettings()


def _is_declared(declared: Mapping[str, ArgumentSettings], name: str) -> bool:
    return name in declared and not declared[name].constant


def _known(target: str, declared: Mapping[str, ArgumentSettings], names: Sequence[str]) -> None:
    import difflib

    for name in declared:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"{target} has no argument {name!r}; it has {', '.join(names)}.{hint}")


def _assign(tensors: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    result = dict.fromkeys(tensors, "")
    result.update(given)
    free = [name for name in tensors if not result[name]]
    able = [name for name in free if role(name) != "weight"] or free[:1]
    if len(able) > 2:
        able = [name for name in able if role(name) != "input"] or able
    pair = able[:2]
    if "y_pred" not in given.values() and pair:
        prediction = next((n for n in pair if role(n) == "y_pred"), None)
        if prediction is None:  # Keras' order, labels first, where no name says which they are
            others = [n for n in able if role(n) not in ("y_true", "input")]
            labelled = any(role(n) == "y_true" for n in able)
            prediction = others[0] if labelled and others else (others[:2] or pair)[-1]
        result[prediction] = "y_pred"
    if "y_true" not in given.values():
        rest = [n for n in able if not result[n]]
        label = next((n for n in rest if role(n) == "y_true"), None)
        label = label or next((n for n in pair if not result[n]), None)
        if label is not None:
            result[label] = "y_true"
    for name in tensors:
        own = role(name)
        result[name] = result[name] or ("weight" if own == "weight" else "input")
    return result


def by_gradient(
    found: Mapping[str, str], declared: Mapping[str, ArgumentSettings], reached: Collection[str]
) -> dict[str, str]:
    """Name another prediction where no gradient can reach the one that was taken for it.

    A name that says what an argument is, or a declaration, is not overruled: that no gradient
    reaches a prediction is then what is wrong.

    Parameters
    ----------
    found
        The roles that were assigned.
    declared
        What the user says.
    reached
        The arguments that a gradient can reach.
    """
    result = dict(found)
    prediction = next(name for name, own in found.items() if own == "y_pred")
    said = any(settings.role for settings in declared.values()) or role(prediction) == "y_pred"
    others = [n for n in found if n in reached and found[n] in ("y_true", "input")]
    able = [n for n in others if role(n) not in ("y_true", "input")]
    if said or prediction in reached or not able:
        return result
    better = able[0]
    result[prediction], result[better] = result[better], "y_pred"
    return result
