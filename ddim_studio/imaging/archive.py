"""``.npz`` archives whose large arrays are filled piece by piece."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib import format as npy

from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType

    from numpy.typing import ArrayLike, DTypeLike, NDArray


class NpzWriter:
    """Writes an ``.npz`` in constant memory, all of it or nothing.

    Within the ``with`` block the large arrays are files of their own beside the archive, mapped
    into memory, zeros at first. At its end they are zipped, uncompressed, and the archive appears
    under its name. When the block raises, nothing is left. `numpy.load` reads the result without
    ``allow_pickle``.

    Args:
        path: The archive, replaced if it exists.
        arrays: Shape and dtype of the large arrays by name.

    Raises:
        OSError: The disk is full: on entry, where the space of the large arrays is reserved, or
            on exit, where the archive is written. All temporary files are removed.
        ValueError: A name is not usable, or a dtype holds Python objects.
    """

    def __init__(
        self, path: str | PathLike[str], arrays: dict[str, tuple[tuple[int, ...], DTypeLike]]
    ) -> None:
        for name, (_, dtype) in arrays.items():
            _check(name, np.dtype(dtype))
        self._path = Path(path)
        self._specs = {name: (shape, np.dtype(dtype)) for name, (shape, dtype) in arrays.items()}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._members: dict[str, Path] = {}
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=self._path.parent, prefix=f".{self._path.stem}-"))
        try:
            for name, (shape, dtype) in self._specs.items():
                self._arrays[name] = _reserved(self._new_member(name), shape, dtype)
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._zip()
        finally:
            self._clean_up()

    def array(self, name: str) -> NDArray[Any]:
        """The large array ``name``, to be filled in place until the block ends.

        Raises:
            KeyError: There is no such array.
        """
        return self._arrays[name]

    def add(self, name: str, value: ArrayLike) -> None:
        """Store a small array, a number, or a text, which becomes a 0-d array of unicode.

        Raises:
            ValueError: The name is taken or not usable, or the value holds Python objects.
        """
        small = np.asanyarray(value)
        _check(name, small.dtype)
        if name in self._members:
            raise ValueError(f"The archive has an array {name!r} already.")
        with self._new_member(name).open("wb") as stream:
            npy.write_array(stream, small, allow_pickle=False)

    def _new_member(self, name: str) -> Path:
        if self._folder is None:
            raise ValueError("The archive is written within a with block.")
        member = self._folder / f"{len(self._members)}.npy"
        self._members[name] = member
        return member

    def _zip(self) -> None:
        for array in self._arrays.values():
            if isinstance(array, np.memmap):
                array.flush()
        self._arrays.clear()
        with (
            atomic_path(self._path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=True) as archive,
        ):
            for name, member in self._members.items():
                archive.write(member, f"{name}.npy")
                _remove(member)  # so that the disk holds one array twice at most

    def _clean_up(self) -> None:
        self._arrays.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def _check(name: str, dtype: np.dtype[Any]) -> None:
    if not name or "/" in name or "\\" in name:
        raise ValueError(f"An array in an archive cannot be named {name!r}.")
    if dtype.hasobject:
        raise ValueError(f"The array {name!r} holds Python objects, which are not stored.")


def _reserved(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A mapped ``.npy`` file of zeros whose space on the disk is taken already.

    Filling a sparse file on a full disk would kill the process (SIGBUS) instead of raising.
    """
    with path.open("wb") as stream:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_2_0(stream, header)
        offset = stream.tell()
        size = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        stream.flush()
        _reserve(stream.fileno(), size, path)
    if size == offset:  # an empty file part cannot be mapped
        return np.empty(shape, dtype)
    mapped: NDArray[Any] = np.memmap(path, dtype, "r+", offset, shape)
    return mapped


def _reserve(descriptor: int, size: int, path: Path) -> None:
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    allocate = getattr(os, "posix_fallocate", None)
    try:
        if allocate is not None:
            allocate(descriptor, 0, size)
            return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
    os.ftruncate(descriptor, size)  # file systems and systems that cannot reserve


def _remove(path: Path) -> None:
    """Remove a file, unless the system keeps it because someone holds its array still."""
    try:
        path.unlink()
    except PermissionError:
        return
