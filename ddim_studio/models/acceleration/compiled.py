"""A graph compiled for this processor, at a few sizes of batches, and called as a network is.

Graphs of fixed shape run about a third faster than those whose batch is open (fashion-28, one
image: 8.7 against 13.2 ms; 16 images: 93 against 158 ms), and compiling one takes a third of a
second. So a graph is compiled for 1, 4 and 16 images, the two larger ones beside the work when
they are first of use, and a batch is passed in such portions: 23 images as 16, 4, 1, 1 and 1. Past
16 images a call gains nothing. The numbers of an image are the same, to the bit, in every portion.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.acceleration.library import DEVICE, core

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.models.acceleration.store import Graph

PORTIONS: Final = (16, 4, 1)
"""Images that a compiled graph takes, the largest first."""
ROOM: Final = 512 << 20
"""Bytes that the weights of all portions may take beside those of the network."""
PIXELS: Final = 64 * 64
"""Past so many pixels an image is work enough for a call of its own."""
HINTS: Final[dict[Precision, str]] = {"precise": "f32", "fast": "bf16"}


class CompiledNetwork:
    """A network that OpenVINO runs; called with tensors on the CPU.

    Args:
        graph: What it computes.
        image_shape: (C, H, W).
        precision: float32, or bfloat16 inside; input and output are float32.
        threads: How many it may use.
    """

    def __init__(
        self, graph: Graph, image_shape: tuple[int, int, int], precision: Precision, threads: int
    ) -> None:
        self.precision = precision
        self.portions = portions_for(image_shape, len(graph.weights))
        self._graph, self._shape = graph, image_shape
        self._settings = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # others work on these cores as well
        }
        self._lock = threading.Lock()
        self._wanted = {1}
        self._compiling: list[threading.Thread] = []
        self._requests: dict[int, Any] = {1: self._compile(1)}

    def __call__(self, x_t: Tensor, t: Tensor, *labels: Tensor) -> Tensor:
        """The network's output for x_t (N, C, H, W), t (N,) and, with classes, label (N,).

        Raises:
            RuntimeError: OpenVINO could not compute it.
        """
        import torch

        whole = [tensor.detach().contiguous() for tensor in (x_t, t, *labels)]
        with self._lock:
            parts = [
                torch.from_numpy(
                    self._requests[size].infer(
                        [tensor[first : first + size].numpy() for tensor in whole],
                        share_inputs=True,
                    )[0]
                )
                for first, size in self._parts(len(x_t))
            ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def prepare(self, count: int) -> None:
        """Compile, now, all that a batch of so many images passes through."""
        for size in self.portions:
            if size <= count:
                self._want(size)
        for thread in self._compiling:
            thread.join()

    def profile(self, x_t: Tensor, t: Tensor, *labels: Tensor) -> list[tuple[str, str, float]]:
        """Where the time of one call goes: kind of operation, kernel and seconds, by OpenVINO.

        Args:
            x_t: A batch of a size that there is a portion for.
            t: Its timesteps.
            *labels: Its classes, where there are classes.
        """
        request = self._compile(len(x_t), profiled=True)
        given = [tensor.contiguous().numpy() for tensor in (x_t, t, *labels)]
        for _ in range(2):
            request.infer(given, share_inputs=True)
        return [
            (part.node_type, part.exec_type, part.real_time.total_seconds())
            for part in request.profiling_info
        ]

    def _parts(self, count: int) -> Iterator[tuple[int, int]]:
        """The first image and the size of every portion of a batch."""
        first = 0
        for size in self.portions:
            if size <= count - first:
                self._want(size)
            while size in self._requests and size <= count - first:
                yield first, size
                first += size

    def _want(self, size: int) -> None:
        """Have a portion compiled beside the work, unless it is."""
        if size in self._wanted:
            return
        self._wanted.add(size)
        thread = threading.Thread(target=self._add, args=(size,), name="engine")
        self._compiling.append(thread)
        thread.start()

    def _add(self, size: int) -> None:
        try:
            self._requests[size] = self._compile(size)
        except RuntimeError:  # memory, say: smaller portions do as well
            return

    def _compile(self, size: int, *, profiled: bool = False) -> Any:  # noqa: ANN401 (its own class)
        engine = core()
        model = engine.read_model(self._graph.description, self._graph.weights)
        shapes = [[size, *self._shape], *([size] for _ in model.inputs[1:])]
        model.reshape(dict(enumerate(shapes)))
        settings = self._settings | ({"PERF_COUNT": True} if profiled else {})
        return engine.compile_model(model, DEVICE, settings).create_infer_request()


def portions_for(image_shape: tuple[int, int, int], nbytes: int) -> tuple[int, ...]:
    """The portions of a network, by the size of its images and of its weights."""
    _, height, width = image_shape
    if height * width > PIXELS:
        return (1,)
    fitting, room = [1], ROOM
    for size in PORTIONS[-2::-1]:
        room -= nbytes
        if room >= 0:
            fitting.append(size)
    return tuple(reversed(fitting))
