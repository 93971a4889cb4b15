"""Tiny ONNX networks for tests, whose output is known or easily told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    inputs: dict[str, list[Any]],
    output: list[Any],
    metadata: dict[str, Any] | str | None = None,
) -> Path:
    """A network of float32 inputs and one output called logits; shapes may hold names for open sizes."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata is not None:
        entry = model.metadata_props.add()
        entry.key = "groundbreak"
        entry.value = metadata if isinstance(metadata, str) else json.dumps(metadata)
    onnx.save(model, str(path))
    return path


def convolution(
    path: Path, channels: int = 8, metadata: Any = None, size: Any = None, planes: int = 6, seed: int = 3
) -> Path:
    """Two 5 x 5 convolutions with max pooling and nearest upsampling between: a pixel sees 12 around it."""
    rng = np.random.default_rng(seed)
    constants = {
        "w1": rng.normal(0, 0.3, (8, planes, 5, 5)).astype(np.float32),
        "w2": rng.normal(0, 0.3, (channels, 8, 5, 5)).astype(np.float32),
        "scales": np.array([1, 1, 2, 2], np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["pair", "w1"], ["a"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node(
            "Resize", ["c", "", "scales"], ["d"], mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        helper.make_node("Conv", ["d", "w2"], ["logits"], pads=[2, 2, 2, 2]),
    ]  # fmt: skip
    shape = ["batch", planes, size or "height", size or "width"]
    return save(path, nodes, constants, {"pair": shape}, ["batch", channels, *shape[2:]], metadata)


def difference(path: Path, metadata: Any = None, gain: float = 3.0) -> Path:
    """One channel from two inputs: gain * (mean after - mean before)."""
    nodes = [
        helper.make_node("Sub", ["after", "before"], ["d"]),
        helper.make_node("ReduceMean", ["d"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["m", "gain"], ["logits"]),
    ]
    shape = ["batch", 3, "height", "width"]
    constants = {"gain": np.array(gain, np.float32)}
    return save(path, nodes, constants, {"before": shape, "after": shape}, ["batch", 1, *shape[2:]], metadata)
