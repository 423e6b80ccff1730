"""A tensor on its way from the graphics processor to the computer's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class HostCopy:
    """Copies a tensor while the device goes on with what comes next.

    From a CUDA device the copy goes to page-locked memory and is not waited for: it takes its turn
    behind what was asked of the device so far. From elsewhere it is made at once; a tensor on the
    CPU is not copied. A thread that waits for it sleeps meanwhile.

    Args:
        tensor: Any shape and type.
    """

    def __init__(self, tensor: Tensor) -> None:
        import torch

        self._done: torch.cuda.Event | None = None
        if tensor.device.type != "cuda":
            self._host = tensor.detach().cpu()
            return
        self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        self._host.copy_(tensor.detach(), non_blocking=True)
        self._done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self._done.record(torch.cuda.current_stream(tensor.device))

    def array(self) -> NDArray[Any]:
        """The values, waited for where they are still on their way."""
        if self._done is not None:
            self._done.synchronize()
        array: NDArray[Any] = self._host.numpy()
        return array


def to_device(tensor: Tensor, device: Any) -> Tensor:  # noqa: ANN401 (torch.device)
    """A tensor of the CPU on a device, not waited for where that is a CUDA device."""
    import torch

    place = torch.device(device)
    if place.type != "cuda":
        return tensor.to(place)
    return tensor.pin_memory().to(place, non_blocking=True)
