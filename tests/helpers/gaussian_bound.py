"""Normal images of 256 levels, their exact network, and their bound in float64, independently."""

import math

import numpy as np
import torch
from scipy.stats import norm

from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.schedule import linear

LOG2 = math.log(2)
T = 20
SCHEDULE = linear(T=T, start=0.02, end=0.5)
MEAN, SPREAD = 0.1, 0.35  # of every pixel of the analytic images, before they are rounded


def levels():
    """The 256 values of a pixel, and how probable each is, of a normal law cut off at the ends."""
    values = 2 * np.arange(256) / 255 - 1
    shares = norm.pdf(values, MEAN, SPREAD)
    return values, shares / shares.sum()


def moments():
    values, shares = levels()
    mean = (values * shares).sum()
    return mean, ((values - mean) ** 2 * shares).sum()


def gain(t):
    """The best linear guess: x̂_0 = m + K (x_t − √ᾱ m)."""
    alpha_bar, (_, variance) = SCHEDULE.alpha_bar(t), moments()
    return variance * math.sqrt(alpha_bar) / (alpha_bar * variance + 1 - alpha_bar)


def gaussian_model(prediction="epsilon", shape=(1, 4, 4)):
    """The exact network of normal data with the moments of `levels`."""
    mean, _ = moments()

    gains = torch.tensor([gain(t) for t in range(T)])

    def network(x, times):
        alpha_bar = SCHEDULE.alpha_bars[times].view(-1, 1, 1, 1)
        signal, noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        x0 = mean + gains[times].view(-1, 1, 1, 1) * (x.double() - signal * mean)
        epsilon = (x.double() - signal * x0) / noise
        velocity = signal * epsilon - noise * x0
        return {"epsilon": epsilon, "sample": x0, "v_prediction": velocity}[prediction]

    return Denoiser(network, SCHEDULE, shape, prediction=prediction)


def images(count, seed, shape=(1, 4, 4)):
    values, shares = levels()
    drawn = np.random.default_rng(seed).choice(values, (count, *shape), p=shares)
    return torch.from_numpy(drawn).float()


def expected_error(t):
    """E (x_0 − x̂_0)² of a pixel, exactly."""
    alpha_bar, (_, variance) = SCHEDULE.alpha_bar(t), moments()
    k = gain(t)
    return (1 - k * math.sqrt(alpha_bar)) ** 2 * variance + k**2 * (1 - alpha_bar)


def sigma_2(t, variance):
    """β_t and β̃_t from the paper's definitions."""
    bars = np.concatenate([[1.0], SCHEDULE.alpha_bars.numpy()])
    beta = 1 - bars[t + 1] / bars[t]
    if variance == "beta":
        return beta
    t = max(t, 1)
    return (1 - bars[t]) / (1 - bars[t + 1]) * (1 - bars[t + 1] / bars[t])


def expected_transition(t, variance):
    """E L_{t−1} in bits, from the divergence of two normal laws."""
    bars = np.concatenate([[1.0], SCHEDULE.alpha_bars.numpy()])
    of_x0 = math.sqrt(bars[t]) * sigma_2(t, "beta") / (1 - bars[t + 1])
    true, model = sigma_2(t, "posterior"), sigma_2(t, variance)
    square = of_x0**2 * expected_error(t)
    return (math.log(math.sqrt(model / true)) + (true + square) / (2 * model) - 0.5) / LOG2


def expected_decoder(variance):
    """E L_0 in bits: summed over the levels, and over ε by Gauss–Hermite quadrature."""
    values, shares = levels()
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    alpha_bar, (mean, _) = SCHEDULE.alpha_bar(0), moments()
    sigma = math.sqrt(sigma_2(0, variance))
    x_t = math.sqrt(alpha_bar) * values[:, None] + math.sqrt(1 - alpha_bar) * nodes
    guess = mean + gain(0) * (x_t - math.sqrt(alpha_bar) * mean)
    high = np.where(values[:, None] > 0.999, np.inf, (values[:, None] + 1 / 255 - guess) / sigma)
    low = np.where(values[:, None] < -0.999, -np.inf, (values[:, None] - 1 / 255 - guess) / sigma)
    inside = norm.cdf(high) - norm.cdf(low)
    bits = -np.log2(np.maximum(inside, 1e-300))
    return float((shares[:, None] * bits * weights / weights.sum()).sum())


def expected_prior():
    alpha_bar, (mean, variance) = SCHEDULE.alpha_bar(T - 1), moments()
    square = alpha_bar * (mean**2 + variance)
    return (square + (1 - alpha_bar) - 1 - math.log(1 - alpha_bar)) / 2 / LOG2


def expected_total(variance):
    whole = sum(expected_transition(t, variance) for t in range(1, T))
    return whole + expected_decoder(variance) + expected_prior()
