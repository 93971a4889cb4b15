"""What batches of the fine network's samples go through: light and sensor, JPEG, misalignment left over."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from pipeline.stages.detect.learned.inputs import LIMIT
from pipeline.train.fine.sample import CLASSES, REMOVED, STANDS, STOOD

torch = pytest.importorskip("torch", reason="training is an extra; install torch to test it")


def _textured(seed: int, size: int = 64) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (3, size, size))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2))
    return np.clip(120 + 200 * smooth, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("quality", [35, 60, 90])
def test_jpeg_loses_what_jpeg_loses(quality: int) -> None:
    from pipeline.train.fine.jpeg import compressed

    image = _textured(1)
    held = BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(held, "JPEG", quality=quality)
    real = np.asarray(Image.open(held), np.float32).transpose(2, 0, 1)
    made = compressed(torch.from_numpy(image)[None].float(), torch.tensor([float(quality)]))[0].numpy()
    lost = np.abs(real - image).mean()
    assert np.abs(made - real).mean() < 0.3 * lost
    assert np.abs(made - image).mean() == pytest.approx(lost, rel=0.05)


def test_another_light_is_standardised_and_told_by_its_seed() -> None:
    from pipeline.train.fine.light import relit

    pairs = torch.from_numpy(np.stack([np.concatenate([_textured(n), _textured(n)]) for n in range(6)]))
    first, again, other = (relit(pairs, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.shape == pairs.shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.abs().max()) <= LIMIT
    middle = first.reshape(12, 3, -1).median(2).values
    assert float(middle.abs().max()) < 1.2  # off by a fifth of a spread, as a rule
    assert not torch.equal(first[:, :3], first[:, 3:])  # each date in a light of its own
    alike = [np.corrcoef(one[0].ravel(), one[3].ravel())[0, 1] for one in first.numpy()]
    assert min(alike) > 0.5  # of the same ground


def test_what_is_labelled_moves_with_the_date_that_shows_it() -> None:
    from pipeline.train.fine.register import misaligned

    count = 40
    images = torch.full((count, 6, 64, 64), 50, dtype=torch.int16)
    labels = torch.zeros((count, 4, 64, 64), dtype=torch.uint8)
    images[:, :3, 10:30, 10:30] = images[:, 3:, 34:54, 34:54] = 200
    labels[:, [REMOVED, STOOD], 10:30, 10:30] = labels[:, [CLASSES, STANDS], 34:54, 34:54] = 1
    moved, known = misaligned(images, labels, torch.Generator().manual_seed(4))
    dates = ((slice(0, 3), (REMOVED, STOOD)), (slice(3, 6), (CLASSES, STANDS)))
    changed = []
    for bands, layers in dates:
        bright = moved[:, bands].mean(1) > 125
        for layer in layers:
            assert float((bright != (known[:, layer] == 1)).float().mean()) < 0.005
        changed.append((moved[:, bands] != images[:, bands].float()).flatten(1).any(1))
    assert not (changed[0] & changed[1]).any()  # one date at most
    assert 0.4 < float((changed[0] | changed[1]).float().mean()) < 0.8
