"""An opened model: a `Denoiser` that knows its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.diffusion.denoiser import Denoiser

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ddim_studio.diffusion.denoiser import PredictionType
    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.models.acceleration.compiled import CompiledNetwork
    from ddim_studio.models.acceleration.engine import Engine
    from ddim_studio.models.info import ModelInfo


class Model(Denoiser):
    """A loaded checkpoint.

    Attributes:
        info: Its card.
        unet: The network: diffusers' ``UNet2DModel``, or one that is called as that is.
        time_scale: What timesteps are multiplied with for the network.
        engine: What may run the network faster; None where torch alone does.
        compiled: What runs it in torch's place, as jobs have it; None where torch does.
    """

    def __init__(
        self,
        unet: torch.nn.Module,
        schedule: Schedule,
        info: ModelInfo,
        prediction: PredictionType,
        device: str,
        *,
        time_scale: float = 1.0,
    ) -> None:
        self.unet = unet.to(device)
        self.info = info
        self.time_scale = time_scale
        self.engine: Engine | None = None
        self.compiled: CompiledNetwork | None = None
        super().__init__(
            self._forward,
            schedule,
            info.image_shape,
            prediction=prediction,
            device=device,
            classes=info.classes,
        )

    def _forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        times = t if self.time_scale == 1.0 else t * self.time_scale
        output: Tensor = self.unet(x_t, times, label, return_dict=False)[0]
        return output
