"""Paths between two images into files: a strip, an animation, or an archive of tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from ddim_studio.diffusion.settings import SettingsError, check_choice, check_whole
from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET
from ddim_studio.imaging.animation import animation_writer
from ddim_studio.imaging.archive import NpzWriter
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import write_png
from ddim_studio.imaging.sheets import contact_sheet, display_scale
from ddim_studio.jobs.events import ModelOpened, Notice, Saved
from ddim_studio.jobs.file_sink import FileSink, check_place
from ddim_studio.jobs.interpolate import BATCH, decode_job
from ddim_studio.jobs.inversion_events import Inverted
from ddim_studio.jobs.inversion_files import counted
from ddim_studio.jobs.invert import invert_job, walks
from ddim_studio.jobs.orders import DecodeOrder, InvertOrder, PathKind
from ddim_studio.jobs.outputs import LONGEST_SHEET, SUFFIXES, output_kind
from ddim_studio.jobs.runs import InvertRun
from ddim_studio.jobs.walking import StepCounter

if TYPE_CHECKING:
    from contextlib import ExitStack

    from torch import Tensor

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.orders import ImageInput
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.workbench import Workbench

PATH_KINDS: Final = ("slerp", "lerp")
MAX_FRAMES = 10_000
FPS = 12.0
GAP = 2
"""Pixels between the frames of a strip."""


@dataclass(frozen=True, kw_only=True)
class InterpolateRun(InvertRun):
    """A walk between two images, with all that is needed to repeat it.

    Attributes:
        a: The file of the first image, or ``seed:N``.
        b: Of the second.
        path: Along the sphere, or straight.
        frames: How many, the two ends among them.
    """

    kind: ClassVar[str] = "interpolate"

    a: str = ""
    b: str = ""
    path: PathKind = "slerp"
    frames: int = 11

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("path", self.path, PATH_KINDS)
        check_whole("frames", self.frames, 2, MAX_FRAMES)


@dataclass(frozen=True)
class Playing:
    """How an animation plays.

    Attributes:
        fps: Frames per second.
        ping_pong: Whether it goes back to A rather than start there again.
    """

    fps: float = FPS
    ping_pong: bool = False


class PathSink(FileSink):
    """Takes the frames of a path in their order, some at a time, and writes them."""

    def __init__(self, path: Path, run: InterpolateRun) -> None:
        super().__init__(path, path.parent)
        self._run = run
        self._done = 0

    def take(self, frames: Tensor, x_T: Tensor) -> None:  # noqa: N803 (the paper's name)
        """The next frames, (n, C, H, W), and the latents that they were decoded from."""
        self._keep(slice(self._done, self._done + len(frames)), frames, x_T)
        self._done += len(frames)

    def _keep(self, where: slice, frames: Tensor, x_T: Tensor) -> None:  # noqa: N803
        """Keep or write some of the frames."""


class PictureSink(PathSink):
    """Keeps the frames as pixels, (frames, H, W, C)."""

    def __init__(
        self, path: Path, run: InterpolateRun, image_shape: tuple[int, int, int], most: int
    ) -> None:
        super().__init__(path, run)
        channels, height, width = image_shape
        if run.frames > most:
            raise SettingsError(
                "frames",
                f"frames must be at most {most} of these images for {path.suffix}, not "
                f"{run.frames}; an .npz takes more.",
            )
        self._pixels: Pixels = np.zeros((run.frames, height, width, channels), np.uint8)

    def _keep(self, where: slice, frames: Tensor, x_T: Tensor) -> None:  # noqa: ARG002, N803
        self._pixels[where] = to_pixels(frames)


class StripSink(PictureSink):
    """Writes the frames as one PNG, side by side, at the model's own size."""

    def __init__(self, path: Path, run: InterpolateRun, image_shape: tuple[int, int, int]) -> None:
        most = (LONGEST_SHEET + GAP) // (image_shape[2] + GAP)
        super().__init__(path, run, image_shape, most)

    def _complete(self) -> None:
        strip = contact_sheet(self._pixels, columns=len(self._pixels), gap=GAP)
        write_png(self.path, strip, self._run.to_json())


