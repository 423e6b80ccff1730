"""A folder for settings and caches that has the engine of a model in it, as after a first run.

The benchmarks of the window start in it, so that they measure what a user has from the second run
on, and nothing is converted meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".bench" / "home"
_PREPARE = """
import sys
from ddim_studio.jobs.models import ModelCache
engine = ModelCache(1).open(sys.argv[1], "cpu").engine
made = engine and engine.prepare()
print("engine:", "ready" if made else engine.fault("precise") if engine else "none")
"""


def engine_home(model: str) -> None:
    """Use the folder in this process, and have the engine of a model made in it."""
    os.environ["DDIM_STUDIO_HOME"] = str(HOME)
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "config" / "window.json").unlink(missing_ok=True)  # the window as it is at first
    subprocess.run([sys.executable, "-c", _PREPARE, model], check=True)
