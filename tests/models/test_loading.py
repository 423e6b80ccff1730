"""Opened models compute what diffusers computes from the same files, and disturb nothing."""

import math
import subprocess
import sys

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

import ddim_studio as ds
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.loading import describe, load_model


def noise(model, count=3):
    return ds.seeded_noise(model, seeds=range(count))


def by_diffusers(folder, x, t):
    """ε by diffusers' own loading of the same files."""
    unet = UNet2DModel.from_pretrained(folder, low_cpu_mem_usage=False).eval()
    with torch.no_grad():
        return unet(x, t).sample


def assert_same_network(model, folder):
    x = noise(model)
    for t in (0, 37, 999):
        torch.testing.assert_close(model.raw(x, t), by_diffusers(folder, x, t), rtol=0, atol=0)


@pytest.fixture
def flat(tiny_pipeline, tmp_path):
    """The tiny model as diffusers writes it into one folder."""
    UNet2DModel.from_pretrained(tiny_pipeline / "unet").save_pretrained(tmp_path / "flat")
    DDPMScheduler(clip_sample=True).save_pretrained(tmp_path / "flat")
    return tmp_path / "flat"


def test_a_bundled_model_opens_by_its_name_and_the_first_one_without(fashion):
    assert_same_network(fashion, bundled_models()["fashion-28"] / "unet")
    info = fashion.info
    assert (info.name, info.source, info.image_shape) == ("fashion-28", "fashion-28", (1, 28, 28))
    assert info.parameters == sum(p.numel() for p in fashion.unet.parameters())
    assert load_model(device="cpu").info.name == next(iter(bundled_models())) == "toonheads-32"


@pytest.mark.parametrize("form", ["text", "path", "slash"])
def test_the_pipeline_layout(tiny_pipeline, form):
    forms = {"text": str(tiny_pipeline), "path": tiny_pipeline, "slash": f"{tiny_pipeline}/"}
    model = load_model(forms[form], device="cpu")
    assert_same_network(model, tiny_pipeline / "unet")
    assert model.info.name == tiny_pipeline.name
    assert model.info.source == str(tiny_pipeline)
    assert "pipeline" in model.info.family


def test_the_flat_layout(flat):
    model = load_model(str(flat), device="cpu")
    assert_same_network(model, flat)
    assert "flat" in model.info.family
    assert model.info.notes == ("Its authors clip x̂_0 to [−1, 1] while sampling (clip: clamp).",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_state_dict(flat, zipped):
    weights = flat / "diffusion_pytorch_model.safetensors"
    expected = load_model(str(flat), device="cpu").raw(torch.ones(1, 1, 8, 8), 5)
    tensors = load_file(weights)
    target = weights.with_suffix(".bin")
    torch.save(tensors, target, _use_new_zipfile_serialization=zipped)
    weights.unlink()
    model = load_model(str(flat), device="cpu")
    assert_same_network(model, flat)
    assert torch.equal(model.raw(torch.ones(1, 1, 8, 8), 5), expected)
    assert model.info.nbytes == target.stat().st_size
    assert describe(str(flat)) == model.info


def test_weights_of_before_diffusers_renamed_attention(flat):
    """google/ddpm-cifar10-32 and its kin still have the old names."""
    weights = flat / "diffusion_pytorch_model.safetensors"
    modern = load_model(str(flat), device="cpu").raw(torch.ones(1, 1, 8, 8), 5)
    tensors = load_file(weights)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new_name in [name for name in tensors if ".attentions." in name]:
        for today, before in old.items():
            if f".{today}." in new_name:
                tensors[new_name.replace(today, before)] = tensors.pop(new_name)
    assert any(".proj_attn." in name for name in tensors)
    save_file(tensors, weights)
    model = load_model(str(flat), device="cpu")
    assert_same_network(model, flat)
    assert torch.equal(model.raw(torch.ones(1, 1, 8, 8), 5), modern)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_used_in_float32(folder, dtype):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    rounded = {name: tensor.to(dtype) for name, tensor in load_file(weights).items()}
    save_file(rounded, weights)
    model = load_model(str(folder), device="cpu")
    for name, tensor in model.unet.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, rounded[name].float())
    assert model.raw(noise(model), 9).dtype == torch.float32


