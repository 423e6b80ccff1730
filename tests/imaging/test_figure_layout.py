"""How a figure is laid out: lines that fit, and pictures as large as there is room."""

import pytest

from ddim_studio.imaging.figure_layout import PAGE, Shape, Texts, laid_out, scale_in, wrapped


def letters(text, size):
    """A ruler by which every letter is as wide as its size."""
    return len(text) * size


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("ddpm-cifar10-ema", ["ddpm-", "cifar10-", "ema"]),
        ("abcdefghijk l", ["abcdefgh", "ijk l"]),
        ("a/b_c/deeper", ["a/b_c/", "deeper"]),
        ("", [""]),
        ("  two  words ", ["two", "words"]),
    ],
)
def test_lines_end_between_words_or_after_hyphens(text, lines):
    assert [line.strip() for line in wrapped(text, 80, 10, letters).split("\n")] == lines


@pytest.mark.parametrize(
    ("shape", "across", "room", "scale"),
    [
        ((1, 28, 28), 1, (450, 450), 16),
        ((8, 28, 28), 4, (450, 300), 3),  # 4·28·3 + 3·4 = 348 fits, 4 does not
        ((2, 28, 28), 4, (450, 300), 7),  # two of a row of four are two
        ((1, 256, 256), 1, (300, 300), 1),
        ((1, 600, 300), 1, (300, 300), 0.5),
        ((64, 28, 28), 64, (10, 10), 1 / 28),
    ],
)
def test_pictures_are_as_large_as_fits(shape, across, room, scale):
    assert scale_in(Shape(*shape), across, room) == pytest.approx(scale)


@pytest.mark.parametrize(("images", "across"), [(8, 4), (4, 2), (1, 1), (2, 2), (16, 4), (9, 3)])
def test_pictures_fill_their_cell_in_full_rows(images, across):
    texts = Texts(["η = 0"] * 5, ["S = 10"] * 4, [("SSIM 0.912", "35 ms")])
    layout = laid_out([Shape(images, 28, 28)] * 20, texts, lambda text, size: 2 * len(text) * size)
    assert layout.across == across


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (5, 4), (8, 4), (3, 12)])
def test_boxes_do_not_overlap_and_leave_room_for_captions(rows, columns):
    texts = Texts(["η = 0.25"] * rows, ["S = 10"] * columns, [("SSIM 0.912", "35 ms")])
    layout = laid_out([Shape(4, 28, 28)], texts, lambda text, size: 2 * len(text) * size)
    width, height = layout.box
    assert len(layout.lefts) == columns
    assert len(layout.tops) == rows
    pitches = {b - a for a, b in zip(layout.lefts, layout.lefts[1:], strict=False)}
    assert len(pitches) == 1
    widest = "SSIM 0.912" if layout.stacked else "SSIM 0.912 · 35 ms"
    assert pitches.pop() > max(width, 2 * len(widest) * 7)
    assert all(b - a > height + 7 * 4 for a, b in zip(layout.tops, layout.tops[1:], strict=False))
    assert layout.label_edge < layout.lefts[0]
    assert layout.lefts[-1] + width < layout.size[0] <= PAGE[0]
    assert layout.tops[-1] + height < layout.size[1]
