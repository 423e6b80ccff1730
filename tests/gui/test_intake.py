"""Whatever is given as an image is fitted or refused in a sentence; nothing is lost or stalls."""

import io
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from ddim_studio.gui.image_source import ImageSource, from_file, from_seed
from ddim_studio.gui.intake import Intake, Target, take_in
from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.runner import Runner

GREY, COLOUR = Target((1, 28, 28)), Target((3, 32, 32))
RNG = np.random.default_rng(4)


class Owner:
    """Collects what an intake tells."""

    def __init__(self, intake, *, at_once=True):
        self.taken, self.refused, self.works = {}, {}, []
        intake.taken.connect(self.taken.__setitem__)
        intake.refused.connect(self.refused.__setitem__)
        intake.file_requested.connect(self._run if at_once else self.works.append)

    def _run(self, work):
        list(work.start())


@pytest.fixture
def intake(qtbot):
    return Intake()


@pytest.fixture
def owner(intake):
    return Owner(intake)


def noise(width, height, channels):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8))


def saved(tmp_path, image, name="image.png"):
    path = tmp_path / name
    image.save(path)
    return path


IMAGES = {
    "1-bit": (lambda: noise(50, 40, 1).convert("1"), "a.png"),
    "palette": (lambda: noise(50, 40, 3).convert("P"), "a.png"),
    "16-bit": (lambda: Image.fromarray(RNG.integers(0, 65536, (40, 50), dtype=np.uint16)), "a.png"),
    "CMYK": (lambda: noise(50, 40, 3).convert("CMYK"), "a.jpg"),
    "RGBA": (lambda: noise(50, 40, 4), "a.png"),
    "1×1": (lambda: noise(1, 1, 3), "a.png"),
    "tall": (lambda: noise(3, 500, 1), "a.png"),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("target", [GREY, COLOUR], ids=["grey", "colour"])
def test_every_kind_of_image_is_taken_and_its_size_is_said(intake, owner, tmp_path, kind, target):
    make, name = IMAGES[kind]
    image = make()
    intake.set_target(target)
    intake.take("A", from_file(saved(tmp_path, image, name)))
    intake.collect()
    channels, height, width = target.image_shape
    assert owner.refused == {}
    assert owner.taken["A"].pixels.shape == (height, width, channels)
    assert owner.taken["A"].note.startswith(f"{image.width}×{image.height}")


def png_bytes(width=60, height=60):
    buffer = io.BytesIO()
    noise(width, height, 3).save(buffer, "PNG")
    return buffer.getvalue()


def bomb():
    """A PNG that says it has 30,000 × 30,000 pixels."""
    data = bytearray(png_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


BAD = {
    "empty.png": (lambda: b"", "is empty"),
    "text.png": (lambda: b"hello, this is no image", "is not an image"),
    "cut.png": (lambda: png_bytes()[:4000], "damaged"),
    "bomb.png": (bomb, "64 megapixels"),
}


@pytest.mark.parametrize("name", [*BAD, "missing.png"])
def test_what_is_no_image_is_refused_in_one_sentence(intake, owner, tmp_path, name):
    content, reason = BAD.get(name, (None, "no file"))
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content())
    intake.set_target(GREY)
    intake.take("A", from_file(path))
    intake.collect()
    assert owner.taken == {}
    assert reason in owner.refused["A"]
    assert "\n" not in owner.refused["A"]
    assert not intake.is_busy()


def test_another_fit_starts_from_the_original_even_if_the_file_is_gone(intake, owner, tmp_path):
    stripes = np.zeros((20, 60), np.uint8)
    stripes[:, 40:] = 255
    path = saved(tmp_path, Image.fromarray(stripes))
    intake.set_target(GREY)
    intake.take("A", from_file(path))
    intake.collect()
    assert owner.taken["A"].pixels.max() == 0  # the centre is black
    path.unlink()
    intake.set_target(Target((1, 28, 28), "stretch"))
    intake.collect()
    assert owner.refused == {}
    stretched = owner.taken["A"].pixels
    assert stretched[14, 2, 0] == 0
    assert stretched[14, 26, 0] == 255
    intake.set_target(Target((1, 28, 28), "pad", (128, 128, 128)))
    intake.collect()
    assert owner.taken["A"].pixels[0, 14, 0] == 128


def test_another_model_refits_all(intake, owner, tmp_path):
    intake.set_target(GREY)
    for name in ("A", "B"):
        intake.take(name, from_file(saved(tmp_path, noise(64, 64, 3), f"{name}.png")))
    intake.collect()
    intake.set_target(COLOUR)
    intake.collect()
    assert {owner.taken[name].pixels.shape for name in ("A", "B")} == {(32, 32, 3)}


def test_nothing_is_opened_before_the_model_is_known(intake, owner, tmp_path):
    intake.take("A", from_file(saved(tmp_path, noise(30, 30, 1))))
    assert owner.taken == {}
    assert intake.is_busy()
    intake.set_target(GREY)
    intake.collect()
    assert owner.taken["A"].pixels.shape == (28, 28, 1)


def test_the_newest_wish_wins(intake, tmp_path):
    owner = Owner(intake, at_once=False)
    intake.set_target(GREY)
    for value, name in ((10, "old.png"), (200, "new.png")):
        path = saved(tmp_path, Image.new("L", (28, 28), value), name)
        intake.take("A", from_file(path))
    for work in reversed(owner.works):  # the old one arrives last
        list(work.start())
    intake.collect()
    assert owner.taken["A"].pixels.max() == 200
    assert owner.taken["A"].source.label == "new.png"


def test_what_was_given_up_does_not_come_back(intake, tmp_path):
    owner = Owner(intake, at_once=False)
    intake.set_target(GREY)
    intake.take("A", from_file(saved(tmp_path, noise(28, 28, 1))))
    intake.forget("A")
    list(owner.works[0].start())
    intake.collect()
    assert owner.taken == {}


def test_a_pasted_picture_is_composed_on_the_background():
    pixels = np.zeros((28, 28, 4), np.uint8)  # all transparent
    taken = take_in(ImageSource("pasted image", pixels), Target((3, 28, 28), "crop", (9, 8, 7)))
    assert taken.pixels.reshape(-1, 3).tolist() == [[9, 8, 7]] * 784


def test_a_seed_needs_no_fitting():
    taken = take_in(from_seed(5), Target((4, 64, 48)))
    assert taken.pixels is None
    assert taken.source.seed == 5


@pytest.mark.parametrize("shape", [(4, 64, 64), (3, 64, 48)])
def test_models_whose_images_are_no_pictures_refuse_them(shape):
    with pytest.raises(ImageError, match="choose another model"):
        take_in(ImageSource("pasted image", np.zeros((8, 8, 3), np.uint8)), Target(shape))


def test_a_large_photograph_does_not_stall_the_window(intake, qtbot, tmp_path):
    photograph = noise(500, 300, 3).resize((5000, 3000))
    path = saved(tmp_path, photograph, "large.jpg")
    runner = Runner("files")
    owner = Owner(intake, at_once=False)
    intake.file_requested.connect(lambda work: runner.submit(work.title, work.start))
    intake.set_target(GREY)
    stalls = []
    for letter in "ABC":  # a busy machine stalls it now and then, the program would each time
        longest, last = 0.0, time.perf_counter()
        intake.take(letter, from_file(path))
        while letter not in owner.taken:
            qtbot.wait(1)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
        stalls.append(longest)
    assert runner.close()
    assert owner.taken["A"].note == "5000×3000 RGB, centre crop, to 28×28 grey"
    assert min(stalls) < 0.25  # 0.02 s measured on an idle machine
