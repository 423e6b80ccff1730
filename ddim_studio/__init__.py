"""DDIM Studio: sample, watch and invert with denoising diffusion implicit models.

>>> import ddim_studio as ds                                             # doctest: +SKIP
>>> model = ds.load_model("fashion-28")                                  # doctest: +SKIP
>>> x_T = ds.seeded_noise(model, seeds=range(4))                         # doctest: +SKIP
>>> for step in ds.sample(model, x_T, ds.SampleSettings(steps=50)):      # doctest: +SKIP
...     print(step.t, step.t_next, step.x.shape)

Importing this package is light: torch and diffusers load with the first name that needs them, and
no global setting of theirs is changed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ddim_studio.diffusion.bound import bound_steps as bound_steps
    from ddim_studio.diffusion.bound import variational_bound as variational_bound
    from ddim_studio.diffusion.bound_estimate import Bound as Bound
    from ddim_studio.diffusion.bound_settings import BoundSettings as BoundSettings
    from ddim_studio.diffusion.forward import ForwardStep as ForwardStep
    from ddim_studio.diffusion.forward import forward_chain as forward_chain
    from ddim_studio.diffusion.forward import noised as noised
    from ddim_studio.diffusion.interpolation import InterpolationError as InterpolationError
    from ddim_studio.diffusion.interpolation import corner_grid as corner_grid
    from ddim_studio.diffusion.interpolation import lerp as lerp
    from ddim_studio.diffusion.interpolation import slerp as slerp
    from ddim_studio.diffusion.inversion import Inversion as Inversion
    from ddim_studio.diffusion.inversion import InvertStep as InvertStep
    from ddim_studio.diffusion.inversion import invert as invert
    from ddim_studio.diffusion.inversion import invert_steps as invert_steps
    from ddim_studio.diffusion.inversion import reconstruct as reconstruct
    from ddim_studio.diffusion.matrix_measurement import MatrixMeasurement as MatrixMeasurement
    from ddim_studio.diffusion.measurements import Chain as Chain
    from ddim_studio.diffusion.measurements import Colourise as Colourise
    from ddim_studio.diffusion.measurements import Denoise as Denoise
    from ddim_studio.diffusion.measurements import Inpaint as Inpaint
    from ddim_studio.diffusion.measurements import Measurement as Measurement
    from ddim_studio.diffusion.measurements import SuperResolve as SuperResolve
    from ddim_studio.diffusion.noise import seeded_noise as seeded_noise
    from ddim_studio.diffusion.posterior import Kernel as Kernel
    from ddim_studio.diffusion.posterior import posterior as posterior
    from ddim_studio.diffusion.posterior import reverse_kernel as reverse_kernel
    from ddim_studio.diffusion.restoration import RestoreStep as RestoreStep
    from ddim_studio.diffusion.restoration import measure as measure
    from ddim_studio.diffusion.restoration import restore as restore
    from ddim_studio.diffusion.restore_settings import RestoreSettings as RestoreSettings
    from ddim_studio.diffusion.sampling import Step as Step
    from ddim_studio.diffusion.sampling import sample as sample
    from ddim_studio.diffusion.settings import InvertSettings as InvertSettings
    from ddim_studio.diffusion.settings import SampleSettings as SampleSettings
    from ddim_studio.diffusion.settings import SettingsError as SettingsError
    from ddim_studio.diffusion.statistics import NoiseStatistics as NoiseStatistics
    from ddim_studio.diffusion.statistics import noise_statistics as noise_statistics
    from ddim_studio.diffusion.trajectory import Trajectory as Trajectory
    from ddim_studio.models.errors import ModelError as ModelError
    from ddim_studio.models.loading import load_model as load_model

__version__ = "0.1.0"

_HOMES = {
    "Bound": "diffusion.bound_estimate",
    "BoundSettings": "diffusion.bound_settings",
    "Chain": "diffusion.measurements",
    "Colourise": "diffusion.measurements",
    "Denoise": "diffusion.measurements",
    "ForwardStep": "diffusion.forward",
    "Inpaint": "diffusion.measurements",
    "InterpolationError": "diffusion.interpolation",
    "Inversion": "diffusion.inversion",
    "InvertSettings": "diffusion.settings",
    "InvertStep": "diffusion.inversion",
    "Kernel": "diffusion.posterior",
    "MatrixMeasurement": "diffusion.matrix_measurement",
    "Measurement": "diffusion.measurements",
    "ModelError": "models.errors",
    "NoiseStatistics": "diffusion.statistics",
    "RestoreSettings": "diffusion.restore_settings",
    "RestoreStep": "diffusion.restoration",
    "SampleSettings": "diffusion.settings",
    "SettingsError": "diffusion.settings",
    "Step": "diffusion.sampling",
    "SuperResolve": "diffusion.measurements",
    "Trajectory": "diffusion.trajectory",
    "bound_steps": "diffusion.bound",
    "corner_grid": "diffusion.interpolation",
    "forward_chain": "diffusion.forward",
    "invert": "diffusion.inversion",
    "invert_steps": "diffusion.inversion",
    "lerp": "diffusion.interpolation",
    "load_model": "models.loading",
    "measure": "diffusion.restoration",
    "noise_statistics": "diffusion.statistics",
    "noised": "diffusion.forward",
    "posterior": "diffusion.posterior",
    "reconstruct": "diffusion.inversion",
    "restore": "diffusion.restoration",
    "reverse_kernel": "diffusion.posterior",
    "sample": "diffusion.sampling",
    "seeded_noise": "diffusion.noise",
    "slerp": "diffusion.interpolation",
    "variational_bound": "diffusion.bound",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 (strings all; ruff cannot see it)


def __getattr__(name: str) -> Any:  # noqa: ANN401 (any public name)
    """Load a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