def ideal(model, x, t, alpha_bar):
    """x̂_0 and ε from the network's raw output, in float64 and written out."""
    raw = model.raw(x, t).double()
    x = x.double()
    a, b = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
    if model.prediction == "epsilon":
        return (x - b * raw) / a, raw
    if model.prediction == "sample":
        return raw, (x - a * raw) / b
    return a * x - b * raw, a * raw + b * x


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"])
def test_the_scheduler_config_is_honoured(folder, edit, kind, schedule):
    scheduler = DDPMScheduler(beta_schedule=schedule, prediction_type=kind, beta_end=0.015)
    scheduler.save_pretrained(folder / "scheduler")
    model = load_model(str(folder), device="cpu")
    reference = scheduler.alphas_cumprod
    for t in (0, 500, 900):
        alpha_bar = model.schedule.alpha_bar(t)
        assert alpha_bar == pytest.approx(float(reference[t]), rel=1e-3, abs=1e-6)
        prediction = model.predict(x := noise(model), t)
        x0, epsilon = ideal(model, x, t, alpha_bar)
        scale = max(1.0, float(x0.abs().max()))
        torch.testing.assert_close(prediction.x0.double(), x0, rtol=0, atol=2e-6 * scale)
        scale = max(1.0, float(epsilon.abs().max()))
        torch.testing.assert_close(prediction.epsilon.double(), epsilon, rtol=0, atol=2e-6 * scale)
    assert model.info.prediction.startswith({"sample": "x_0"}.get(kind, "vε"[kind == "epsilon"]))


def test_zero_terminal_snr_works_with_v(folder, edit):
    """At T − 1 nothing of x_0 is left: x̂_0 = −v and ε = x."""
    config = folder / "scheduler" / "scheduler_config.json"
    edit(config, prediction_type="v_prediction", rescale_betas_zero_snr=True)
    model = load_model(str(folder), device="cpu")
    x = noise(model)
    prediction = model.predict(x, 999)
    assert torch.equal(prediction.x0, -model.raw(x, 999))
    assert torch.equal(prediction.epsilon, x)


def test_set_alpha_to_one_false_ends_at_alpha_bar_0(folder, edit):
    edit(folder / "scheduler" / "scheduler_config.json", set_alpha_to_one=False)
    model = load_model(str(folder), device="cpu")
    first = 1 - 1e-4
    assert model.schedule.alpha_bar(-1) == model.schedule.alpha_bar(0) == pytest.approx(first)
    *_, last = ds.sample(model, noise(model), ds.SampleSettings(steps=3))
    x_0 = math.sqrt(first) * last.x0.double() + math.sqrt(1 - first) * last.epsilon.double()
    torch.testing.assert_close(last.x.double(), x_0, rtol=1e-6, atol=1e-6)
    assert not torch.equal(last.x, last.x0)


def test_trained_betas_make_the_schedule(folder, edit):
    config = folder / "scheduler" / "scheduler_config.json"
    edit(config, trained_betas=[0.1, 0.2, 0.5], num_train_timesteps=1000)
    model = load_model(str(folder), device="cpu")
    assert model.schedule.alpha_bars.tolist() == pytest.approx([0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.5])
    assert model.info.timesteps == 3


def test_without_a_scheduler_config_ddpm_is_assumed_and_said(folder):
    (folder / "scheduler" / "scheduler_config.json").unlink()
    model = load_model(str(folder), device="cpu")
    (note,) = model.info.notes
    assert "no scheduler config" in note
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    torch.testing.assert_close(model.schedule.alpha_bars, (1 - betas).cumprod(0))
    assert model.prediction == "epsilon"


