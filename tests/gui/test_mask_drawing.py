"""What strokes, boxes and undo do to a mask, pixel by pixel; ready-made masks; masks in files."""

import numpy as np
import pytest
from PIL import Image

from ddim_studio.gui.mask_drawing import MaskDrawing, disc
from ddim_studio.gui.mask_presets import PRESETS, mask_pixels, read_mask, resized
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import write_png


def text(mask):
    return ["".join("#" if value else "." for value in row) for row in mask]


@pytest.fixture
def drawing():
    return MaskDrawing(6, 8)


def test_brushes_are_round_and_of_their_size():
    assert text(disc(1)) == ["#"]
    assert text(disc(4)) == [".##.", "####", "####", ".##."]
    assert text(disc(5)) == [".###.", "#####", "#####", "#####", ".###."]
    for size in range(1, 30):
        shape = disc(size)
        assert shape.any(0).all()
        assert shape.any(1).all()
        assert np.array_equal(shape, shape[::-1].T)


def test_a_line_has_no_gaps_and_covers_both_ends(drawing):
    drawing.begin()
    drawing.line((0, 0), (7, 5), 1, fill=True)
    drawing.commit()
    rows, columns = np.nonzero(drawing.mask)
    assert sorted(columns) == list(range(8))
    assert (np.abs(rows - columns * 5 / 7) <= 0.5).all()
    drawing.begin()
    drawing.line((3, 2), (4, 3), 3, fill=False)
    drawing.commit()
    assert text(drawing.mask)[2] == "........"
    assert drawing.mask[0, 0]
    assert drawing.mask[5, 7]


def test_strokes_and_boxes_are_cut_at_the_edges(drawing):
    drawing.begin()
    drawing.line((-3, 1), (0, 1), 3, fill=True)
    drawing.line((50, 60), (60, 50), 5, fill=True)
    drawing.commit()
    assert text(drawing.mask)[:4] == ["##......"] * 3 + ["........"]
    assert drawing.count == 6
    drawing.begin()
    drawing.box((9, 9), (6, 4), fill=True)
    drawing.box((-5, -5), (-1, 9), fill=True)
    drawing.commit()
    assert text(drawing.mask)[4:] == ["......##"] * 2
    assert drawing.count == 10


def test_a_stroke_is_undone_as_one_and_redone(drawing):
    drawing.begin()
    drawing.line((1, 1), (1, 1), 1, fill=True)
    drawing.line((1, 1), (5, 1), 1, fill=True)
    drawing.commit()
    drawing.begin()
    drawing.box((0, 3), (7, 4), fill=True)
    drawing.commit()
    both = drawing.mask
    assert drawing.undo()
    assert drawing.count == 5
    assert drawing.undo()
    assert drawing.count == 0
    assert not drawing.undo()
    assert drawing.redo()
    assert drawing.redo()
    assert not drawing.redo()
    assert np.array_equal(drawing.mask, both)


def test_what_changes_nothing_is_no_stroke_and_a_new_one_ends_redoing(drawing):
    drawing.begin()
    drawing.box((0, 0), (1, 1), fill=False)
    assert not drawing.commit()
    assert not drawing.can_undo()
    assert drawing.replace(~drawing.mask)
    assert not drawing.replace(drawing.mask)
    drawing.undo()
    assert drawing.can_redo()
    drawing.begin()
    drawing.box((0, 0), (0, 0), fill=True)
    drawing.commit()
    assert not drawing.can_redo()


def test_the_mask_that_is_given_out_is_a_copy(drawing):
    drawing.mask[:] = True
    assert drawing.count == 0
    with pytest.raises(ValueError, match="must be"):
        drawing.replace(np.ones((2, 2), bool))


@pytest.mark.parametrize("key", PRESETS)
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (7, 9), (1, 1)])
def test_ready_made_masks_have_the_shape_and_leave_something_known(key, size):
    mask = PRESETS[key][2](*size)
    assert mask.shape == size
    assert mask.dtype == np.bool_
    if size != (1, 1):
        assert 0 < mask.sum() < mask.size
    assert np.array_equal(mask, PRESETS[key][2](*size))


def test_ready_made_masks_are_what_they_say():
    masks = {key: make(8, 8) for key, (_, _, make) in PRESETS.items()}
    assert text(masks["centre"])[1:3] == ["........", "..####.."]
    assert text(masks["left"])[0] == "####...."
    assert text(masks["right"])[0] == "....####"
    assert text(masks["lower"])[3:5] == ["........", "########"]
    assert text(masks["stripes"])[5] == ".#.#.#.#"
    assert masks["random"].sum() == 48


def test_a_mask_comes_back_from_its_file(tmp_path):
    mask = PRESETS["random"][2](12, 10)
    path = tmp_path / "mask.png"
    write_png(path, mask_pixels(mask), None)
    assert np.array_equal(read_mask(path, 12, 10), mask)


def test_masks_of_other_sizes_and_kinds_are_brought_to_the_picture(tmp_path):
    mask = np.zeros((4, 4), bool)
    mask[1, 2] = True
    large = mask.repeat(5, 0).repeat(5, 1)
    assert np.array_equal(resized(large, 4, 4), mask)
    assert np.array_equal(resized(mask, 20, 20), large)
    path = tmp_path / "colour.png"
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[..., 3] = mask * 255  # white everywhere, but seen only where it is opaque
    Image.fromarray(rgba).save(path)
    assert np.array_equal(read_mask(path, 4, 4), mask)
    deep = tmp_path / "deep.png"
    Image.fromarray((mask * 65535).astype(np.uint16)).save(deep)
    assert np.array_equal(read_mask(deep, 4, 4), mask)


def test_a_file_that_is_no_mask_is_refused(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"no")
    with pytest.raises(ImageError, match=r"mask\.png"):
        read_mask(path, 4, 4)
