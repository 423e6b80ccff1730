"""Figures: the very pixels of the pictures, labels that are text, and a page that they fit."""

import re
import threading
import xml.etree.ElementTree as ET
import zlib

import matplotlib
import numpy as np
import pytest
from pictures import noisy, read

from ddim_studio.imaging import figures
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.figure_layout import DPI, PAGE, PICTURE_GAP
from ddim_studio.imaging.figures import matrix_figure
from ddim_studio.imaging.png import read_settings

LABELS = ["η = 0", "η = 0.2", "η = 0.5", "η = 1", "σ̂"]
ABOVE = ["S = 10", "no clipping", "x̂₀ clamped, ε derived again", "S = 100"]
NOTE = "fashion-28, linear τ, seeds 0–7. Below each cell: mean SSIM, and the time per image."


def cell(seed, images=8, side=28, channels=1):
    return np.stack([noisy(100 * seed + i, side, channels) for i in range(images)])


def matrix(rows, columns, images=8, **more):
    return {
        (row, column): cell(row * columns + column, images, **more)
        for row in range(rows)
        for column in range(columns)
    }


def drawn(path, cells, rows, columns, caption=("SSIM 0.912", "35 ms"), **more):
    """A figure with plain labels, and its pixels if it is a PNG."""
    matrix_figure(
        path,
        cells,
        [LABELS[i % 5] for i in range(rows)],
        [ABOVE[i % 4] for i in range(columns)],
        dict.fromkeys([(r, c) for r in range(rows) for c in range(columns)], caption),
        **more,
    )
    return read(path) if path.suffix == ".png" else path.read_bytes()


def find(page, picture):
    """Where a picture, enlarged by some whole number, stands in a grey page: scale, top, left."""
    whole = page.tobytes()
    for scale in range(32, 0, -1):
        big = picture.repeat(scale, 0).repeat(scale, 1)
        start = whole.find(big[0].tobytes())
        while start >= 0:
            top, left = divmod(start, page.shape[1])
            if np.array_equal(page[top : top + len(big), left : left + big.shape[1]], big):
                return scale, top, left
            start = whole.find(big[0].tobytes(), start + 1)
    return None


@pytest.mark.parametrize(("rows", "columns", "images"), [(1, 5, 2), (3, 2, 8), (2, 4, 1)])
def test_every_pixel_of_every_picture_is_there_unblurred(tmp_path, rows, columns, images):
    cells = matrix(rows, columns, images)
    page = drawn(tmp_path / "a.png", cells, rows, columns, note=NOTE)
    assert (page[..., 0] == page[..., 2]).all()  # grey text on white, grey pictures
    found = {place: [find(page[..., 0], p[..., 0]) for p in c] for place, c in cells.items()}
    assert None not in [spot for spots in found.values() for spot in spots]
    assert len({scale for spots in found.values() for scale, _, _ in spots}) == 1
    for (row, column), spots in found.items():
        assert spots[0][1] == found[row, 0][0][1]  # cells of a row stand on one line
        assert spots[0][2] == found[0, column][0][2]
        if images > 1:
            scale, top, left = spots[0]
            assert spots[1] == (scale, top, left + 28 * scale + PICTURE_GAP)


def test_colour_is_kept(tmp_path):
    cells = {(0, 0): cell(1, 1, side=16, channels=3)}
    page = drawn(tmp_path / "a.png", cells, 1, 1)
    spots = [find(page[..., c], cells[0, 0][0, ..., c]) for c in range(3)]
    assert spots[0] is not None
    assert spots == [spots[0]] * 3


def test_cells_of_other_sizes_stand_in_the_middle_of_equal_boxes(tmp_path):
    cells = {(0, 0): cell(1, 1, side=28), (0, 1): cell(2, 1, side=32), (1, 0): cell(3, 1, side=28)}
    page = drawn(tmp_path / "a.png", cells, 2, 2)[..., 0]
    (a, top_a, left_a), (b, top_b, left_b) = (find(page, cells[0, c][0, ..., 0]) for c in (0, 1))
    assert top_a + 28 * a / 2 == pytest.approx(top_b + 32 * b / 2, abs=1)
    assert find(page, cells[1, 0][0, ..., 0])[2] == left_a
    assert abs(28 * a - 32 * b) < 28
    assert left_b > left_a + 28 * a


