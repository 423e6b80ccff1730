"""What people drop on the window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddim_studio.jobs.forward_events import ForwardRun
from ddim_studio.jobs.matrix import CompareRun
from ddim_studio.jobs.restore_order import RestoreRun
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData


def dropped_path(data: QMimeData) -> Path | None:
    """The one local file or folder in what was dropped, or None."""
    urls = data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())


KINDS: Final = {run.kind: run for run in (SampleRun, CompareRun, RestoreRun, ForwardRun)}


def run_in(path: Path) -> SampleRun | CompareRun | ForwardRun:
    """The run whose settings a picture or a JSON file carries; a `RestoreRun` is a `SampleRun`.

    Raises:
        ImageError: There are none in it.
        SettingsError: They are those of something else, or damaged.
    """
    from ddim_studio.imaging.png import read_settings

    text = read_settings(path)
    return KINDS.get(_kind_in(text), SampleRun).from_json(text)


def _kind_in(text: str) -> str:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(values.get("kind")) if isinstance(values, dict) else ""
