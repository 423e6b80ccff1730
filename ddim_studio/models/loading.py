"""Opening a model: `describe` reads its card, `load_model` makes it ready to denoise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import PRECISIONS, SettingsError, check_choice
from ddim_studio.models.acceleration.precision import ENGINES
from ddim_studio.models.catalog import identity, resolve
from ddim_studio.models.families import find
from ddim_studio.models.info import ModelInfo
from ddim_studio.models.scheduler_config import (
    PREDICTIONS,
    prediction_of,
    schedule_name,
    timesteps_of,
    unusable_scheduler,
)
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from os import PathLike

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.models.acceleration.precision import EngineChoice
    from ddim_studio.models.blueprint import Found
    from ddim_studio.models.model import Model


def describe(source: str | PathLike[str]) -> ModelInfo:
    """The card of a model. Reads no weights, and does not load torch for safetensors.

    Args:
        source: A bundled name, a diffusers folder, a checkpoint file, a folder with exactly one
            such file, or the ``hub:owner/name`` of a model that was downloaded.

    Raises:
        ModelError: There is no such model, or its files are not in order.
    """
    source = os.fspath(source)
    return card_of(source, find(resolve(source)))


def load_model(
    source: str | PathLike[str] = DEFAULT_MODEL,
    device: str = "auto",
    *,
    engine: EngineChoice = "eager",
    precision: Precision = "precise",
) -> Model:
    """Open a model and put it on a device.

    Args:
        source: A bundled name, a diffusers folder in the pipeline or the flat layout, a checkpoint
            file (official DDIM/DDPM, guided-diffusion, denoising-diffusion-pytorch), a folder
            with exactly one such file, or the ``hub:owner/name`` of a model that was downloaded.
        device: "auto", "cpu", "cuda" or "mps".
        engine: What runs the network. "eager" is torch, op by op, the same to the bit as in
            diffusers. "auto" takes the faster engine of the processor where that is installed:
            at once if it was made before, else from when it is ready, torch until then. Float32
            differs from torch by about 1e-6 of ε.
        precision: "precise" is float32 throughout; "fast" has the engine compute in bfloat16,
            where the processor can. torch is always precise.

    Returns:
        The model, ready for `sample`.

    Raises:
        ModelError: There is no such model or device, or the model's files are not in order.
        SettingsError: There is no such engine or precision.
    """
    check_choice("engine", engine, ENGINES)
    check_choice("precision", precision, PRECISIONS)
    model = _opened(os.fspath(source), device)
    return model if engine == "eager" else _accelerated(model, precision)


def _opened(source: str, device: str) -> Model:
    """The model as torch runs it."""
    from ddim_studio.diffusion import schedule
    from ddim_studio.models.devices import pick_device
    from ddim_studio.models.model import Model

    place = pick_device(device)
    found = find(resolve(source))
    info, plan = card_of(source, found), found.blueprint
    network = found.network()
    try:
        steps = schedule.from_config(plan.scheduler)
        kind = prediction_of(plan.scheduler)
        return Model(network, steps, info, kind, place, time_scale=plan.time_scale)
    except SettingsError as error:
        raise unusable_scheduler(error) from error


def _accelerated(model: Model, precision: Precision) -> Model:
    """A view of a model that runs on the engine as soon as that is ready, if there is one."""
    from ddim_studio.models.acceleration.engine import engine_for
    from ddim_studio.models.acceleration.network import with_engine

    engine = engine_for(model)
    if engine is None:
        return model
    model.engine = engine
    engine.take_up(precision)
    return with_engine(model, engine, precision)


def card_of(source: str, found: Found) -> ModelInfo:
    """The card of a checkpoint that was found.

    Args:
        source: What `describe` was given.
        found: What is there.

    Raises:
        ModelError: Its schedule is none that this program knows.
    """
    plan = found.blueprint
    name, origin = identity(source, found.path)
    return ModelInfo(
        name=name,
        source=origin,
        family=plan.family,
        image_shape=plan.image_shape,
        parameters=plan.parameters,
        nbytes=found.nbytes,
        timesteps=timesteps_of(plan.scheduler),
        schedule=schedule_name(plan.scheduler),
        prediction=PREDICTIONS[prediction_of(plan.scheduler)],
        licence=plan.licence,
        summary=plan.summary,
        notes=plan.notes,
        classes=plan.classes,
    )
