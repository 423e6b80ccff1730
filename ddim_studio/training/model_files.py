"""The result of a run as a diffusers folder, file by file, so that it can be opened at any time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.storage import atomic_path
from ddim_studio.training.checkpoint import durable_path
from ddim_studio.training.tensor_file import write_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from diffusers import UNet2DModel
    from torch import Tensor

    from ddim_studio.training.settings import Prediction, Store

TIMESTEPS: Final = 1000
BETAS: Final = {
    "num_train_timesteps": TIMESTEPS,
    "beta_schedule": "linear",
    "beta_start": 1e-4,
    "beta_end": 0.02,
}
"""The schedule that is trained on: that of DDPM and DDIM."""


def scheduler_config(prediction: Prediction, schedule: Mapping[str, Any]) -> dict[str, Any]:
    """Contents of ``scheduler_config.json``, for diffusers' ``DDIMScheduler``.

    Args:
        prediction: What the network predicts.
        schedule: `BETAS`, or the same entries of the model that the run started from.
    """
    return {
        "_class_name": "DDIMScheduler",
        "clip_sample": False,
        "prediction_type": "epsilon" if prediction == "epsilon" else "v_prediction",
        "set_alpha_to_one": True,
        "steps_offset": 0,
        "timestep_spacing": "leading",
        **schedule,
    }


def write_model(
    folder: Path,
    network: UNet2DModel,
    scheduler: dict[str, Any],
    card: str,
    *,
    store: Store = "float32",
) -> None:
    """Write a model as `diffusers`' ``save_pretrained`` lays it out, with its card.

    Each file is replaced whole. The weights come last, so the folder opens once they are there.

    Args:
        folder: Where to.
        network: With float32 weights.
        scheduler: From `scheduler_config`.
        card: Text of the ``README.md``.
        store: The precision of the weights in the file.

    Raises:
        OSError: A file cannot be written; what was there before is kept.
    """
    index = {
        "_class_name": "DDIMPipeline",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    }
    _write_text(folder / "model_index.json", _json(index))
    _write_text(folder / "scheduler" / "scheduler_config.json", _json(scheduler))
    _write_text(folder / "unet" / "config.json", network.to_json_string())
    _write_text(folder / "README.md", card)
    with durable_path(folder / "unet" / "diffusion_pytorch_model.safetensors") as temporary:
        tensors = network.state_dict()
        if store == "float16":
            tensors = {name: _halved(tensor) for name, tensor in tensors.items()}
        write_tensors(temporary, tensors, {"format": "pt"})


def _halved(tensor: Tensor) -> Tensor:
    """The tensor in half precision, unless that cannot hold its values."""
    half = tensor.half()
    return half if bool(half.isfinite().all()) else tensor


def _write_text(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2) + "\n"
