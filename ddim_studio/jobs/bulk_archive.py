"""Bulk runs into one file: an ``.npz`` or a ``.tar``.

Until it is complete the images lie beside it in ``FILE.part``, one file for each run of
neighbours. At the end they are joined into the file in their order, which then appears under its
name, and the folder goes. So the file does not depend on who drew what, and when.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tarfile
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ddim_studio.imaging.npz_stream import write_npz
from ddim_studio.jobs.bulk_journal import Journal
from ddim_studio.jobs.bulk_place import image_seed, picture_writer
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ddim_studio.jobs.bulk_place import Held
    from ddim_studio.jobs.file_sink import Plan

PART_BYTES = 1 << 24


class Format(Protocol):
    """How an archive holds images.

    Attributes:
        name: Names it in the journal.
        floats: Whether it takes float32 (N, C, H, W) rather than pixels (N, H, W, C).
        image_bytes: Bytes of an image, None where they differ.
    """

    name: str
    floats: bool
    image_bytes: int | None

    def encode(self, first: int, images: NDArray[Any]) -> bytes:
        """What the archive holds of neighbouring images."""

    def join(self, path: Path, parts: Iterator[bytes]) -> None:
        """Write the archive from what `encode` gave, in order."""


class NpzFormat:
    """``x0`` (N, C, H, W) float32, or ``arr_0`` (N, H, W, C) uint8, with seeds, τ and settings.

    The second is the layout of the reference batches by which guided-diffusion's evaluator
    measures FID (``arr_0`` is NumPy's own name for an array that was given none).
    """

    def __init__(self, plan: Plan, *, floats: bool) -> None:
        self.floats = floats
        self.name = "x0" if floats else "arr_0"
        self._plan = plan
        channels, height, width = plan.image_shape
        self._image = plan.image_shape if floats else (height, width, channels)
        self._dtype = np.dtype(np.float32 if floats else np.uint8)
        self.image_bytes: int | None = channels * height * width * self._dtype.itemsize

    def encode(self, first: int, images: NDArray[Any]) -> bytes:  # noqa: ARG002 (as the tar's)
        """The bytes of the array."""
        return np.ascontiguousarray(images, self._dtype).tobytes()

    def join(self, path: Path, parts: Iterator[bytes]) -> None:
        """Write the archive; `numpy.load` reads it without ``allow_pickle``."""
        run = self._plan.run
        seeds = np.array([image_seed(run, number) for number in range(run.count)], np.uint64)
        small = {
            "timesteps": np.array(self._plan.timesteps, np.int64),
            "seeds": seeds,
            "settings": np.array(run.to_json()),
        }
        shape = (run.count, *self._image)
        write_npz(path, self.name, shape=shape, dtype=self._dtype, parts=parts, small=small)


class TarFormat:
    """One PNG an image, ``seed-<seed>.png``, in the order of the run, as WebDataset reads them."""

    name = "png"
    floats = False
    image_bytes: int | None = None

    def __init__(self, plan: Plan) -> None:
        self._picture = picture_writer(plan.run)

    def encode(self, first: int, images: NDArray[Any]) -> bytes:
        """The members of the archive: a header and a PNG each, in blocks of 512 bytes."""
        members = bytearray()
        for number, pixels in enumerate(images, first):
            name, contents = self._picture(number, pixels)
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            members += member.tobuf(tarfile.USTAR_FORMAT)
            members += contents + bytes(-len(contents) % tarfile.BLOCKSIZE)
        return bytes(members)

    def join(self, path: Path, parts: Iterator[bytes]) -> None:
        """Write the archive, with the end that the format asks for."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            for part in parts:
                file.write(part)
            end = 2 * tarfile.BLOCKSIZE
            file.write(bytes(end + (-(file.tell() + end) % tarfile.RECORDSIZE)))


class ArchivePlace:
    """A file, and the folder beside it where its parts wait.

    Args:
        path: The file.
        plan: What is asked for.
        layout: How it holds images.
    """

    shared = True

    def __init__(self, path: Path, plan: Plan, layout: Format) -> None:
        self.path = path
        self.parts = path.with_name(f"{path.name}.part")
        self.journal = Journal(self.parts / "run.json", str(self.parts))
        self.floats = layout.floats
        self._run = plan.run
        self._layout = layout

    def identity(self) -> dict[str, Any]:
        """All settings, and how the file holds the images."""
        return {**self._run.to_dict(), "array": self._layout.name}

    def check(self) -> None:
        """Raise where the disk cannot hold the images twice, as it must at the end.

        Raises:
            OSError: It is too full.
        """
        size = self._layout.image_bytes
        folder = next(parent for parent in self.parts.parents if parent.is_dir())
        if size is not None and 2 * size * self._run.count > shutil.disk_usage(folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def held(self) -> Held:
        """Which images wait in parts that are whole."""
        found = np.zeros(self._run.count, np.bool_)
        for first, last, _ in self._found():
            found[first : last + 1] = True
        return found

    def write(self, first: int, images: NDArray[Any]) -> None:
        """Write one part."""
        name = f"images-{first:09}-{first + len(images) - 1:09}.bin"
        with atomic_path(self.parts / name) as temporary:
            temporary.write_bytes(self._layout.encode(first, images))

    def finish(self) -> None:
        """Join the parts, and remove them."""
        self._layout.join(self.path, self._joined([part for _, _, part in self._found()]))
        self.journal.release()
        shutil.rmtree(self.parts, ignore_errors=True)

    def _found(self) -> list[tuple[int, int, Path]]:
        """The whole parts, in order: number of the first image, of the last, and the file."""
        if not self.parts.is_dir():
            return []
        found = []
        for path in self.parts.iterdir():
            match = re.fullmatch(r"images-(\d{9})-(\d{9})\.bin", path.name)
            if match is None:
                continue
            first, last = int(match[1]), int(match[2])
            size, each = path.stat().st_size, self._layout.image_bytes
            if size and (each is None or size == each * (last - first + 1)):
                found.append((first, last, path))
        return sorted(found)

    @staticmethod
    def _joined(parts: Sequence[Path]) -> Iterator[bytes]:
        for path in parts:
            with path.open("rb") as file:
                yield from iter(partial(file.read, PART_BYTES), b"")
