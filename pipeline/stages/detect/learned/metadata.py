"""What a network says of itself: the entry `groundbreak` of its ONNX metadata, JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import ModelError

KEY = "groundbreak"
STRIDE = 32  # sides of what a network is shown are multiples of this, counted from the grid's first pixel


class Metadata(BaseModel):
    """How to use a network, and how well it did; everything has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tile: Annotated[int, Field(ge=STRIDE, le=4096, multiple_of=STRIDE)] = 256
    """Pixels a side of the part of a tile that is kept."""
    overlap: Annotated[int, Field(ge=0, le=1024, multiple_of=STRIDE)] = 32
    """Pixels around it that the network is shown too."""
    bands: tuple[str, ...] = ("red", "green", "blue")
    """What it is shown of each date; a band that an image lacks is replaced by the nearest it has."""
    scaling: Literal["scene", "none"] = "scene"
    """`scene`: by the date's median and spread, clipped to -4..4. `none`: the images' own values."""
    normalised: bool = False
    """Whether it is shown the after image in the light of the before image, or each date in its own."""
    output: Literal["logits", "probability"] = "logits"
    """Of a network with one channel: before or after the sigmoid."""
    temperature: Annotated[float, Field(gt=0)] | tuple[Annotated[float, Field(gt=0)], ...] = 1.0
    """Logits are divided by it; one for all channels, or one each."""
    bias: tuple[float, ...] = ()
    """Added to the logits before that, a number for each channel."""
    finest: Annotated[float, Field(ge=0)] = 0.4
    """Metres a pixel; images that are finer are averaged by two, as often as it takes."""
    coarsest: Annotated[float, Field(gt=0)] = 3.0
    """Metres a pixel up to which `auto` takes it."""
    screen: Annotated[float, Field(ge=0)] = 0.0
    """Tiles whose dates differ nowhere by more than this (rms over 8 x 8 pixels, in spreads) are not run."""
    card: dict[str, Any] = {}
    """Date, data, licence, figures: for run.json."""

    @model_validator(mode="after")
    def _some_bands(self) -> Self:
        if not self.bands:
            raise ValueError("bands names no band")
        return self


def read_metadata(text: str | None, of: str) -> Metadata:
    """Parse the entry; None (there is none) means all defaults. Raises ModelError in one line."""
    try:
        return Metadata.model_validate_json(text or "{}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise ModelError(
            f"{of}: its metadata entry {KEY!r} is not right: {where}: {first['msg']}; see docs/detectors.md"
        ) from None
