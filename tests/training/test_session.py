"""A run of training from begin to end: what it learns, writes, survives and refuses."""

from __future__ import annotations

import errno
import itertools
import json
import os
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import events, losses, run, write_images

import ddim_studio as ds
from ddim_studio.training import assess, checkpoint, session
from ddim_studio.training.checkpoint import checkpoint_paths, read_checkpoint
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.events import Assessed, Begun, Done, Kept, Remark, Stepped
from ddim_studio.training.log import read_log


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


def of_kind(found, kind):
    return [event for event in found if isinstance(event, kind)]


def after(count):
    """Says True from the question number ``count`` on."""
    asked = itertools.count()
    return lambda: next(asked) >= count


def weights(out):
    return ds.load_model(str(out), device="cpu").unet.state_dict()


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_tells_every_step_and_ends(tmp_path, data):
    found = run(tmp_path / "m", data, steps=4, held_out=5)
    assert found[0] == Begun(0, 19, 5, (), found[0].parameters, "cpu in float32")
    assert [event.step for event in of_kind(found, Stepped)] == [1, 2, 3, 4]
    assert {event.total for event in of_kind(found, Stepped)} == {4}
    assert of_kind(found, Stepped)[-1].remaining == 0
    assert found[-1] == Done(4, stopped=False, model=str(tmp_path / "m"))
    assert list(losses(tmp_path / "m").values()) == [e.loss for e in of_kind(found, Stepped)]


def test_the_model_opens_here_and_in_diffusers_and_is_the_moving_average(tmp_path, data):
    from diffusers import DDIMPipeline

    out = tmp_path / "m"
    run(out, data, steps=3, licence="cc-by-4.0", prediction="v")
    model = ds.load_model(str(out), device="cpu")
    newest = read_checkpoint(checkpoint_paths(out / "training" / "checkpoints")[-1])
    average = {k[4:]: v for k, v in newest.tensors.items() if k.startswith("ema.")}
    assert equal(weights(out), average)
    assert not torch.equal(average["conv_in.weight"], newest.tensors["network.conv_in.weight"])
    assert (model.info.licence, model.info.prediction) == ("cc-by-4.0", "v (velocity)")
    assert "23 images" in model.info.summary
    frames = list(ds.sample(model, ds.seeded_noise(model, [0]), ds.SampleSettings(steps=3)))
    assert torch.isfinite(frames[-1].x).all()
    pipeline = DDIMPipeline.from_pretrained(out)
    assert equal(pipeline.unet.state_dict(), weights(out))
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert torch.allclose(
        pipeline.scheduler.alphas_cumprod.double(), model.schedule.alpha_bars, rtol=1e-4
    )


@pytest.mark.parametrize("choices", [
    {}, {"weighting": "none"}, {"prediction": "v"}, {"precision": "bfloat16"}, {"flip": True},
])  # fmt: skip
def test_a_run_that_was_stopped_goes_on_to_the_same_losses_and_weights(tmp_path, data, choices):
    run(tmp_path / "whole", data, **choices)
    halves = tmp_path / "halves"
    found = run(halves, data, stop=after(5), **choices)
    assert found[-1].stopped
    assert len(losses(halves)) == 6  # the step that is asked in is done
    run(halves, data, resume=True, **choices)
    assert losses(halves) == losses(tmp_path / "whole")
    assert equal(weights(halves), weights(tmp_path / "whole"))


def test_a_longer_run_goes_on_from_the_end_of_a_shorter_one(tmp_path, data):
    out = tmp_path / "m"
    run(out, data, steps=4)
    found = run(out, data, resume=True, steps=6)
    assert [event.step for event in of_kind(found, Stepped)] == [5, 6]
    assert list(losses(out)) == [1, 2, 3, 4, 5, 6]


