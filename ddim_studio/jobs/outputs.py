"""Where a run of the sampler goes: a sheet, a folder of pictures, an animation or an archive."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ddim_studio.diffusion.settings import MAX_SEED, SettingsError
from ddim_studio.imaging.archive import NpzWriter
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import write_png
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.animation_sink import AnimationSink
from ddim_studio.jobs.file_sink import FileSink, Plan, check_place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from numpy.typing import DTypeLike
    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.events import Pixels, View

    Kind = Literal["folder", "sheet", "animation", "archive", "tar"]

SUFFIXES: dict[str, Kind] = {
    ".png": "sheet",
    ".gif": "animation",
    ".webp": "animation",
    ".mp4": "animation",
    ".apng": "animation",
    ".npz": "archive",
}
LONGEST_SHEET = 16_384
"""Side in pixels that a sheet may have; common viewers open no larger ones."""


def output_kind(out: str, suffixes: Mapping[str, Kind] = SUFFIXES, *, folders: bool = True) -> Kind:
    """What an output's name asks for.

    Args:
        out: A file or folder.
        suffixes: What the suffixes of files stand for.
        folders: Whether it may be a folder.

    Raises:
        SettingsError: It is empty, its suffix stands for nothing, or it is an unwanted folder.
    """
    path = Path(out)
    folder = bool(out) and (out.endswith(("/", os.sep)) or path.is_dir())
    if not folder and (path.name.lower() in suffixes or not path.name):
        wanted = "a file or a folder" if folders else "a file"
        raise SettingsError("out", f"out must be {wanted} with a name, not {out!r}.")
    if folders and (folder or not path.suffix):
        return "folder"
    if folder or path.suffix.lower() not in suffixes:
        ends = ", ".join(suffixes) + (", or in / for a folder" if folders else "")
        found = f"the folder {out!r}" if folder else repr(out)
        raise SettingsError("out", f"out must end in {ends}, not {found}.")
    return suffixes[path.suffix.lower()]


def sink_for(out: str, plan: Plan, *, trajectory: bool = False, view: View = "x") -> FileSink:
    """The sink that writes a run to ``out``; nothing is written before it is entered.

    Args:
        out: A file whose suffix is the format, or a folder.
        plan: What the run will be.
        trajectory: Whether an archive holds every step rather than the final images.
        view: What an animation shows: "x", "x0" or "epsilon".

    Raises:
        OSError: Its folder cannot be written to.
        SettingsError: The suffix is unknown, or there are too many images for the format.
    """
    path, kind = Path(out), output_kind(out)
    check_place(path if kind == "folder" else path.parent)
    if kind == "animation":
        return AnimationSink(path, plan, view)
    if kind == "archive":
        return TrajectorySink(path, plan) if trajectory else ArchiveSink(path, plan)
    return FolderSink(path, plan) if kind == "folder" else SheetSink(path, plan)


class SheetSink(FileSink):
    """Writes the final images as one PNG, at the model's own size, with the settings inside.

    Raises:
        SettingsError: There are too many images for a sheet.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        super().__init__(path, path.parent)
        self._run = plan.run
        channels, height, width = plan.image_shape
        most = (LONGEST_SHEET // (max(height, width) + 2)) ** 2
        if plan.run.count > most:
            raise SettingsError(
                "count",
                f"count must be at most {most} for a sheet of these images, not {plan.run.count}; "
                "a folder or an .npz takes more.",
            )
        self._pixels: Pixels = np.zeros((plan.run.count, height, width, channels), np.uint8)

    def step(self, step: Step, first_image: int) -> None:
        """Keep the final images."""
        if is_last(step):
            self._pixels[first_image : first_image + len(step.x)] = to_pixels(step.x)

    def _complete(self) -> None:
        write_png(self.path, contact_sheet(self._pixels), self._run.to_json())


class FolderSink(FileSink):
    """Writes each final image as ``seed-<seed>.png``, as soon as its batch is finished.

    The settings in each are those that make this image alone. Images that were finished stay when
    the run is cancelled.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        super().__init__(path, path)
        self._run = plan.run

    def step(self, step: Step, first_image: int) -> None:
        """Write the final images."""
        if not is_last(step):
            return
        from ddim_studio.diffusion.noise import image_seeds

        first_seed = (self._run.seed + first_image) % (MAX_SEED + 1)
        seeds = image_seeds(first_seed, len(step.x))
        for seed, pixels in zip(seeds, to_pixels(step.x), strict=True):
            alone = replace(self._run, seed=seed, count=1)
            write_png(self.path / f"seed-{seed}.png", pixels, alone.to_json())


class ArchiveSink(FileSink):
    """Writes an ``.npz`` of the final images.

    It holds ``x0`` (N, C, H, W) float32, ``seeds`` (N,) uint64, ``timesteps`` (S,) int64,
    descending, and ``settings``, a JSON text.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        super().__init__(path, path.parent)
        self._plan = plan
        arrays: dict[str, tuple[tuple[int, ...], DTypeLike]] = {
            name: (shape, np.float32) for name, shape in self._shapes().items()
        }
        self._archive = NpzWriter(path, arrays)

    def step(self, step: Step, first_image: int) -> None:
        """Store the final images."""
        if is_last(step):
            self._fill("x0", first_image, step.x)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the large arrays by name."""
        return {"x0": (self._plan.run.count, *self._plan.image_shape)}

    def _open(self, stack: ExitStack) -> None:
        stack.enter_context(self._archive)

    def _complete(self) -> None:
        from ddim_studio.diffusion.noise import image_seeds

        run = self._plan.run
        self._archive.add("timesteps", np.array(self._plan.timesteps, np.int64))
        self._archive.add("seeds", np.array(image_seeds(run.seed, run.count), np.uint64))
        self._archive.add("settings", run.to_json())

    def _fill(self, name: str, first_image: int, tensor: Tensor, *index: int) -> None:
        """Store images in an array, from number ``first_image`` on, at ``index`` of its S axis."""
        array: np.ndarray[Any, Any] = self._archive.array(name)[index]
        array[first_image : first_image + len(tensor)] = tensor.detach().cpu().numpy()


class TrajectorySink(ArchiveSink):
    """Writes an ``.npz`` of every step, in constant memory.

    It holds ``x`` (S+1, N, C, H, W) from x_T to x_0, ``x0`` and ``epsilon`` (S, N, C, H, W), all
    float32, and ``timesteps``, ``seeds`` and ``settings`` as in `ArchiveSink`.
    """

    def start(self, x_T: Tensor, first_image: int) -> None:  # noqa: N803 (the paper's name)
        """Store x_T."""
        self._fill("x", first_image, x_T, 0)

    def step(self, step: Step, first_image: int) -> None:
        """Store x, x̂_0 and ε_θ of the step."""
        self._fill("x", first_image, step.x, step.index)
        self._fill("x0", first_image, step.x0, step.index - 1)
        self._fill("epsilon", first_image, step.epsilon, step.index - 1)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        steps = len(self._plan.timesteps)
        images = (self._plan.run.count, *self._plan.image_shape)
        return {"x": (steps + 1, *images), "x0": (steps, *images), "epsilon": (steps, *images)}


def is_last(step: Step) -> bool:
    """Whether a step reached the clean image."""
    return step.t_next < 0
