"""An SVG as matplotlib writes it, made small enough for a page with forty of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
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
LONG = 60  # characters of a path that is drawn twice and written once
_ROUND = re.compile(r"M 0 ([\d.]+)\s+C[^LQ]*z\s*")  # a circle about 0, and its radius
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
    shapes = "".join(_Shapes(root, prefix).below(root))
    shared = "".join(f' {name}="{value}"' for name, value in SHARED.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'viewBox="{root.get("viewBox")}" font-family="sans-serif"{shared}>{shapes}</svg>'
    )


class _Shapes:
    """Writes the shapes of a picture, each long path and each kind of dot as short as it gets."""

    def __init__(self, root: ET.Element, prefix: str) -> None:
        self._prefix = prefix
        paths = [each.get("d", "") for each in root.iter() if _name(each) == "path"]
        self._often = Counter(_place("d", path, prefix) for path in paths)
        self._known: dict[str, str] = {}  # path -> the id under which it was written
        circles = ((each.get("id"), _ROUND.fullmatch(each.get("d", ""))) for each in root.iter())
        self._radii = {f"#{id_}": float(found.group(1)) for id_, found in circles if found and id_}

    def below(self, element: ET.Element) -> Iterator[str]:
        """Write the shapes below an element, one after the other."""
        for child in element:
            name = _name(child)
            if name == "clipPath":
                continue
            if name == "defs":
                inner = "".join(self.below(child))
                yield f"<defs>{inner}</defs>" if inner else ""
            elif name == "g" and (dots := self._dots(child)):
                yield dots
            elif name == "path" and f"#{child.get('id')}" in self._radii:
                continue
            elif name == "path":
                yield self._path(child)
            elif name in SHAPES:
                yield _shape(child, name, self._prefix)
            else:
                yield from self.below(child)

    def _dots(self, group: ET.Element) -> str:
        """Write round marks as the dots of a round pen; "" where it is something else."""
        uses = [dict(_attributes(each)) for each in group if _name(each) == "use"]
        alike = len({(use.get("href"), use.get("style")) for use in uses}) == 1
        if not alike or len(uses) < len(group) or (href := uses[0]["href"]) not in self._radii:
            return ""
        style = _style(uses[0].get("style", ""))
        width = 2 * self._radii[href] + float(style.get("stroke-width", "1"))
        dots = "".join(f"M{_short(use['x'])} {_short(use['y'])}h0" for use in uses)
        return (
            f'<path d="{dots}" stroke="{style.get("stroke", style.get("fill"))}" '
            f'stroke-width="{width:g}" stroke-linecap="round"/>'
        )

    def _path(self, element: ET.Element) -> str:
        """Write a path; the second time by what it was called the first time."""
        written = _shape(element, "path", self._prefix)
        path = _place("d", element.get("d", ""), self._prefix)
        if not written or len(path) < LONG or self._often[path] == 1 or element.get("id"):
            return written
        known, defined = self._known.get(path), ""
        if known is None:
            known = self._known[path] = f"{self._prefix}-s{len(self._known)}"
            defined = f'<defs><path id="{known}" d="{path}"/></defs>'
        return defined + written.replace("<path", "<use").replace(f'd="{path}"', f'href="#{known}"')


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _attributes(element: ET.Element) -> Iterator[tuple[str, str]]:
    return ((key.rpartition("}")[2], value) for key, value in element.attrib.items())


def _shape(element: ET.Element, name: str, prefix: str) -> str:
    attributes = dict(_attributes(element))
    style = _style(attributes.get("style", ""))
    definition = name == "path" and "id" in attributes  # drawn by those who use it, in their style
    drawn = style.get("fill", "") != "none" or "stroke" in style
    seen = attributes.get("d", "").strip() and drawn
    if name == "path" and not seen and not definition:
        return ""
    given = {key: _place(key, attributes[key], prefix) for key in GEOMETRY if key in attributes}
    if not definition:
        given |= {key: style[key] for key in STYLES if key in style}
    given = {key: value for key, value in given.items() if SHARED.get(key) != value}
    if given.get("transform", "").startswith("rotate(-0 "):
        del given["transform"]
    if name in ("text", "tspan"):
        given["fill"] = style.get("fill", "currentColor")
    inner = escape(element.text or "")
    inner += "".join(_shape(each, _name(each), prefix) for each in element)
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
    rounded = _short(value)
    return re.sub(r"\s*([MLCQz])\s*", r"\1", rounded) if key == "d" else rounded


def _short(value: str) -> str:
    """Round numbers to a tenth."""
    rounded = _NUMBER.sub(lambda number: f"{float(number.group()):.1f}".removesuffix(".0"), value)
    return rounded.strip()
