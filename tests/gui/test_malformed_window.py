"""Malformed inputs dropped on the real window: it says what is wrong, and goes on working."""

import os
import re

import pytest
from hand import drop, run

from malformed import CATALOGUE, MARKER, built

AS_MODEL = [
    "zip: os.system",
    "legacy: builtins.eval",
    "payload in a diffusers folder",
    "doubling text",
    "deep key",
    "hidden method",
    "zip bomb",
    "torchscript",
    "safetensors cut short",
    "a tensor of a terabyte",
    "NaN in the weights",
    "a missing tensor",
    "a transposed tensor",
    "network: the class of a network that is not known",
    "network: 960 attended blocks beside 60 tensors",
    "schedule: zero terminal SNR with ε",
    "config.json: 100,000 objects deep",
    "official with nan",
    "empty folder",
    "text to image pipeline",
    "a JPEG picture as .pt",
    "sparse terabyte",
    "sparse old file",
]
PIPES = ["weights are a pipe", "card is a pipe and weights are nan", "named pipe", "link to itself"]


@pytest.mark.timeout(120)
def test_every_one_is_explained_at_the_model_and_the_window_works_on(
    window, finish, tiny_pipeline, tmp_path_factory
):
    page, choice = window.sample, window.sample.model()
    shown = set()
    for name in AS_MODEL + (PIPES if hasattr(os, "mkfifo") else []):
        folder, source = built(name, tmp_path_factory.mktemp)
        drop(window, source)
        finish()
        said = choice.error(choice.combo)
        assert re.search(CATALOGUE[name].says, said), (name, said)
        assert said.isprintable()
        assert choice.source() == source
        assert not (folder / MARKER).exists()
        shown.add(said)
    assert len(shown) > 20  # each has its own sentence
    drop(window, tiny_pipeline)
    finish()
    assert choice.error(choice.combo) == ""
    run(window, finish)
    assert page.stage.shown_pixels().shape == (4, 8, 8, 1)
    assert window.error_bar.isHidden()


@pytest.mark.timeout(60)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_model_by_its_name_is_explained_in_the_bar(window, finish, tmp_path):
    pipe, zero = tmp_path / "pipe.png", tmp_path / "zero.json"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    for path in (pipe, zero):
        drop(window, path)
        finish()
        assert window.error_bar.isVisible()
        assert "is not a file" in window.error_bar._message.text()
        window.error_bar.hide()
