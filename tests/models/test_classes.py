"""Models with classes draw the class that is asked for, everywhere."""

import pytest
import torch
from diffusers import UNet2DModel
from safetensors.torch import load_file

import ddim_studio as ds
from ddim_studio.models.loading import describe

FORMS = {
    "embedding": {"num_class_embeds": 5},
    "timestep": {"class_embed_type": "timestep"},
    "timestep, counted": {"class_embed_type": "timestep", "num_class_embeds": 5},
}


@pytest.fixture(params=FORMS)
def conditional(request, folder):
    """A folder whose network takes a class, and that network as diffusers opens it."""
    torch.manual_seed(2)
    config = dict(UNet2DModel.load_config(folder / "unet")) | FORMS[request.param]
    UNet2DModel.from_config(config).save_pretrained(folder / "unet")
    unet = UNet2DModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False).eval()
    return folder, unet


def by_diffusers(unet, x, t, label):
    labels = torch.full((len(x),), label)
    return unet(x, t, labels, return_dict=False)[0].detach()


def test_epsilon_of_every_class(conditional):
    folder, unet = conditional
    model = ds.load_model(str(folder), device="cpu")
    x = ds.seeded_noise(model, seeds=range(2))
    assert model.classes == model.info.classes == describe(str(folder)).classes
    for label in (0, 1, 4):
        view = model.with_class(label)
        for t in (0, 999):
            torch.testing.assert_close(
                view.raw(x, t), by_diffusers(unet, x, t, label), rtol=0, atol=0
            )
    assert torch.equal(model.raw(x, 5), by_diffusers(unet, x, 5, 0))


def test_the_card_tells_the_classes(conditional):
    folder, unet = conditional
    info = describe(str(folder))
    counted = unet.config.num_class_embeds is not None
    assert info.classes == (5 if counted else 1000)
    assert dict(info.lines())["Classes"] == f"{info.classes}, from 0 to {info.classes - 1}"
    assert any("how many classes" in note for note in info.notes) == (not counted)
    assert info.parameters == sum(t.numel() for t in load_file(weights_of(folder)).values())


def weights_of(folder):
    return folder / "unet" / "diffusion_pytorch_model.safetensors"


def test_sampling_and_inversion_take_the_class_of_their_settings(conditional):
    folder, _ = conditional
    model = ds.load_model(str(folder), device="cpu")
    x_T = ds.seeded_noise(model, seeds=[1])

    def drawn(model, **settings):
        *_, last = ds.sample(model, x_T, ds.SampleSettings(steps=4, **settings))
        return last.x

    third = drawn(model, class_label=3)
    assert torch.equal(third, drawn(model.with_class(3)))
    assert torch.equal(drawn(model), drawn(model, class_label=0))
    assert not torch.allclose(third, drawn(model), atol=1e-3)
    settings = ds.InvertSettings(steps=5, spacing="quadratic", class_label=3)
    result = ds.invert(model, third.clamp(-1, 1), settings)
    own = ds.invert(model.with_class(3), third.clamp(-1, 1), ds.InvertSettings(steps=5))
    assert torch.equal(result.x_T, own.x_T)
    other = ds.invert(model, third.clamp(-1, 1), ds.InvertSettings(steps=5, class_label=1))
    assert not torch.allclose(result.x_T, other.x_T, atol=1e-3)
    assert settings.decoding().class_label == 3
    x = ds.reconstruct(model, result.x_T, settings)
    *_, last = ds.sample(model.with_class(3), result.x_T, settings.decoding())
    assert torch.equal(x, last.x)


@pytest.mark.parametrize("label", [-1, 1000, 1.0, "3", True])
def test_classes_that_there_are_not(conditional, label):
    folder, _ = conditional
    model = ds.load_model(str(folder), device="cpu")
    with pytest.raises(ds.SettingsError) as caught:
        model.with_class(label)
    assert caught.value.field == "class_label"


def test_a_model_without_classes_takes_none(tiny):
    assert tiny.with_class(None) is tiny
    assert (tiny.classes, tiny.label) == (0, None)
    with pytest.raises(ds.SettingsError, match="this model has no classes"):
        ds.sample(tiny, ds.seeded_noise(tiny, [0]), ds.SampleSettings(class_label=0))
    assert "Classes" not in dict(tiny.info.lines())