def test_pictures_too_large_for_the_page_are_reduced(tmp_path):
    side = 512
    ramp = np.linspace(0, 255, side).round().astype(np.uint8)
    cells = dict.fromkeys(
        [(0, column) for column in range(8)], np.tile(ramp, (side, 1))[None, :, :, None]
    )
    page = drawn(tmp_path / "a.png", cells, 1, 8, ())
    assert page.shape[1] <= PAGE[0]
    middle = page[page.shape[0] // 2, :, 0].astype(int)
    starts = np.flatnonzero(np.diff(middle) < -200)  # each ramp ends white and begins black
    assert len(starts) >= 7
    one = middle[starts[0] + 1 : starts[1]]
    inner = one[(one > 8) & (one < 247)]
    assert (np.diff(inner) >= 0).all()
    assert np.abs(np.diff(inner)).max() <= 4


def test_a_missing_cell_is_marked(tmp_path):
    cells = matrix(2, 2, 1)
    whole = drawn(tmp_path / "a.png", cells, 2, 2)
    scale, top, left = find(whole[..., 0], cells[1, 1][0, ..., 0])
    missing = cells.pop((1, 1))
    page = drawn(tmp_path / "a.png", cells, 2, 2)
    assert page.shape == whole.shape
    assert find(page[..., 0], missing[0, ..., 0]) is None
    box = page[top : top + 28 * scale, left : left + 28 * scale, 0]
    assert (box == box[0, 0]).mean() > 0.98
    assert 200 < box[0, 0] < 250
    assert box[box.shape[0] // 4 :].min() < 150  # the dash in its middle
    np.testing.assert_array_equal(page[:top], whole[:top])


def test_a_matrix_without_any_picture_is_drawn(tmp_path):
    assert drawn(tmp_path / "a.png", {}, 2, 3).min() < 255


@pytest.mark.parametrize(
    ("rows", "columns", "images", "side"),
    [(1, 5, 8, 28), (5, 4, 8, 28), (8, 4, 1, 28), (1, 1, 1, 28), (2, 3, 4, 256), (5, 4, 64, 32)],
)
def test_a_figure_fits_the_page(tmp_path, rows, columns, images, side):
    cells = matrix(rows, columns, images, side=side)
    page = drawn(tmp_path / "a.png", cells, rows, columns, note=NOTE, title="Table 1")
    assert page.shape[1] <= PAGE[0]
    assert page.shape[0] <= PAGE[1]


def test_twenty_by_twenty_grows_rather_than_overlap(tmp_path):
    cells = matrix(20, 20, 1, side=8)
    page = drawn(tmp_path / "a.png", cells, 20, 20, ("0.912", "35 ms"))
    spots = [find(page[:, :400, 0], cells[row, 0][0, ..., 0]) for row in (0, 1, 19)]
    assert None not in spots
    assert page.shape[1] < 1.3 * PAGE[0]


def words(svg):
    root = ET.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_svg_has_its_labels_as_text_and_its_pictures_as_they_are(tmp_path):
    svg = drawn(tmp_path / "a.svg", matrix(5, 4, 2), 5, 4, note=NOTE, title="Table 1")
    found = words(svg)
    assert set(LABELS) < set(found)
    assert {"S = 10", "no clipping", "Table 1", "SSIM 0.912 · 35 ms"} < set(found)
    assert found.count("SSIM 0.912 · 35 ms") == 20
    assert NOTE in " ".join(found)
    assert svg.count(b"<image") == 20
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg.decode())}
    assert sizes == {7, 8, 9}
    assert b"DejaVu Sans" in svg


def test_pdf_embeds_its_text(tmp_path):
    pdf = drawn(tmp_path / "a.pdf", matrix(2, 2, 1), 2, 2, settings_json='{"kind": "compare"}')
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf  # TrueType, not outlines
    assert b"/Type3" not in pdf
    assert b'{"kind": "compare"}' in pdf
    assert b"CreationDate" not in pdf
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    texts = [zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x"]
    assert any(b"BT" in text and (b"Tj" in text or b"TJ" in text) for text in texts)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_figure_is_the_same_file(tmp_path, suffix):
    one, two = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (one, two):
        drawn(path, matrix(1, 2, 2), 1, 2, note=NOTE)
    assert one.read_bytes() == two.read_bytes()


def test_png_carries_settings_and_its_size_in_print(tmp_path):
    from PIL import Image

    path = tmp_path / "a.png"
    drawn(path, matrix(1, 2, 1), 1, 2, settings_json='{"kind": "compare", "η": 1}')
    assert read_settings(path) == '{"kind": "compare", "η": 1}'
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.01)


def test_dollars_and_backslashes_are_letters(tmp_path):
    labels = [r"C:\a$b$", "50%_^{"]
    matrix_figure(tmp_path / "a.svg", {}, labels[:1], labels[1:], {})
    assert set(labels) < set(words((tmp_path / "a.svg").read_bytes()))


def test_matplotlib_is_left_as_it_was(tmp_path):
    matplotlib.rcParams["svg.fonttype"] = "path"
    before = dict(matplotlib.rcParams)
    try:
        drawn(tmp_path / "a.svg", {}, 1, 1)
        assert dict(matplotlib.rcParams) == before
    finally:
        matplotlib.rcParams["svg.fonttype"] = "path"
    assert figures.STYLE["svg.fonttype"] == "none"


def test_pyplot_is_not_needed(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys\nfrom ddim_studio.imaging.figures import matrix_figure\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"matrix_figure({str(tmp_path / 'a.png')!r}, {{}}, ['a'], ['b'], {{}})\n"
        "print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_figures_of_several_threads_do_not_disturb_each_other(tmp_path):
    alone = drawn(tmp_path / "a.svg", matrix(1, 2, 1), 1, 2)
    paths = [tmp_path / f"{i}.svg" for i in range(3)]
    threads = [threading.Thread(target=drawn, args=(path, matrix(1, 2, 1), 1, 2)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() for path in paths] == [alone] * 3


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_another_suffix_is_refused_and_nothing_is_written(tmp_path, name):
    with pytest.raises(ImageError, match=r"\.png, \.svg or \.pdf"):
        drawn(tmp_path / name, {}, 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_matrix_needs_rows_and_columns(tmp_path):
    with pytest.raises(ValueError, match="rows and columns"):
        drawn(tmp_path / "a.png", {}, 0, 3)
