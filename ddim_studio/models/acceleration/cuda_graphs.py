"""Networks that are recorded once and replayed: one launch in place of hundreds.

A small network leaves a graphics processor waiting for the next operation most of the time. A
recording (a CUDA graph) holds all operations of a call and their memory, and is started at once.
It works on tensors of its own: what is given is copied into them, and its output out of them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Network

    Key = tuple[tuple[tuple[int, ...], str], ...]

MOST_SHAPES: Final = 4
"""Recordings that are kept: a run has its batches and a shorter last one, and so has the next."""
CALLS_FIRST: Final = 1
"""Calls of a shape that are made op by op before it is recorded: a single one is not worth it."""
WARM_UP: Final = 3


class Recording:
    """A recorded call.

    Args:
        given: The recording's own input tensors.
        replay: Computes ``output`` from them.
        output: Its own output.
    """

    def __init__(
        self, given: Sequence[Tensor], replay: Callable[[], object], output: Tensor
    ) -> None:
        self._given, self._replay, self._output = tuple(given), replay, output

    def __call__(self, *given: Tensor) -> Tensor:
        """The output for new inputs of the same shapes; a tensor of its own."""
        for own, new in zip(self._given, given, strict=True):
            own.copy_(new, non_blocking=True)
        self._replay()
        return self._output.clone()


class Recorder(Protocol):
    """Makes recordings."""

    def record(self, network: Network, given: Sequence[Tensor]) -> Recording:
        """Record the call of a network for inputs of these shapes.

        Raises:
            RuntimeError: The network does what cannot be recorded, or memory ran out.
        """


class CudaRecorder:
    """Makes CUDA graphs, which share their memory, since only one is replayed at a time.

    Args:
        tuned: Whether the convolutions' algorithms are tried out first. The numbers may then
            differ in their last bits from process to process.
    """

    def __init__(self, *, tuned: bool) -> None:
        self._tuned = tuned
        self._pool: Any = None

    def record(self, network: Network, given: Sequence[Tensor]) -> Recording:
        """Warm up beside the current stream, as CUDA wants it, and capture one call.

        Raises:
            RuntimeError: The network does what cannot be captured, or memory ran out.
        """
        import torch

        device = given[0].device
        own = [tensor.clone() for tensor in given]
        with torch.no_grad(), torch.cuda.device(device), self._tuning():
            self._warm_up(network, own, device)
            if self._pool is None:
                self._pool = torch.cuda.graph_pool_handle()
            graph = torch.cuda.CUDAGraph()
            # thread_local: the threads that copy and write images must not end the capture.
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                output = network(*own)
        return Recording(own, graph.replay, output)

    @staticmethod
    def _warm_up(network: Network, given: Sequence[Tensor], device: Any) -> None:  # noqa: ANN401
        import torch

        here = torch.cuda.current_stream(device)
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                network(*given)
        here.wait_stream(aside)

    @contextmanager
    def _tuning(self) -> Iterator[None]:
        """Try algorithms out meanwhile, if so asked; torch's own setting comes back."""
        from torch.backends import cudnn

        before = cudnn.benchmark
        cudnn.benchmark = self._tuned or before
        try:
            yield
        finally:
            cudnn.benchmark = before


class GraphedNetwork:
    """Calls a network by its recordings, one for each shape, and op by op until there is one.

    Args:
        network: What is recorded.
        recorder: Makes the recordings.
        sound: Whether a recording says what it should, of the same inputs; asked once for each.
        most: How many recordings are kept; those used longest ago go.

    Attributes:
        fault: Why there are no recordings any more; empty as long as there may be.
    """

    def __init__(
        self,
        network: Network,
        recorder: Recorder,
        sound: Callable[[Network, Sequence[Tensor]], bool],
        most: int = MOST_SHAPES,
    ) -> None:
        self._network, self._recorder, self._sound, self._most = network, recorder, sound, most
        self._recordings: dict[Key, Recording] = {}
        self._seen: dict[Key, int] = {}
        self.fault = ""

    def __call__(self, *given: Tensor) -> Tensor:
        """The network's output for tensors on the device.

        Raises:
            RuntimeError: Memory ran out, or the network itself fails.
        """
        if self.fault:
            return self._network(*given)
        key = _key(given)
        recording = self._recordings.pop(key, None) or self._recorded(key, given)
        if recording is None:
            return self._network(*given)
        self._recordings[key] = recording  # the last one is the newest
        return recording(*given)

    def _recorded(self, key: Key, given: Sequence[Tensor]) -> Recording | None:
        """A recording for inputs like these, once they have come often enough."""
        calls = self._seen.get(key, 0)
        self._seen[key] = calls + 1
        if calls < CALLS_FIRST:
            return None
        while len(self._recordings) >= self._most:
            self._recordings.pop(next(iter(self._recordings)))
        try:
            recording = self._recorder.record(self._network, given)
            sound = self._sound(recording, given)
        except RuntimeError as error:
            if is_memory(error):  # a smaller batch may be recorded
                self._recordings.clear()
                raise
            self._give_up(f"it could not be recorded: {type(error).__name__}")
            return None
        if not sound:
            self._give_up("its recording says something else")
            return None
        return recording

    def _give_up(self, why: str) -> None:
        self.fault = why
        self._recordings.clear()


def is_memory(error: BaseException) -> bool:
    """Whether the device's memory ran out, for which fewer images at a time are the remedy."""
    return type(error).__name__ == "OutOfMemoryError"


def _key(given: Sequence[Tensor]) -> Key:
    return tuple((tuple(tensor.shape), str(tensor.dtype)) for tensor in given)
