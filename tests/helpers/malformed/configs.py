"""Configs of networks and schedules that describe none."""

from __future__ import annotations

import json
import math

from malformed.item import add, sound, unet

GROUP = "configs"
NETWORKS = {
    "the class of a network that is not known": (
        {"_class_name": "UNet9DModel"},
        "is a UNet9DModel, which",
    ),
    "a transformer": ({"_class_name": "DiTTransformer2DModel"}, "DiTTransformer2DModel"),
    "a network that takes texts": (
        {"_class_name": "UNet2DConditionModel"},
        "is a UNet2DConditionModel, which",
    ),
    "a network of latents": ({"in_channels": 4, "out_channels": 4}, "takes 4 channels"),
    "negative channels": ({"block_out_channels": [-8, 16]}, r"block_out_channels is \[-8, 16\]"),
    "no channels": ({"block_out_channels": [0, 0]}, r"block_out_channels is \[0, 0\]"),
    "10¹² channels": ({"block_out_channels": [8, 10**12]}, "block_out_channels is"),
    "channels for fewer levels than there are": (
        {"block_out_channels": [8]},
        "has 2 blocks on the way down",
    ),
    "normalisation in no groups": ({"norm_num_groups": 0}, "norm_num_groups is 0"),
    "groups that do not divide the channels": ({"norm_num_groups": 3}, "norm_num_groups is 3"),
    "a block that is not known": (
        {"down_block_types": ["DownBlock2D", "SpiralBlock2D"]},
        "SpiralBlock2D",
    ),
    "10⁹ layers": ({"layers_per_block": 10**9}, "layers_per_block is 1000000000"),
    "an activation that is not known": ({"act_fn": "sawtooth"}, "act_fn is sawtooth"),
    "images of 10⁹ pixels a side": ({"sample_size": 10**9}, "sample_size is 1000000000"),
    "images of −8 pixels": ({"sample_size": -8}, "sample_size is -8"),
    "no size of images": ({"sample_size": None}, "sample_size is None"),
    "a size that the network cannot halve": ({"sample_size": 9}, "cannot take images of 9×9"),
    "10⁹ classes": ({"num_class_embeds": 10**9}, "num_class_embeds is 1000000000"),
    "a class that is a vector": ({"class_embed_type": "projection"}, "class as projection"),
    "an escape sequence as a class": ({"_class_name": "\x1b[2J\x07"}, r"is a \?\[2J\?"),
}
SCHEDULES = {
    "a scheduler of another kind": (
        {"_class_name": "ScoreSdeVeScheduler"},
        "trained for ScoreSdeVeScheduler",
    ),
    "a schedule that is not known": ({"beta_schedule": "staircase"}, "'staircase' is unknown"),
    "β above 1": ({"trained_betas": [0.1, 1.5]}, "from 0 to 1"),
    "β that is NaN": ({"trained_betas": [0.1, math.nan]}, "from 0 to 1"),
    "an end of β that is NaN": ({"beta_end": math.nan}, "beta_end must be a number"),
    "no β at all": ({"trained_betas": []}, "num_train_timesteps must be"),
    "β in words": ({"trained_betas": "small"}, "must be a list of numbers"),
    "10⁷ β": ({"trained_betas": [0] * 10**7}, "too large to be a config"),
    "no timesteps": ({"num_train_timesteps": 0}, "num_train_timesteps must be"),
    "−1 timesteps": ({"num_train_timesteps": -1}, "num_train_timesteps must be"),
    "10⁹ timesteps": ({"num_train_timesteps": 10**9}, "num_train_timesteps must be"),
    "timesteps in words": ({"num_train_timesteps": "abc"}, "num_train_timesteps must be"),
    "zero terminal SNR with ε": ({"rescale_betas_zero_snr": True}, "zero terminal SNR"),
    "a last β of 1 with ε": ({"trained_betas": [0.1, 1.0]}, "zero terminal SNR"),
    "a prediction that is not known": ({"prediction_type": "flow"}, "predicts flow; known are"),
}
TEXTS = {
    "an empty file": (b"", "is damaged: it is not JSON"),
    "a list": (b"[1, 2, 3]", "holds no JSON object"),
    "a number": (b"7", "holds no JSON object"),
    "a text": (b'"UNet2DModel"', "holds no JSON object"),
    "10 MB large": (b'{"pad": "' + b" " * 10_000_000 + b'"}', "too large to be a config"),
    "100,000 objects deep": (b'{"a":' * 100_000, "is damaged: it is not JSON"),
    "not UTF-8": (b'{"act_fn": "\xff\xfe"}', "is damaged: it is not JSON"),
    "a number of 100,000 digits": (b'{"sample_size": ' + b"9" * 100_000 + b"}", "not JSON"),
    "one entry twice": (b'{"sample_size": 8, "sample_size": 9}', "has the entry sample_size twice"),
}
for _name, (_changes, _says) in NETWORKS.items():
    add(
        GROUP,
        f"network: {_name}",
        f"the config of a network: {_name}",
        _says,
        lambda folder, changes=_changes: str(sound(folder, network=changes)),
    )
for _name, (_changes, _says) in SCHEDULES.items():
    add(
        GROUP,
        f"schedule: {_name}",
        f"the config of a schedule: {_name}",
        _says,
        lambda folder, changes=_changes: str(sound(folder, scheduler=changes)),
    )
for _name, (_content, _says) in TEXTS.items():

    def _rewritten(folder, content=_content):
        model = sound(folder)
        (unet(model) / "config.json").write_bytes(content)
        return str(model)

    add(GROUP, f"config.json: {_name}", f"a config.json: {_name}", _says, _rewritten)


def _deep(folder):
    blocks = 15
    changes = {
        "block_out_channels": [8] * blocks,
        "down_block_types": ["AttnDownBlock2D"] * blocks,
        "up_block_types": ["AttnUpBlock2D"] * blocks,
        "layers_per_block": 32,
        "sample_size": 1024,
    }
    return str(sound(folder, network=changes))


add(
    GROUP,
    "network: 960 attended blocks beside 60 tensors",
    "a config as large as any that is read, beside the weights of a small network",
    "has 15 blocks of 32 layers",
    _deep,
)


def _hints(folder):
    from malformed.families import lucidrains

    path = lucidrains(folder)
    folder.joinpath("model.ddim.json").write_text(json.dumps({"sample_sise": 16}))
    return path


add(
    GROUP,
    "hints: an entry that is not known",
    "a misspelled entry in the file of facts beside a checkpoint",
    "has an entry sample_sise, which is not known",
    _hints,
)
