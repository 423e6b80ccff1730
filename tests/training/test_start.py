"""Runs that start from a model: its network, weights, schedule and kind of prediction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from teams import play
from tiny_runs import Alone, losses, plan, run, write_images

import ddim_studio as ds
from ddim_studio.diffusion.schedule import from_config
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.models.errors import ModelError
from ddim_studio.training import model_files
from ddim_studio.training.checkpoint import checkpoint_paths, read_checkpoint
from ddim_studio.training.ema import EMA
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.events import Stepped
from ddim_studio.training.objective import BINS
from ddim_studio.training.run import open_run
from ddim_studio.training.run_folder import RunFolder
from ddim_studio.training.session import train

COURSE = {"data": "d", "batch_size": 8, "steps": 12, "warmup": 2, "learning_rate": 1e-3,
          "precision": "float32", "device": "cpu"}  # fmt: skip
"""A run that leaves everything to its model."""


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


@pytest.fixture
def model(tmp_path, data):
    """A model that has learned a little, with a schedule and a network of its own."""
    run(tmp_path / "before", data, steps=4, prediction="v")
    changes = {
        "scheduler/scheduler_config.json": {
            "num_train_timesteps": 200, "beta_schedule": "scaled_linear", "beta_end": 0.05
        },
        "unet/config.json": {"dropout": 0.5, "norm_eps": 1e-4},
    }  # fmt: skip
    for name, values in changes.items():
        change(tmp_path / "before" / name, values)
    return tmp_path / "before"


def change(config, values):
    config.write_text(json.dumps(json.loads(config.read_text()) | values))


def planned(model, **given):
    return RunFolder(Path("nowhere")).planned(
        {**COURSE, "start": str(model), **given}, resume=False
    )


def go(out, data, model, *, resume=False, stop=lambda: False, **changes):
    folder = RunFolder(Path(out))
    given = {**COURSE, "data": str(data), "start": str(model), **changes}
    return list(train(folder.planned(given, resume=resume), folder, Alone(), stop))


def weights(out):
    return ds.load_model(str(out), device="cpu").unet.state_dict()


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_what_is_left_out_comes_from_the_model(model):
    settings = planned(model)
    assert (settings.size, settings.channels, settings.layers_per_block) == (8, (8, 16), 1)
    assert (settings.attention, settings.colours, settings.prediction) == ((4,), "grey", "v")


def test_the_bundled_model_is_described_as_it_was_trained():
    settings = planned("fashion-28")
    assert (settings.size, settings.channels, settings.layers_per_block) == (28, (32, 64, 128), 1)
    assert (settings.attention, settings.colours, settings.prediction) == ((7,), "grey", "v")


@pytest.mark.parametrize(("field", "value"), [
    ("size", 16), ("channels", (8, 8)), ("layers_per_block", 2), ("attention", ()),
    ("colours", "rgb"), ("prediction", "epsilon"),
])  # fmt: skip
def test_what_contradicts_the_model_is_refused(field, value):
    with pytest.raises(SettingsError, match="in fashion-28, which this run starts") as caught:
        planned("fashion-28", **{field: value})
    assert caught.value.field == field


def test_what_the_model_says_may_be_said_again(model):
    said = {"size": 8, "channels": (8, 16), "attention": (4,), "prediction": "v"}
    assert planned(model, **said) == planned(model)


def test_a_run_begins_with_the_weights_and_the_schedule_of_its_model(tmp_path, data, model):
    opened = open_run(planned(model, data=str(data)), RunFolder(tmp_path / "m"), Alone())
    network = opened.trainer.network
    assert equal(network.state_dict(), weights(model))
    assert equal(opened.trainer.ema.network.state_dict(), weights(model))
    assert network.config.norm_eps == 1e-4
    assert not [m for m in network.modules() if isinstance(m, torch.nn.Dropout) and m.p]
    expected = from_config({"num_train_timesteps": 200, "beta_schedule": "scaled_linear",
                            "beta_start": 1e-4, "beta_end": 0.05})  # fmt: skip
    assert torch.equal(opened.schedule.alpha_bars, expected.alpha_bars)
    assert int(opened.batches().at(0).t.max()) < 200
    assert all(weight.requires_grad for weight in opened.trainer.parameters)


def test_the_result_has_the_schedule_of_its_model_and_says_so(tmp_path, data, model):
    go(tmp_path / "m", data, model, steps=3, learning_rate=1e-9)
    made, before = (ds.load_model(str(path), device="cpu") for path in (tmp_path / "m", model))
    assert torch.equal(made.schedule.alpha_bars, before.schedule.alpha_bars)
    assert made.info.prediction == "v (velocity)"
    after = made.unet.state_dict()
    for name, tensor in before.unet.state_dict().items():  # such a rate leaves it as it was
        assert torch.allclose(after[name], tensor, atol=1e-7)
    card = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert "| Started from | before; its own card tells how it was made |" in card
    assert "T = 200, scaled-linear, β 0.0001 … 0.05" in card


@pytest.mark.parametrize("choices", [{}, {"weighting": "none", "precision": "bfloat16"}])
def test_a_run_that_was_stopped_goes_on_without_its_model(tmp_path, data, model, choices):
    go(tmp_path / "whole", data, model, **choices)
    asked = iter(range(99))
    go(tmp_path / "m", data, model, stop=lambda: next(asked) >= 5, **choices)
    model.rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot become fashion-28") as caught:
        go(tmp_path / "m", data, "fashion-28", resume=True)
    assert caught.value.field == "start"
    found = go(tmp_path / "m", data, model, resume=True, **choices)
    assert sum(isinstance(event, Stepped) for event in found) == 6
    assert losses(tmp_path / "m") == losses(tmp_path / "whole")
    assert equal(weights(tmp_path / "m"), weights(tmp_path / "whole"))


def test_a_run_killed_before_its_first_checkpoint_starts_from_the_model_again(tmp_path, model):
    folder = RunFolder(tmp_path / "m")
    folder.write_config(planned(model))
    again = folder.planned({"steps": 3}, resume=True)
    assert (again.start, again.steps) == (str(model), 3)
    with pytest.raises(SettingsError, match="size is 8 in before"):
        folder.planned({"size": 16}, resume=True)


def test_two_processes_start_as_one(tmp_path, data, model):
    """The first one reads the model; that the others read none is seen by its name."""
    settings = planned(model, data=str(data), weighting="none")
    folder = RunFolder(tmp_path / "two")
    one, two = play(2, lambda player: open_run(settings, folder, player).trainer)
    assert equal(one.network.state_dict(), weights(model))
    assert equal(two.network.state_dict(), weights(model))


def test_the_running_means_are_those_of_the_model(tmp_path, data, model):
    plain = open_run(plan(tmp_path / "p", data)[1], RunFolder(tmp_path / "p"), Alone())
    assert torch.equal(plain.trainer.weights.means, torch.ones(BINS))
    opened = open_run(planned(model, data=str(data)), RunFolder(tmp_path / "m"), Alone())
    trainer = opened.trainer
    sums, counts = torch.zeros(BINS).double(), torch.zeros(BINS)
    for batch in opened.first_batches():
        with torch.no_grad():
            said = trainer.ema.network(trainer.objective.x_t(batch), batch.t, return_dict=False)[0]
        errors = (said - trainer.objective.target(batch)).double().square().mean((1, 2, 3))
        for t, error in zip(batch.t.tolist(), errors.tolist(), strict=True):
            sums[t // 2] += error
            counts[t // 2] += 1
    assert int(counts.min()) > 0
    assert torch.allclose(trainer.weights.means, (sums / counts).float(), rtol=1e-4)


def test_the_moving_average_of_a_trained_network_follows_slowly_from_the_start():
    network = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
        fresh, trained = EMA(network, 0.9), EMA(network, 0.9, trained=True)
        network.weight.fill_(2.0)
    for average, expected in ((fresh, 1.9), (trained, 1.1)):
        average.update(network, 0)
        assert average.network.weight.item() == pytest.approx(expected)


def test_a_network_that_cannot_be_trained_here_is_refused(model):
    config, scheduler = model / "unet/config.json", model / "scheduler/scheduler_config.json"
    good = config.read_text()
    for changes, words in (
        ({"num_class_embeds": 3}, "it draws classes"),
        ({"sample_size": [8, 4]}, "its images are 4×8 pixels"),
        ({"block_out_channels": [8, 18], "norm_num_groups": 2}, "its channels must be at most"),
        ({"out_channels": 2}, "learned its variance"),
        ({"layers_per_block": "many"}, "layers_per_block"),
    ):
        change(config, changes)
        with pytest.raises(ModelError, match=words):
            planned(model)
        config.write_text(good)
    assert planned(model).size == 8
    change(scheduler, {"prediction_type": "sample"})
    with pytest.raises(TrainingError, match="it predicts x_0"):
        planned(model)


def test_what_is_no_diffusers_folder_is_refused(model):
    file = model / "unet" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(TrainingError, match="is no diffusers folder") as caught:
        planned(file)
    assert "models convert" in caught.value.advice
    with pytest.raises(ModelError, match="no model named"):
        planned("nothing-here")


def test_weights_in_half_precision_open_in_float32_and_checkpoints_stay_whole(tmp_path, data):
    from diffusers import UNet2DModel

    run(tmp_path / "whole", data, steps=3)
    run(tmp_path / "half", data, steps=3, store="float16")
    files = [tmp_path / name / "unet" / "diffusion_pytorch_model.safetensors"
             for name in ("whole", "half")]  # fmt: skip
    assert files[1].stat().st_size < 0.6 * files[0].stat().st_size
    whole, half = map(load_file, files)
    assert {tensor.dtype for tensor in half.values()} == {torch.float16}
    assert all(torch.equal(half[name], whole[name].half()) for name in whole)
    for opened in (weights(tmp_path / "half"),
                   UNet2DModel.from_pretrained(files[1].parent).float().state_dict()):  # fmt: skip
        assert {tensor.dtype for tensor in opened.values()} == {torch.float32}
        assert all(torch.equal(opened[name], half[name].float()) for name in half)
    newest = [
        read_checkpoint(checkpoint_paths(tmp_path / name / "training" / "checkpoints")[-1])
        for name in ("whole", "half")
    ]
    assert equal(newest[0].tensors, newest[1].tensors)
    assert {tensor.dtype for tensor in newest[1].tensors.values()} == {torch.float32}
    assert "half precision" in (tmp_path / "half" / "README.md").read_text(encoding="utf-8")
    run(tmp_path / "half", data, steps=4, resume=True, store="float32")
    assert {tensor.dtype for tensor in load_file(files[1]).values()} == {torch.float32}


def test_a_weight_beyond_half_precision_stays_whole():
    big = torch.tensor([1e6, 1.0])
    assert torch.equal(model_files._halved(big), big)
    assert model_files._halved(big / 1e3).dtype == torch.float16
