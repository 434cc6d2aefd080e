"""An SVG as matplotlib writes it, made small enough for a page with forty of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import escape

SHAPES = ("path", "use", "text", "tspan")
GEOMETRY = ("id", "d", "x", "y", "transform", "href")
# Of the style what a reader sees; the rest stands once, at the picture.
STYLES = (
    "fill",
    "fill-opacity",
    "font-size",
    "font-style",
    "opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
)
SHARED = {"font-size": "9px", "fill": "none"}
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def lean(text: str, prefix: str, label: str) -> str:
    """Keep of a picture what is drawn.

    Parameters
    ----------
    text
        An SVG file of matplotlib.
    prefix
        Begins every id, so that several pictures fit into one page.
    label
        What is to be seen, for who does not see it.

    Returns
    -------
    str
        An ``<svg>`` element without size, groups, clips and fonts; coordinates to a tenth.
    """
    root = ET.fromstring(text[text.index("<svg") :])
    shapes = "".join(_shapes(root, prefix))
    shared = "".join(f' {name}="{value}"' for name, value in SHARED.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'viewBox="{root.get("viewBox")}" font-family="sans-serif"{shared}>{shapes}</svg>'
    )


def _shapes(element: ET.Element, prefix: str) -> Iterator[str]:
    """Write the shapes below an element, one after the other."""
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "clipPath":
            continue
        if name == "defs":
            inner = "".join(_shapes(child, prefix))
            yield f"<defs>{inner}</defs>" if inner else ""
        elif name in SHAPES:
            yield _shape(child, name, prefix)
        else:
            yield from _shapes(child, prefix)


def _shape(element: ET.Element, name: str, prefix: str) -> str:
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    style = _style(attributes.get("style", ""))
    definition = name == "path" and "id" in attributes  # drawn by those who use it, in their style
    drawn = style.get("fill", "") != "none" or "stroke" in style
    if name == "path" and not drawn and not definition:
        return ""
    given = {key: _place(key, attributes[key], prefix) for key in GEOMETRY if key in attributes}
    if not definition:
        given |= {key: style[key] for key in STYLES if key in style}
    given = {key: value for key, value in given.items() if SHARED.get(key) != value}
    if given.get("transform", "").startswith("rotate(-0 "):
        del given["transform"]
    if name in ("text", "tspan"):
        given["fill"] = style.get("fill", "currentColor")
    inner = escape(element.text or "") + "".join(_shapes(element, prefix))
    inner += escape(element.tail or "").strip() if name == "tspan" else ""
    written = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return f"<{name}{written}>{inner}</{name}>" if inner.strip() else f"<{name}{written}/>"


def _style(text: str) -> dict[str, str]:
    """Read a style attribute; what is not asked for is left out."""
    pairs = (part.partition(":") for part in text.split(";"))
    found = {name.strip(): value.strip() for name, _, value in pairs if name.strip() in STYLES}
    if found.get("stroke") == "none":
        del found["stroke"]
    if found.get("stroke-width") == "1":
        del found["stroke-width"]
    return found


def _place(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href":
        return f"#{prefix}-{value.removeprefix('#')}"
    rounded = _NUMBER.sub(lambda number: f"{float(number.group()):.1f}".removesuffix(".0"), value)
    rounded = rounded.strip()
    return re.sub(r"\s*([MLCQz])\s*", r"\1", rounded) if key == "d" else rounded
