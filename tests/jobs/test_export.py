"""Saving what the window shows: the right pixels, progress, and clean cancellation."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import read_settings
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.events import Progress, Saved
from ddim_studio.jobs.export import save_animation, save_picture

RNG = np.random.default_rng(0)


def frames(count: int, images: int = 4, side: int = 28) -> list[np.ndarray]:
    return list(RNG.integers(0, 256, (count, images, side, side, 1), dtype=np.uint8))


def test_one_picture_is_saved_as_it_is_and_several_as_a_sheet(tmp_path):
    (images,) = frames(1)
    for pixels, expected in [
        (images[0], images[0]),
        (images[:1], images[0]),
        (images, contact_sheet(images)),
    ]:
        path = tmp_path / "a.png"
        assert list(save_picture(path, pixels, '{"seed": 1}')) == [Saved(str(path))]
        with Image.open(path) as shown:
            np.testing.assert_array_equal(np.asarray(shown), expected[:, :, 0])
        assert read_settings(path) == '{"seed": 1}'


def test_an_animation_shows_enlarged_sheets_and_tells_its_progress(tmp_path):
    given = frames(5)
    events = list(save_animation(tmp_path / "a.png", given, "{}", fps=10))
    progress = [event for event in events if isinstance(event, Progress)]
    assert [(p.done, p.total, p.unit) for p in progress] == [(n, 5, "frame") for n in range(1, 6)]
    assert events[5:] == [Saved(str(tmp_path / "a.png"))]
    with Image.open(tmp_path / "a.png") as image:
        shown = [np.array(frame.convert("L")) for frame in ImageSequence.Iterator(image)]
    assert shown[0].shape == (2 * 112 + 2, 2 * 112 + 2)
    for seen, pixels in zip(shown, given, strict=True):
        np.testing.assert_array_equal(seen, contact_sheet(pixels, scale=4)[:, :, 0])


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".mp4"])
def test_a_cancelled_animation_leaves_no_file(tmp_path, suffix):
    job = save_animation(tmp_path / f"a{suffix}", frames(5), None)
    assert next(job).done == 1
    assert next(job).done == 2
    job.close()
    assert not list(tmp_path.iterdir())


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(ImageError, match="suffixes"):
        list(save_animation(tmp_path / "a.xyz", frames(2), None))
