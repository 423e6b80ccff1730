"""The denoising of a run as an animation: one sheet of all images a frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.diffusion.settings import SettingsError, check_choice
from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET
from ddim_studio.imaging.animation import animation_writer
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.sheets import contact_sheet, display_scale
from ddim_studio.jobs.file_sink import FileSink
from ddim_studio.jobs.frames import step_frame

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.events import Pixels, View
    from ddim_studio.jobs.file_sink import Plan

ANIMATED_VIEWS = ("x", "x0", "epsilon")
MOST_FRAMES = 200
SECONDS = 5.0
"""About how long an animation takes, if its rate allows it."""
RATES = (4.0, 25.0)
COMFORTABLE_SIDE = 2048
"""Side in pixels beyond which a sheet is enlarged less."""
LONGEST_SIDE = 8192
"""Side in pixels that every format can hold."""
GAP = 2


class AnimationSink(FileSink):
    """Writes an animation of x_t, x̂_0 or ε_θ, with the settings inside.

    Frames are chosen evenly where there are more than `MOST_FRAMES`, or than fit the memory budget
    of a trajectory; the first and the last are always among them. Pictures of several batches are
    kept until the last batch completes their frames.

    Args:
        path: The file; its suffix is the format.
        plan: What the run will be.
        view: "x", "x0" or "epsilon".

    Attributes:
        frames: Which frames are shown: the number of the step that led to each, 0 for x_T.

    Raises:
        SettingsError: There are too many images for an animation.
    """

    def __init__(self, path: Path, plan: Plan, view: View = "x") -> None:
        check_choice("view", view, ANIMATED_VIEWS)
        super().__init__(path, path.parent)
        self._run, self._view = plan.run, view
        channels, height, width = plan.image_shape
        self._shape = (plan.run.count, height, width, channels)
        self._scale = _scale(*self._shape[:3])
        steps = len(plan.timesteps)
        self.total = steps + 1 if view == "x" else steps
        self.frames = _evenly(1 + steps - self.total, steps, _affordable(self._shape, self._scale))
        self._pending: dict[int, Pixels] = {}

    @property
    def notice(self) -> str:
        """That frames are left out, in one sentence, or nothing."""
        if len(self.frames) == self.total:
            return ""
        return f"The animation shows {len(self.frames)} of {self.total} frames, evenly chosen."

    def start(self, x_T: Tensor, first_image: int) -> None:  # noqa: N803 (the paper's name)
        """Show x_T, where x is the view."""
        if self._view == "x":
            self._take(0, to_pixels(x_T), first_image)

    def step(self, step: Step, first_image: int) -> None:
        """Show the step, if its frame is one of those chosen."""
        if step.index in self.frames:
            frame = step_frame(step, None, (self._view,))
            self._take(step.index, frame.views[self._view], first_image)

    def _open(self, stack: ExitStack) -> None:
        fps = min(max(len(self.frames) / SECONDS, RATES[0]), RATES[1])
        writer = animation_writer(self.path, fps, settings_json=self._run.to_json())
        self._add = stack.enter_context(writer)

    def _take(self, index: int, pixels: Pixels, first_image: int) -> None:
        if index not in self._pending:
            self._pending[index] = np.zeros(self._shape, np.uint8)
        end = first_image + len(pixels)
        self._pending[index][first_image:end] = pixels
        if end == self._run.count:
            complete = self._pending.pop(index)
            self._add(contact_sheet(complete, gap=GAP, scale=self._scale))


def _scale(count: int, height: int, width: int) -> int:
    """By how much pictures are enlarged so that their sheet stays comfortable."""
    longest = max(height, width)
    across = math.ceil(math.sqrt(count))
    if across * (longest + GAP) > LONGEST_SIDE:
        most = (LONGEST_SIDE // (longest + GAP)) ** 2
        raise SettingsError(
            "count",
            f"count must be at most {most} for an animation of these images, not {count}; "
            "a folder or an .npz takes more.",
        )
    comfortable = (COMFORTABLE_SIDE // across - GAP) // longest
    return max(1, min(display_scale(height, width), comfortable))


def _affordable(shape: tuple[int, int, int, int], scale: int) -> int:
    """How many frames fit the budget, as pictures here and as sheets within the encoder."""
    nbytes = math.prod(shape) * (1 + scale**2)
    return max(2, min(MOST_FRAMES, DEFAULT_BUDGET // nbytes))


def _evenly(first: int, last: int, most: int) -> list[int]:
    """At most ``most`` ≥ 2 whole numbers from ``first`` to ``last``, both included."""
    count = last - first + 1
    if count <= most:
        return list(range(first, last + 1))
    return [first + (2 * i * (count - 1) + most - 1) // (2 * (most - 1)) for i in range(most)]