@pytest.mark.parametrize("size", [[8, 16], [16, 8]])
def test_images_need_not_be_square(folder, edit, size):
    edit(folder / "unet" / "config.json", sample_size=size)
    model = load_model(str(folder), device="cpu")
    assert model.image_shape == (1, *size)
    assert f"{size[1]}×{size[0]} pixels" in dict(model.info.lines())["Images"]
    assert_same_network(model, folder / "unet")


def test_a_learned_variance_is_left_out(folder):
    unet = UNet2DModel.from_pretrained(folder / "unet")
    values = {**unet.config, "out_channels": 2}
    torch.manual_seed(1)
    UNet2DModel.from_config(values).save_pretrained(folder / "unet")
    model = load_model(str(folder), device="cpu")
    x = noise(model)
    both = by_diffusers(folder / "unet", x, 400)
    assert both.shape[1] == 2
    assert torch.equal(model.predict(x, 400).epsilon, both[:, :1])
    assert "It has learned its variance too, which is not used." in model.info.notes


def test_the_network_is_ready_to_denoise(tiny):
    assert not tiny.unet.training
    assert not any(parameter.requires_grad for parameter in tiny.unet.parameters())
    assert not tiny.predict(noise(tiny).requires_grad_(), 5).x0.requires_grad


@pytest.mark.parametrize("source", ["fashion-28", "folder", "flat"])
def test_describe_says_what_the_loaded_model_says(source, request):
    if source != "fashion-28":
        source = str(request.getfixturevalue(source))
    assert describe(source) == load_model(source, device="cpu").info


def python(code, *arguments):
    """The lines that a fresh interpreter prints, which must end well."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_describe_is_light(tiny_pipeline):
    code = """
import sys
from ddim_studio.models.loading import describe
print(describe(sys.argv[1]).parameters, describe("fashion-28").name)
print(*sorted({"torch", "diffusers", "safetensors"} & set(sys.modules)))
"""
    expected = sum(
        t.numel() for t in load_file(next(tiny_pipeline.rglob("*.safetensors"))).values()
    )
    assert python(code, tiny_pipeline) == [f"{expected} fashion-28", ""]


def test_no_global_setting_changes(tiny_pipeline):
    code = """
import os, random, sys
import numpy, torch
def state():
    return (
        torch.get_num_threads(), torch.get_num_interop_threads(), torch.get_default_dtype(),
        torch.get_default_device(), torch.is_grad_enabled(), torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic,
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32,
        torch.backends.mkldnn.enabled, torch.get_rng_state().tolist(), random.getstate(),
        numpy.random.get_state()[1].tolist(), sorted(os.environ.items()), numpy.geterr(),
        sys.getrecursionlimit(), os.getcwd(), sys.path[:],
    )
before = state()
import ddim_studio as ds
ds.SampleSettings, ds.sample, ds.Trajectory, ds.ModelError
assert state() == before, "by the import"
model = ds.load_model(sys.argv[1], device="cpu")
assert state() == before, "by loading"
x_T = ds.seeded_noise(model, seeds=range(2))
for step in ds.sample(model, x_T, ds.SampleSettings(steps=2, eta=1.0)):
    pass
assert state() == before, "by sampling"
print("same")
"""
    assert python(code, tiny_pipeline) == ["same"]


def test_a_loaded_model_outlives_its_file(folder):
    """Weights mapped from a file that `cp` then overwrites would end the program (SIGBUS)."""
    code = """
import sys
from pathlib import Path
import ddim_studio as ds
model = ds.load_model(sys.argv[1], device="cpu")
x = ds.seeded_noise(model, seeds=[1])
before = model.raw(x, 3)
for path in Path(sys.argv[1]).rglob("*.safetensors"):
    path.open("r+b").truncate(0)
print(bool((model.raw(x, 3) == before).all()))
"""
    assert python(code, folder) == ["True"]
