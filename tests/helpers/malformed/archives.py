"""Zip archives that are not what they say."""

from __future__ import annotations

import io
import struct
import zipfile

from malformed.item import add, file_of, item
from malformed.payloads import dumped, zipped

GROUP = "archives"
CENTRAL = b"PK\x01\x02"


@item(GROUP, "an archive of 0.2 MB that would unpack to 200 MB", "would unpack to 200 MB")
def zip_bomb(folder):
    body = zipped(dumped({}), compression=zipfile.ZIP_DEFLATED, **{"data/0": bytes(200_000_000)})
    return file_of(folder, body)


@item(GROUP, "a deflated member that is larger than the archive says", "damaged or cut short")
def member_with_a_false_size(folder):
    content = bytearray(zipped(dumped({"a": "b" * 500_000}), compression=zipfile.ZIP_DEFLATED))
    for mark, place in ((b"PK\x03\x04", 22), (CENTRAL, 24)):
        struct.pack_into("<I", content, content.index(mark) + place, 40)
    return file_of(folder, bytes(content))


@item(GROUP, "a member that claims 4 GB", "would unpack to 4295 MB")
def member_of_gigabytes(folder):
    content = bytearray(zipped(dumped({})))
    struct.pack_into("<I", content, content.index(CENTRAL) + 24, 2**32 - 2)
    return file_of(folder, bytes(content))


@item(GROUP, "60,000 members of one name", "an archive of far more files than")
def many_members(folder):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a" * 40, "b")
    one = data.getvalue()
    start, end = one.index(CENTRAL), one.index(b"PK\x05\x06")
    entry = one[start:end] * 60_000
    tail = bytearray(one[end:])
    struct.pack_into("<HHI", tail, 8, 60_000, 60_000, len(entry))
    return file_of(folder, one[:start] + entry + bytes(tail))


for _name in ("/etc/data.pkl", "../../data.pkl", "a/../../data.pkl", "C:\\temp\\data.pkl"):
    add(
        GROUP,
        f"a member named {_name}",
        f"an archive with the member {_name}",
        "names that lead out of its folder",
        lambda folder, name=_name: file_of(folder, _archive({name: dumped({})})),
    )


def _archive(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


@item(GROUP, "an encrypted archive", "is encrypted")
def encrypted(folder):
    content = bytearray(zipped(dumped({})))
    for mark, place in ((b"PK\x03\x04", 6), (CENTRAL, 8)):
        start = content.index(mark) + place
        content[start] |= 1
    return file_of(folder, bytes(content))


@item(GROUP, "an archive without its last 100 bytes", "damaged or cut short")
def archive_cut_short(folder):
    return file_of(folder, zipped(dumped({}))[:-100])


@item(GROUP, "the first bytes of an archive, then zeros", "damaged or cut short")
def archive_of_zeros(folder):
    return file_of(folder, b"PK\x03\x04" + bytes(10_000))


@item(GROUP, "an archive with other bytes before it", "is no checkpoint")
def archive_behind_something(folder):
    return file_of(folder, b"\xfe\xfe\xfe\xfe" + zipped(dumped({})))


@item(GROUP, "an archive of text files", "archive of other files")
def archive_of_texts(folder):
    return file_of(folder, _archive({"notes.txt": "no model"}))


@item(GROUP, "NumPy's archive of arrays (.npz) under the name of a checkpoint", "NumPy arrays")
def numpy_archive(folder):
    import numpy as np

    data = io.BytesIO()
    np.savez(data, a=np.zeros(3))
    return file_of(folder, data.getvalue())


@item(GROUP, "a TorchScript program", "is a TorchScript program")
def torchscript(folder):
    members = {"net/data.pkl": dumped({}), "net/code/__torch__.py": "import os"}
    return file_of(folder, _archive(members))


@item(GROUP, "an archive whose list of tensors claims 70 MB", "list of tensors of more than 67 MB")
def long_list(folder):
    return file_of(folder, zipped(b"\x80\x02" + b"N0" * 35_000_000 + b"."))
