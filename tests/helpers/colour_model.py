"""A small random model of colour pictures, beside the grey one of the fixtures."""

from __future__ import annotations

SIDE = 8


def write_colour_model(folder, side=SIDE):
    """Write it in the pipeline layout, as diffusers itself does, and return the folder."""
    import torch
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(1)
    network = UNet2DModel(
        sample_size=side,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
    )
    DDIMPipeline(network, DDIMScheduler(clip_sample=False)).save_pretrained(folder)
    return folder
