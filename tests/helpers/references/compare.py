"""Files of checkpoints, and how far an opened model is from its reference."""

from __future__ import annotations

import json

import torch


def written(folder, values, hints=None, name="model.pt"):
    """The path of a checkpoint file with these values, and the facts beside it."""
    path = folder / name
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in values.items()}, path)
    else:
        torch.save(values, path)
    if hints is not None:
        path.with_name(f"{path.stem}.ddim.json").write_text(json.dumps(hints))
    return path


def deviation(model, reference, times=(0, 37, 999), count=2):
    """The largest |ours − reference| as a part of the largest |reference|, of all timesteps.

    Args:
        model: The opened model, whose raw output is taken.
        reference: Of x (N, C, H, W) and t (N,), in float64.
        times: Timesteps to compare at.
        count: Images.
    """
    worst = 0.0
    for t in times:
        x = torch.randn(count, *model.image_shape, generator=torch.Generator().manual_seed(t))
        truth = reference(x, torch.full((count,), t))[:, : model.image_shape[0]]
        apart = (model.raw(x, t).double() - truth).abs().max() / truth.abs().max()
        worst = max(worst, float(apart))
    return worst
