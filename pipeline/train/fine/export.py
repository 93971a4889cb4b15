"""The trained network as ONNX, and back: weights keep their names, so that training can go on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from pipeline.stages.detect.learned.metadata import KEY, Metadata
from pipeline.train.fine.network import DELIVERED, SiameseUNet

_OPSET = 17


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
    describe(held, metadata)
    held.replace(path)


def describe(path: Path, metadata: Metadata) -> None:
    """Give an ONNX file this metadata in place of what it has."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: json.dumps(metadata.model_dump(), sort_keys=True)})
    onnx.save(model, str(path))


def load_onnx(path: Path) -> SiameseUNet:
    """The network with the weights of a file that `save_onnx` wrote."""
    held = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(path)).graph.initializer}
    network = SiameseUNet()
    state: Mapping[str, Any] = network.state_dict()
    found = {
        name: torch.tensor(held[f"network.{name}"].copy()) for name in state if f"network.{name}" in held
    }
    network.load_state_dict({**state, **found})
    return network
