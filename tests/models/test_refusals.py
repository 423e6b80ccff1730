"""Folders that are no models, and configs that describe none: one clear sentence for each."""

import json
import math
import shutil

import pytest
from PIL import Image

TWO = ["DownBlock2D", "DownBlock2D"]
UP, WIDE = ["UpBlock2D"] * 998, [8] * 998
NETWORK = [
    ({"sample_size": ...}, "sample_size is None"),
    ({"sample_size": None}, "sample_size is None"),
    ({"sample_size": 0}, "sample_size is 0; it must be .* from 4 to 1024"),
    ({"sample_size": 10**9}, "sample_size is 1000000000"),
    ({"sample_size": -8}, "sample_size is -8"),
    ({"sample_size": True}, "sample_size is True"),
    ({"sample_size": "8"}, "sample_size is 8"),
    ({"sample_size": 8.0}, r"sample_size is 8\.0"),
    ({"sample_size": [8]}, r"sample_size is \[8\]"),
    ({"sample_size": [8, 8, 8]}, r"sample_size is \[8, 8, 8\]"),
    ({"sample_size": list(range(9999))}, "sample_size is .*…"),
    ({"sample_size": 9}, "cannot take images of 9×9"),
    ({"sample_size": [8, 15]}, "cannot take images of 15×8"),
    ({"in_channels": 4}, "takes 4 channels"),
    ({"in_channels": True}, "takes True channels"),
    ({"in_channels": [1]}, r"takes \[1\] channels"),
    ({"out_channels": 3}, "gives 3"),
    ({"out_channels": 2}, "conv_out.* is 1×8×3×3, the network needs 2×8×3×3"),
    ({"_class_name": "UNet2DConditionModel"}, "UNet2DConditionModel, which .* not open"),
    ({"_class_name": ["UNet2DModel"]}, "not open"),
    ({"_class_name": "x" * 10_000}, "xxx…, which .* not open"),
    ({"_class_name": "\x1b[2J"}, "not open"),
    ({"num_class_embeds": 10}, "class_embedding.weight is missing"),
    ({"num_class_embeds": 0}, "num_class_embeds is 0"),
    ({"num_class_embeds": 10**9}, "num_class_embeds is 1000000000"),
    ({"num_class_embeds": "10"}, "num_class_embeds is 10"),
    ({"class_embed_type": "identity"}, "class as identity"),
    ({"class_embed_type": ["timestep"]}, "class as .*timestep"),
    ({"class_embed_type": "timestep"}, "class_embedding.linear_1.bias, …\\) are missing"),
    ({"down_block_types": ["DownBlock2D", "NoBlock2D"]}, "no network"),
    ({"down_block_types": [*TWO, "DownBlock2D"]}, "no network"),
    ({"down_block_types": 7}, "no network"),
    (
        {"down_block_types": TWO * 499, "up_block_types": UP, "block_out_channels": WIDE},
        "no network",
    ),
    ({"block_out_channels": [8]}, "no network"),
    ({"block_out_channels": [-8, 16]}, "no network"),
    ({"block_out_channels": ["8", "16"]}, "no network"),
    ({"block_out_channels": [8, 20]}, r"2 tensors|\d+ tensors|is 16.*needs 20"),
    ({"block_out_channels": [8, 16 * 10**12]}, "no network|the network needs"),
    ({"norm_num_groups": 3}, "no network"),
    ({"norm_num_groups": 0}, "no network"),
    ({"layers_per_block": 10**9}, "no network"),
    ({"layers_per_block": "many"}, "no network"),
    ({"layers_per_block": 2}, "incomplete: .*missing"),
    ({"add_attention": False}, "mid_block.attentions.* not part of this network"),
    ({"act_fn": "none such"}, "no network"),
    ({"time_embedding_type": "none such"}, "no network"),
    ({"dropout": 7}, "no network"),
]
SCHEDULE = [
    ({"prediction_type": "flow"}, "predicts flow; known are epsilon, sample, v_prediction"),
    ({"prediction_type": ["epsilon"]}, "predicts"),
    ({"prediction_type": None}, "predicts None"),
    ({"rescale_betas_zero_snr": True}, "zero terminal SNR"),
    ({"trained_betas": [0.1, 1.0]}, "zero terminal SNR"),
    ({"beta_schedule": "exponential"}, "'exponential' is unknown"),
    ({"beta_schedule": {}}, "is unknown"),
    ({"beta_start": 2.0}, "beta_start must be a number from 0 to 1"),
    ({"beta_end": -0.1}, "beta_end must be a number from 0 to 1"),
    ({"beta_end": math.nan}, "beta_end must be a number from 0 to 1"),
    ({"beta_end": 10**400}, "beta_end must be a number from 0 to 1"),
    ({"beta_end": "x" * 10_000}, "beta_end must be a number from 0 to 1"),
    ({"beta_start": 1.0, "beta_end": 1.0}, "nothing of x_0"),
    ({"num_train_timesteps": 0}, "num_train_timesteps must be"),
    ({"num_train_timesteps": 10**9}, "num_train_timesteps must be"),
    ({"num_train_timesteps": "1000"}, "num_train_timesteps must be"),
    ({"num_train_timesteps": True}, "num_train_timesteps must be"),
    ({"num_train_timesteps": 1, "rescale_betas_zero_snr": True}, "without noise"),
    ({"trained_betas": []}, "num_train_timesteps must be"),
    ({"trained_betas": [0.1, 1.5]}, "from 0 to 1"),
    ({"trained_betas": [0.1, math.nan]}, "from 0 to 1"),
    ({"trained_betas": [[0.1, 0.2]]}, "from 0 to 1"),
    ({"trained_betas": [0.1, [0.2]]}, "list of numbers"),
    ({"trained_betas": "0.1"}, "list of numbers"),
    ({"trained_betas": [0.1, 1.0, 1.0]}, "nothing of x_0"),
]
TEXTS = [
    (b"", "not JSON"),
    (b"not JSON", "not JSON"),
    (b"\x00\xff\xfe garbage \x80", "not JSON"),
    ('{"sample_size": 8}'.encode("utf-16"), "not JSON"),
    (b"[" * 200_000, "not JSON"),
    (b'{"a":' * 100_000, "not JSON"),
    (b"[]", "no JSON object"),
    (b'"UNet2DModel"', "no JSON object"),
    (b'{"pad": "' + b" " * 1_000_000 + b'"}', "too large"),
]
CONFIGS = ["unet/config.json", "scheduler/scheduler_config.json"]


