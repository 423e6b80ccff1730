"""diffusers folders of other ages and forms: old names, precisions, weights in several parts."""

import json

import pytest
import torch
from diffusers import UNet2DModel
from references.compare import deviation
from safetensors.torch import load_file, save_file

import ddim_studio as ds
from ddim_studio.models.loading import describe

NAME = "diffusion_pytorch_model"


@pytest.fixture
def weights(folder):
    return folder / "unet" / f"{NAME}.safetensors"


@pytest.fixture
def expected(folder):
    """ε by diffusers' own loading, before the test changes anything."""
    unet = UNet2DModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False).eval()
    return calling(unet)


def calling(unet):
    """The network as a function of x_t and t."""

    @torch.no_grad()
    def call(x, t):
        return unet(x.to(unet.dtype), t, return_dict=False)[0]

    return call


def assert_same(model, expected):
    x = ds.seeded_noise(model, seeds=range(2))
    for t in (0, 37, 999):
        torch.testing.assert_close(model.raw(x, t), expected(x, t), rtol=0, atol=0)


OLD_CONFIG = {
    "sample_size": "image_size",
    "layers_per_block": "num_res_blocks",
    "block_out_channels": "block_channels",
    "down_block_types": "down_blocks",
    "up_block_types": "up_blocks",
    "freq_shift": "downscale_freq_shift",
    "norm_num_groups": "resnet_num_groups",
    "act_fn": "resnet_act_fn",
    "norm_eps": "resnet_eps",
    "attention_head_dim": "num_head_channels",
}
OLD_PARTS = {"mid_block": "mid", "down_blocks": "downsample_blocks", "up_blocks": "upsample_blocks"}
OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_name(name):
    head, _, rest = name.partition(".")
    name = f"{OLD_PARTS.get(head, head)}.{rest}"
    for today, before in OLD_ATTENTION.items():
        name = name.replace(f".{today}.", f".{before}.")
    return name


@pytest.mark.parametrize("class_name", ["UNetUnconditionalModel", "UNetModel"])
@pytest.mark.parametrize("twice", ["op", "Conv2d_0"])
def test_all_the_names_of_2022(folder, weights, expected, class_name, twice):
    """Those that diffusers' own renaming script of that summer knows, and a convolution twice."""
    config = json.loads((folder / "unet" / "config.json").read_text())
    old = {OLD_CONFIG.get(key, key): value for key, value in config.items()}
    old |= {"_class_name": class_name}
    for key in ("down_blocks", "up_blocks"):
        old[key] = [f"UNetRes{kind}" for kind in old[key]]
    (folder / "unet" / "config.json").write_text(json.dumps(old))
    tensors = {old_name(name): tensor for name, tensor in load_file(weights).items()}
    for name in [name for name in tensors if "samplers.0.conv." in name]:
        tensors[name.replace(".conv.", f".{twice}.")] = tensors[name].clone()
    weights.unlink()
    torch.save(tensors, weights.with_suffix(".bin"))
    (folder / "scheduler" / "scheduler_config.json").write_text(
        json.dumps(
            {
                "_class_name": "GaussianDDPMScheduler",
                "timesteps": 2000,
                "beta_schedule": "linear",
                "beta_start": 0.00005,
                "beta_end": 0.01,
                "clip_predicted_image": True,
                "tensor_format": "np",
                "variance_type": "fixed_small",
            }
        )
    )
    model = ds.load_model(str(folder), device="cpu")
    assert_same(model, expected)
    betas = torch.linspace(0.00005, 0.01, 2000, dtype=torch.float64)
    torch.testing.assert_close(model.schedule.alpha_bars, (1 - betas).cumprod(0))
    assert model.info.notes == ("Its authors clip x̂_0 to [−1, 1] while sampling (clip: clamp).",)


def test_a_convolution_of_another_name_alone_is_used(folder, weights, expected):
    tensors = {n.replace(".conv.", ".op."): tensor for n, tensor in load_file(weights).items()}
    save_file(tensors, weights)
    assert_same(ds.load_model(str(folder), device="cpu"), expected)


def test_predict_epsilon_false_means_x0(folder, edit):
    config = folder / "scheduler" / "scheduler_config.json"
    edit(config, predict_epsilon=False, prediction_type=...)
    assert ds.load_model(str(folder), device="cpu").prediction == "sample"
    edit(config, predict_epsilon=True)
    assert ds.load_model(str(folder), device="cpu").prediction == "epsilon"


