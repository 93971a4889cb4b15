"""Windows read together: one read a block of the grid rather than one an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.stages.flag.segment import Window

SIDE_PX = 1024  # of a block
_LEAST_PX = 512  # of a block: a tile of the files, which is decoded whole for any part of it
_WASTE_PX = 1 << 17  # read for nothing costs as much as another read


def batches(windows: Sequence[Window], side: int = SIDE_PX) -> Iterator[tuple[Window, list[int]]]:
    """What to read, and which of `windows` (by position) lie in it, block after block.

    A window belongs to the block that its first pixel lies in; blocks that hold little are quartered, and a
    window larger than a block is read by itself.
    """
    yield from _blocks(windows, range(len(windows)), side)


def _blocks(windows: Sequence[Window], some: Iterable[int], side: int) -> Iterator[tuple[Window, list[int]]]:
    members: dict[tuple[int, ...], list[int]] = {}
    for i in some:
        large = any(part.stop - part.start > side for part in windows[i])
        block = tuple(part.start // side for part in windows[i])
        members.setdefault((*block, i) if large else block, []).append(i)
    for _, here in sorted(members.items()):
        around = _around([windows[i] for i in here])
        wasted = _area(around) - sum(_area(windows[i]) for i in here)
        if side > _LEAST_PX and wasted > _WASTE_PX:
            yield from _blocks(windows, here, side // 2)
        else:
            yield around, here


def _area(window: Window) -> int:
    rows, cols = window
    return int((rows.stop - rows.start) * (cols.stop - cols.start))


def inside(outer: Window, window: Window) -> Window:
    """`window` counted from the first pixel of `outer`."""
    rows, cols = (
        slice(part.start - first.start, part.stop - first.start)
        for part, first in zip(window, outer, strict=True)
    )
    return rows, cols


def grown(window: Window, margin: int, shape: tuple[int, ...]) -> Window:
    """The window and `margin` pixels around it, within a grid of `shape`."""
    rows, cols = (
        slice(max(0, part.start - margin), min(size, part.stop + margin))
        for part, size in zip(window, shape, strict=True)
    )
    return rows, cols


def _around(windows: Sequence[Window]) -> Window:
    rows, cols = (
        slice(min(window[axis].start for window in windows), max(window[axis].stop for window in windows))
        for axis in (0, 1)
    )
    return rows, cols
