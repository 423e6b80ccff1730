import numpy as np
import pytest
import torch

from ddim_studio.diffusion.noise import image_seeds, seeded_noise, step_noise
from ddim_studio.diffusion.settings import SettingsError

SHAPE = (3, 8, 8)


def test_an_image_is_the_same_alone_and_in_any_batch():
    together = seeded_noise(SHAPE, range(10, 14))
    for i, seed in enumerate(range(10, 14)):
        assert torch.equal(together[i], seeded_noise(SHAPE, [seed])[0])
    z = step_noise(SHAPE, [7, 8], t=500)
    assert torch.equal(z[1], step_noise(SHAPE, [8], t=500)[0])


def test_noise_is_what_the_documentation_says():
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(42)))
    expected = generator.standard_normal(SHAPE, dtype=np.float32)
    assert np.array_equal(seeded_noise(SHAPE, [42])[0].numpy(), expected)
    keyed = np.random.SeedSequence(42, spawn_key=(999,))
    expected = np.random.Generator(np.random.PCG64(keyed)).standard_normal(SHAPE, dtype=np.float32)
    assert np.array_equal(step_noise(SHAPE, [42], t=999)[0].numpy(), expected)


def test_a_seed_means_the_same_noise_in_years_to_come():
    """Pinned values: should NumPy change its stream, pictures by seed would change silently."""
    pinned = [1.1176220178604126, -1.3871248960494995, -0.4265716075897217]
    assert seeded_noise((1, 1, 3), [0]).flatten().tolist() == pytest.approx(pinned, abs=0)


def test_noise_is_standard_normal_and_independent():
    noise = seeded_noise((1, 64, 64), range(64)).double()
    n = noise.numel()
    assert abs(float(noise.mean())) < 5 / n**0.5
    assert abs(float(noise.var()) - 1) < 5 * (2 / n) ** 0.5
    flat = noise.flatten(1)
    correlation = flat @ flat.T / flat.shape[1]
    off_diagonal = correlation - torch.diag(correlation.diag())
    assert float(off_diagonal.abs().max()) < 6 / flat.shape[1] ** 0.5


def test_steps_draw_independent_noise():
    a, b = (step_noise((1, 64, 64), [0], t).flatten() for t in (0, 1))
    x = seeded_noise((1, 64, 64), [0]).flatten()
    for one, other in ((a, b), (a, x), (b, x)):
        assert abs(float(torch.corrcoef(torch.stack([one, other]))[0, 1])) < 6 / 64


def test_seeds_count_up_and_wrap_at_64_bits():
    assert image_seeds(5, 3) == (5, 6, 7)
    assert image_seeds(2**64 - 1, 2) == (2**64 - 1, 0)
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(SettingsError):
            image_seeds(seed, 1)
        with pytest.raises(SettingsError):
            seeded_noise(SHAPE, [seed])
    with pytest.raises(SettingsError):
        seeded_noise(SHAPE, [])
