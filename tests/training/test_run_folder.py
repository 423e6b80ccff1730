import json
import os

import pytest

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.log import RunLog, cut_back, read_log
from ddim_studio.training.run_folder import MOST_SHEETS, RunFolder
from ddim_studio.training.settings import TrainSettings


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "model")


def begin(folder, checkpoint=True, **values):
    folder.write_config(TrainSettings(data="images", **values))
    if checkpoint:
        folder.checkpoints.mkdir()
        (folder.checkpoints / "step-000000001.safetensors").touch()


@pytest.mark.parametrize("resume", [False, True])
def test_a_new_folder_and_an_empty_one_begin_a_run(folder, resume):
    for _ in range(2):
        assert folder.planned({"data": "d", "steps": 3}, resume=resume).steps == 3
        folder.model.mkdir(exist_ok=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_begins_needs_data(folder, resume):
    with pytest.raises(SettingsError, match=r"^data must be"):
        folder.planned({}, resume=resume)


def test_nothing_is_overwritten_without_resume(folder):
    begin(folder)
    with pytest.raises(TrainingError, match="not empty") as caught:
        folder.planned({"data": "d"}, resume=False)
    assert "--resume" in caught.value.advice


def test_a_model_that_was_not_trained_here_is_never_resumed(folder):
    (folder.model / "unet").mkdir(parents=True)
    with pytest.raises(TrainingError, match="other files"):
        folder.planned({"data": "d"}, resume=True)


def test_a_file_is_no_folder(folder):
    folder.model.write_text("x")
    with pytest.raises(TrainingError, match="is a file"):
        folder.planned({"data": "d"}, resume=True)


def test_a_run_with_a_checkpoint_goes_on_with_its_own_settings(folder):
    begin(folder, batch_size=5, steps=10)
    planned = folder.planned({"steps": 20}, resume=True)
    assert (planned.data, planned.batch_size, planned.steps) == ("images", 5, 20)
    with pytest.raises(SettingsError, match=r"^batch_size was 5"):
        folder.planned({"batch_size": 6}, resume=True)


def test_a_run_without_a_checkpoint_begins_afresh(folder):
    begin(folder, checkpoint=False, batch_size=5)
    assert folder.planned({}, resume=True).batch_size == 5
    fresh = folder.planned({"data": "d", "batch_size": 6, "size": 64}, resume=True)
    assert (fresh.batch_size, fresh.size, fresh.attention) == (6, 64, (16,))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 3}', '{"settings": {}}',
                                  '{"settings": {"data": "d", "size": -1}}',
                                  '{"settings": {"data": "d", "unheard": 1}}'])  # fmt: skip
def test_a_damaged_config_is_a_sentence(folder, text):
    begin(folder)
    folder.config.write_text(text)
    with pytest.raises(TrainingError, match=r"config\.json cannot be used"):
        folder.planned({"data": "d"}, resume=True)


def test_settings_with_a_path_that_is_no_utf_8_come_back(folder):
    data = os.fsdecode(b"caf\xe9 \xce\xb1")
    folder.write_config(TrainSettings(data=data))
    assert folder.planned({}, resume=True).data == data
    assert "\u03b1" in folder.config.read_text(encoding="utf-8")


def test_sheets_are_thinned_evenly_and_the_ends_stay(folder):
    folder.samples.mkdir(parents=True)
    for step in range(MOST_SHEETS + 1):
        folder.sheet(step).touch()
        folder.thin_sheets()
    left = [int(path.stem.rpartition("-")[2]) for path in sorted(folder.samples.iterdir())]
    assert left == list(range(0, MOST_SHEETS + 1, 2))


def test_leftovers_of_a_kill_go_and_nothing_else(folder):
    folder.checkpoints.mkdir(parents=True)
    keep = [folder.model / ".gitignore", folder.root / "config.json", folder.model / "a-0123.txt"]
    gone = [
        folder.checkpoints / ".step-000000001-0123456789abcdef.safetensors",
        folder.model / ".README-fedcba9876543210.md",
    ]
    for path in keep + gone:
        path.touch()
    folder.remove_leftovers()
    assert all(path.exists() for path in keep)
    assert not any(path.exists() for path in gone)


def test_the_names_of_temporary_files_are_known(folder):
    """What `atomic_path` leaves behind when it is killed is what `remove_leftovers` removes."""
    from ddim_studio.storage import atomic_path

    for path in (folder.log, folder.sheet(3), folder.model / "unet" / "weights.safetensors"):
        with atomic_path(path) as temporary:
            folder.remove_leftovers()
            assert not temporary.exists()
            temporary.touch()


def test_lines_come_back_but_for_one_cut_short(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    log = RunLog(path)
    log.write("step", 1, loss=0.1)
    assert len(path.read_text().splitlines()) == 1  # written at once
    log.write("step", 2, loss=1e-9)
    log.close()
    whole = path.read_text()
    path.write_text(whole + '{"event": "step", "st')
    assert [line["loss"] for line in read_log(path)] == [0.1, 1e-9]
    path.write_bytes(whole.encode() + b'5\n{"step": "x"}\n\xff\n')
    assert [line["step"] for line in read_log(path)] == [1, 2]


def test_a_log_is_cut_back_to_a_step_and_written_on(tmp_path):
    path = tmp_path / "log.jsonl"
    cut_back(path, 3)
    assert not path.exists()
    path.write_text(
        "".join(json.dumps({"event": "step", "step": n}) + "\n" for n in range(6)) + "{"
    )
    cut_back(path, 3)
    log = RunLog(path)
    log.write("step", 4)
    log.close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [0, 1, 2, 3, 4]
