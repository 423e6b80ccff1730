"""Inversions into files: an archive of tensors, or a folder of pictures with a report."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ddim_studio.evaluation.likeness import pixels_of
from ddim_studio.imaging.archive import NpzWriter
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import write_png
from ddim_studio.jobs.events import Notice, Progress, Saved
from ddim_studio.jobs.file_sink import FileSink, check_place
from ddim_studio.jobs.inversion_events import Inverted
from ddim_studio.jobs.invert import invert_job, walks
from ddim_studio.jobs.outputs import output_kind
from ddim_studio.jobs.walking import StepCounter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from torch import Tensor

    from ddim_studio.jobs.encoding import InvertedTensors
    from ddim_studio.jobs.orders import InvertOrder
    from ddim_studio.jobs.outputs import Kind
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import InvertRun
    from ddim_studio.jobs.workbench import Workbench

INVERSION_SUFFIXES: Final[dict[str, Kind]] = {".npz": "archive"}
REPORT = "report.csv"
TENSORS = ("x0", "x_T", "reconstruction")
"""Members of an archive, and of `InvertedTensors`."""


@dataclass(frozen=True)
class InversionPlan:
    """What a sink must know of an inversion before it begins.

    Attributes:
        run: What is asked for.
        timesteps: τ, ascending.
        image_shape: (C, H, W).
        names: Of the images, each once.
    """

    run: InvertRun
    timesteps: tuple[int, ...]
    image_shape: tuple[int, int, int]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageReport:
    """How the inversion of one image went: a row of the report, under these names.

    Attributes:
        image: Its name.
        mse: Of the reconstruction, pixels from 0 to 1.
        psnr: In dB; infinite where the reconstruction is the original.
        ssim: 1 where it is.
        network_calls: That encoding took.
        unconverged_steps: How many of the S steps missed the tolerance; None for the naïve
            methods, which know none.
        max_residual: The largest residual of a step, None for the naïve methods.
        max_difference: The largest difference of a pixel, which is white in the picture of the
            difference.
    """

    image: str
    mse: float
    psnr: float
    ssim: float
    network_calls: int
    unconverged_steps: int | None
    max_residual: float | None
    max_difference: float


class InversionSink(FileSink):
    """Takes the inverted images, a batch at a time, and writes them.

    Attributes:
        rows: The reports of the images so far.
    """

    def __init__(self, path: Path, folder: Path, plan: InversionPlan) -> None:
        super().__init__(path, folder)
        self._plan = plan
        self.rows: list[ImageReport] = []

    def take(self, tensors: InvertedTensors, result: Inverted) -> None:
        """A batch is inverted."""
        differences = _differences(tensors)
        first = len(self.rows)
        names = self._plan.names[first : first + len(differences)]
        measured = self._plan.run.method == "exact"
        for i, (name, quality) in enumerate(zip(names, result.quality, strict=True)):
            row = ImageReport(
                name,
                quality.mse,
                quality.psnr,
                quality.ssim,
                int(result.calls[:, i].sum()),
                int((~result.converged[:, i]).sum()) if measured else None,
                float(result.residuals[:, i].max()) if measured else None,
                float(differences[i].max()),
            )
            self.rows.append(row)
        self._write(first, tensors, result)

    def _write(self, first: int, tensors: InvertedTensors, result: Inverted) -> None:
        """Write a batch, whose first image is number ``first``."""


class InversionArchive(InversionSink):
    """Writes an ``.npz`` of what was inverted, float32 but for the timesteps.

    It holds ``x0``, ``x_T`` and ``reconstruction`` (N, C, H, W), ``timesteps`` (S,) int64,
    ascending, ``residual`` (S, N), whose row k belongs to the step that reaches ``timesteps[k]``,
    and ``settings``, a JSON text.
    """

    def __init__(self, path: Path, plan: InversionPlan) -> None:
        super().__init__(path, path.parent, plan)
        count, steps = len(plan.names), len(plan.timesteps)
        images = (count, *plan.image_shape)
        shapes = {**dict.fromkeys(TENSORS, images), "residual": (steps, count)}
        self._archive = NpzWriter(path, {name: (s, np.float32) for name, s in shapes.items()})

    def _open(self, stack: ExitStack) -> None:
        stack.enter_context(self._archive)

    def _write(self, first: int, tensors: InvertedTensors, result: Inverted) -> None:
        last = first + len(tensors.x0)
        for name in TENSORS:
            self._archive.array(name)[first:last] = getattr(tensors, name).numpy()
        self._archive.array("residual")[:, first:last] = result.residuals

    def _complete(self) -> None:
        self._archive.add("timesteps", np.array(self._plan.timesteps, np.int64))
        self._archive.add("settings", self._plan.run.to_json())


class InversionFolder(InversionSink):
    """Writes four pictures an image, and a report of all: everything at the end, or nothing.

    The pictures are ``NAME-original.png``, ``-reconstruction.png``, ``-difference.png`` (white is
    the largest difference of the image) and ``-latent.png`` (x_T from −3 to 3), with the settings
    inside, and ``report.csv`` has a row for each `ImageReport`.
    """

    def __init__(self, path: Path, plan: InversionPlan) -> None:
        super().__init__(path, path, plan)
        self._draft = path

    def _open(self, stack: ExitStack) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.path, prefix=".inversion-")
        self._draft = Path(stack.enter_context(folder))

    def _write(self, first: int, tensors: InvertedTensors, result: Inverted) -> None:
        settings = self._plan.run.to_json()
        differences = _differences(tensors)
        for i, row in enumerate(self.rows[first:]):
            white = row.max_difference or 1.0
            pictures = {
                "original": result.originals[i],
                "reconstruction": result.reconstructions[i],
                "difference": to_pixels(differences[i : i + 1], 0.0, white)[0],
                "latent": result.latents[i],
            }
            for kind, pixels in pictures.items():
                write_png(self._draft / f"{row.image}-{kind}.png", pixels, settings)

    def _complete(self) -> None:
        report = self._draft / REPORT
        # Names of files need not be text; nor does that lose the report of all the others.
        with report.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([field.name for field in dataclasses.fields(ImageReport)])
            writer.writerows(dataclasses.astuple(row) for row in self.rows)
        for file in sorted(self._draft.iterdir()):
            file.replace(self.path / file.name)


def inversion_sink(out: str, plan: InversionPlan) -> InversionSink:
    """The sink that writes an inversion to ``out``, a folder or an ``.npz``.

    Raises:
        OSError: Its folder cannot be written to.
        SettingsError: The suffix is another.
    """
    path = Path(out)
    if output_kind(out, INVERSION_SUFFIXES) == "folder":
        check_place(path)
        return InversionFolder(path, plan)
    check_place(path.parent)
    return InversionArchive(path, plan)


def invert_files_job(
    order: InvertOrder, bench: Workbench, sink: InversionSink, batch_size: int
) -> Job:
    """Invert images in batches, and write them.

    Yields:
        The events of `invert_job` for each batch, with the progress of all, and `Saved`.
    """
    images = order.images
    firsts = range(0, len(images), batch_size)
    batches = [images[first : first + batch_size] for first in firsts]
    counter = StepCounter(order.run.steps * sum(map(walks, batches)))
    with sink as opened:
        for first, batch in zip(firsts, batches, strict=True):
            kept: list[InvertedTensors] = []
            part = dataclasses.replace(order, images=batch)
            for event in counted(invert_job(part, bench, keep=kept.append), counter):
                if isinstance(event, Inverted):
                    opened.take(kept.pop(), event)
                if isinstance(event, Notice) and len(batches) > 1:
                    where = f"Images {first + 1} to {first + len(batch)}"
                    yield Notice(f"{where}: {event.text}")
                else:
                    yield event
    for path in opened.paths():
        yield Saved(str(path))


def counted(job: Job, counter: StepCounter) -> Job:
    """The events of a job whose steps count as a part of a longer walk."""
    before = counter.done
    with closing(job):
        for event in job:
            if isinstance(event, Progress):
                counter.done = before + event.done
                yield counter.now()
            else:
                yield event


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, those that occur again (upper and lower case alike) with a number each."""
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    found = []
    for name in names:
        chosen = name
        if name.casefold() in seen:
            numbered = (f"{name}-{number}" for number in itertools.count(2))
            chosen = next(text for text in numbered if text.casefold() not in taken)
        seen.add(name.casefold())
        taken.add(chosen.casefold())
        found.append(chosen)
    return tuple(found)


def _differences(tensors: InvertedTensors) -> Tensor:
    """|original − reconstruction| on pixels from 0 to 1, (N, C, H, W)."""
    return (pixels_of(tensors.x0) - pixels_of(tensors.reconstruction)).abs()
