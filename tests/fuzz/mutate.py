"""Inputs that are nearly right: seeds with a few things wrong in them, the same for the same number."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from typing import Any

import yaml

Random = random.Random

_FAULTS = (1, 1, 1, 2, 5)  # one fault alone gets further than many
HEAD = 1024  # bytes in which most of what a file says of itself stands
_NUMBERS = (0, 1, -1, 2, 7, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63))
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 90.0001, 181, 1e-320, 1e308, float("nan"), float("inf"), 10**30, "", " ",
    "a", "é\u0000", "../../x", "/", "file:///etc/passwd", "https://[", "{date}", "*", "NaN", "2020-02-30",
    "EPSG:0", "x" * 5000, [], {}, [[]], [0, 0, 0, 0], [-180, -90, 180, 90], [1, 2], {"type": "Feature"},
    {"": None}, "<script>", "=1+1", "\ud83d\ude00",
)  # fmt: skip


def nearly(content: bytes, rng: Random) -> bytes:
    """Some bytes changed, most of them near the start; pieces missing, twice, or cut off."""
    out = bytearray(content)
    for _ in range(rng.choice(_FAULTS)):
        _CHANGES[rng.randrange(len(_CHANGES))](out, rng)
    return bytes(out)


def nearly_json(content: bytes, rng: Random) -> bytes:
    """A document of other values, names and shapes; now and then with wrong bytes too."""
    text = json.dumps(_changed(json.loads(content), rng)).encode()
    return nearly(text, rng) if rng.random() < 0.15 else text


def nearly_yaml(content: bytes, rng: Random) -> bytes:
    """Likewise; or as it was written, comments and all, with lines moved."""
    if rng.random() < 0.4:
        lines = content.splitlines(keepends=True)
        for _ in range(rng.randint(1, 4)):
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            del lines[rng.randrange(len(lines))]
        text = b"".join(lines)
    else:
        changed = _changed(yaml.safe_load(content), rng)
        try:
            text = yaml.safe_dump(changed, allow_unicode=True).encode()
        except RecursionError:  # too deep to be written so; JSON is YAML, too
            text = json.dumps(changed, default=str).encode()
    return nearly(text, rng) if rng.random() < 0.4 else text


def _place(out: bytearray, rng: Random) -> int:
    return rng.randrange(min(len(out), HEAD) if rng.random() < 0.8 else len(out)) if out else 0


def _bit(out: bytearray, rng: Random) -> None:
    if out:
        out[_place(out, rng)] ^= 1 << rng.randrange(8)


def _byte(out: bytearray, rng: Random) -> None:
    if out:
        out[_place(out, rng)] = rng.choice((0, 1, 10, 34, 39, 58, 91, 123, 127, 128, 255))


def _number(out: bytearray, rng: Random) -> None:
    """A whole number of TIFF's sizes, in either order."""
    size, kind = rng.choice(((2, "H"), (4, "I"), (8, "Q")))
    at = _place(out, rng) // 2 * 2
    number = rng.choice(_NUMBERS) % 2 ** (8 * size)
    if at + size <= len(out):
        out[at : at + size] = struct.pack(rng.choice("<>") + kind, number)


def _cut(out: bytearray, rng: Random) -> None:
    del out[_place(out, rng) :]


def _lost(out: bytearray, rng: Random) -> None:
    at = _place(out, rng)
    del out[at : at + rng.randint(1, 32)]


def _twice(out: bytearray, rng: Random) -> None:
    start = _place(out, rng)
    piece = out[start : start + rng.randint(1, 64)]
    at = _place(out, rng)
    out[at:at] = piece * rng.choice((1, 1, 1, 100))


_CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (
    _bit,
    _bit,
    _byte,
    _number,
    _number,
    _number,
    _lost,
    _twice,
    _cut,
)


def _changed(document: Any, rng: Random) -> Any:
    for _ in range(rng.choice(_FAULTS)):
        document = _replaced(document, rng, document)
    return document


def _replaced(node: Any, rng: Random, root: Any, depth: int = 0) -> Any:
    """The tree with one node of it, anywhere, made another."""
    if not isinstance(node, dict | list) or not node or (depth > 0 and rng.random() < 0.15):
        return _other(node, rng, root)
    if isinstance(node, list):
        at = rng.randrange(len(node))
        return [*node[:at], _replaced(node[at], rng, root, depth + 1), *node[at + 1 :]]
    key = rng.choice(list(node))
    what = rng.random()
    if what < 0.1:
        return {name: value for name, value in node.items() if name != key}
    if what < 0.2:
        return {(_misspelt(name, rng) if name == key else name): value for name, value in node.items()}
    return {**node, key: _replaced(node[key], rng, root, depth + 1)}


def _other(node: Any, rng: Random, root: Any) -> Any:
    what = rng.random()
    if what < 0.6:
        return rng.choice(_VALUES)
    if what < 0.7:
        return [node]
    if what < 0.75:
        return {"type": node}
    if what < 0.8:
        return _deep(rng.choice((10, 100, 900)))
    if what < 0.9 and isinstance(node, int | float) and not isinstance(node, bool):
        return node * rng.choice((-1, 0, 1e-9, 1e9, 3))
    return root if rng.random() < 0.3 else str(node)


def _deep(levels: int) -> Any:
    out: Any = []
    for _ in range(levels):
        out = [out]
    return out


def _misspelt(name: Any, rng: Random) -> str:
    text = str(name)
    return rng.choice((text + "s", text[1:], text.upper(), "type", "", "id", text[::-1]))