class PathAnimation(PictureSink):
    """Writes the frames as an animation, enlarged where they are small."""

    def __init__(
        self,
        path: Path,
        run: InterpolateRun,
        image_shape: tuple[int, int, int],
        playing: Playing,
    ) -> None:
        self._scale = display_scale(*image_shape[1:])
        nbytes = math.prod(image_shape) * (1 + self._scale**2)
        super().__init__(path, run, image_shape, DEFAULT_BUDGET // nbytes)
        self._playing = playing

    def _open(self, stack: ExitStack) -> None:
        hold = 0.0 if self._playing.ping_pong else 1.0
        settings = self._run.to_json()
        writer = animation_writer(self.path, self._playing.fps, hold, settings_json=settings)
        self._add = stack.enter_context(writer)

    def _complete(self) -> None:
        back = self._pixels[-2:0:-1] if self._playing.ping_pong else self._pixels[:0]
        for frame in (*self._pixels, *back):
            self._add(contact_sheet(frame[None], scale=self._scale))


class PathArchive(PathSink):
    """Writes an ``.npz``: ``frames`` and their ``x_T`` (N, C, H, W), ``alphas`` (N,), float32.

    ``settings`` is a JSON text.
    """

    def __init__(self, path: Path, run: InterpolateRun, image_shape: tuple[int, int, int]) -> None:
        super().__init__(path, run)
        spec = (run.frames, *image_shape), np.float32
        self._archive = NpzWriter(path, {"frames": spec, "x_T": spec})

    def _open(self, stack: ExitStack) -> None:
        stack.enter_context(self._archive)

    def _keep(self, where: slice, frames: Tensor, x_T: Tensor) -> None:  # noqa: N803
        self._archive.array("frames")[where] = frames.numpy()
        self._archive.array("x_T")[where] = x_T.numpy()

    def _complete(self) -> None:
        self._archive.add("alphas", np.array(self._alphas(), np.float32))
        self._archive.add("settings", self._run.to_json())

    def _alphas(self) -> list[float]:
        from ddim_studio.diffusion.interpolation import even_alphas

        return even_alphas(self._run.frames)


def path_sink(
    out: str,
    run: InterpolateRun,
    image_shape: tuple[int, int, int],
    playing: Playing | None = None,
) -> PathSink:
    """The sink that writes a path to ``out``; nothing is written before it is entered.

    Args:
        out: A file whose suffix is the format.
        run: What is asked for.
        image_shape: (C, H, W).
        playing: How an animation plays.

    Raises:
        OSError: Its folder cannot be written to.
        SettingsError: The suffix is unknown, or there are too many frames for the format.
    """
    path, kind = Path(out), output_kind(out, SUFFIXES, folders=False)
    check_place(path.parent)
    if kind == "archive":
        return PathArchive(path, run, image_shape)
    if kind == "sheet":
        return StripSink(path, run, image_shape)
    return PathAnimation(path, run, image_shape, playing or Playing())


def interpolate_files_job(
    run: InterpolateRun,
    ends: tuple[ImageInput, ImageInput],
    bench: Workbench,
    sink: PathSink,
    batch_size: int = BATCH,
) -> Job:
    """Invert two images, decode the points between them, and write them.

    Yields:
        The events of `invert_job` and then of `decode_job`, with the progress of both, a `Notice`
        of the reconstruction errors, and `Saved`.
    """
    from ddim_studio.diffusion.interpolation import even_alphas

    batches = math.ceil(run.frames / batch_size)
    counter = StepCounter(run.steps * (walks(ends) + batches))
    with sink as opened:
        key = 0
        for event in counted(invert_job(InvertOrder(run, ends), bench), counter):
            yield event
            if isinstance(event, ModelOpened) and (warning := _advice(run, ends, event)):
                yield Notice(warning)
            if isinstance(event, Inverted):
                key = event.key
                if errors := _errors(ends, event):
                    yield Notice(errors)
        order = DecodeOrder(key, run, tuple(even_alphas(run.frames)), run.path)
        decoding = decode_job(order, bench, keep=opened.take, batch_size=batch_size)
        yield from counted(decoding, counter)
    for path in opened.paths():
        yield Saved(str(path))


def _advice(run: InterpolateRun, ends: tuple[ImageInput, ...], opened: ModelOpened) -> str:
    """A sentence where τ will disappoint those who drew their noise from a seed."""
    from ddim_studio.diffusion.timesteps import advice, tau_of

    if all(end.seed is None for end in ends):
        return ""
    return advice(tau_of(run.decoding(), opened.info.timesteps), opened.info.timesteps)


def _errors(ends: tuple[ImageInput, ...], result: Inverted) -> str:
    """How well the pictures among the ends were reconstructed."""
    named = zip("AB", ends, result.quality, strict=True)
    errors = [f"{name} {q.mse:.1e}" for name, end, q in named if end.seed is None]
    return f"Reconstruction error (MSE): {', '.join(errors)}." if errors else ""
