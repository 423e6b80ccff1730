"""Animations: exact pixels where the format allows, right durations, and clean failures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from ddim_studio.imaging.animation import animation_writer, write_animation
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

RNG = np.random.default_rng(0)
SETTINGS = '{"kind": "sample", "note": "σ̂"}'
PILLOW = [".gif", ".png", ".apng", ".webp"]
ALL = [*PILLOW, ".mp4"]


def noise(count: int, channels: int, side: int = 16) -> list[np.ndarray]:
    return list(RNG.integers(0, 256, (count, side, side, channels), dtype=np.uint8))


def diffusion(count: int, side: int = 64) -> list[np.ndarray]:
    """Colour noise that turns into a smooth image, as a sampler's frames do."""
    y, x = np.mgrid[0:side, 0:side] / side
    clean = np.stack([np.sin(6 * x + 2 * y), np.cos(5 * y * x), np.sin(7 * y)], -1) * 0.9
    dirt = np.random.default_rng(1).standard_normal(clean.shape)
    shares = np.linspace(0.0, 1.0, count)
    mixed = [np.sqrt(a) * clean + np.sqrt(1 - a) * dirt for a in shares]
    return [np.clip((x + 1) * 127.5, 0, 255).round().astype(np.uint8) for x in mixed]


def read(path, channels: int) -> tuple[list[np.ndarray], list[float]]:
    """The frames of a file, and how long each lasts in milliseconds."""
    mode = "L" if channels == 1 else "RGB"
    frames, durations = [], []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            frame.load()
            pixels = np.asarray(frame.convert("RGB").convert(mode))
            frames.append(pixels.reshape(*pixels.shape[:2], channels))
            durations.append(frame.info["duration"])
    return frames, durations


def films(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        decoded = container.decode(video=0)
        return [
            f.reformat(format="rgb24", src_colorspace=1, interpolation="AREA").to_ndarray()
            for f in decoded
        ]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("suffix", PILLOW)
def test_greys_are_exact(tmp_path, suffix):
    frames = noise(3, 1, side=32)  # 1,024 pixels hold nearly all of the 256 greys
    frames[1] = np.arange(1024, dtype=np.uint32).astype(np.uint8).reshape(32, 32, 1)
    write_animation(tmp_path / f"a{suffix}", frames)
    shown, _ = read(tmp_path / f"a{suffix}", 1)
    np.testing.assert_array_equal(shown, frames)


@pytest.mark.parametrize("suffix", [".png", ".apng", ".webp"])
def test_colours_are_exact(tmp_path, suffix):
    frames = noise(4, 3)
    write_animation(tmp_path / f"a{suffix}", frames)
    shown, _ = read(tmp_path / f"a{suffix}", 3)
    np.testing.assert_array_equal(shown, frames)


def test_colours_of_a_gif_are_near(tmp_path):
    frames = diffusion(5, side=128)
    write_animation(tmp_path / "a.gif", frames)
    shown, _ = read(tmp_path / "a.gif", 3)
    assert psnr(shown[0], frames[0]) > 25.0
    assert psnr(shown[-1], frames[-1]) > 30.0


def test_few_colours_of_a_gif_are_exact(tmp_path):
    palette = RNG.integers(0, 256, (200, 3), dtype=np.uint8)
    frames = list(palette[RNG.integers(0, 200, (3, 32, 32))])
    write_animation(tmp_path / "a.gif", frames)
    shown, _ = read(tmp_path / "a.gif", 3)
    np.testing.assert_array_equal(shown, frames)


def test_films_keep_colour_noise(tmp_path):
    frames = diffusion(6)
    write_animation(tmp_path / "a.mp4", frames, hold_last=0.0)
    shown = films(tmp_path / "a.mp4")
    assert len(shown) == 6
    for given, seen in zip(frames, shown, strict=True):
        reduced = seen.reshape(64, 2, 64, 2, 3).mean((1, 3))
        assert psnr(reduced, given) > 38.0  # at its own size, 4:2:0 gives 11 for noise


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (31, 2, 1)])
def test_films_of_odd_and_tiny_sizes(tmp_path, shape):
    frames = [np.full(shape, level, np.uint8) for level in (30, 200)]
    write_animation(tmp_path / "a.mp4", frames, hold_last=0.0)
    shown = films(tmp_path / "a.mp4")
    assert [s.shape for s in shown] == [(2 * shape[0], 2 * shape[1], 3)] * 2
    for seen, level in zip(shown, (30, 200), strict=True):
        np.testing.assert_allclose(seen.astype(int), level, atol=3)


def test_large_films_are_padded_to_even_sides_instead(tmp_path):
    frame = np.zeros((11, 2051, 1), np.uint8)
    frame[:, -1] = 255
    write_animation(tmp_path / "a.mp4", [frame], hold_last=0.0)
    (shown,) = films(tmp_path / "a.mp4")
    assert shown.shape == (12, 2052, 3)
    assert shown[:, -1].min() > 200  # the edge goes on, no line of another colour


