"""An ONNX network on disk, checked, and run by onnxruntime with one session a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import ModelError
from pipeline.pair import Float
from pipeline.shipped import shipped_weights
from pipeline.stages.detect.detector import CHANGE, LAYERS
from pipeline.stages.detect.learned.metadata import KEY, STRIDE, Metadata, read_metadata

SHIPPED = "package:"
_CHANNELS = {1: (CHANGE,), 2: (CHANGE,), len(LAYERS): LAYERS}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Network:
    """What is known of a network once it was opened; small, and means the same in every process.

    `file`: a path, or `package:` and the name of one that is shipped. `size`: the fixed side of its input in
    pixels, None where any will do. `inputs`: one (both dates joined), or two (before, after).
    """

    file: str
    checksum: str
    metadata: Metadata
    channels: int
    inputs: tuple[str, ...]
    size: int | None = None
    threads: int = 1

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that its output becomes."""
        return _CHANNELS[self.channels]

    @property
    def tile(self) -> int:
        """Side of the kept part of a tile, in the network's pixels."""
        return self.metadata.tile if self.size is None else self.size - 2 * self.metadata.overlap

    def __call__(self, pair: Float) -> Float:
        """Output (channel, y, x) for an input (2 x band, y, x), sides multiples of 32; float32."""
        batch = np.ascontiguousarray(pair[None], np.float32)
        half = batch.shape[1] // 2
        parts = [batch] if len(self.inputs) == 1 else [batch[:, :half], batch[:, half:]]
        fed = {name: np.ascontiguousarray(part) for name, part in zip(self.inputs, parts, strict=True)}
        out = _session(self.file, self.checksum, self.threads).run(None, fed)[0][0]
        if out.shape[1:] != pair.shape[1:]:
            raise ModelError(
                f"{self.file}: gives {out.shape[1:]} pixels for {pair.shape[1:]}; it must keep them"
            )
        return np.asarray(out, np.float32)


def open_network(file: str, threads: int = 1) -> Network:
    """Open and check it. Raises ModelError: missing, not ONNX, wrong input or output, wrong metadata; not the
    one that ships.
    """
    path = _path(file)
    if not path.is_file():
        raise ModelError(f"{file}: there is no such model; name an ONNX file as onnx:PATH")
    content = _shipped(file) if file.startswith(SHIPPED) else path.read_bytes()
    checksum = sha256(content).hexdigest()
    session = _session(file, checksum, threads)
    metadata = read_metadata(session.get_modelmeta().custom_metadata_map.get(KEY), file)
    inputs = [(node.name, node.type, list(node.shape)) for node in session.get_inputs()]
    output = session.get_outputs()[0]
    size = _checked_inputs(file, inputs, metadata)
    channels = _checked_output(file, output.type, list(output.shape), metadata)
    return Network(file, checksum, metadata, channels, tuple(name for name, *_ in inputs), size, threads)


def shipped(name: str) -> bool:
    """Whether the package has a network of this name."""
    return _path(SHIPPED + name).is_file()


def _shipped(file: str) -> bytes:
    """Checked against the list of what ships."""
    return shipped_weights(f"stages/detect/learned/{file.removeprefix(SHIPPED)}")


def _path(file: str) -> Path:
    if file.startswith(SHIPPED):
        return Path(str(files("pipeline.stages.detect.learned"))) / file.removeprefix(SHIPPED)
    return Path(file)


def _checked_inputs(file: str, inputs: list[tuple[str, str, list[Any]]], metadata: Metadata) -> int | None:
    bands = len(metadata.bands)
    wanted = f"one input (batch, {2 * bands}, H, W) or two (batch, {bands}, H, W)"
    if len(inputs) not in {1, 2}:
        raise ModelError(f"{file}: has {len(inputs)} inputs; {wanted} are needed, float32")
    for name, kind, shape in inputs:
        right = len(shape) == 4 and _fits(shape[1], bands * 2 // len(inputs)) and kind == "tensor(float)"
        if not right or not _fits(shape[0], 1):
            raise ModelError(f"{file}: input {name!r} is {kind} {shape}; {wanted} is needed, float32")
    height, width = inputs[0][2][2:]
    if not isinstance(height, int) and not isinstance(width, int):
        return None
    if height != width or height % STRIDE or height <= 2 * metadata.overlap:
        raise ModelError(
            f"{file}: is fixed to {height} x {width} pixels; a square of a multiple of {STRIDE} is needed,"
            f" more than twice the overlap of {metadata.overlap}, or H and W left open"
        )
    return int(height)


def _checked_output(file: str, kind: str, shape: list[Any], metadata: Metadata) -> int:
    channels = shape[1] if len(shape) == 4 else None
    if channels not in _CHANNELS or kind != "tensor(float)":
        raise ModelError(
            f"{file}: its output is {kind} {shape}; (batch, C, H, W) float32 is needed, C 1 (change),"
            f" 2 (nothing, change) or {len(LAYERS)} (see docs/detectors.md)"
        )
    for name, given in (("bias", metadata.bias), ("temperature", metadata.temperature)):
        if isinstance(given, tuple) and len(given) not in {0, channels}:
            raise ModelError(f"{file}: {name} has {len(given)} numbers for {channels} channels; give as many")
    return int(channels)


def _fits(dimension: Any, wanted: int) -> bool:
    """A dimension that is left open (a name, or nothing) takes any size."""
    return not isinstance(dimension, int) or dimension == wanted


def _session(file: str, checksum: str, threads: int) -> Any:
    with _LOCK:
        return _cached_session(file, checksum, threads)


@lru_cache(maxsize=4)
def _cached_session(file: str, checksum: str, threads: int) -> Any:
    """The checksum stands for the contents: a file that was replaced is opened again."""
    import onnxruntime  # slow to import, and not always needed

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = _shipped(file) if file.startswith(SHIPPED) else file
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each kind of fault
        what = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{file}: is no ONNX model that onnxruntime can run ({what}); export it again"
        ) from None
