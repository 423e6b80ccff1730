"""What a pickle would do, told from its instructions before any of them is followed.

torch runs no code of a file with ``weights_only=True``. But what it lets through can still fill the
memory (``bytearray`` of any length, text encoded again and again), take for ever (numbers chosen to
collide in a dictionary) or end the process (a key so deep that its hash overflows the stack). Here
the instructions are only counted.
"""

from __future__ import annotations

import io
import pickletools
import string
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.sniffing import AGAIN, damaged

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 26
"""Of the names and sizes in a file, without its numbers; those of large models are below 2 MB."""
MAX_INSTRUCTIONS: Final = 500_000
"""Those of a training state with 10,000 tensors, or what is read in a second or two."""
MAX_DEPTH: Final = 1000
MAX_LONGS: Final = 1000
MAX_PROTOCOL: Final = 3
LEGACY_PICKLES: Final = 5
"""How many stand one after another before the numbers in a file of an old version of torch."""
LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
UNWANTED: Final = {"_codecs encode", "builtins bytearray", "__builtin__ bytearray"}
"""Functions that torch would call, though no network needs them."""
AS_SAFETENSORS: Final = "Ask for the model as .safetensors, or for its state_dict alone."


def check_zipped_pickle(path: Path) -> None:
    """Raise if the list of tensors in an archive asks for more than tensors.

    Args:
        path: A zip archive that was checked.

    Raises:
        ModelError: It does, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            lists = [one for one in archive.infolist() if one.filename.endswith("/data.pkl")]
            for member in lists:
                if member.file_size > MAX_BYTES:
                    raise _too_long(path)
                _check(path, io.BytesIO(archive.read(member)))
    except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path) from error


def check_bare_pickle(path: Path) -> None:
    """Raise if the pickles that an old version of torch wrote ask for more than tensors.

    Raises:
        ModelError: They do, are damaged, or torch has not written them.
    """
    with path.open("rb") as file:
        head = file.read(MAX_BYTES)
    if not head.startswith(LEGACY_MAGIC):
        raise _not_of_torch(path, head)
    stream = io.BytesIO(head)
    try:
        for _ in range(LEGACY_PICKLES):
            _check(path, stream)
    except ValueError as error:
        if len(head) == MAX_BYTES:
            raise _too_long(path) from error
        raise damaged(path) from error


def holds_objects(path: Path, name: str) -> ModelError:
    """The error of a file that holds more than tensors.

    Args:
        path: The file.
        name: What it asks Python for, with its module; may be empty.
    """
    shown = f" ({excerpt(name)})" if name else ""
    return ModelError(
        f"{excerpt(path.name, 100)} is not a file of plain tensors: it holds other Python "
        f"objects{shown}; nothing in it was run.",
        AS_SAFETENSORS,
    )


def _not_of_torch(path: Path, head: bytes) -> ModelError:
    if LEGACY_MAGIC.startswith(head):
        return damaged(path)
    kind = "is no checkpoint"
    if head[:1] == b"\x80":
        kind = "is a pickle that torch did not write"
    elif all(byte in string.printable.encode() for byte in head[:200]):
        kind = "is a text file, no checkpoint"
    return ModelError(f"{excerpt(path.name, 100)} {kind}; nothing in it was run.", AS_SAFETENSORS)


def _too_long(path: Path) -> ModelError:
    return ModelError(
        f"{excerpt(path.name, 100)} has a list of tensors of more than {MAX_BYTES / 1e6:.0f} MB: "
        "it is refused.",
        AGAIN,
    )


def _check(path: Path, stream: io.BytesIO) -> None:
    """Follow the instructions of one pickle up to its end.

    Raises:
        ModelError: They ask for more than tensors.
        ValueError: They are damaged.
    """
    stack, longs = _Stack(), 0
    try:
        for number, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
            name = instruction.name
            longs += name == "LONG1"
            if name == "GLOBAL" and argument in UNWANTED:
                raise holds_objects(path, str(argument).replace(" ", "."))
            if name == "PROTO" and isinstance(argument, int) and argument > MAX_PROTOCOL:
                raise ModelError(
                    f"{excerpt(path.name, 100)} is written in pickle protocol {argument}, which "
                    "torch's own files are not; nothing in it was run.",
                    AS_SAFETENSORS,
                )
            deep = stack.after(instruction, argument) > MAX_DEPTH
            if deep or longs > MAX_LONGS or number > MAX_INSTRUCTIONS:
                raise ModelError(
                    f"{excerpt(path.name, 100)} is built to exhaust its reader; nothing in it was "
                    "run.",
                    AGAIN,
                )
    except (IndexError, KeyError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError from error


class _Stack:
    """The stack of an unpickler, with the depth of every value in the place of the value."""

    def __init__(self) -> None:
        self._depths: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[object, int] = {}

    def after(self, instruction: pickletools.OpcodeInfo, argument: object) -> int:
        """Follow an instruction, and return how deep the value is that it leaves."""
        name = instruction.name
        if name == "MARK":
            self._marks.append(len(self._depths))
            return 0
        if name.endswith("PUT"):
            self._memo[argument] = self._depths[-1]
            return 0
        if name.endswith("GET"):
            self._depths.append(self._memo[argument])
            return 0
        depth = self._taken(instruction) + ("TUPLE" in name)
        self._depths += [depth] * len(instruction.stack_after)
        return depth

    def _taken(self, instruction: pickletools.OpcodeInfo) -> int:
        """Take the values that an instruction uses off the stack; the depth of the deepest."""
        used = instruction.stack_before
        count = len(used)
        if pickletools.markobject in used:
            count = used.index(pickletools.markobject) + len(self._depths) - self._marks.pop()
        if count > len(self._depths):
            raise IndexError
        taken = self._depths[len(self._depths) - count :]
        del self._depths[len(self._depths) - count :]
        return max(taken, default=0)