def test_the_copy_is_sound_before_it_is_damaged(folder):
    """Else every test below would pass for the wrong reason."""
    from ddim_studio.models.loading import load_model

    assert load_model(str(folder), device="cpu").image_shape == (1, 8, 8)


@pytest.mark.parametrize(("changes", "says"), NETWORK, ids=lambda value: str(value)[:60])
def test_a_network_config_that_cannot_be_used(folder, edit, refused, changes, says):
    edit(folder / "unet" / "config.json", **changes)
    refused(str(folder), says)


@pytest.mark.parametrize(("changes", "says"), SCHEDULE, ids=lambda value: str(value)[:60])
def test_a_scheduler_config_that_cannot_be_used(folder, edit, refused, changes, says):
    edit(folder / "scheduler" / "scheduler_config.json", **changes)
    refused(str(folder), says)


def test_a_scheduler_without_betas_is_not_taken_for_ddpm(folder, refused):
    values = {"_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000, "sigma_max": 1348}
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(values))
    refused(str(folder), "trained for ScoreSdeVeScheduler")


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("content", "says"), TEXTS, ids=lambda value: str(value)[:20])
def test_a_config_file_that_is_no_config(folder, refused, name, content, says):
    (folder / name).write_bytes(content)
    assert folder.joinpath(name).name in refused(str(folder), says)


def test_missing_files(folder, tmp_path, refused):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(tmp_path / "elsewhere")
    refused(str(folder), "weights are missing: there is no diffusion_pytorch_model.safetensors")
    weights.mkdir()
    refused(str(folder), "weights are missing")
    (folder / "unet" / "config.json").unlink()
    refused(str(folder), "no config.json")
    (folder / "unet" / "config.json").mkdir()
    refused(str(folder), "no config.json")
    shutil.rmtree(folder / "unet")
    refused(str(folder), "'model' holds no diffusers model")


def test_a_folder_that_may_not_be_read(folder, refused, monkeypatch):
    """Simulated, since the superuser may read everything."""
    from pathlib import Path

    genuine = Path.is_file

    def forbidden(path):
        if path.name == "config.json":
            raise PermissionError(13, "Permission denied", str(path))
        return genuine(path)

    monkeypatch.setattr(Path, "is_file", forbidden)
    refused(str(folder), "cannot be read: Permission denied")


def test_things_that_are_no_model_folder(folder, tmp_path, refused):
    picture = tmp_path / "a.png"
    Image.new("L", (8, 8)).save(picture)
    refused(str(picture), r"a\.png is a picture, not a model")
    refused(str(folder / "unet" / "config.json"), "is a text file, not a model")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in "ab":
        Image.new("RGB", (8, 8)).save(pictures / f"{name}.png")
    refused(str(pictures), "'pictures' holds no diffusers model")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no such model", "no model named 'no such model'"),
        ("", "no model named ''"),
        ("   ", "no model named"),
        ("/no/such/folder", "no model named '/no/such/folder'"),
        ("hub:x/y", "'hub:x/y' is not on this computer yet"),
        ("hub:", "is not the name of a model on the hub"),
        ("fashion-28\0", "no model named"),
        ("\0", "no model named"),
        ("x" * 5000, "no model named"),
        ("a/" * 3000, "no model named"),
        ("~no-such-user-here/model", "no model named"),
        ("\x1b[31mred\n", "no model named"),
        ("\udcff", "no model named"),
        ("https://example.com/model", "no model named"),
        ("../../resources", "no model named|holds no diffusers model"),
    ],
)
def test_names_that_lead_nowhere(refused, source, says):
    refused(source, says)


@pytest.mark.parametrize("device", ["gpu", "", "cpu:7", "CPU", "mps2"])
def test_a_device_that_is_not_here(tiny_pipeline, device):
    from ddim_studio.models.errors import ModelError
    from ddim_studio.models.loading import load_model

    with pytest.raises(ModelError, match=r"is not available here; available: .*cpu\.$"):
        load_model(str(tiny_pipeline), device=device)
