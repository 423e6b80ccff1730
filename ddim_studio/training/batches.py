"""From the images and the draws of a step to the tensors that it is computed from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from ddim_studio.imaging.pixels import from_pixels
from ddim_studio.training.objective import Batch

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.training.draws import Draws


class Batches:
    """One process's parts of the batches, by their step.

    Args:
        pixels: (N, H, W, C), uint8, all images.
        rows: The numbers of those that are drawn from.
        draws: What is drawn.
        part: Which images of a batch this process takes.
        flip: Whether images are mirrored where the draw says so.
        device: Where the tensors go.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        rows: NDArray[np.int64],
        draws: Draws,
        part: slice,
        device: torch.device,
        *,
        flip: bool,
    ) -> None:
        self._pixels, self._rows, self._draws = pixels, rows, draws
        self._part, self._flip, self._device = part, flip, device

    def at(self, step: int) -> Batch:
        """The batch of step 0, 1, …."""
        drawn = self._draws.draw(step, self._part)
        images = self._pixels[self._rows[drawn.rows]]
        if self._flip:
            images[drawn.flips] = images[drawn.flips, :, ::-1]
        return Batch(
            self._placed(from_pixels(images)),
            self._placed(torch.from_numpy(drawn.t)),
            self._placed(torch.from_numpy(drawn.epsilon)),
        )

    def since(self, step: int) -> Generator[Batch, None, None]:
        """The batches of steps ``step``, ``step`` + 1, …, without end.

        Where the device computes by itself, the next one is made in a thread meanwhile.
        """
        if self._device.type == "cpu":
            while True:
                yield self.at(step)
                step += 1
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
            coming = pool.submit(self.at, step)
            while True:
                batch = coming.result()
                step += 1
                coming = pool.submit(self.at, step)
                yield batch

    def _placed(self, tensor: torch.Tensor) -> torch.Tensor:
        if self._device.type == "cuda":
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor.to(self._device)
