"""From a torch network to a graph that the engine reads; run as a process of its own.

    python -m ddim_studio.models.acceleration.conversion SOURCE KEY

opens the model, converts its network and puts the graph into the cache under its key.
"""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.model import Model

DONE, OTHER_MODEL, REFUSED = 0, 3, 4
"""How the process ends: the graph is kept; the files hold another model by now; no graph."""


def graph_of(model: Model) -> Any:  # noqa: ANN401 (OpenVINO's own class)
    """The graph of a model on the CPU: x_t (N, C, H, W), t (N,) and, with classes, label (N,).

    N is open: it is fixed when the graph is compiled. The scale of timesteps is part of the graph.

    Raises:
        Exception: Whatever the packages raise for an operation that they do not know.
    """
    import torch

    from ddim_studio.models.acceleration.library import converter, openvino

    package = openvino()
    times = torch.full((2,), model.schedule.T - 1)
    example = [torch.zeros(2, *model.image_shape), times]
    shapes = [[-1, *model.image_shape], [-1]]
    if model.classes:
        example.append(torch.zeros_like(times))
        shapes.append([-1])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of what a trace does not follow; the result is checked
        return converter()(
            _traceable(model),
            example_input=tuple(example),
            input=[package.PartialShape(shape) for shape in shapes],
        )


def _traceable(model: Model) -> Any:  # noqa: ANN401 (a module; torch is not imported here)
    """The model's network, its timesteps scaled, as one module with one output."""
    import torch

    class Traceable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unet = model.unet

        def forward(
            self, x_t: torch.Tensor, t: torch.Tensor, label: torch.Tensor | None = None
        ) -> torch.Tensor:
            times = t if model.time_scale == 1.0 else t * model.time_scale
            output: torch.Tensor = self.unet(x_t, times, label, return_dict=False)[0]
            return output

    return Traceable().eval()


def convert(source: str, key: str) -> int:
    """Convert the network of a model and keep its graph.

    Args:
        source: What `load_model` takes.
        key: The key of the network that is wanted.

    Returns:
        How it went: `DONE`, `OTHER_MODEL` or `REFUSED`.

    Raises:
        ModelError: The model cannot be opened any more.
        ImportError: The package is not there, or does not work.
        MemoryError: It did not suffice.
        OSError: The cache cannot be written to.
    """
    from ddim_studio.models.acceleration import store
    from ddim_studio.models.acceleration.fingerprint import key_of
    from ddim_studio.models.acceleration.library import converter, openvino
    from ddim_studio.models.loading import load_model

    model = load_model(source, "cpu")
    if key_of(model) != key:
        return OTHER_MODEL
    converter()  # an installation that does not work is no fault of the model
    try:
        graph = graph_of(model)
    except MemoryError:  # there may be more another time
        raise
    except Exception as error:  # noqa: BLE001 (the packages raise nearly anything)
        store.refuse(key, f"{type(error).__name__}: {error}"[:2000])
        return REFUSED

    def write(folder: Any) -> None:  # noqa: ANN401 (a path)
        openvino().save_model(graph, folder / store.GRAPH, compress_to_fp16=False)

    store.keep(key, write)
    return DONE


def main(arguments: Sequence[str]) -> int:
    """Convert what the arguments name; the exit code."""
    import torch

    from ddim_studio.models.acceleration.store import busy_mark

    logging.disable()
    torch.set_num_threads(1)
    source, key = arguments
    try:
        return convert(source, key)
    finally:  # whoever began this may be gone
        busy_mark(key).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
