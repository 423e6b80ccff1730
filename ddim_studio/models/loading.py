"""Opening a model: `describe` reads its card, `load_model` makes it ready to denoise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ddim_studio.diffusion.settings import MAX_STEPS, SettingsError, check_whole
from ddim_studio.models.catalog import bundled_models, resolve
from ddim_studio.models.errors import ModelError
from ddim_studio.models.folder import ModelFolder, licence_of, read_folder, summary_of
from ddim_studio.models.info import ModelInfo
from ddim_studio.models.unet import check_network_config
from ddim_studio.models.weights import read_weights, safetensors_header

if TYPE_CHECKING:
    from ddim_studio.models.model import Model

PREDICTIONS = {"epsilon": "ε (noise)", "sample": "x_0 (image)", "v_prediction": "v (velocity)"}


def describe(source: str) -> ModelInfo:
    """The card of a model. Reads no weights, and does not load torch for safetensors.

    Args:
        source: A bundled name, or the path of a diffusers folder.

    Raises:
        ModelError: There is no such model, or its files are not in order.
    """
    return _info(source, read_folder(resolve(source)))


def load_model(source: str = "fashion-28", device: str = "auto") -> Model:
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
    folder = read_folder(resolve(source))
    info = _info(source, folder)
    network = build_unet(folder.network, read_weights(folder.weights))
    try:
        return Model(network, schedule.from_config(folder.scheduler), info, _kind(folder), place)
    except SettingsError as error:
        raise ModelError(f"The scheduler's config cannot be used: {error}") from error


def _info(source: str, folder: ModelFolder) -> ModelInfo:
    shape = check_network_config(folder.network)
    _kind(folder)
    name = source if source in bundled_models() else folder.path.name
    scheduler = folder.scheduler
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
    if kind not in PREDICTIONS:
        raise ModelError(
            f"The model predicts {kind!r}; known are {', '.join(PREDICTIONS)}.",
        )
    return kind


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
        raise ModelError(f"The scheduler's config cannot be used: {error}") from error
    return int(steps)


def _schedule_name(scheduler: dict[str, Any]) -> str:
    if scheduler.get("trained_betas") is not None:
        return "explicit β"
    name = scheduler.get("beta_schedule", "linear")
    if name == "squaredcos_cap_v2":
        return "squared cosine"
    start, end = scheduler.get("beta_start", 1e-4), scheduler.get("beta_end", 0.02)
    return f"{str(name).replace('_', '-')}, β {start} … {end}"


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
