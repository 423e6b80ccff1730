"""``train``: its folder, its exit codes, and many processes that train as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tiny_runs import losses, write_images

from ddim_studio.cli.stopping import Stop, stop_with_input, stopping
from ddim_studio.training.log import read_log

TINY = "--size 8 --channels 8,16 --layers-per-block 1 --batch-size 8 --device cpu --warmup 2"
MOST = 120.0


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


@pytest.fixture
def train(run, data):
    """Runs ``train`` with a tiny network."""
    return lambda arguments: run(f"train --data data {TINY} {arguments}")


def test_a_run_is_told_and_its_folder_is_the_result(train, names):
    answer = train("--steps 3 --sample-every 2 --licence cc0-1.0 --threads 1 --out m")
    assert (answer.code, answer.out) == (0, ["m"])
    assert answer.err[0].startswith("Training: 0.0 million weights, 23 images and 1 held out")
    assert [line.partition(":")[0] for line in answer.err[1:]] == ["Step 2 of 3", "Step 3 of 3"]
    assert names("m") == ["README.md", "model_index.json", "scheduler", "training", "unet"]
    assert names("m/training") == ["checkpoints", "config.json", "log.jsonl", "samples"]


def test_the_result_is_a_model_for_the_other_commands(train, run, names):
    train("--steps 1 --out m")
    answer = run("models info m")
    assert "Images      8×8 pixels, grey" in answer.out
    assert run("sample --model m --steps 2 --count 1 --out a.png --device cpu").code == 0
    assert "a.png" in names()


def test_quiet_says_the_result_only(train):
    answer = train("--steps 1 --quiet --out m")
    assert (answer.code, answer.out, answer.err) == (0, ["m"], [])


def test_a_run_goes_on_without_being_told_everything_again(train, run):
    train("--steps 2 --out m")
    assert train("--steps 4 --out m").code == 1  # nothing is overwritten
    answer = run("train --out m --steps 4 --resume")
    assert answer.code == 0
    assert answer.err[0].startswith("Going on after step 2")
    assert list(losses("m")) == [1, 2, 3, 4]
    again = run("train --out m --steps 4 --resume")
    assert (again.code, again.out) == (0, ["m"])


def test_resume_without_a_checkpoint_begins(train):
    assert train("--steps 1 --resume --out m").code == 0
    assert list(losses("m")) == [1]


def test_skipped_images_are_named(train, data):
    for number in range(5):
        (data / f"bad-{number}.png").write_bytes(b"bad")
    answer = train("--steps 1 --out m")
    assert [line.split()[:2] for line in answer.err[:3]] == [["Left", "out"]] * 3
    assert answer.err[3] == "Left out 2 more files; training/skipped.txt lists all."
    assert len(Path("m/training/skipped.txt").read_text().splitlines()) == 5


@pytest.mark.parametrize(("arguments", "words"), [
    ("", "--out is missing"),
    ("--out m --size 30 --channels 8,8,8", "--size must be a multiple of 4"),
    ("--out m --steps 0", "--steps must be a whole number from 1"),
    ("--out m --steps many", "--steps must be a whole number from 1"),
    ("--out m --minutes soon", "--minutes must be a number from"),
    ("--out m --batch-size 0", "--batch-size must be a whole number from 1"),
    ("--out m --channels 8,9", "--channels must be at most 8 multiples of 4"),
    ("--out m --attention 5", "--attention must be at sides among 8, 4"),
    ("--out m --prediction x", "--prediction must be one of epsilon, v"),
    ("--out m --weighting x", "--weighting must be one of none, inverse"),
    ("--out m --precision half", "--precision must be one of auto"),
    ("--out m --colours red", "--colours must be one of grey, rgb"),
    ("--out m --device abacus", "--device must be one of"),
    ("--out m --store half", "--store must be one of float32, float16"),
    ("--out m --step 3", "unknown option --step; did you mean --steps?"),
])  # fmt: skip
def test_wrong_usage_is_one_line_and_leaves_nothing(train, names, arguments, words):
    answer = train(arguments)
    assert answer.code == 2
    assert len(answer.err) == 1
    assert words in answer.err[0]
    assert names() == ["data"]


def test_what_cannot_change_is_named_as_its_option(train):
    train("--steps 1 --out m")
    answer = train("--steps 2 --out m --resume --channels 8,8")
    assert answer.code == 2
    assert "--channels was 8,16 when this run began" in answer.err[0]


@pytest.mark.parametrize(("arguments", "words"), [
    ("--data nowhere --out m", "nowhere"),
    ("--data empty --out m", "holds no pictures"),
    ("--data data --held-out 24 --out m", "less than the number of images, 24"),
    ("--data data --out data", "data is not empty"),
    ("--data data --out data --resume", "holds other files"),
])  # fmt: skip
def test_what_cannot_be_trained_is_one_sentence(run, data, names, arguments, words):
    Path("empty").mkdir()
    answer = run(f"train {TINY} --steps 1 {arguments}")
    assert answer.code == 1
    assert len(answer.err) == 1
    assert words in answer.err[0]
    assert names() == ["data", "empty"]


def test_a_run_starts_from_a_model_and_leaves_its_shape_to_it(train, run):
    train("--steps 1 --prediction v --out before")
    course = "train --data data --start-from before --steps 1 --batch-size 8 --device cpu"
    answer = run(f"{course} --store float16 --out after")
    assert (answer.code, answer.out) == (0, ["after"])
    told = run("models info after").out
    assert {"Images      8×8 pixels, grey", "Prediction  v (velocity)"} <= set(told)
    again = run("train --out after --start-from elsewhere --steps 2 --resume")
    assert (again.code, len(again.err)) == (2, 1)
    assert "--start-from was before when this run began" in again.err[0]


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(("arguments", "code", "words"), [
    ("--start-from fashion-28 --size 32", 2, "--size is 28 in fashion-28"),
    ("--start-from fashion-28 --prediction epsilon", 2, "--prediction is v in fashion-28"),
    ("--start-from nothing", 1, "no model named 'nothing'"),
    ("--start-from data/000.png", 1, "000.png is no diffusers folder"),
])  # fmt: skip
def test_a_model_that_no_run_can_start_from_is_told(run, names, arguments, code, words):
    answer = run(f"train --data data --steps 1 --out m {arguments}")
    assert (answer.code, len(answer.err)) == (code, 1)
    assert words in answer.err[0]
    assert names() == ["data"]


def test_help_tells_the_defaults(run):
    answer = run("train --help")
    assert answer.code == 0
    text = " ".join(" ".join(answer.out).split())
    for words in ("default: 32,64,128", "default: 0.0004", "0.999", "--resume"):
        assert words in text


def test_torch_stays_out_until_there_is_something_to_train(tmp_path):
    code = (
        "import sys\n"
        "from ddim_studio.__main__ import main\n"
        "lines = ['train --help', 'train --out m', 'train --data d --out m --size 3']\n"
        "codes = [main(line.split()) for line in lines]\n"
        "print(codes, sorted({'torch', 'diffusers'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 2, 2] []"


def test_signals_wait_once_somebody_asks_and_the_second_ctrl_c_does_not():
    stop = Stop()
    assert not stop.takes(signal.SIGTERM)
    assert not stop()
    assert stop.takes(signal.SIGINT)
    assert stop()
    assert stop.takes(signal.SIGTERM)  # of a launcher that was interrupted itself
    assert not stop.takes(signal.SIGINT)
    assert stop.number == signal.SIGINT


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_standard_input_that_is_closed_has_ended(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    told = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        stop_with_input()
        # The signal may reach another thread, and then does not end a wait of this one.
        assert any(told.wait(0.05) for _ in range(20 * int(MOST)))
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_handlers_come_back_and_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping() as stop:
            stop()
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.number is None
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.number == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_run_and_keeps_it(tmp_path, data, run, number):
    line = f"train --data data {TINY} --steps 100000 --sample-every 100000 --out m".split()
    log = tmp_path / "m" / "training" / "log.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "ddim_studio", *line],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + MOST
        while not log.exists() or len(log.read_text().splitlines()) < 4:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        written, told = process.communicate(timeout=MOST)
    assert process.returncode == 128 + number
    assert written == "m\n"
    last = told.splitlines()[-1]
    assert last == "ddim-studio train: stopped; the same command with --resume goes on."
    *_, end = read_log(log)
    assert end["event"] == "stopped"
    answer = run(f"train --out m --resume --steps {end['step'] + 1}")
    assert (answer.code, len(losses("m"))) == (0, end["step"] + 1)


def launched(processes, arguments, folder):
    """Runs ``train`` in so many processes on the CPU; accelerate finds them by gloo.

    By torchrun, since accelerate's own launcher starts a single process without a GPU.
    """
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *launcher, "-m", "ddim_studio", *arguments.split()]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_two_processes_train_as_one_with_the_whole_batch(tmp_path, data, run):
    """The batch is 9, so one process takes 4 images and the other 5."""
    course = f"train --data data {TINY} --batch-size 9 --precision float32 --learning-rate 1e-3"
    course += " --checkpoint-every 10 --sample-every 25 --flip --prediction v --steps"
    for steps, resume in ((15, ""), (25, "--resume")):
        assert run(f"{course} {steps} --out one {resume}").code == 0
        done = launched(2, f"{course} {steps} --out two {resume}", tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["two"]
        assert sum("on 2 × cpu in float32" in line for line in done.stderr.splitlines()) == 1
    one, two = losses("one"), losses("two")
    assert list(two) == list(one) == list(range(1, 26))
    assert max(abs(one[step] - two[step]) for step in one) < 1e-5
    configs = [Path(out, "training", "config.json").read_text() for out in ("one", "two")]
    assert json.loads(configs[0]) == json.loads(configs[1])
