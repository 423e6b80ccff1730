"""Tensors ↔ pixels: exact levels, strange numbers, and no torch on import."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from ddim_studio.imaging.pixels import from_pixels, to_image, to_levels, to_pixels, views_to_levels


def test_every_level_survives_the_round_trip():
    levels = np.arange(2 * 16 * 24, dtype=np.uint32).astype(np.uint8).reshape(2, 16, 8, 3)
    tensor = from_pixels(levels)
    assert tensor.dtype == torch.float32
    assert tensor.shape == (2, 3, 16, 8)
    assert tensor.min() == -1.0
    assert tensor.max() == 1.0
    np.testing.assert_array_equal(to_pixels(tensor), levels)


def test_axes_are_moved_not_reshaped():
    x = torch.full((2, 3, 4, 5), -1.0)
    x[1, 2, 3, 4] = 1.0
    pixels = to_pixels(x)
    assert pixels.shape == (2, 4, 5, 3)
    assert pixels.flags.c_contiguous
    assert np.argwhere(pixels == 255).tolist() == [[1, 3, 4, 2]]


def test_levels_are_rounded_to_the_nearest():
    values = torch.tensor([10.4, 10.6, 200.49, 200.51], dtype=torch.float64) / 127.5 - 1.0
    assert to_pixels(values.reshape(1, 1, 1, 4)).ravel().tolist() == [10, 11, 200, 201]


def test_values_outside_are_clamped_and_nan_is_black():
    values = torch.tensor([-7.0, 7.0, float("nan"), float("inf"), float("-inf"), -1.0])
    assert to_pixels(values.reshape(1, 1, 2, 3)).ravel().tolist() == [0, 255, 0, 255, 0, 0]


def test_another_range():
    values = torch.tensor([0.0, 1.0, 2.0, 4.0, 5.0]).reshape(1, 1, 1, 5)
    shown = to_pixels(values, low=0.0, high=4.0).ravel().tolist()
    assert shown == [0, 64, 128, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_all_dtypes_agree_on_values_that_all_can_hold(dtype):
    values = torch.tensor([-1.0, -0.5, 0.0, 0.25, 1.0], dtype=dtype).reshape(1, 1, 1, 5)
    assert to_pixels(values).ravel().tolist() == [0, 64, 128, 159, 255]


def test_half_precision_is_widened_before_it_is_scaled():
    # In bfloat16 arithmetic, levels above 128 would come out even only.
    x = torch.linspace(0.5, 1.0, 65, dtype=torch.bfloat16).reshape(1, 1, 5, 13)
    np.testing.assert_array_equal(to_pixels(x), to_pixels(x.double()))


def test_integers_are_taken_by_value():
    values = torch.tensor([-1, 0, 1]).reshape(1, 1, 1, 3)
    assert to_pixels(values).ravel().tolist() == [0, 128, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_tensor_is_neither_changed_nor_shared(channels):
    x = torch.randn(2, channels, 5, 5, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    pixels = to_pixels(x.requires_grad_())
    pixels[:] = 7
    assert torch.equal(x.detach(), before)


def test_tensors_of_inference_mode_and_other_layouts():
    x = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    expected = to_pixels(x)
    with torch.inference_mode():
        inside = x.clone().to(memory_format=torch.channels_last)
    np.testing.assert_array_equal(to_pixels(inside), expected)
    assert to_pixels(inside).flags.c_contiguous


def test_read_only_pixels_become_a_tensor_of_its_own():
    pixels = np.zeros((1, 2, 2, 1), np.uint8)
    pixels.setflags(write=False)
    from_pixels(pixels).fill_(1.0)
    assert not pixels.any()


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        to_pixels(torch.zeros(3, 4, 5))
    with pytest.raises(ValueError, match="below"):
        to_pixels(torch.zeros(1, 1, 2, 2), low=1.0, high=1.0)
    with pytest.raises(ValueError, match="uint8"):
        from_pixels(np.zeros((1, 2, 2, 1), np.float32))  # type: ignore[arg-type]
    for shape in [(4, 4), (4, 4, 2), (0, 4, 1)]:
        with pytest.raises(ValueError, match="picture"):
            to_image(np.zeros(shape, np.uint8))


def test_a_step_of_sixteen_small_images_is_quick():
    x = torch.randn(16, 1, 28, 28)
    to_pixels(x)
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        to_pixels(x)
        times.append(time.perf_counter() - begun)
    assert min(times) < 1e-3  # 0.05 ms where measured; room for slow machines


def test_imaging_and_export_do_not_import_torch():
    modules = ["animation", "apng", "archive", "errors", "files", "loading", "pixels", "png"]
    names = [f"ddim_studio.imaging.{name}" for name in [*modules, "sheets", "video"]]
    code = (
        f"import sys, importlib; [importlib.import_module(m) for m in {names!r}]; "
        "import ddim_studio.jobs.export; print(sorted({'torch', 'av'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_several_views_at_once_are_the_pixels_of_each(channels, dtype):
    torch.manual_seed(0)
    views = [(2 * torch.randn(4, channels, 6, 5)).to(dtype) for _ in range(3)]
    views[1][0, 0, 0] = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, 3.0])
    reaches = [1.0, 3.0, 0.7]
    found = views_to_levels(views, reaches)
    assert found.is_contiguous()
    for levels, view, reach in zip(found, views, reaches, strict=True):
        assert torch.equal(levels, to_levels(view, -reach, reach))
