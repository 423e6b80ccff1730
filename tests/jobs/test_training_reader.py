"""Following a run of training by its folder: log, samples, images, and the options of the child."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_runs import write_images

from ddim_studio.cli.arguments import Parser
from ddim_studio.cli.planning import read_given
from ddim_studio.cli.train import READERS, SWITCHES, parser
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.training_child import failure_of
from ddim_studio.jobs.training_events import NoImages, Surveyed
from ddim_studio.jobs.training_log import LogReader, digested, last_event
from ddim_studio.jobs.training_run import TrainOrder, arguments
from ddim_studio.jobs.training_sheets import cut, read_sheet
from ddim_studio.jobs.training_survey import SurveyOrder, survey_job
from ddim_studio.training.settings import TrainSettings


def line(event, step, **values):
    return json.dumps({"event": event, "step": step, **values}) + "\n"


def steps_in(parts):
    return [int(step) for part in parts for step in part.steps]


def test_a_line_that_is_not_complete_waits_for_its_end(tmp_path):
    path = tmp_path / "log.jsonl"
    reader = LogReader(path)
    assert list(reader.parts()) == []
    whole = line("step", 2, loss=0.5)
    path.write_text(line("begun", 0) + line("step", 1, loss=1.0) + whole[:9])
    assert steps_in(reader.parts()) == [1]
    with path.open("a") as file:
        file.write(whole[9:])
    (part,) = reader.parts()
    assert (steps_in([part]), part.losses.tolist(), part.afresh) == ([2], [0.5], False)
    assert list(reader.parts()) == []


def test_a_log_that_was_cut_back_is_read_anew(tmp_path):
    path, other = tmp_path / "log.jsonl", tmp_path / "other"
    path.write_text("".join(line("step", n, loss=1.0) for n in (1, 2, 3)))
    reader = LogReader(path)
    assert steps_in(reader.parts()) == [1, 2, 3]
    other.write_text(line("step", 1, loss=1.0) + line("resumed", 1) + line("step", 2, loss=0.7))
    other.replace(path)
    (part,) = reader.parts()
    assert part.afresh
    assert steps_in([part]) == [1, 2]
    assert part.begun["event"] == "resumed"


def test_a_long_log_comes_in_parts_that_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("ddim_studio.jobs.training_log.MOST_BYTES", 300)
    path = tmp_path / "log.jsonl"
    path.write_text("".join(line("step", n, loss=1.0) for n in range(1, 101)))
    parts = list(LogReader(path).parts())
    assert len(parts) > 5
    assert steps_in(parts) == list(range(1, 101))
    assert [part.afresh for part in parts] == [True] + [False] * (len(parts) - 1)


def test_what_is_odd_in_a_log_is_passed_over(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("nonsense\n[1]\n" + line("step", 1, loss="x") + line("step", 2, loss=0.1))
    (part,) = LogReader(path).parts()
    assert steps_in([part]) == [2]
    told = digested([{"event": "assessed", "step": 4, "validation": 0.2}])
    assert (told.validations, told.last) == (((4, 0.2),), "assessed")
    assert last_event(path) == ("step", 2)
    assert last_event(tmp_path / "none") == ("", 0)


@pytest.mark.parametrize(("count", "channels", "scale"), [(16, 3, 4), (7, 1, 1), (1, 3, 2)])
def test_a_sheet_is_taken_apart_into_what_it_was_made_of(count, channels, scale):
    shape = (count, 5, 5, channels)
    images = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    sheet = contact_sheet(images, scale=scale)
    assert np.array_equal(cut(sheet, 5 * scale, scale), images)
    assert cut(sheet[:-1], 5 * scale, scale) is None


def test_a_file_that_is_no_sheet_is_none(tmp_path):
    path = tmp_path / "step-000000001.png"
    path.write_bytes(b"nothing")
    assert read_sheet(path, 8) is None
    Image.new("RGB", (30, 20)).save(path)
    assert read_sheet(path, 8) is None


def test_images_are_counted_measured_and_shown(tmp_path):
    data = write_images(tmp_path / "data", channels=3)
    Image.new("L", (40, 24), 90).save(data / "large.png")
    (data / "bad.png").write_bytes(b"x")
    (data / "notes.txt").write_text("x")
    *_, told = survey_job(SurveyOrder(data))
    assert isinstance(told, Surveyed)
    assert (told.kind, told.count, told.colours, told.complete) == ("folder", 26, "rgb", True)
    assert (told.smallest, told.largest) == ((8, 8), (40, 24))
    assert sorted(name for name, _ in told.skipped) == ["bad.png", "notes.txt"]
    assert told.sheet.shape == (25, 24, 24, 3)


def test_an_archive_is_looked_at_as_its_folder_is(tmp_path):
    data = write_images(tmp_path / "data")
    archive = shutil.make_archive(str(tmp_path / "data"), "zip", data)
    *_, folder = survey_job(SurveyOrder(data))
    *_, packed = survey_job(SurveyOrder(tmp_path / archive))
    assert (packed.kind, packed.count, packed.colours) == ("zip archive", 24, "grey")
    assert np.array_equal(packed.sheet, folder.sheet)


def test_what_holds_no_images_is_told_in_a_sentence(tmp_path):
    (told,) = survey_job(SurveyOrder(tmp_path))
    assert isinstance(told, NoImages)
    assert "holds no pictures" in told.reason
    (told,) = survey_job(SurveyOrder(tmp_path / "nowhere"))
    assert "nowhere" in told.reason
    assert list(survey_job(SurveyOrder(None))) == []


@pytest.mark.parametrize("changes", [
    {},
    {"minutes": 2.5, "attention": (), "channels": (8, 16), "flip": True, "licence": "cc0-1.0"},
    {"steps": 7, "colours": "grey", "held_out": 0, "prediction": "v", "compile": True},
    {"start": "fashion-28"},
])  # fmt: skip
def test_the_options_say_what_the_settings_do(tmp_path, changes):
    settings = TrainSettings(data="-odd name", **changes)
    options = arguments(TrainOrder(settings, tmp_path / "m", resume=True))
    read = parser("train")
    assert isinstance(read, Parser)
    found = read.read(options)
    given = read_given(found, READERS) | {k: True for k in SWITCHES if getattr(found, k)}
    assert TrainSettings.from_dict(given) == settings
    assert (found.out, found.resume) == (str(tmp_path / "m"), True)


def test_how_a_child_ended_becomes_a_sentence():
    said = "some library\nddim-studio train: The disk is full.\n"
    assert failure_of(1, said).message == "The disk is full."
    assert "signal 9" in failure_of(-9, said).message
    assert "exit code 3" in failure_of(3, said).message
    assert failure_of(1, "Traceback").details == "Traceback"


def test_a_model_that_was_trained_further_is_opened_anew(tmp_path, tiny_pipeline):
    folder = shutil.copytree(tiny_pipeline, tmp_path / "model")
    models = ModelCache()
    first = models.open(str(folder), "cpu")
    assert models.open(str(folder), "cpu") is first
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.touch()
    assert not models.has(str(folder), "cpu")
    second = models.open(str(folder), "cpu")
    assert second is not first
    shutil.rmtree(folder)
    assert models.open(str(folder), "cpu") is second
    models.clear()