def test_zero_terminal_snr_with_epsilon_is_refused_for_old_configs_too(folder, edit, refused):
    config = folder / "scheduler" / "scheduler_config.json"
    edit(config, prediction_type=..., num_train_timesteps=..., timesteps=50)
    edit(config, rescale_betas_zero_snr=True)
    refused(str(folder), "zero terminal SNR")


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize("variant", ["fp16", "non_ema", "ema-only"])
def test_a_variant_is_used_where_there_is_nothing_else(folder, weights, variant, suffix):
    tensors = {name: tensor.half() for name, tensor in load_file(weights).items()}
    weights.unlink()
    path = weights.with_name(f"{NAME}.{variant}{suffix}")
    save_file(tensors, path) if suffix == ".safetensors" else torch.save(tensors, path)
    model = ds.load_model(str(folder), device="cpu")
    assert f"The weights are the variant {variant}." in model.info.notes
    for name, tensor in model.unet.state_dict().items():
        assert torch.equal(tensor, tensors[name].float())
    assert describe(str(folder)) == model.info


def test_which_of_several_weights_are_used(folder, weights, expected):
    tensors = load_file(weights)
    zeros = {name: tensor * 0 for name, tensor in tensors.items()}
    save_file(zeros, weights.with_name(f"{NAME}.fp16.safetensors"))
    torch.save(zeros, weights.with_suffix(".bin"))
    assert_same(ds.load_model(str(folder), device="cpu"), expected)  # the plain safetensors
    weights.rename(weights.with_name(f"{NAME}.ema.safetensors"))
    weights.with_suffix(".bin").unlink()
    save_file(zeros, weights.with_name(f"{NAME}.non_ema.safetensors"))
    model = ds.load_model(str(folder), device="cpu")
    assert_same(model, expected)
    assert "The weights are the variant ema." in model.info.notes


def in_parts(weights, suffix=".safetensors", index=None):
    """Write the weights as two files and an index, and remove the one."""
    tensors = load_file(weights)
    names = sorted(tensors)
    halves = {f"{NAME}-0000{i + 1}-of-00002{suffix}": names[i::2] for i in range(2)}
    for file, members in halves.items():
        part = {name: tensors[name] for name in members}
        path = weights.with_name(file)
        save_file(part, path) if suffix == ".safetensors" else torch.save(part, path)
    places = {name: file for file, members in halves.items() for name in members}
    weights.unlink()
    path = weights.with_name(index or f"{NAME}{suffix}.index.json")
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_weights_in_several_parts(folder, weights, expected, suffix):
    parameters = describe(str(folder)).parameters
    in_parts(weights, suffix)
    model = ds.load_model(str(folder), device="cpu")
    assert_same(model, expected)
    assert model.info.parameters == parameters
    parts = [path for path in weights.parent.iterdir() if path.suffix == suffix]
    assert model.info.nbytes == sum(path.stat().st_size for path in parts)


def test_a_variant_in_several_parts(folder, weights, expected):
    in_parts(weights, index=f"{NAME}.safetensors.index.fp32.json")
    model = ds.load_model(str(folder), device="cpu")
    assert_same(model, expected)
    assert "The weights are the variant fp32." in model.info.notes


def test_parts_that_are_not_in_order(folder, weights, refused):
    index = in_parts(weights)
    first, second = sorted(weights.parent.glob("*-of-*"))
    values = json.loads(index.read_text())
    second.rename(second.with_suffix(".away"))
    refused(str(folder), r"00002-of-00002\.safetensors, one of 2 parts, is missing")
    second.with_suffix(".away").rename(second)
    second.write_bytes(second.read_bytes()[:-8])
    refused(str(folder), "is damaged")
    second.write_bytes(first.read_bytes())
    refused(str(folder), "stands in two of its files")
    for places in (
        {"a": "../../../../etc/passwd"},
        {"a": "/etc/model.safetensors"},
        {"a": "..\\x.bin"},
        {"a": 5},
        {},
        [],
        None,
        {str(i): f"{i}.safetensors" for i in range(1001)},
    ):
        index.write_text(json.dumps(values | {"weight_map": places}))
        refused(str(folder), "does not say which files hold the weights")


def test_a_flat_folder_of_google(tmp_path):
    """The form of google/ddpm-celebahq-256, a .bin beside old configs, at an 8th of the size."""
    torch.manual_seed(3)
    config = {
        "sample_size": 32,
        "block_out_channels": [16, 16, 32, 32, 64, 64],
        "down_block_types": ["DownBlock2D"] * 4 + ["AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4,
        "norm_num_groups": 16,
        "norm_eps": 1e-6,
        "downsample_padding": 0,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "attention_head_dim": None,
    }
    unet = UNet2DModel(**config).eval()
    about = {"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4"}
    (tmp_path / "config.json").write_text(json.dumps(about | config))
    tensors = {old_name(n): v for n, v in unet.state_dict().items()}
    torch.save(tensors, tmp_path / f"{NAME}.bin", _use_new_zipfile_serialization=False)
    (tmp_path / "scheduler_config.json").write_text(
        json.dumps(
            {"_class_name": "DDPMScheduler", "clip_sample": True, "num_train_timesteps": 1000}
        )
    )
    model = ds.load_model(tmp_path, device="cpu")
    assert deviation(model, calling(unet.double())) < 1e-5
    assert "flat" in model.info.family
