"""The model that a run starts from, where it does not begin with random weights.

Torch-free but for `read_start`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.models.catalog import identity, resolve
from ddim_studio.models.config_faults import fault_of
from ddim_studio.models.families import find
from ddim_studio.models.folder import is_diffusers_folder
from ddim_studio.models.legacy import current_config
from ddim_studio.models.scheduler_config import prediction_of
from ddim_studio.models.unet import CHECK_CONFIG
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.settings import TrainSettings, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddim_studio.models.blueprint import Blueprint, Found

SCHEDULE: Final = (
    *("num_train_timesteps", "beta_schedule", "beta_start", "beta_end", "trained_betas"),
    *("rescale_betas_zero_snr", "set_alpha_to_one", "clip_sample", "clip_sample_range"),
)
"""The entries of a scheduler's config that a model hands on to the one that is made from it."""
DEFAULT_BLOCKS: Final = ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")
DEFAULT_WIDTHS: Final = (224, 448, 672, 896)
"""What diffusers takes where a network's config leaves them out."""
PREDICTIONS: Final = {"epsilon": "epsilon", "v_prediction": "v"}


@dataclass(frozen=True)
class Start:
    """The network that a run starts from.

    Attributes:
        name: Of the model.
        network: Arguments of ``UNet2DModel``.
        scheduler: The entries `SCHEDULE` of its scheduler's config, where it has them.
        tensors: The weights, float32; none where a checkpoint has newer ones.
    """

    name: str
    network: dict[str, Any]
    scheduler: dict[str, Any]
    tensors: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def about(self) -> dict[str, Any]:
        """All but the weights, as plain JSON, for checkpoints."""
        return {"name": self.name, "network": self.network, "scheduler": self.scheduler}


def planned_from(values: Mapping[str, Any], given: Mapping[str, Any]) -> TrainSettings:
    """The settings of a run that begins; the model that it starts from decides some of them.

    Args:
        values: Settings by name.
        given: Those among them that were asked for now, and must not contradict the model.

    Raises:
        ModelError: There is no such model, or its files are not in order.
        SettingsError: A value is out of range, or contradicts the model.
        TrainingError: Such a model cannot be trained further.
    """
    if not values.get("start"):
        return TrainSettings.from_dict(dict(values))
    name, decided = _decided_by(values["start"])
    for key, value in decided.items():
        asked = given.get(key)
        if asked is not None and asked != value:
            raise SettingsError(
                key,
                f"{key} is {shown(value)} in {name}, which this run starts from, and cannot be "
                f"{shown(asked)}: leave it out.",
            )
    return TrainSettings.from_dict({**values, **decided})


def read_start(source: str) -> Start:
    """The network of a model, with its weights.

    Raises:
        ModelError: There is no such model, or its files are not in order.
        TrainingError: Such a model cannot be trained further.
    """
    from diffusers import UNet2DModel

    name, found = _found(source)
    known = inspect.signature(UNet2DModel.__init__).parameters
    config = current_config(found.blueprint.network or {})
    network = {key: value for key, value in config.items() if key in known}
    scheduler = found.blueprint.scheduler
    return Start(
        name,
        # dropout would draw random numbers that the run's seed does not decide
        network | {"dropout": 0.0},
        {key: scheduler[key] for key in SCHEDULE if key in scheduler},
        found.network().state_dict(),
    )


def _found(source: str) -> tuple[str, Found]:
    """The name of a model and what it holds, if it can be trained further."""
    path = resolve(source)
    name = identity(source, path)[0]
    if not path.is_dir() or not is_diffusers_folder(path):
        raise TrainingError(
            f"{name} is no diffusers folder, so no run can start from it.",
            "Make a diffusers folder of it with ddim-studio models convert.",
        )
    found = find(path)
    if reason := _obstacle(found.blueprint):
        raise TrainingError(
            f"No run can start from {name}: {reason}.",
            "Give a model of square images without classes, which predicts ε or v.",
        )
    return name, found


def _obstacle(plan: Blueprint) -> str:
    """Why a network cannot be trained here, or nothing."""
    channels, height, width = plan.image_shape
    if plan.classes:
        return "it draws classes"
    if height != width:
        return f"its images are {width}×{height} pixels, not square"
    if (plan.network or {}).get("out_channels", 3) != channels:
        return "it has learned its variance too"
    if prediction_of(plan.scheduler) not in PREDICTIONS:
        return "it predicts x_0"
    return ""


def _decided_by(source: str) -> tuple[str, dict[str, Any]]:
    """The name of a model, and the settings of every run that starts from it."""
    name, found = _found(source)
    plan = found.blueprint
    config = current_config(plan.network or {})
    if fault := fault_of(config):
        raise TrainingError(f"No run can start from {name}: {fault}.", CHECK_CONFIG)
    channels, size, _ = plan.image_shape
    kinds = config.get("down_block_types", DEFAULT_BLOCKS)
    decided = {
        "size": size,
        "channels": tuple(config.get("block_out_channels", DEFAULT_WIDTHS)),
        "layers_per_block": config.get("layers_per_block", 2),
        "attention": tuple(size // 2**level for level, kind in enumerate(kinds) if "Attn" in kind),
        "colours": "grey" if channels == 1 else "rgb",
        "prediction": PREDICTIONS[prediction_of(plan.scheduler)],
    }
    try:
        TrainSettings.from_dict({"data": "images", **decided})
    except SettingsError as error:
        reason = str(error).rstrip(".")
        raise TrainingError(f"No run can start from {name}: its {reason}.") from error
    return name, decided
