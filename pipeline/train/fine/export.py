"""The trained network as ONNX, and back: weights keep their names, so that training can go on from it.

Large weights are kept in 16 bits, half the size; onnxruntime widens them when it opens the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from pipeline.stages.detect.learned.metadata import KEY, Metadata
from pipeline.train.fine.network import DELIVERED, SiameseUNet

_OPSET = 17
_HALF = ".half"  # of names of weights in 16 bits
_LARGE = 1024  # numbers from which a weight is kept so


class _Delivered(nn.Module):
    """The network without the channels that only help to learn."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pair: Tensor) -> Tensor:
        logits: Tensor = self.network(pair)
        return logits[:, :DELIVERED]


def save_onnx(network: nn.Module, path: Path, metadata: Metadata) -> None:
    """Write `network` to `path`, with `metadata` in it."""
    network = network.eval().to(memory_format=torch.contiguous_format)
    held = path.with_name(path.name + ".part")
    open_axes = {0: "batch", 2: "y", 3: "x"}
    torch.onnx.export(
        _Delivered(network),
        (torch.zeros(1, 6, 64, 64),),
        str(held),
        input_names=["pair"],
        output_names=["logits"],
        dynamic_axes={"pair": open_axes, "logits": open_axes},
        opset_version=_OPSET,
        dynamo=False,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    _halve(held)
    describe(held, metadata)
    held.replace(path)


def _halve(path: Path) -> None:
    """Large weights as float16 and a cast each."""
    model = onnx.load(str(path))
    casts = []
    for one in model.graph.initializer:
        values, name = numpy_helper.to_array(one), one.name
        if values.dtype == np.float32 and values.size >= _LARGE:
            one.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + _HALF))
            casts.append(onnx.helper.make_node("Cast", [name + _HALF], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def describe(path: Path, metadata: Metadata) -> None:
    """Give an ONNX file this metadata in place of what it has."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: json.dumps(metadata.model_dump(), sort_keys=True)})
    onnx.save(model, str(path))


def load_onnx(path: Path) -> SiameseUNet:
    """The network with the weights of a file that `save_onnx` wrote."""
    held = {
        one.name.removesuffix(_HALF).removeprefix("network."): numpy_helper.to_array(one).astype(np.float32)
        for one in onnx.load(str(path)).graph.initializer
    }
    levels = sum(name.startswith("joint.") and name.endswith(".0.weight") for name in held)
    network = SiameseUNet(tuple(len(held[f"joint.{level}.0.weight"]) for level in range(levels)))
    state: Mapping[str, Any] = network.state_dict()
    found = {name: torch.tensor(held[name]) for name in state if name in held}
    network.load_state_dict({**state, **found})
    return network