@pytest.mark.parametrize(("suffix", "tick"), [(".gif", 10), (".png", 1), (".webp", 1)])
@pytest.mark.parametrize("fps", [7.0, 12.0, 30.0])
def test_durations_add_up_though_ticks_are_coarse(tmp_path, suffix, tick, fps):
    write_animation(tmp_path / f"a{suffix}", noise(25, 1), fps=fps, hold_last=1.5)
    _, durations = read(tmp_path / f"a{suffix}", 1)
    assert len(durations) == 25
    assert sum(durations) == pytest.approx(1000 * (25 / fps + 1.5), abs=tick / 2)
    assert durations[-1] == pytest.approx(1000 / fps + 1500, abs=tick)
    assert durations[3] == pytest.approx(1000 / fps, abs=tick)


@pytest.mark.parametrize("suffix", PILLOW)
def test_equal_frames_are_merged_and_keep_their_time(tmp_path, suffix):
    a, b, c = noise(3, 3)
    order = [a, a, a, b, a, a, c, c]
    write_animation(tmp_path / f"a{suffix}", order, fps=10, hold_last=0.5)
    shown, durations = read(tmp_path / f"a{suffix}", 3)
    assert durations == [300, 100, 200, 700]
    exact = suffix != ".gif"
    for time in range(8):  # what is seen in the middle of each frame
        index = int(np.searchsorted(np.cumsum(durations), time * 100 + 50))
        np.testing.assert_allclose(shown[index].astype(int), order[time], atol=0 if exact else 60)


def test_equal_frames_of_a_film_keep_their_time(tmp_path):
    a, b = (np.full((8, 8, 1), level, np.uint8) for level in (40, 220))
    write_animation(tmp_path / "a.mp4", [a, a, a, b], fps=10, hold_last=0.3)
    levels = [int(frame.mean()) for frame in films(tmp_path / "a.mp4")]
    np.testing.assert_allclose(levels, [40] * 3 + [220] * 4, atol=3)


@pytest.mark.parametrize("suffix", ALL)
def test_one_frame_is_enough(tmp_path, suffix):
    write_animation(tmp_path / f"a{suffix}", noise(1, 3))
    assert (tmp_path / f"a{suffix}").stat().st_size > 50


def test_a_picture_may_last_longer_than_a_png_counts_in_milliseconds(tmp_path):
    (still,) = noise(1, 1)
    write_animation(tmp_path / "a.png", [still] * 20, fps=0.25, hold_last=1.0)
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["duration"] == 81_000


@pytest.mark.parametrize("loop", [True, False])
def test_looping(tmp_path, loop):
    for suffix in (".gif", ".png", ".webp"):
        write_animation(tmp_path / f"a{suffix}", noise(2, 1), loop=loop)
        with Image.open(tmp_path / f"a{suffix}") as image:
            # A GIF without the looping extension plays once.
            once = None if suffix == ".gif" else 1
            assert image.info.get("loop") == (0 if loop else once)


def test_settings_travel_inside(tmp_path):
    for suffix in ALL:
        write_animation(tmp_path / f"a{suffix}", noise(2, 1), settings_json=SETTINGS)
    assert read_settings(tmp_path / "a.png") == SETTINGS
    assert read_settings(tmp_path / "a.apng") == SETTINGS
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["comment"].decode() == SETTINGS
    with Image.open(tmp_path / "a.webp") as image:
        assert SETTINGS.encode() in image.info["exif"]
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["comment"] == SETTINGS


@pytest.mark.parametrize("suffix", ALL)
def test_frames_may_share_one_array(tmp_path, suffix):
    def reused() -> Iterator[np.ndarray]:
        frame = np.zeros((8, 8, 1), np.uint8)
        for level in (0, 100, 200):
            frame[:] = level
            yield frame

    path = tmp_path / f"a{suffix}"
    write_animation(path, reused(), hold_last=0.0)
    frames = films(path) if suffix == ".mp4" else read(path, 1)[0]
    np.testing.assert_allclose([f.mean() for f in frames], [0, 100, 200], atol=2)


@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_an_error_on_the_way_keeps_the_old_file_and_leaves_no_other(tmp_path, suffix, error):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")

    def failing() -> Iterator[np.ndarray]:
        yield from noise(2, 1)
        raise error

    def through_writer() -> None:
        with animation_writer(path) as add:
            for frame in failing():
                add(frame)

    with pytest.raises(error):
        through_writer()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("a.avi", {}, r"\.gif, \.png, \.apng, \.webp, \.mp4"),
        ("gif", {}, "suffixes"),
        ("a.gif", {"fps": 51}, "at 0.01 to 50 frames"),
        ("a.mp4", {"fps": 0}, "another rate"),
        ("a.mp4", {"fps": float("nan")}, "another rate"),
        ("a.webp", {"hold_last": -1.0}, "0 to 60 seconds"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_sentence(tmp_path, name, options, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        write_animation(tmp_path / name, noise(2, 1), **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ALL)
def test_no_frames_are_refused(tmp_path, suffix):
    with pytest.raises(ImageError, match="no frames"):
        write_animation(tmp_path / f"a{suffix}", [])
    assert not list(tmp_path.iterdir())


def test_frames_too_large_for_the_format_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"20000×1 pixels are too large.*16383"):
        write_animation(tmp_path / "a.webp", [np.zeros((1, 20_000, 1), np.uint8)])


def test_frames_of_several_shapes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one shape"):
        write_animation(tmp_path / "a.gif", [*noise(1, 1), *noise(1, 3)])


def test_without_pyav_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match=r"pip install 'ddim-studio\[export\]'"):
        write_animation(tmp_path / "a.mp4", noise(2, 1))
    assert not list(tmp_path.iterdir())
