"""The network run by ONNX Runtime, to compare the engine with."""

from __future__ import annotations

import copy
import io

import torch

import ddim_studio as ds
from ddim_studio.models.model import Model


class _Traceable(torch.nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.unet = model.unet

    def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.unet(x_t, t, return_dict=False)[0]


def onnx_network(model: Model, batch: int) -> Model:
    """A view of an unconditional model whose network ONNX Runtime computes, for one batch size."""
    import onnxruntime

    given = (ds.seeded_noise(model, range(batch)), torch.zeros(batch, dtype=torch.long))
    file = io.BytesIO()
    torch.onnx.export(_Traceable(model).eval(), given, file, dynamo=False, input_names=["x", "t"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file.getvalue(), options)

    def network(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        said = session.run(None, {"x": x_t.contiguous().numpy(), "t": t.numpy()})[0]
        return torch.from_numpy(said)

    view = copy.copy(model)
    view.network = network
    return view
