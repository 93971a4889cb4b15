"""Registration alone: how far the second image is off, and on request that image brought into place."""

from __future__ import annotations

from typing import Any

from pipeline.compute import compute
from pipeline.fingerprint import fingerprint
from pipeline.fuse import write_blocks
from pipeline.inputs import Inputs
from pipeline.job import Job, align, aligned, load
from pipeline.outputs.provenance import write_run
from pipeline.outputs.rasters import image_spec
from pipeline.outputs.shift_raster import write_shift
from pipeline.outputs.staging import staging
from pipeline.progress import Progress
from pipeline.summary import summarise


def register(job: Job, progress: Progress, warp: bool) -> dict[str, Any]:
    """Write shift.tif and run.json, and with `warp` the aligned after.tif; returns what run.json says.

    Raises a GroundbreakError (bad input, NoOverlapError, AlignmentRejectedError, NothingObservedError) and
    then leaves the folder as it was.
    """
    inputs = Inputs.of(job).begin()
    with staging(job.out, inputs.mark(f"align{fingerprint(job)}")) as folder:
        with progress.stage("load"):
            scene = load(job)
        with progress.stage("align"):
            alignment = align(job, scene)
        with progress.stage("write"):
            write_shift(folder / "shift.tif", alignment.field, scene.grid, scene.tags)
            parts = {}
            if warp:
                images, chunk = aligned(job, scene, alignment.field), job.settings.compute.chunk_size
                specs = {"after": image_spec("after", scene.after.attrs, scene.bands, scene.tags)}
                written = write_blocks(images, folder, specs, chunk, progress)
                compute(*written.joined(folder))
                parts["observed"] = written.observed
        inputs.check()
        summary = summarise(job, scene, alignment, inputs, progress.now(), stages=progress.stages, **parts)
        write_run(folder, summary)
    return summary
