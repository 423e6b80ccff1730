"""What diffusers scheduler configs of any age say of the schedule and of the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.diffusion.settings import MAX_STEPS, SettingsError, check_whole
from ddim_studio.models.errors import ModelError, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

PREDICTIONS: Final = {
    "epsilon": "ε (noise)",
    "sample": "x_0 (image)",
    "v_prediction": "v (velocity)",
}
BETA_SCHEDULERS: Final = ("DDIMScheduler", "DDPMScheduler", "GaussianDDPMScheduler")
BETA_KEYS: Final = {"beta_start", "beta_end", "beta_schedule", "trained_betas"}
OLD_NAMES: Final = {"timesteps": "num_train_timesteps", "clip_predicted_image": "clip_sample"}
"""Entries that diffusers renamed in 2022; the new name wins where both are given."""


def current_scheduler(config: Mapping[str, Any]) -> dict[str, Any]:
    """A scheduler config with the names that diffusers has today.

    Raises:
        ModelError: It is of another kind of diffusion, or predicts what is not known.
    """
    values = {OLD_NAMES[key]: value for key, value in config.items() if key in OLD_NAMES}
    values |= {key: value for key, value in config.items() if key not in OLD_NAMES}
    if values.pop("predict_epsilon", True) is False:
        values.setdefault("prediction_type", "sample")
    name = values.get("_class_name", "DDIMScheduler")
    if name not in BETA_SCHEDULERS and not values.keys() & BETA_KEYS:
        raise ModelError(
            f"The model was trained for {excerpt(name)}, whose noise is not given by a schedule "
            "of β.",
            "Models for DDPM or DDIM can be opened.",
        )
    prediction_of(values)
    timesteps_of(values)
    return values


def prediction_of(scheduler: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a key of PREDICTIONS)
    """What the network predicts, a key of `PREDICTIONS`.

    Raises:
        ModelError: It is something else.
    """
    kind = scheduler.get("prediction_type", "epsilon")
    if kind not in tuple(PREDICTIONS):  # a list in the config is not hashable
        raise ModelError(
            f"The model predicts {excerpt(kind)}; known are {', '.join(PREDICTIONS)}.",
            "Correct prediction_type in the scheduler's config.",
        )
    return kind


def timesteps_of(scheduler: Mapping[str, Any]) -> int:
    """T.

    Raises:
        ModelError: It is no number of timesteps.
    """
    steps, betas = scheduler.get("num_train_timesteps", 1000), scheduler.get("trained_betas")
    if isinstance(betas, list):  # these alone make the schedule, whatever the config says of T
        steps = len(betas)
    try:
        check_whole("num_train_timesteps", steps, 1, MAX_STEPS)
    except SettingsError as error:
        raise unusable_scheduler(error) from error
    return int(steps)


def unusable_scheduler(error: SettingsError) -> ModelError:
    """The error of a schedule, as one of the model."""
    reason = excerpt(str(error), 300).removesuffix(".")
    return ModelError(
        f"The scheduler's config cannot be used: {reason}.",
        "Copy or download the model again, or correct its scheduler_config.json.",
    )


def schedule_name(scheduler: Mapping[str, Any]) -> str:
    """The schedule in words."""
    if scheduler.get("trained_betas") is not None:
        return "explicit β"
    name = scheduler.get("beta_schedule", "linear")
    if name == "squaredcos_cap_v2":
        return "squared cosine"
    start, end = scheduler.get("beta_start", 1e-4), scheduler.get("beta_end", 0.02)
    return f"{excerpt(name).replace('_', '-')}, β {excerpt(start)} … {excerpt(end)}"


def scheduler_notes(scheduler: Mapping[str, Any]) -> list[str]:
    """What a user should know of how its authors sample."""
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
