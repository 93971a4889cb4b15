"""A site's dates as a moving picture: GIF for everywhere; WebP and MP4, which are a fraction of its size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.outputs.files import replacing
from pipeline.outputs.languages import Language
from pipeline.outputs.lettering import line
from pipeline.outputs.picture import Bytes

_CAPTION = 30  # pixels high, under the picture
_SHOWN, _REST = 1000, 2500  # milliseconds: each date, and the last
_MADE = "#b00020"
_RATE = 10  # frames a second of a film


def write_timelapse(
    path: Path, pictures: Iterable[tuple[str, Bytes]], language: Language, made: bool
) -> None:
    """Write `path`, .gif, .webp or .mp4 by its name: each date (YYYY-MM-DD) with its picture (y, x, 3), the
    date beneath, and whether it is made. The same pictures give the same bytes. Raises OutputError.
    """
    frames = [_captioned(picture, date, language, made) for date, picture in pictures]
    times = [_SHOWN] * (len(frames) - 1) + [_REST]
    with replacing(path) as part:
        _WRITERS[path.suffix](part, frames, times)


def _gif(path: Path, frames: list[Image.Image], times: list[int]) -> None:
    """One palette for all, so that what did not change does not flicker."""
    palette = _mosaic(frames).quantize(256, dither=Image.Dither.NONE)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(path, save_all=True, append_images=rest, duration=times, loop=0, optimize=True, disposal=1)


def _webp(path: Path, frames: list[Image.Image], times: list[int]) -> None:
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=times, loop=0, quality=80, method=4
    )


def _mp4(path: Path, frames: list[Image.Image], times: list[int]) -> None:
    """H.264 with 4:2:0 colours, which needs even sides and plays everywhere; one thread: the same bytes."""
    import av  # an extra, and large

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=_RATE, options={"crf": "20"})
        stream.width, stream.height = (side // 2 * 2 for side in frames[0].size)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame, time in zip(frames, times, strict=True):
            pixels = np.asarray(frame)[: stream.height, : stream.width]
            for _ in range(time * _RATE // 1000):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode())


_WRITERS = {".gif": _gif, ".webp": _webp, ".mp4": _mp4}


def _captioned(picture: Bytes, date: str, language: Language, made: bool) -> Image.Image:
    width = picture.shape[1]
    rtl = language.right_to_left
    strips = [line(language.long_date(date), width, _CAPTION, rtl=rtl)]
    if made:
        strips.append(line(language.made, width, _CAPTION, ink="white", ground=_MADE, rtl=rtl))
    return Image.fromarray(np.concatenate([picture, *strips]))


def _mosaic(frames: list[Image.Image]) -> Image.Image:
    """All of them small, one below the other: what the palette is chosen on."""
    small = [np.asarray(frame.resize((200, 200), Image.Resampling.NEAREST)) for frame in frames]
    return Image.fromarray(np.concatenate(small))
