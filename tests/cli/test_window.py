"""Without arguments: the window, or the same job without one where there is no display."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

import ddim_studio as ds
from ddim_studio.__main__ import missing_for_window
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import read_settings
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.runs import SampleRun

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@linux
def test_without_a_display_the_job_is_done_into_files(tmp_path, names):
    environment = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    done = subprocess.run(
        [sys.executable, "-m", "ddim_studio"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no display" in done.stderr.splitlines()[0]
    files = ["ddim-studio-samples.png", "ddim-studio-denoising.gif"]
    assert done.stdout.splitlines() == files
    assert names(tmp_path) == sorted(files)

    heads = ds.load_model(device="cpu")
    x_T = ds.seeded_noise(heads, range(16))
    steps = list(ds.sample(heads, x_T, ds.SampleSettings()))
    with Image.open(tmp_path / files[0]) as image:
        shown = np.asarray(image).astype(int)
    # Another process may use another number of threads: allow one level.
    assert np.abs(shown - contact_sheet(to_pixels(steps[-1].x))).max() <= 1
    assert SampleRun.from_json(read_settings(tmp_path / files[0])) == SampleRun(count=16)
    with Image.open(tmp_path / files[1]) as image:
        frames = [
            np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(image)
        ]
    assert len(frames) == 51
    states = [contact_sheet(to_pixels(x), scale=4) for x in (x_T, *(step.x for step in steps))]
    for number in (0, 25, 50):  # a GIF has 256 colours, so near is all that a frame can be
        off = [np.abs(frames[number] - state).mean() for state in states]
        assert np.argmin(off) == number
        assert off[number] < 12


@linux
@pytest.mark.parametrize(
    ("display", "platform", "told"),
    [
        ("", "", "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ("", "xcb", "neither DISPLAY nor WAYLAND_DISPLAY is set"),
        (":7654", "", "':7654' does not answer"),
        (":7654", "xcb", "':7654' does not answer"),
    ],
)
def test_a_missing_display_is_told_in_one_sentence(monkeypatch, display, platform, told):
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    if platform:
        monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert told in missing_for_window()


@linux
@pytest.mark.parametrize("platform", ["offscreen", "minimal", "vnc:size=800x600"])
def test_platforms_without_a_display_have_a_window(monkeypatch, platform):
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert missing_for_window() == ""


def test_a_missing_library_is_named(monkeypatch):
    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name == "PySide6.QtWidgets":
                raise ImportError("libEGL.so.1: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "PySide6.QtWidgets", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Blocked(), *sys.meta_path])
    sentence = missing_for_window()
    assert "libEGL.so.1" in sentence
    assert "README" in sentence