def test_a_limit_that_is_reached_writes_the_model_again_and_nothing_else(tmp_path, data):
    out = tmp_path / "m"
    run(out, data, steps=4)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "log.jsonl"}
    (out / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (out / "README.md").unlink()
    found = run(out, data, resume=True, steps=3)
    assert of_kind(found, Stepped) == []
    assert of_kind(found, Assessed) == []
    changed = {"config.json"}  # the new limit is in it
    for path, content in before.items():
        if path.name not in changed:
            assert path.read_bytes() == content, path


def test_minutes_end_a_run_and_count_over_resumptions(tmp_path, data, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("ddim_studio.training.clock.time.monotonic", lambda: next(ticks) * 0.5)
    found = run(tmp_path / "m", data, steps=None, minutes=1)
    steps = of_kind(found, Stepped)
    assert 0 < len(steps) < 60
    assert steps[-1].seconds >= 59
    assert steps[-1].learning_rate < 5e-4  # half of the highest: it falls by the clock
    again = run(tmp_path / "m", data, resume=True, steps=None, minutes=1)
    assert of_kind(again, Stepped) == []
    more = run(tmp_path / "m", data, resume=True, steps=None, minutes=1.5)
    assert 0 < len(of_kind(more, Stepped)) < len(steps)


def test_checkpoints_and_samples_come_when_asked_for(tmp_path, data):
    found = run(tmp_path / "m", data, steps=7, checkpoint_every=2, sample_every=3)
    assert [event.step for event in of_kind(found, Kept)] == [2, 4, 6, 7]
    assert [event.step for event in of_kind(found, Assessed)] == [3, 6, 7]
    kept = [path.stem for path in checkpoint_paths(tmp_path / "m" / "training" / "checkpoints")]
    assert kept == ["step-000000006", "step-000000007"]
    sheets = sorted((tmp_path / "m" / "training" / "samples").iterdir())
    assert [path.name for path in sheets] == [f"step-{n:09}.png" for n in (3, 6, 7)]
    assert [str(path) for path in sheets] == [event.sheet for event in of_kind(found, Assessed)]


def test_the_sheet_shows_the_model_from_the_same_noise(tmp_path, data):
    from ddim_studio.imaging.pixels import to_pixels
    from ddim_studio.imaging.sheets import contact_sheet, display_scale

    run(tmp_path / "m", data, steps=3, seed=5, sample_every=3)
    model = ds.load_model(str(tmp_path / "m"), device="cpu")
    steps = ds.sample(
        model, ds.seeded_noise(model, range(5, 21)), ds.SampleSettings(steps=assess.SAMPLE_STEPS)
    )
    *_, last = steps
    expected = contact_sheet(to_pixels(last.x), scale=display_scale(8, 8))
    sheet = np.array(Image.open(tmp_path / "m" / "training" / "samples" / "step-000000003.png"))
    assert np.abs(sheet.astype(int) - expected[..., 0]).max() <= 1


def test_the_validation_loss_is_that_of_held_out_images(tmp_path, data):
    found = run(tmp_path / "m", data, steps=1, held_out=6, ema=0.0)
    (assessed,) = of_kind(found, Assessed)
    assert assessed.validation == pytest.approx(np.mean(assessed.by_noise), rel=0.01)
    assert 0.8 < assessed.validation < 1.1
    none = run(tmp_path / "n", data, steps=1, held_out=0)
    (assessed,) = of_kind(none, Assessed)
    assert (assessed.validation, assessed.by_noise) == (None, ())


def test_skipped_images_are_listed(tmp_path, data):
    (data / "zz.png").write_bytes(b"no picture")
    found = run(tmp_path / "m", data, steps=1)
    assert [name for name, _ in found[0].skipped] == ["zz.png"]
    listed = (tmp_path / "m" / "training" / "skipped.txt").read_text().splitlines()
    assert len(listed) == 1
    assert listed[0].startswith("zz.png: ")
    assert json.loads((tmp_path / "m/training/config.json").read_text())["data"]["skipped"] == 1


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(
    tmp_path, data, monkeypatch
):
    from ddim_studio.training.objective import Objective

    calls, plain = itertools.count(1), Objective.errors

    def broken(self, network, batch):
        found = plain(self, network, batch)
        return found * float("nan") if next(calls) == 4 else found

    monkeypatch.setattr(Objective, "errors", broken)
    with pytest.raises(TrainingError, match=r"step 4 is not a finite number.*step 2") as caught:
        run(tmp_path / "m", data, checkpoint_every=2, held_out=0, sample_every=999)
    assert "--learning-rate" in caught.value.advice
    newest = read_checkpoint(checkpoint_paths(tmp_path / "m" / "training" / "checkpoints")[-1])
    assert newest.step == 2
    assert all(torch.isfinite(tensor).all() for tensor in newest.tensors.values())
    monkeypatch.setattr(Objective, "errors", plain)
    assert run(tmp_path / "m", data, resume=True)[-1].step == 12


def test_a_full_disk_stops_the_run_and_keeps_the_last_checkpoint(tmp_path, data, monkeypatch):
    plain = checkpoint.write_tensors

    def full(path, tensors, metadata):
        if "000000006" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        plain(path, tensors, metadata)

    monkeypatch.setattr(checkpoint, "write_tensors", full)
    with pytest.raises(TrainingError, match=r"disk is full.*that of step 4") as caught:
        run(tmp_path / "m", data, checkpoint_every=2)
    assert "--resume" in caught.value.advice
    monkeypatch.setattr(checkpoint, "write_tensors", plain)
    run(tmp_path / "m", data, resume=True, checkpoint_every=2)
    assert list(losses(tmp_path / "m")) == list(range(1, 13))


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, data):
    run(tmp_path / "whole", data)
    out = tmp_path / "m"
    run(out, data, checkpoint_every=2, stop=after(5))
    newest = checkpoint_paths(out / "training" / "checkpoints")[-1]
    newest.write_bytes(newest.read_bytes()[:-9])
    found = run(out, data, resume=True)
    assert found[0].step == 4
    assert [e.text for e in of_kind(found, Remark)] == [
        f"{newest.name} is damaged, so the checkpoint before it is used."
    ]
    assert losses(out) == losses(tmp_path / "whole")


def test_a_run_killed_before_its_first_checkpoint_begins_afresh(tmp_path, data):
    out = tmp_path / "m"
    going = events(out, data, sample_every=2)
    for event in going:
        if isinstance(event, Assessed):
            break
    going.close()
    assert len(losses(out)) == 2
    assert run(out, data, resume=True, steps=1)[0].step == 0
    assert list(losses(out)) == [1]
    assert len(list((out / "training" / "samples").iterdir())) == 1


def test_other_images_are_refused_and_the_same_ones_elsewhere_taken(tmp_path, data):
    out = tmp_path / "m"
    run(out, data, steps=2)
    moved = data.rename(tmp_path / "moved")
    assert run(out, moved, resume=True, steps=3)[-1].step == 3
    (moved / "000.png").unlink()
    with pytest.raises(TrainingError, match="not those that this run began with"):
        run(out, moved, resume=True, steps=4)


def test_a_file_named_pause_makes_the_run_wait(tmp_path, data, monkeypatch):
    monkeypatch.setattr(session, "LOOK", 0.001)
    out = tmp_path / "m"
    pause = out / "training" / "PAUSE"
    run(tmp_path / "whole", data)
    going, seen = events(out, data), []
    for event in going:
        seen.append(event)
        if isinstance(event, Stepped) and event.step == 3:
            pause.touch()
        if isinstance(event, Remark):
            assert "PAUSE" in event.text
            assert isinstance(seen[-2], Kept)  # nothing is lost if it never goes on
            timer = threading.Timer(0.3, pause.unlink)
            timer.start()
    timer.join()
    assert len(of_kind(seen, Remark)) == 1
    assert losses(out) == losses(tmp_path / "whole")
    lines = {line["step"]: line for line in read_log(out / "training" / "log.jsonl")}
    spent = lines[12]["seconds"]
    assert spent < of_kind(seen, Stepped)[-1].seconds + 10  # counted without the pause


def test_a_paused_run_can_be_stopped(tmp_path, data, monkeypatch):
    monkeypatch.setattr(session, "LOOK", 0.001)
    out, wish = tmp_path / "m", []
    for event in events(out, data, stop=lambda: bool(wish)):
        if isinstance(event, Stepped) and event.step == 3:
            (out / "training" / "PAUSE").touch()
        if isinstance(event, Remark):
            wish.append(True)
    assert event == Done(event.step, stopped=True, model=str(out))
    assert run(out, data, resume=True)[-1].step == 12  # the file is forgotten
