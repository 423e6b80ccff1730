"""Models whose x̂_0 is known in closed form: images are Gaussian."""

from __future__ import annotations

import math

import torch

from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.schedule import linear


def gaussian_model(image_shape, covariance, schedule=None, prediction="sample"):
    """The ideal denoiser of images drawn from N(0, covariance), by E[x_0 | x_t]."""
    schedule = schedule or linear()
    values, basis = torch.linalg.eigh(covariance.to(torch.float64))

    def network(x_t, t):
        alpha_bar = schedule.alpha_bar(int(t[0]))
        gain = math.sqrt(alpha_bar) * values / (alpha_bar * values + 1 - alpha_bar)
        flat = x_t.double().flatten(1)
        x0 = (flat @ basis * gain) @ basis.T
        epsilon = (flat - math.sqrt(alpha_bar) * x0) / math.sqrt(1 - alpha_bar)
        v = math.sqrt(alpha_bar) * epsilon - math.sqrt(1 - alpha_bar) * x0
        output = {"sample": x0, "epsilon": epsilon, "v_prediction": v}[prediction]
        return output.reshape(x_t.shape)

    return Denoiser(network, schedule, image_shape, prediction=prediction)


def covariance_of(size, seed=0):
    """A random covariance with eigenvalues from 0.1 to 1.5."""
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    return basis @ torch.diag(torch.linspace(0.1, 1.5, size, dtype=torch.float64)) @ basis.T
