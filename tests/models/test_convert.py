"""A converted model is the model itself, as diffusers opens it; nothing is overwritten unasked."""

import json
from functools import partial

import pytest
import torch
from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel
from references.compare import deviation, written
from references.guided_diffusion import Guided
from references.lucidrains import Lucidrains
from references.official_ddim import official
from references.store import Store

import ddim_studio as ds
from ddim_studio.models import convert as conversion
from ddim_studio.models.convert import convert


def official_file(folder):
    weights = Store(5)
    reference = partial(official, weights, ch=32, mult=(1, 2), blocks=1, attention_at={16})
    reference(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    return written(folder, weights.tensors, {"license": "mit"}), reference


def guided_file(folder, heads=None, **hints):
    weights = Store(6)
    network = Guided(
        weights,
        channels=32,
        mult=(1, 2, 3),
        blocks=1,
        attention_at=(1, 2),
        heads=heads or (lambda channels: channels // 32),
    )
    network(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    given = {"num_head_channels": 32} if heads is None else {"num_heads": 4}
    return written(folder, weights.tensors, {"sample_size": 16} | given | hints), network


@pytest.mark.parametrize("make", [official_file, guided_file])
def test_diffusers_opens_what_was_converted(tmp_path, make):
    source, reference = make(tmp_path)
    target = tmp_path / "new" / "model"
    info = convert(str(source), target)
    before = ds.load_model(source, device="cpu")
    after = ds.load_model(target, device="cpu")
    assert after.info == info
    assert deviation(after, reference) < 1e-5
    assert torch.equal(after.schedule.alpha_bars, before.schedule.alpha_bars)
    assert (info.licence, info.family) == (
        before.info.licence,
        "diffusers UNet2DModel (pipeline layout)",
    )
    x = ds.seeded_noise(after, seeds=[1])
    unet = UNet2DModel.from_pretrained(target / "unet", use_safetensors=True).eval()
    with torch.no_grad():
        theirs = unet(x, 37, return_dict=False)[0][:, :3]
    # Where its tensors lie in memory decides the last bits of a product on some processors.
    torch.testing.assert_close(theirs, after.raw(x, 37), rtol=1e-5, atol=1e-5)
    scheduler = DDIMScheduler.from_pretrained(target / "scheduler")
    assert not scheduler.config.clip_sample
    ours = after.schedule.alpha_bars
    torch.testing.assert_close(scheduler.alphas_cumprod.double(), ours, rtol=1e-4, atol=1e-7)
    if unet.config.out_channels == 3:
        assert isinstance(DDIMPipeline.from_pretrained(target).unet, UNet2DModel)


def test_the_card_says_where_it_comes_from(tmp_path):
    source, _ = official_file(tmp_path)
    convert(str(source), tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: diffusers\nlicense: mit\n---\n")
    assert "Converted by DDIM Studio from model.pt." in card
    assert "- Images: 16×16 pixels, colour" in card
    assert str(tmp_path) not in card


def test_an_old_folder_becomes_a_clean_one(folder, edit, tmp_path):
    unet = folder / "unet"
    tensors = torch.nn.Module.state_dict(UNet2DModel.from_pretrained(unet))
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for today, before in old.items():
        tensors = {n.replace(f".{today}.", f".{before}."): t for n, t in tensors.items()}
    (unet / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(tensors, unet / "diffusion_pytorch_model.bin")
    edit(unet / "config.json", sample_size=..., image_size=8, _class_name="UNetModel")
    edit(folder / "scheduler" / "scheduler_config.json", num_train_timesteps=..., timesteps=500)
    edit(
        folder / "scheduler" / "scheduler_config.json", set_alpha_to_one=False, skip_prk_steps=True
    )
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Old\n\nDraws coats.\n")
    info = convert(str(folder), tmp_path / "clean")
    before, after = (ds.load_model(path, device="cpu") for path in (folder, tmp_path / "clean"))
    x = ds.seeded_noise(after, seeds=[1])
    assert torch.equal(before.raw(x, 400), after.raw(x, 400))
    assert before.schedule.final_alpha_bar == after.schedule.final_alpha_bar < 1
    assert (info.timesteps, info.licence, info.summary) == (500, "apache-2.0", "Draws coats.")
    names = sorted(
        p.relative_to(tmp_path / "clean").as_posix() for p in (tmp_path / "clean").rglob("*")
    )
    assert names == [
        "README.md",
        "model_index.json",
        "scheduler",
        "scheduler/scheduler_config.json",
        "unet",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    scheduler = json.loads((tmp_path / "clean/scheduler/scheduler_config.json").read_text())
    assert "skip_prk_steps" not in scheduler


def lucidrains_file(folder):
    weights = Store(1)
    Lucidrains(weights, (2, 2, 0), prefix="")(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    hints = {"sample_size": 16, "beta_schedule": "linear", "prediction_type": "epsilon"}
    return written(folder, weights.tensors, hints)


REFUSED = {
    "a network of its own": (lucidrains_file, "no class of diffusers is its network"),
    "as many heads at every level": (
        lambda folder: guided_file(folder, heads=lambda _c: 4)[0],
        "its attention has 4 heads at every level",
    ),
    "rescaled timesteps": (
        lambda folder: guided_file(folder, rescale_timesteps=True, num_train_timesteps=4000)[0],
        r"its network takes t·0\.25",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_diffusers_cannot_hold_is_refused(tmp_path, case):
    make, says = REFUSED[case]
    source = make(tmp_path)
    ds.load_model(source, device="cpu")
    with pytest.raises(ds.ModelError, match=says):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def contents(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_nothing_is_overwritten_unasked(tiny_pipeline, tmp_path):
    source = str(tiny_pipeline)
    target = tmp_path / "out"
    convert(source, target)
    before = contents(target)
    with pytest.raises(ds.ModelError, match=r"something at .*out already") as caught:
        convert(source, target)
    assert "--force" in caught.value.advice
    (target / "mine.txt").write_text("mine")
    convert(source, target, force=True)
    assert contents(target) == before
    for name in ("file", "folder"):
        place = tmp_path / name
        place.write_text("mine") if name == "file" else (
            place.mkdir(),
            (place / "a").write_text(""),
        )
        with pytest.raises(ds.ModelError, match="is not replaced"):
            convert(source, place, force=True)
    (tmp_path / "empty").mkdir()
    convert(source, tmp_path / "empty", force=True)
    assert contents(tmp_path / "empty") == before
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ds.ModelError, match="is not replaced"):
        convert(source, tmp_path / "link", force=True)


def test_a_model_is_not_replaced_by_itself(folder):
    before = contents(folder)
    for target in (folder, folder.parent):
        with pytest.raises(ds.ModelError, match="holds the very model"):
            convert(str(folder), target, force=True)
    assert contents(folder) == before


def test_what_is_not_the_same_again_is_not_kept(tiny_pipeline, tmp_path, monkeypatch):
    genuine = conversion._write

    def careless(folder, model, plan):
        genuine(folder, model, plan)
        config = folder / "scheduler" / "scheduler_config.json"
        config.write_text(config.read_text().replace("0.02", "0.03"))

    monkeypatch.setattr(conversion, "_write", careless)
    with pytest.raises(ds.ModelError, match="not the same when it is opened again"):
        convert(str(tiny_pipeline), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
