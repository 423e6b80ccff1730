"""``restore``: what it refuses, in one line, with the exit code that fits, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from pictures import noisy, write
from PIL import Image

PROGRAM = [sys.executable, "-m", "ddim_studio"]
SMALL = "restore small.png --out a.png --task superres --scale 2"
HOLED = "restore p.png --out a.png --task inpaint"
NOISY = "restore p.png --out a.png --task denoise"

WRONG = [
    # what is asked for
    ("restore --task inpaint --out a.png", "IMAGE", "a picture"),
    ("restore p.png --task superres", "--out", ".png, .gif, .webp"),
    ("restore p.png --out a.png", "--task", "colorize, inpaint, superres or denoise"),
    ("restore p.png --out a.png --task sharpen", "--task", "colorize, inpaint, superres, denoise"),
    ("restore p.png --out a.jpg --task superres", "--out", ".png, .gif, .webp"),
    ("restore p.png p.png --out a.png --task superres", "'p.png'", "unexpected argument"),
    (f"{SMALL} --stpes 5", "--stpes", "did you mean --steps?"),
    (f"{SMALL} --trajectory", "--trajectory", ".npz"),
    # that does not fit the task or the model
    (HOLED, "--mask is missing", "white is what to fill"),
    (f"{SMALL} --mask m.png", "--mask", "inpaint only"),
    (f"{NOISY}", "--sigma", "above 0"),
    (f"{NOISY} --sigma 0", "--sigma", "above 0"),
    (f"{NOISY} --sigma 2.5", "--sigma", "from 0 to 2"),
    (f"{NOISY} --sigma much", "--sigma", "from 0 to 2"),
    ("restore p.png --out a.png --task superres --scale 3", "--scale", "those that do: 2, 4, 8"),
    ("restore p.png --out a.png --task superres --scale 16", "--scale", "those that do: 2, 4, 8"),
    ("restore p.png --out a.png --task superres --scale 1", "--scale", "from 2"),
    ("restore p.png --out a.png --task colorize", "--task", "nothing to colourise"),
    ("restore p.png --out a.png --task colorize --grey red", "--grey", "mean, luma"),
    # the walk
    (f"{SMALL} --method repaint", "--method", "fills holes only"),
    (f"{SMALL} --method magic", "--method", "ddnm, repaint"),
    (f"{HOLED} --mask m.png --method repaint --sigma 0.1", "--sigma", "must be 0"),
    (f"{SMALL} --eta hat", "--eta", "from 0 to 1"),
    (f"{SMALL} --eta 1.5", "--eta", "from 0 to 1"),
    (f"{SMALL} --steps 1001", "--steps", "from 1 to 1000, not 1001"),
    (f"{SMALL} --timesteps 0,1000", "--timesteps", "from 0 to 999"),
    (f"{SMALL} --travel-length 0", "--travel-length", "from 1"),
    (f"{SMALL} --travel-interval 0", "--travel-interval", "from 1"),
    (f"{SMALL} --travel-repeats 1001", "--travel-repeats", "from 1 to 1000"),
    (f"{SMALL} --count 0", "--count", "from 1"),
    (f"{SMALL} --seed -1", "--seed", "from 0 to"),
    (f"{SMALL} --noise-seed x", "--noise-seed", "from 0 to"),
    (f"{SMALL} --fit squeeze", "--fit", "crop, pad, stretch"),
]

FAILURES = [
    ("missing.png --task superres --scale 2", "There is no file missing.png"),
    ("bad.png --task superres --scale 2", "bad.png is damaged"),
    ("text.png --task superres --scale 2", "text.png is not an image"),
    ("p.png --task inpaint --mask missing.png", "There is no file missing.png"),
    ("p.png --task inpaint --mask text.png", "text.png is not an image"),
    ("p.png --task inpaint --mask black.png", "black.png has no white: nothing is to be filled"),
    ("p.png --task inpaint --mask white.png", "white.png is all white: there is no pixel to go by"),
    ("p.png --task inpaint --mask wide.png", "is 9×5: it must be 8×8, the size of the picture"),
    ("p.png --settings p.png", "p.png"),
    ("p.png --settings text.png", "text.png"),
    ("p.png --settings other.json", "The settings in other.json cannot be used"),
]


@pytest.fixture
def pictures(tmp_path, names):
    """Pictures and masks where command lines run; gives the names of all."""
    write(tmp_path / "p.png", noisy(1))
    write(tmp_path / "small.png", noisy(1, 4))
    greys = {"black.png": np.zeros((8, 8)), "white.png": np.full((8, 8), 255)}
    greys |= {"wide.png": np.full((5, 9), 255), "m.png": np.eye(8) * 255}
    for name, grey in greys.items():
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes((tmp_path / "p.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "other.json").write_text('{"kind": "sample", "steps": 5}')
    return names(tmp_path)


@pytest.fixture
def refused(run, names, tiny_pipeline, pictures):
    """Runs a line with the small random model, which must leave nothing, and gives its answer."""

    def refused(line):
        answer = run(f"{line} --model {tiny_pipeline}")
        assert names() == pictures
        return answer

    return refused


@pytest.mark.parametrize(("line", "named", "allowed"), WRONG, ids=[line for line, *_ in WRONG])
def test_a_wrong_argument_ends_with_2_and_one_line_that_names_it(refused, line, named, allowed):
    answer = refused(line)
    assert (answer.code, answer.out) == (2, [])
    (message,) = answer.err
    assert message.startswith("ddim-studio restore: ")
    assert named in message
    assert allowed in message


@pytest.mark.parametrize(("line", "told"), FAILURES, ids=[line for line, _ in FAILURES])
def test_a_failure_is_one_line_that_names_what_failed_and_leaves_nothing(refused, line, told):
    answer = refused(f"restore {line} --steps 1 --out new/d/")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1), answer
    assert answer.err[0].startswith("ddim-studio restore: ")
    assert told in answer.err[0]


def test_a_model_that_is_not_there_and_a_place_that_is_none(run, names, tiny_pipeline, pictures):
    answer = run(f"{SMALL} --model missing")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "missing" in answer.err[0]
    line = f"restore small.png --task superres --scale 2 --steps 1 --model {tiny_pipeline}"
    answer = run(f"{line} --out text.png/a.png")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "text.png" in answer.err[0]
    assert names() == pictures


def test_a_failure_in_the_middle_leaves_nothing(run, tiny_pipeline, monkeypatch, names, pictures):
    from ddim_studio.diffusion.restore_rules import Nullspace

    def failing(*_):
        raise MemoryError

    monkeypatch.setattr(Nullspace, "stepped", failing)
    for out in ("new/a.png", "new/d/", "new/a.npz", "new/a.gif"):
        answer = run(f"{SMALL.replace('a.png', out)} --model {tiny_pipeline} --steps 2")
        assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
        assert "not enough memory" in answer.err[0]
        assert names() == pictures


def test_options_without_effect_are_told(run, tiny_pipeline, pictures):
    answer = run(f"{SMALL} --timesteps 3,9 --steps 4 --model {tiny_pipeline}")
    assert answer.code == 0
    assert "--steps and --spacing are not used" in answer.err[0]
    assert run(f"{SMALL} --timesteps 3,9 --steps 4 --quiet --model {tiny_pipeline}").err == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_mid_run_leaves_nothing_behind(tmp_path, tiny_pipeline, names, pictures):
    line = f"{SMALL.replace('a.png', 'deep/a.npz')} --trajectory --steps 1000 --quiet"
    with subprocess.Popen(
        [*PROGRAM, *line.split(), "--travel-repeats", "100", "--model", str(tiny_pipeline)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "deep").glob(".a-*/*.npy")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        written, complaint = process.communicate(timeout=60)
    assert (process.returncode, written) == (130, ""), complaint
    assert complaint == "ddim-studio restore: interrupted.\n"
    assert names(tmp_path) == pictures


def test_torch_stays_out_of_help_and_refusals(tmp_path, pictures):
    lines = ["restore --help", f"{SMALL} --steps 5000", HOLED, NOISY, "restore p.png --out a.png"]
    lines += ["restore p.png --out a.png --task superres --scale 3 --model fashion-28"]
    code = (
        "import sys\n"
        "from ddim_studio.__main__ import main\n"
        f"codes = [main(line.split()) for line in {lines!r}]\n"
        "heavy = {'torch', 'diffusers', 'PySide6', 'pyqtgraph'} & set(sys.modules)\n"
        "print(codes, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 2, 2, 2, 2, 2] []"
