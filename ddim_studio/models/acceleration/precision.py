"""What can be asked for: which engine, and how exact. Torch-free."""

from __future__ import annotations

import importlib.util
import os
from typing import Final, Literal, get_args

EngineChoice = Literal["eager", "auto"]
ENGINES: Final[tuple[EngineChoice, ...]] = get_args(EngineChoice)
"""torch, op by op; or the fastest that there is, torch as long as it is not ready."""

ENGINE_VARIABLE: Final = "DDIM_STUDIO_ENGINE"
PACKAGE: Final = "openvino"
NOT_INSTALLED: Final = (
    "Fast needs the package openvino: install ddim-studio[engine]. What runs is precise."
)
SWITCHED_OFF: Final = f"The engine is switched off by {ENGINE_VARIABLE}. What runs is precise."
NO_BFLOAT16: Final = "This processor does not compute with bfloat16. What runs is precise."


def engine_allowed() -> bool:
    """Whether the environment leaves the choice of the engine to the program."""
    return os.environ.get(ENGINE_VARIABLE, "auto").strip().lower() != "eager"


def engine_installed() -> bool:
    """Whether the package is there; it is not imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def hindrance() -> str:
    """Why "fast" cannot be had for reasons known without importing anything; else nothing."""
    if not engine_allowed():
        return SWITCHED_OFF
    return "" if engine_installed() else NOT_INSTALLED
