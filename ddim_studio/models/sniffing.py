"""What a file is that is no checkpoint, told from its first bytes and not from its name."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Final

from ddim_studio.models.errors import ModelError, excerpt

MAX_INFLATION = 4
HEAD_BYTES: Final = 512
MAX_DIRECTORY_BYTES: Final = 4_000_000
"""Of an archive's list of members; that of 10,000 tensors has 1 MB."""
AGAIN: Final = "Copy or download the model again."
CHECKPOINT_SUFFIXES: Final = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
KINDS: Final = (
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"BM", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, which Keras writes"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"{", "a text file"),
    (b"[", "a text file"),
    (b"GGUF", "a GGUF file, as programs for language models have it"),
    (b"\x08\x03\x12", "an ONNX file"),
    (b"\x08\x04\x12", "an ONNX file"),
    (b"\x08\x07\x12", "an ONNX file"),
    (b"\x08\x08\x12", "an ONNX file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a program"),
    (bytes(32), "a file of zeros, as downloads leave that were broken off"),
)
LFS: Final = b"version https://git-lfs"
WANTED: Final = f"Give a checkpoint ({', '.join(CHECKPOINT_SUFFIXES)}) or a diffusers folder."


def refuse_other_files(path: Path) -> None:
    """Raise if the first bytes are those of a picture, a web page, or another file of no use.

    Raises:
        ModelError: They are, or the file cannot be read, or is empty.
    """
    try:
        if path.stat().st_size == 0:  # so are files of the system, which may be waited for
            raise ModelError(f"{_named(path)} is empty.", AGAIN)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise ModelError(f"{_named(path)} cannot be read: {error.strerror}.") from error
    if _begins_as_safetensors(head):
        return
    if head.startswith(LFS):
        raise ModelError(
            f"{_named(path)} is a pointer of Git LFS in the place of the weights.",
            "Fetch the large files too: run git lfs pull in the model's folder.",
        )
    kind = next((kind for magic, kind in KINDS if head.startswith(magic)), _other_kind(head))
    if kind:
        raise ModelError(f"{_named(path)} is {kind}, not a model.", WANTED)


def _other_kind(head: bytes) -> str:
    """What a file is whose mark does not stand at its very beginning; may be empty."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a picture"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return "a web page" if head.lstrip()[:2].lower() in {b"<!", b"<h", b"<?"} else ""


def holds_safetensors(path: Path) -> bool:
    """Whether a file claims to be in the safetensors format, by its name or by how it begins."""
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:
        return _begins_as_safetensors(file.read(9))


def _begins_as_safetensors(head: bytes) -> bool:
    """Whether the bytes are a length of up to 16 MB, and the begin of a JSON object."""
    return len(head) >= 9 and head[3:8] == bytes(5) and head[8:9] == b"{"


def is_zip(path: Path) -> bool:
    """Whether the file begins as archives do; today's torch writes such."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def check_archive(path: Path) -> bool:
    """Whether a zip archive holds its members as they are, so that it can be mapped.

    Raises:
        ModelError: It is cut short, is no checkpoint of torch, or would inflate to far more than
            its size.
    """
    members = _members(path)
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_INFLATION * path.stat().st_size + 1_000_000:
        raise ModelError(
            f"{_named(path)} would unpack to {unpacked / 1e6:.0f} MB: it is refused.", AGAIN
        )
    names = [member.filename for member in members]
    reasons = (
        (any(member.flag_bits & 1 for member in members), "is encrypted", "Unpack it first."),
        (any(map(_leads_out, names)), "holds names that lead out of its folder", AGAIN),
        (
            any("/code/" in name for name in names),
            "is a TorchScript program",
            "Save the network's state_dict instead.",
        ),
        (
            bool(names) and all(name.endswith(".npy") for name in names),
            "is an archive of NumPy arrays, not a checkpoint",
            WANTED,
        ),
        (
            not any(name.endswith("/data.pkl") for name in names),
            "is an archive of other files, not a checkpoint",
            WANTED,
        ),
    )
    for holds, reason, advice in reasons:
        if holds:
            raise ModelError(f"{_named(path)} {reason}; nothing in it was run.", advice)
    return all(member.compress_type == zipfile.ZIP_STORED for member in members)


def _members(path: Path) -> list[zipfile.ZipInfo]:
    """The list of an archive that begins with its first member, as torch reads them."""
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise damaged(path) from error
    if min((member.header_offset for member in members), default=1):
        raise damaged(path)
    return members


class _Bounded(io.FileIO):
    """A file of which nothing is read that is larger than an archive's list of members can be."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise ModelError(
                f"{_named(Path(str(self.name)))} is an archive of far more files than a checkpoint "
                "has: it is refused.",
                AGAIN,
            )
        return super().read(size)


def _leads_out(name: str) -> bool:
    """Whether a name in an archive is that of a file outside the folder it is unpacked into."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or parts[0].endswith(":")


def damaged(path: Path) -> ModelError:
    """The error of a file that cannot be read as a checkpoint."""
    return ModelError(f"{_named(path)} is damaged or cut short; nothing in it was run.", AGAIN)


def _named(path: Path) -> str:
    return excerpt(path.name, 100)
