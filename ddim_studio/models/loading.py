"""Opening a model: `describe` reads its card, `load_model` makes it ready to denoise."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from ddim_studio.diffusion.settings import MAX_STEPS, SettingsError, check_whole
from ddim_studio.models.catalog import bundled_models, resolve
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import ModelFolder, licence_of, read_folder, summary_of
from ddim_studio.models.info import ModelInfo
from ddim_studio.models.unet import check_network_config
from ddim_studio.models.weights import read_weights, safetensors_header

if TYPE_CHECKING:
    from os import PathLike

    from ddim_studio.models.model import Model

PREDICTIONS = {"epsilon": "ε (noise)", "sample": "x_0 (image)", "v_prediction": "v (velocity)"}
BETA_SCHEDULERS = ("DDIMScheduler", "DDPMScheduler")
BETA_KEYS = {"beta_start", "beta_end", "beta_schedule", "trained_betas"}


def describe(source: str | PathLike[str]) -> ModelInfo:
    """The card of a model. Reads no weights, and does not load torch for safetensors.

    Args:
        source: A bundled name, or the path of a diffusers folder.

    Raises:
        ModelError: There is no such model, or its files are not in order.
    """
    source = os.fspath(source)
    return _info(source, read_folder(resolve(source)))


def load_model(source: str | PathLike[str] = "fashion-28", device: str = "auto") -> Model:
    """Open a model and put it on a device.

    Args:
        source: A bundled name, or the path of a diffusers folder in the pipeline or the flat
            layout.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The model, ready for `sample`.

    Raises:
        ModelError: There is no such model or device, or the model's files are not in order.
    """
    from ddim_studio.diffusion import schedule
    from ddim_studio.models.devices import pick_device
    from ddim_studio.models.model import Model
    from ddim_studio.models.unet import build_unet

    place = pick_device(device)
    source = os.fspath(source)
    folder = read_folder(resolve(source))
    info = _info(source, folder)
    network = build_unet(folder.network, read_weights(folder.weights))
    try:
        return Model(network, schedule.from_config(folder.scheduler), info, _kind(folder), place)
    except SettingsError as error:
        raise _unusable_scheduler(error) from error


def _unusable_scheduler(error: SettingsError) -> ModelError:
    reason = excerpt(str(error), 300).removesuffix(".")
    return ModelError(f"The scheduler's config cannot be used: {reason}.")


def _info(source: str, folder: ModelFolder) -> ModelInfo:
    shape = check_network_config(folder.network)
    scheduler = folder.scheduler
    _check_betas(scheduler)
    name = source if source in bundled_models() else folder.path.name
    return ModelInfo(
        name=name,
        source=source if source in bundled_models() else str(folder.path),
        family=f"diffusers UNet2DModel ({folder.layout} layout)",
        image_shape=shape,
        parameters=_parameters(folder),
        nbytes=folder.weights.stat().st_size,
        timesteps=_timesteps(scheduler),
        schedule=_schedule_name(scheduler),
        prediction=PREDICTIONS[_kind(folder)],
        licence=licence_of(folder.card),
        summary=summary_of(folder.card),
        notes=tuple(_notes(scheduler)),
    )


def _kind(folder: ModelFolder) -> Any:  # noqa: ANN401 (a key of PREDICTIONS)
    kind = folder.scheduler.get("prediction_type", "epsilon")
    if kind not in tuple(PREDICTIONS):  # a list in the config is not hashable
        raise ModelError(
            f"The model predicts {excerpt(kind)}; known are {', '.join(PREDICTIONS)}.",
        )
    return kind


def _check_betas(scheduler: dict[str, Any]) -> None:
    """Refuse the schedulers of other kinds of diffusion, whose configs speak of no β."""
    name = scheduler.get("_class_name", "DDIMScheduler")
    if name not in BETA_SCHEDULERS and not scheduler.keys() & BETA_KEYS:
        raise ModelError(
            f"The model was trained for {excerpt(name)}, whose noise is not given by a schedule "
            "of β.",
            "Models for DDPM or DDIM can be opened.",
        )


def _parameters(folder: ModelFolder) -> int:
    if folder.weights.suffix == ".safetensors":
        shapes = [tensor.shape for tensor in safetensors_header(folder.weights).values()]
    else:
        shapes = [tuple(tensor.shape) for tensor in read_weights(folder.weights).values()]
    return sum(math.prod(shape) for shape in shapes)


def _timesteps(scheduler: dict[str, Any]) -> int:
    betas = scheduler.get("trained_betas")
    if isinstance(betas, list):  # these alone make the schedule, whatever the config says of T
        steps = len(betas)
    else:
        steps = scheduler.get("num_train_timesteps", scheduler.get("timesteps", 1000))
    try:
        check_whole("num_train_timesteps", steps, 1, MAX_STEPS)
    except SettingsError as error:
        raise _unusable_scheduler(error) from error
    return int(steps)


def _schedule_name(scheduler: dict[str, Any]) -> str:
    if scheduler.get("trained_betas") is not None:
        return "explicit β"
    name = scheduler.get("beta_schedule", "linear")
    if name == "squaredcos_cap_v2":
        return "squared cosine"
    start, end = scheduler.get("beta_start", 1e-4), scheduler.get("beta_end", 0.02)
    return f"{excerpt(name).replace('_', '-')}, β {excerpt(start)} … {excerpt(end)}"


def _notes(scheduler: dict[str, Any]) -> list[str]:
    notes = []
    if not scheduler:
        notes.append(
            "There is no scheduler config: DDPM's linear schedule with T = 1000 is assumed."
        )
    if scheduler.get("clip_sample"):
        notes.append("Its authors clip x̂_0 to [−1, 1] while sampling (clip: clamp).")
    if scheduler.get("thresholding"):
        notes.append("Its scheduler asks for dynamic thresholding, which is not applied here.")
    return notes
