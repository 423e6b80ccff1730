"""Jobs that save what the window shows. No torch here: frames are pixels already.

The imaging library is imported by the job, so that the window need not wait for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Progress, Saved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.runner import Job


def save_picture(path: str | PathLike[str], pixels: Pixels, settings_json: str | None) -> Job:
    """Save pictures as one PNG with the settings inside: one as it is, several as a sheet.

    Args:
        path: The file, replaced if it exists.
        pixels: Shape (N, H, W, C), or (H, W, C) for one picture.
        settings_json: The settings of the run, or None.

    Yields:
        `Saved`, when the file is there.
    """
    from ddim_studio.imaging.png import write_png
    from ddim_studio.imaging.sheets import contact_sheet

    write_png(path, pixels if pixels.ndim == 3 else contact_sheet(pixels), settings_json)
    yield Saved(str(path))


def save_animation(
    path: str | PathLike[str],
    frames: Sequence[Pixels],
    settings_json: str | None,
    fps: float = 12.0,
) -> Job:
    """Save a trajectory as an animation of contact sheets, enlarged where pictures are small.

    Args:
        path: The file, replaced if it exists; its suffix is the format.
        frames: Each of shape (N, H, W, C).
        settings_json: The settings of the run, or None.
        fps: Frames per second.

    Yields:
        `Progress` after each frame, then `Saved`. Closed before that, no file is left behind.
    """
    from ddim_studio.imaging.animation import animation_writer
    from ddim_studio.imaging.sheets import contact_sheet, display_scale

    begun = time.perf_counter()
    with animation_writer(path, fps, settings_json=settings_json) as add:
        for done, pixels in enumerate(frames, start=1):
            add(contact_sheet(pixels, scale=display_scale(*pixels.shape[1:3])))
            yield Progress(done, len(frames), time.perf_counter() - begun, "frame")
    yield Saved(str(path))
