"""Finding the pictures in a folder, a zip or tar archive, or an IDX file.

Nothing is unpacked to disk, and no name from an archive is used as a path. What a file claims is
checked against its size before memory is taken.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from PIL import Image

from ddim_studio.imaging.collection import (
    Collection,
    Skipped,
    UnusableError,
    is_hidden,
    objected,
    objection,
    printable,
)
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.files import opened
from ddim_studio.imaging.idx import IDX_MAGIC, image_at, image_count
from ddim_studio.imaging.unpacking import (
    MAX_MEMBER_BYTES,
    UNPACKING_ERRORS,
    damaged,
    inflated,
    largest_content,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddim_studio.imaging.unpacking import Unpacked

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC, _TAR_MAGIC_AT, _TAR_BLOCK = b"ustar", 257, 512
_CHOOSE = "choose a folder or an archive of PNG, JPEG or other pictures, or an IDX file of images."

# Of a file that is damaged, or packed or locked in a way that Python does not know.
_ZIP_ERRORS = (*UNPACKING_ERRORS, zipfile.BadZipFile, RuntimeError, ValueError)


@contextmanager
def open_collection(path: Path) -> Iterator[Collection]:
    """Find the pictures in a folder, a zip or tar archive, or an IDX file.

    What a file is, its first bytes say, not its name. Folders are searched with the folders in
    them, except through links. Names that begin with a dot, and ``__MACOSX``, are left out.

    Raises:
        ImageError: There is no such file, it is none of these, is damaged, or has no pictures.
    """
    if path.is_dir():
        yield _not_empty(_folder(path), path)
        return
    with opened(path, _CHOOSE.removeprefix("choose ").removesuffix(".")) as stream:
        is_zip = stream.read(4) in _ZIP_MAGIC
        if is_zip:
            yield _not_empty(_zip(stream, path), path)
    if not is_zip:
        with unpacked(path) as content:
            yield _not_empty(_stream(content, path), path)


def _not_empty(collection: Collection, path: Path) -> Collection:
    if collection.count == 0:
        raise ImageError(f"{path.name} holds no pictures: {_CHOOSE}")
    return collection


# --- folders ------------------------------------------------------------------------------------


def _folder(root: Path) -> Collection:
    found, skipped = [], []

    def note(error: OSError) -> None:
        place = os.path.relpath(error.filename, root)
        skipped.append(Skipped(printable(place), f"It cannot be read ({error.strerror})."))

    for folder, inner, files in os.walk(root, onerror=note):
        inner[:] = [name for name in inner if not is_hidden(name)]
        place = Path(folder).relative_to(root)
        found += [(place / file).as_posix() for file in files if not is_hidden(file)]
    names = sorted(name for name in found if not objection(name))
    return Collection(
        "folder",
        len(names),
        lambda number: printable(names[number]),
        lambda number: root / names[number],
        skipped=(*skipped, *objected(found)),
    )


# --- zip ----------------------------------------------------------------------------------------


def _zip(stream: IO[bytes], path: Path) -> Collection:
    try:
        archive = zipfile.ZipFile(stream)
    except _ZIP_ERRORS as error:
        raise ImageError(damaged(path.name)) from error
    files = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    if sum(info.file_size for info in files) > largest_content(path):
        raise ImageError(inflated(path.name))
    visible = [info for info in files if not is_hidden(info.filename)]
    members = sorted(
        (info for info in visible if not objection(info.filename)), key=lambda info: info.filename
    )
    return Collection(
        "zip archive",
        len(members),
        lambda number: printable(members[number].filename),
        lambda number: _zip_member(archive, members[number]),
        skipped=objected(info.filename for info in visible),
    )


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _check_size(info.file_size)
    if info.flag_bits & 1:
        raise UnusableError("It is protected by a password.")
    try:
        with archive.open(info) as member:
            return member.read(info.file_size)  # a plain read() would unpack it whole, then cut
    except _ZIP_ERRORS as error:
        raise UnusableError("It is damaged, or packed in a way that cannot be read.") from error


def _check_size(size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        raise UnusableError(
            f"It unpacks to {size / 1e6:.0f} MB, and the limit is {MAX_MEMBER_BYTES / 1e6:.0f} MB."
        )


# --- IDX and tar, plain or compressed -----------------------------------------------------------


def _stream(content: Unpacked, path: Path) -> Collection:
    head = content.read(_TAR_BLOCK)
    content.seek(0)
    if not head:
        raise ImageError(f"{path.name} is empty: get the file again, or choose another one.")
    if head.startswith(IDX_MAGIC):
        return _idx(content, path)
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return _tar(content, path)
    raise ImageError(f"{path.name} is not an archive or IDX file that can be read: {_CHOOSE}")


def _idx(content: Unpacked, path: Path) -> Collection:
    count, height, width = image_count(content)
    start, size = content.tell(), height * width
    if start + count * size > content.most:
        raise ImageError(f"{path.name} holds less than it claims: get the file again, complete.")
    digits = len(str(count))

    def read(number: int) -> Image.Image:
        image = image_at(content, start + number * size, (height, width))
        if number == count - 1:
            content.read(1)  # at the end of a compressed file its checksum is compared
        return Image.fromarray(image)

    return Collection(
        "IDX file",
        count,
        lambda number: f"{printable(path.name)} {number:0{digits}}",
        read,
    )


class _TarMember(NamedTuple):
    name: str
    start: int
    size: int
    reason: str


def _tar(content: Unpacked, path: Path) -> Collection:
    try:
        visible = [member for member in _tar_members(content) if not is_hidden(member.name)]
    except ImageError:
        raise
    except (tarfile.TarError, ValueError, LookupError, RecursionError) as error:
        raise ImageError(damaged(path.name)) from error
    members = sorted(member for member in visible if not member.reason)

    def read(number: int) -> bytes:
        member = members[number]
        _check_size(member.size)
        content.seek(member.start)
        return content.read(member.size)

    return Collection(
        "tar archive",
        len(members),
        lambda number: printable(members[number].name),
        read,
        # A compressed stream can be read forwards only; to go back is to start again.
        place=lambda number: members[number].start,
        skipped=tuple(
            Skipped(printable(member.name), member.reason) for member in visible if member.reason
        ),
    )


def _tar_members(content: Unpacked) -> Iterator[_TarMember]:
    """All members but folders, in the order of storage.

    Raises:
        ImageError: The archive goes backwards, or ends in anything but zeros: tarfile takes a
            header that it cannot read for the end.
    """
    archive: Any = tarfile.TarFile(fileobj=cast("IO[bytes]", content), mode="r")
    end = -1
    while (member := archive.next()) is not None:
        archive.members.clear()  # which would grow with every picture
        if member.offset <= end or member.size < 0:
            raise ImageError(damaged(content.name))
        end = member.offset
        if not member.isdir():
            special = not member.isfile() or member.issparse()
            reason = "It is a link or a special file." if special else objection(member.name)
            yield _TarMember(member.name, member.offset_data, member.size, reason)
    content.seek(archive.offset)
    if content.read(_TAR_BLOCK).strip(b"\0"):
        raise ImageError(damaged(content.name))
