"""Cards are read without opening models; pictures of samples are kept by what a model is."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.cards import CardOrder, card_job, keep_preview, preview_path, read_preview
from ddim_studio.jobs.model_events import CardRead, CardUnreadable
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.loading import describe


def card(source):
    (event,) = card_job(CardOrder(str(source)))
    return event


@pytest.fixture
def samples():
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)


def test_a_card_tells_what_describe_does_and_the_schedule(tiny_pipeline, tiny):
    read = card(tiny_pipeline)
    assert read.info == describe(str(tiny_pipeline))
    assert np.allclose(read.alpha_bars, tiny.schedule.alpha_bars.numpy(), atol=0)
    assert read.samples is None
    assert read.source == str(tiny_pipeline)


def test_a_bundled_model_and_a_checkpoint_file_have_cards_too(tmp_path, tiny_pipeline):
    assert card("fashion-28").info.source == "fashion-28"
    path = tmp_path / "broken.pt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused = card(path)
    assert isinstance(refused, CardUnreadable)
    assert refused.source == str(path)
    assert refused.message.endswith(".")
    assert "\n" not in refused.message


def test_what_is_not_there_is_said_in_a_sentence():
    refused = card("no such model")
    assert "There is no model named 'no such model'" in refused.message
    assert refused.advice


def test_samples_come_back_with_the_card(tiny_pipeline, samples):
    run = SampleRun(model=str(tiny_pipeline), count=5, steps=3)
    path = card(tiny_pipeline).preview
    list(keep_preview(path, samples, run.to_json()))
    assert np.array_equal(card(tiny_pipeline).samples, samples)
    assert json.loads(read_settings(path))["steps"] == 3


def test_colour_samples_too(tmp_path):
    info = dataclasses.replace(describe("fashion-28"), image_shape=(3, 28, 28))
    colour = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 3), np.uint8)
    list(keep_preview(tmp_path / "a.png", colour, SampleRun(count=3).to_json()))
    assert np.array_equal(read_preview(tmp_path / "a.png", info), colour)


@pytest.mark.parametrize("damage", ["cut", "other size", "no settings", "not json"])
def test_a_picture_that_does_not_fit_is_none(tiny_pipeline, samples, damage):
    run = SampleRun(model=str(tiny_pipeline), count=5)
    path = card(tiny_pipeline).preview
    shown = samples[:, :, :7] if damage == "other size" else samples
    settings = {"no settings": "{}", "not json": "]"}.get(damage, run.to_json())
    list(keep_preview(path, shown, settings))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    read = card(tiny_pipeline)
    assert isinstance(read, CardRead)
    assert read.samples is None


def test_a_moved_model_keeps_its_picture_and_another_gets_its_own(tiny_pipeline, tmp_path):
    moved = shutil.copytree(tiny_pipeline, tmp_path / "moved")
    assert preview_path(moved) == preview_path(tiny_pipeline)
    weights = moved / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert preview_path(moved) != preview_path(tiny_pipeline)
    other = shutil.copytree(tiny_pipeline, tmp_path / "other")
    config = other / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("linear", "scaled_linear"))
    assert preview_path(other) != preview_path(tiny_pipeline)


def test_reading_a_card_opens_no_network(tiny_pipeline, monkeypatch):
    def forbidden(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr(torch.nn.Module, "load_state_dict", forbidden)
    assert isinstance(card(tiny_pipeline), CardRead)
