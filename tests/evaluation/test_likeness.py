import math

import pytest
import torch

from ddim_studio.evaluation.likeness import likenesses, mean_squared_errors, pixels_of, psnr


def images(seed=0, count=3, channels=1, side=16):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def test_mse_is_on_pixels_from_0_to_1_and_clamps():
    black, white = torch.full((1, 1, 8, 8), -1.0), torch.full((1, 1, 8, 8), 1.0)
    assert mean_squared_errors(black, white) == [1.0]
    assert mean_squared_errors(black - 5, black) == [0.0]
    assert float(pixels_of(torch.zeros(1)).item()) == 0.5


def test_each_pair_is_measured_alone():
    a = 2 * images() - 1
    b = a.clone()
    b[1] += 0.2
    one, two, three = likenesses(a, b)
    assert (one.mse, three.mse) == (0.0, 0.0)
    assert math.isinf(one.psnr)
    assert one.ssim == pytest.approx(1.0)
    assert two.ssim < 1.0
    expected = float((pixels_of(a[1]) - pixels_of(b[1])).square().mean())
    assert two.mse == pytest.approx(expected)
    assert two.psnr == pytest.approx(-10 * math.log10(expected))


def test_ssim_of_constant_images_is_its_formula():
    """Without variance SSIM is (2ab + c₁)/(a² + b² + c₁), c₁ = 0.01² (Wang et al., equation 13)."""
    a, b = torch.full((1, 3, 16, 16), 0.0), torch.full((1, 3, 16, 16), 0.5)
    p, q, c = 0.5, 0.75, 1e-4
    (only,) = likenesses(a, b)
    assert only.ssim == pytest.approx((2 * p * q + c) / (p * p + q * q + c), rel=1e-5)


def test_images_too_small_for_the_window_have_no_ssim():
    (only,) = likenesses(images(count=1, side=4), images(1, count=1, side=4))
    assert math.isnan(only.ssim)
    assert only.mse > 0


def test_psnr_of_a_hundredth_is_20_decibels():
    assert psnr(0.01) == pytest.approx(20.0)
