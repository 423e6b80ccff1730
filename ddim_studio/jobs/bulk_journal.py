"""What a bulk run writes down beside its images, so that another process can go on with it.

The journal is one JSON object: the settings that decide what is drawn. It is there before the first
image is. The process that speaks for the run holds a lock on it, which the system gives up when
the process dies.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from ddim_studio.imaging.errors import ImageError
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEFTOVER = re.compile(r"\..+-[0-9a-f]{16}\.\w+")
"""Names that `atomic_path` gives to files that are not complete yet."""
ENGINE = "engine"
WORDS = {"weights": "other weights of the model"}


class Journal:
    """The journal of one place.

    Args:
        path: The file.
        shown: What the user calls the place.
    """

    def __init__(self, path: Path, shown: str) -> None:
        self.path = path
        self._shown = shown
        self._lock: IO[bytes] | None = None

    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.path.is_file()

    def claim(self, identity: Mapping[str, Any], engine: str) -> None:
        """Begin a run of this identity here, or go on with it.

        Args:
            identity: The settings that decide what is drawn.
            engine: What runs the network, which may be another when the run goes on.

        Raises:
            ImageError: Another run is here.
            OSError: The journal cannot be written.
        """
        mine = json.loads(json.dumps(identity))
        if not self.exists():
            text = json.dumps({**mine, ENGINE: engine}, indent=1)
            with suppress(FileExistsError):  # another run may begin here at this moment
                with atomic_path(self.path, new=True) as temporary:
                    temporary.write_text(text + "\n", encoding="utf-8")
                return
        found = self._read()
        found.pop(ENGINE, None)
        for name in sorted({*found, *mine}):
            if found.get(name) != mine.get(name):
                told = WORDS.get(name, f"{name} {_word(found, name)}, not {_word(mine, name)}")
                raise ImageError(
                    f"{self._shown} holds a run with {told}: choose another --out, "
                    f"or delete {self.path.parent} first."
                )

    def engine(self) -> str:
        """What runs the network of the run that was begun here; nothing where there is none.

        Raises:
            ImageError: The journal is damaged.
        """
        return str(self._read().get(ENGINE, "")) if self.exists() else ""

    def lock(self) -> None:
        """Keep others from writing here until `release`, or until this process ends.

        Raises:
            ImageError: Another process is writing here.
        """
        if sys.platform == "win32":
            return
        import fcntl

        file = self.path.open("rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ImageError(
                f"Another process is writing to {self._shown}: wait, or choose another --out."
            ) from None
        except OSError:  # a file system without locks
            file.close()
            return
        self._lock = file

    def release(self) -> None:
        """Give the place free."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def sweep(self) -> None:
        """Remove what a killed process has left half-written. Nobody may be writing."""
        for path in self.path.parent.iterdir():
            if LEFTOVER.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the journal, and its folder if nothing else is in it."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ImageError(f"{self.path} is damaged: delete it, and what stands beside it.")
        return found


def _word(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values.get(name))
