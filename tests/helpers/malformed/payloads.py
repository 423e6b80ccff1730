"""Pickles that a careless reader would run: each creates a file."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import zipfile
from pathlib import Path

MARKER = "EXECUTED"
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Reduced:
    """Pickled as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def touching(marker):
    return Reduced(os.system, f"touch '{marker}'")


def dumped(value, protocol=2):
    return pickle.dumps(value, protocol=protocol)


def called(function, text):
    """Instructions that call a function with a text, and leave what it returns."""
    data = text.encode()
    module, _, name = function.rpartition(".")
    start = b"c" + f"{module}\n{name}\n".encode()
    return start + b"X" + len(data).to_bytes(4, "little") + data + b"\x85R"


def calling(function, text):
    return b"\x80\x02" + called(function, text) + b"."


def _numpy(marker):
    import numpy as np

    return dumped(np.array([touching(marker)], dtype=object))


def _storage(marker):
    import torch

    class Storage(torch.UntypedStorage):
        def __reduce__(self):
            return os.system, (f"touch '{marker}'",)

    return dumped(Storage(4))


def _touch_code(marker):
    return f"__import__('pathlib').Path({str(marker)!r}).touch()"


PAYLOADS = {
    "os.system": lambda marker: dumped(touching(marker)),
    "builtins.eval": lambda marker: calling("builtins.eval", _touch_code(marker)),
    "builtins.exec": lambda marker: calling("__builtin__.exec", _touch_code(marker)),
    "subprocess.call": lambda marker: dumped(Reduced(subprocess.call, ["touch", str(marker)])),
    "pathlib.Path.touch": lambda marker: dumped(Reduced(Path.touch, Path(marker)), 4),
    "a NumPy array of objects": _numpy,
    "a storage that reduces itself to a call": _storage,
    "torch.utils.collect_env.run": lambda marker: calling(
        "torch.utils.collect_env.run", f"touch '{marker}'"
    ),
}
"""What creates the file of a given path, as a whole pickle."""


def inner(pickled):
    """The instructions of a pickle, without its first and its last one."""
    return pickled.removeprefix(b"\x80\x02").removesuffix(b".")


def legacy_head():
    """How a file of an old version of torch begins."""
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}
    return b"".join(dumped(value) for value in (MAGIC, PROTOCOL, system))


def legacy(body):
    """A file of an old version of torch around a pickle."""
    return legacy_head() + body + dumped([])


def zipped(body, *, compression=zipfile.ZIP_STORED, **records):
    """A file of today's torch around a pickle."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        archive.writestr("archive/data.pkl", body)
        archive.writestr("archive/version", "3\n")
        for name, content in records.items():
            archive.writestr(f"archive/{name}", content)
    return data.getvalue()
