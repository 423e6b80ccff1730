"""An opened model: a `Denoiser` that knows its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.diffusion.denoiser import Denoiser

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ddim_studio.diffusion.denoiser import PredictionType
    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.models.info import ModelInfo


class Model(Denoiser):
    """A loaded checkpoint.

    Attributes:
        info: Its card.
        unet: The diffusers network.
    """

    def __init__(
        self,
        unet: torch.nn.Module,
        schedule: Schedule,
        info: ModelInfo,
        prediction: PredictionType,
        device: str,
    ) -> None:
        self.unet = unet.to(device)
        self.info = info
        super().__init__(
            self._forward, schedule, info.image_shape, prediction=prediction, device=device
        )

    def _forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        output: Tensor = self.unet(x_t, t, return_dict=False)[0]
        return output
