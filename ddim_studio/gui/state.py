"""What the window remembers from one start to the next, in one small JSON file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ddim_studio.storage import atomic_path, user_folder

if TYPE_CHECKING:
    from pathlib import Path

MAX_RECENT_MODELS = 8


class Memory:
    """Named values that survive a restart. A damaged or missing file means an empty memory."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = _read(self._path)

    @property
    def _path(self) -> Path:
        return user_folder("config") / "window.json"

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 (any JSON value)
        """The value of a name; callers check it, since people edit files."""
        return self._values.get(name, default)

    def text(self, name: str, default: str = "") -> str:
        """The value of a name if it is text, else the default."""
        value = self.get(name)
        return value if isinstance(value, str) else default

    def texts(self, name: str) -> list[str]:
        """The value of a name if it is a list of texts, else an empty list."""
        values = self.get(name)
        return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 (any JSON value)
        """Keep a value; nothing is written before `save`."""
        self._values[name] = value

    def remember_model(self, source: str) -> None:
        """Put a model first among the recent ones."""
        others = [other for other in self.texts("recent_models") if other != source]
        self.set("recent_models", [source, *others][:MAX_RECENT_MODELS])

    def save(self) -> None:
        """Write everything, whole or not at all; a full or read-only disk is no reason to fail."""
        try:
            with atomic_path(self._path) as path:
                path.write_text(json.dumps(self._values, indent=1), encoding="utf-8")
        except OSError:
            return


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
