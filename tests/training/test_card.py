"""The card of a trained model: the commands that make it, its credit, what it says of its run."""

from __future__ import annotations

import json
import shlex

import pytest
from tiny_runs import Alone, run, write_images

import ddim_studio as ds
from ddim_studio.cli.planning import read_given
from ddim_studio.cli.train import READERS, SWITCHES, parser
from ddim_studio.training.legs import Leg, commands, read_legs, with_leg, written
from ddim_studio.training.run_folder import RunFolder
from ddim_studio.training.session import train
from ddim_studio.training.settings import TrainSettings


def commands_in(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("ddim-studio train ")]


def asked_by(command):
    """What the command line makes of a command, but for its folder."""
    arguments = parser("train").read(shlex.split(command)[2:])
    given = read_given(arguments, READERS)
    given |= {name: True for name in SWITCHES if getattr(arguments, name)}
    return given, arguments


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "my data")


@pytest.mark.parametrize("changes", [
    {}, {"steps": 10_000}, {"minutes": 1.5}, {"size": 64, "attention": ()},
    {"channels": (8, 16), "attention": (16, 32)}, {"flip": True, "compile": True},
    {"learning_rate": 1e-5, "ema": 0.99, "warmup": 0, "store": "float16", "threads": 2},
    {"licence": "cc-by-4.0", "credit": "A. Painter's \"heads\"", "held_out": 0, "seed": 5},
    {"prediction": "v", "weighting": "none", "colours": "grey", "sample_every": 7},
])  # fmt: skip
def test_the_command_of_a_run_gives_its_settings_back(changes):
    settings = TrainSettings(data="faces.zip", **changes)
    ((step, command),) = commands("m", [Leg(0, settings)], 9)
    given, arguments = asked_by(command)
    assert (step, arguments.out, arguments.resume) == (0, "m", False)
    assert TrainSettings.from_dict(given) == settings


def test_the_command_tells_only_what_is_not_usual():
    settings = TrainSettings(data="a/b/faces.zip", size=64, learning_rate=1e-3)
    ((_, command),) = commands("m", [Leg(0, settings)], 1)
    assert command == ("ddim-studio train --data faces.zip --size 64 --learning-rate 0.001 --out m")


def test_what_a_model_decides_is_left_to_it():
    values = {"start": "x/fashion-28", "size": 28, "channels": (8, 16), "colours": "grey"}
    settings = TrainSettings(data="d", **values, prediction="v", steps=5)
    ((_, command),) = commands("m", [Leg(0, settings)], 1)
    assert command == "ddim-studio train --data d --start-from fashion-28 --steps 5 --out m"
    settings = TrainSettings(data="d", **values | {"start": "hub:a/b"})
    assert "--start-from hub:a/b --out" in commands("m", [Leg(0, settings)], 1)[0][1]


def test_every_leg_has_a_command_that_tells_what_is_new():
    first = TrainSettings(data="d", minutes=5)
    second = TrainSettings(data="d", minutes=5, steps=900, licence="mit")
    legs = [Leg(0, first), Leg(40, second), Leg(90, second)]
    found = commands("m", legs, 90)
    assert [step for step, _ in found] == [0, 40]  # the last one has not made a step
    assert found[1][1] == (
        "ddim-studio train --licence mit --steps 900 --minutes 5 --out m --resume"
    )


def test_legs_that_were_not_kept_are_forgotten_and_equal_ones_are_one():
    a, b = TrainSettings(data="d"), TrainSettings(data="d", steps=3)
    legs = with_leg([], Leg(0, a))
    assert with_leg(legs, Leg(0, b)) == [Leg(0, b)]
    assert with_leg(legs, Leg(7, a)) == [Leg(0, a)]
    assert with_leg([Leg(0, a), Leg(7, b)], Leg(5, a)) == [Leg(0, a)]
    assert read_legs(json.loads(json.dumps(written([Leg(0, a), Leg(7, b)])))) == [
        Leg(0, a), Leg(7, b)
    ]  # fmt: skip
    for damaged in (None, 3, [{}], [{"step": 0, "settings": {"size": -1}}], ["x"]):
        assert read_legs(damaged) == []


def test_the_card_of_a_run_that_went_on_lists_its_commands_which_make_it_again(tmp_path, data):
    given = {"size": 8, "channels": (8, 16), "layers_per_block": 1, "batch_size": 8, "warmup": 2,
             "device": "cpu", "precision": "float32", "held_out": 3}  # fmt: skip

    def go(out, resume, **given):
        folder = RunFolder(tmp_path / out)
        list(train(folder.planned(given, resume=resume), folder, Alone(), lambda: False))

    go("m", False, **given, data=str(data), steps=4)
    go("m", True, steps=6, credit="A. Painter", licence="cc-by-4.0")
    listed = commands_in(tmp_path / "m")
    assert len(listed) == 2
    assert "--data 'my data'" in listed[0]
    for command in listed:
        given, arguments = asked_by(command)
        if "data" in given:
            given["data"] = str(tmp_path / given["data"])
        go("again", arguments.resume, **given)
    models = [ds.load_model(str(tmp_path / name), device="cpu") for name in ("m", "again")]
    states = [model.unet.state_dict() for model in models]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])


def test_the_card_names_credit_and_versions(tmp_path, data):
    import diffusers
    import torch

    run(tmp_path / "m", data, steps=1, credit="ToonHead by Johan Melin", licence="cc-by-4.0")
    text = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert "| Credit | ToonHead by Johan Melin |" in text
    assert text.splitlines()[1] == "license: cc-by-4.0"
    assert f"torch {torch.__version__}, diffusers {diffusers.__version__}" in text
    assert f"DDIM Studio {ds.__version__}" in text


def test_a_run_of_before_begins_its_legs_with_the_settings_it_had(tmp_path, data):
    run(tmp_path / "m", data, steps=2)
    config = tmp_path / "m" / "training" / "config.json"
    values = json.loads(config.read_text())
    del values["legs"]
    config.write_text(json.dumps(values))
    run(tmp_path / "m", data, steps=3, resume=True)
    assert [command.partition("--out")[2] for command in commands_in(tmp_path / "m")] == [
        " m", " m --resume"
    ]  # fmt: skip
