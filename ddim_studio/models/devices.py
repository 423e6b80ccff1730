"""Which device runs the network."""

from __future__ import annotations

from typing import Literal, get_args

from ddim_studio.models.errors import ModelError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


def available_devices() -> tuple[DeviceName, ...]:
    """The devices of this computer, best first. Loads torch."""
    import torch

    found: list[DeviceName] = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def pick_device(name: str) -> DeviceName:
    """The device that ``name`` asks for, ``auto`` being the best there is.

    Raises:
        ModelError: This computer does not have it.
    """
    found = available_devices()
    if name == "auto":
        return found[0]
    for device in found:
        if device == name:
            return device
    raise ModelError(
        f"The device {name!r} is not available here; available: {', '.join(found)}.",
        "Choose auto or cpu.",
    )
