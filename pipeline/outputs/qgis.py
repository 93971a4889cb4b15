"""How findings are drawn in QGIS: a QML style with a rule for each kind and direction, and numbers.

QML is the XML in which QGIS keeps a layer's style; the elements are those that QGIS 3.28 writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.outputs import style

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_WIDTH, _CASING = 0.5, 1.1  # millimetres


def qml(looks: Iterable[tuple[str, str]]) -> str:
    """The style for findings of these (kind, direction): outlines in the kind's colour over a dark casing,
    dashed by direction; what is of no such kind is drawn as `other`. Numbers (`id`) stand inside.
    """
    root = Element("qgis", version="3.28.0", styleCategories="Symbology|Labeling", labelsEnabled="1")
    renderer = SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    rules = SubElement(renderer, "rules", key="groundbreak")
    symbols = SubElement(renderer, "symbols")
    for number, (kind, direction) in enumerate(_ordered(looks)):
        rule = {
            "key": f"{kind}-{direction}",
            "filter": f"\"kind\" = '{kind}' AND \"direction\" = '{direction}'",
            "label": f"{style.kind(kind).one}, {style.direction(direction).word}",
        }
        SubElement(rules, "rule", rule | {"symbol": str(number)})
        _symbol(symbols, str(number), style.kind(kind).colour, style.direction(direction).dash)
    last = str(len(symbols))
    SubElement(rules, "rule", {"key": "rest", "filter": "ELSE", "label": "any other", "symbol": last})
    _symbol(symbols, last, style.kind("other").colour, ())
    _labels(root)
    indent(root, " ")
    return _DOCTYPE + tostring(root, encoding="unicode") + "\n"


def _ordered(looks: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """In the order of the table of styles; only what is in it."""
    given = set(looks)
    return [(kind, way) for kind in style.KINDS for way in style.DIRECTIONS if (kind, way) in given]


def _symbol(symbols: Element, name: str, colour: str, dash: tuple[float, ...]) -> None:
    symbol = SubElement(
        symbols, "symbol", name=name, type="fill", alpha="1", clip_to_extent="1", force_rhr="0"
    )
    steps = ";".join(f"{step * _WIDTH:g}" for step in dash)
    line = {"capstyle": "flat" if dash else "round", "joinstyle": "round", "line_width_unit": "MM"}
    _layer(symbol, {**line, "line_color": "0,0,0,180", "line_width": f"{_CASING:g}", "line_style": "solid"})
    _layer(
        symbol,
        {
            **line, "line_color": _rgba(colour), "line_width": f"{_WIDTH:g}", "line_style": "solid",
            "use_custom_dash": "1" if dash else "0", "customdash": steps or "5;2", "customdash_unit": "MM",
        },
    )  # fmt: skip


def _layer(symbol: Element, options: Mapping[str, str]) -> None:
    layer = SubElement(symbol, "layer", {"class": "SimpleLine", "enabled": "1", "locked": "0", "pass": "0"})
    held = SubElement(layer, "Option", type="Map")
    for name, value in sorted(options.items()):
        SubElement(held, "Option", name=name, type="QString", value=value)


def _rgba(colour: str) -> str:
    """`#d55e00` as QGIS writes it."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _labels(root: Element) -> None:
    settings = SubElement(SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    text = SubElement(
        settings, "text-style", fieldName="id", fontFamily="Noto Sans", namedStyle="Bold", fontSize="9",
        fontSizeUnit="Point", textColor="0,0,0,255", textOpacity="1", isExpression="0",
    )  # fmt: skip
    SubElement(
        text, "text-buffer", bufferDraw="1", bufferSize="1", bufferSizeUnits="MM", bufferOpacity="1",
        bufferColor="255,255,255,255",
    )  # fmt: skip
