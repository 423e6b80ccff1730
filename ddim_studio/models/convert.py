"""Writing a model of any family that diffusers can hold as a clean diffusers folder."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.catalog import resolve
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.families import find
from ddim_studio.models.folder import WEIGHT_NAMES, is_diffusers_folder
from ddim_studio.models.loading import describe, load_model
from ddim_studio.storage import atomic_folder

if TYPE_CHECKING:
    from ddim_studio.models.blueprint import Blueprint
    from ddim_studio.models.info import ModelInfo
    from ddim_studio.models.model import Model

SCHEDULER_KEYS: Final = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "clip_sample",
    "clip_sample_range",
    "set_alpha_to_one",
    "steps_offset",
    "rescale_betas_zero_snr",
    "timestep_spacing",
    "thresholding",
    "dynamic_thresholding_ratio",
    "sample_max_value",
)
"""What diffusers' ``DDIMScheduler`` takes."""
UNALIKE: Final = "Use it as it is: this program opens it."


def convert(source: str, destination: str | Path, *, force: bool = False) -> ModelInfo:
    """Write a model as a diffusers folder in the pipeline layout, with safetensors.

    The folder is complete or not there at all: it is written beside its place, opened again,
    compared tensor by tensor, and renamed.

    Args:
        source: What `load_model` opens.
        destination: Where to write.
        force: Whether a model that is there is replaced.

    Returns:
        The card of the new model.

    Raises:
        ModelError: The source cannot be opened, diffusers has no class for its network, or the
            destination is taken.
        OSError: It cannot be written.
    """
    path = resolve(source)
    plan = find(path).blueprint
    _refuse_what_diffusers_lacks(plan)
    target = Path(destination).expanduser().absolute()
    _check_target(target, path, force=force)
    model = load_model(source, device="cpu")
    with atomic_folder(target) as draft:
        _write(draft, model, plan)
        _verify(draft, model)
    return describe(target)


def _refuse_what_diffusers_lacks(plan: Blueprint) -> None:
    """Raise where no config of ``UNet2DModel`` describes the network.

    Raises:
        ModelError: None does.
    """
    if plan.network is None:
        raise ModelError(
            f"A {plan.family} cannot be converted: no class of diffusers is its network.", UNALIKE
        )
    if plan.heads is not None:
        raise ModelError(
            f"This {plan.family} cannot be converted: its attention has {plan.heads} heads at "
            "every level, which no config of diffusers can say.",
            UNALIKE,
        )
    if plan.time_scale != 1.0:
        raise ModelError(
            f"This {plan.family} cannot be converted: its network takes t·{plan.time_scale:g}, "
            "which no config of diffusers can say.",
            UNALIKE,
        )


def _check_target(target: Path, source: Path, *, force: bool) -> None:
    """Raise where writing would destroy something that it should not.

    Raises:
        ModelError: There is something, and it is not a model to be replaced.
    """
    shown = excerpt(str(target), 200)
    if not target.exists() and not target.is_symlink():
        return
    if not force:
        raise ModelError(
            f"There is something at {shown} already.", "Give another place, or add --force."
        )
    resolved = target.resolve()
    if source == resolved or resolved in source.parents:
        raise ModelError(f"{shown} holds the very model to convert.", "Give another place.")
    is_model = target.is_dir() and is_diffusers_folder(target)
    is_empty = target.is_dir() and not any(target.iterdir())
    if target.is_symlink() or not (is_model or is_empty):
        raise ModelError(
            f"{shown} is not replaced: it is neither a diffusers model nor an empty folder.",
            "Give another place.",
        )


def _write(folder: Path, model: Model, plan: Blueprint) -> None:
    from safetensors.torch import save_file

    config = {k: v for k, v in dict(model.unet.config).items() if not k.startswith("_")}  # type: ignore[arg-type]
    stamp = {"_diffusers_version": version("diffusers")}
    scheduler = {key: plan.scheduler[key] for key in SCHEDULER_KEYS if key in plan.scheduler}
    kind = "DDPMScheduler" if scheduler.get("beta_schedule") == "sigmoid" else "DDIMScheduler"
    _write_json(
        folder / "model_index.json",
        {
            "_class_name": "DDIMPipeline",
            **stamp,
            "scheduler": ["diffusers", kind],
            "unet": ["diffusers", "UNet2DModel"],
        },
    )
    _write_json(folder / "unet" / "config.json", {"_class_name": "UNet2DModel", **stamp, **config})
    _write_json(
        folder / "scheduler" / "scheduler_config.json", {"_class_name": kind, **stamp, **scheduler}
    )
    tensors = {name: tensor.contiguous() for name, tensor in model.unet.state_dict().items()}
    save_file(tensors, folder / "unet" / WEIGHT_NAMES[0], metadata={"format": "pt"})
    (folder / "README.md").write_text(card(model.info), encoding="utf-8")


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def card(info: ModelInfo) -> str:
    """The model card of a converted model: what it is, and where it comes from.

    Args:
        info: Of the model that was converted.
    """
    licence = [] if info.licence == "not stated" else [f"license: {info.licence}"]
    left_out = {"Name", "Source", "Weights", "Licence", "Note"}
    facts = [f"- {label}: {text}" for label, text in info.lines() if label not in left_out]
    notes = [f"- Note: {note}" for note in info.notes]
    origin = info.source if info.source.startswith("hub:") else info.name
    return "\n".join(
        [
            "---",
            "library_name: diffusers",
            *licence,
            "---",
            "",
            f"# {info.name}",
            "",
            info.summary or f"Converted by DDIM Studio from {origin}.",
            "",
            *([f"Converted by DDIM Studio from {origin}.", ""] if info.summary else []),
            *facts,
            *notes,
            "",
        ]
    )


def _verify(folder: Path, model: Model) -> None:
    """Open what was written, and compare it with the model.

    Raises:
        ModelError: It is not the same.
    """
    import torch

    written = load_model(str(folder), device="cpu")
    mine, theirs = model.unet.state_dict(), written.unet.state_dict()
    same = mine.keys() == theirs.keys() and all(torch.equal(mine[n], theirs[n]) for n in mine)
    schedules = torch.equal(model.schedule.alpha_bars, written.schedule.alpha_bars)
    ends = model.schedule.final_alpha_bar == written.schedule.final_alpha_bar
    kinds = model.prediction == written.prediction and model.classes == written.classes
    if not (same and schedules and ends and kinds):
        raise ModelError(
            "The converted model is not the same when it is opened again; it is not kept.",
            "Check that the disk is in order, and try again.",
        )
