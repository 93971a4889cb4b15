"""Describing the work reads no pixel; only what has to know pixels computes, and a few times only."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import pytest
from laziness import computes

from pipeline.budget import Budget
from pipeline.config import Settings
from pipeline.grid import blocks
from pipeline.job import Job, Scene, align, aligned, load
from pipeline.run import _sample
from pipeline.scenes import describe
from pipeline.screening import screen
from pipeline.shift import ShiftField


@pytest.fixture
def job(made: Path, tmp_path: Path) -> Job:
    before, after = (tuple(describe(made / date)) for date in ("before", "after"))
    return Job("yard", "Yard", tmp_path / "result", before, after, Settings())


@pytest.fixture
def scene(job: Job) -> Scene:
    return load(job)


def test_the_guard_sees_what_is_computed() -> None:
    with computes(at_most=1):
        da.ones(4, chunks=2).sum().compute()
    with pytest.raises(AssertionError, match="1 graphs were computed, 0 may be"), computes(at_most=0):
        da.ones(4, chunks=2).sum().compute()


def test_nothing_is_computed_before_alignment(job: Job) -> None:
    with computes(at_most=0):
        scene = load(job)
        Budget.of(scene, 2)


def test_blocks_and_warped_images_are_lazy(job: Job, scene: Scene) -> None:
    field = ShiftField.zero(scene.grid)
    with computes(at_most=0):
        images = aligned(job, scene, field)
        images.each(blocks(scene.grid, 64), lambda *_: None, halo=8)
        images.warp.image(scene.after, images.mappings[1])


def test_stages_that_must_know_pixels_compute_few_times(job: Job, scene: Scene, tmp_path: Path) -> None:
    with computes(at_most=12):
        field = align(job, scene).field
    with computes(at_most=1):
        screened = screen(job, scene, field)
    with computes(at_most=1):
        _sample(aligned(job, scene, field).without(screened), tmp_path)
