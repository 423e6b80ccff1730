"""Files of other kinds under the name of a checkpoint, and under their own."""

from __future__ import annotations

import io
import tarfile

from malformed.item import STEM, add, file_of, item, sound, unet
from malformed.payloads import legacy_head

GROUP = "other files"
PAGE = b"<!DOCTYPE html><title>Sign in</title>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 400\n"


def _picture(kind):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, format=kind)
    return data.getvalue()


def _tar():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return data.getvalue()


def _numpy():
    import numpy as np

    data = io.BytesIO()
    np.save(data, np.zeros(3))
    return data.getvalue()


CONTENTS = {
    "nothing": (lambda: b"", "is empty"),
    "one byte": (lambda: b"\x80", "damaged or cut short"),
    "zeros": (lambda: bytes(100_000), "file of zeros"),
    "a text": (lambda: b"just a few words", "is a text file"),
    "JSON": (lambda: b'{"a": 1}', "is a text file"),
    "random bytes": (lambda: bytes(range(200, 256)) * 40, "is no checkpoint"),
    "a web page": (lambda: PAGE, "is a web page"),
    "an error of a server in XML": (lambda: b"\n<?xml version='1.0'?><Error/>", "is a web page"),
    "a pointer of Git LFS": (lambda: POINTER, "pointer of Git LFS"),
    "a PNG picture": (lambda: _picture("PNG"), "is a picture"),
    "a JPEG picture": (lambda: _picture("JPEG"), "is a picture"),
    "a GIF picture": (lambda: _picture("GIF"), "is a picture"),
    "a WebP picture": (lambda: _picture("WEBP"), "is a picture"),
    "an ONNX file": (lambda: b"\x08\x08\x12\x07pytorch" + bytes(50), "is an ONNX file"),
    "a GGUF file": (lambda: b"GGUF\x03" + bytes(50), "is a GGUF file"),
    "an HDF5 file": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(50), "is an HDF5 file"),
    "a NumPy array": (_numpy, "is a NumPy array"),
    "a tar archive": (_tar, "is a tar archive"),
    "a gzip file": (lambda: b"\x1f\x8b\x08" + bytes(50), "is a compressed file"),
    "a PDF document": (lambda: b"%PDF-1.7" + bytes(50), "is a PDF document"),
    "a program": (lambda: b"\x7fELF" + bytes(50), "is a program"),
}
for _kind, (_content, _says) in CONTENTS.items():
    add(
        GROUP,
        f"{_kind} as .pt",
        f"{_kind} under the name of a checkpoint",
        _says,
        lambda folder, content=_content: file_of(folder, content()),
    )
for _kind, _name in (
    ("a PNG picture", "photo.png"),
    ("a JPEG picture", "photo.jpg"),
    ("a web page", "page.html"),
    ("a text", "notes.txt"),
):
    _content, _says = CONTENTS[_kind]
    add(
        GROUP,
        f"{_kind} under its own name",
        f"the file {_name}",
        _says,
        lambda folder, content=_content, name=_name: file_of(folder, content(), name),
    )
for _kind, _suffix in (
    ("a web page", "safetensors"),
    ("a pointer of Git LFS", "safetensors"),
    ("a pointer of Git LFS", "bin"),
    ("nothing", "safetensors"),
    ("zeros", "bin"),
):

    def _in_folder(folder, content=CONTENTS[_kind][0], suffix=_suffix):
        model = sound(folder)
        (unet(model) / f"{STEM}.safetensors").unlink()
        (unet(model) / f"{STEM}.{suffix}").write_bytes(content())
        return str(model)

    add(
        GROUP,
        f"{_kind} as .{_suffix} of a folder",
        f"a diffusers folder whose file of weights (.{_suffix}) is {_kind}",
        CONTENTS[_kind][1],
        _in_folder,
    )


@item(GROUP, "a picture as the only checkpoint of a folder", "is a picture")
def folder_with_a_picture_named_pt(folder):
    file_of(folder, _picture("PNG"))
    return str(folder)


@item(GROUP, "a file of zeros that claims a terabyte", "file of zeros")
def sparse_terabyte(folder):
    path = folder / "model.pt"
    with path.open("wb") as file:
        file.truncate(10**12)
    return str(path)


@item(
    GROUP,
    "a pickle's first instruction, then a terabyte of zeros",
    "is no checkpoint|did not write",
)
def sparse_pickle(folder):
    path = folder / "model.pt"
    with path.open("wb") as file:
        file.write(b"c" + b"a" * 40)
        file.truncate(10**12)
    return str(path)


@item(
    GROUP, "an old torch file, then a name a terabyte long", "list of tensors of more than|damaged"
)
def sparse_old_file(folder):
    path = folder / "model.pt"
    with path.open("wb") as file:
        file.write(legacy_head() + b"\x80\x02ca")
        file.truncate(10**12)
    return str(path)
