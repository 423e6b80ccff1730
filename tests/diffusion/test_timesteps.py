import itertools
import warnings
from fractions import Fraction

import pytest

from ddim_studio.diffusion import timesteps
from ddim_studio.diffusion.settings import SPACINGS, SampleSettings, SettingsError


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("T", [1, 2, 10, 100, 997, 1000])
def test_every_list_is_increasing_unique_in_range_and_of_length_s(spacing, T):
    for S in range(1, T + 1):
        tau = timesteps.spaced(spacing, S, T)
        assert len(tau) == S
        assert tau[0] >= 0
        assert tau[-1] <= T - 1
        assert all(early < late for early, late in itertools.pairwise(tau))


def test_linear_and_quadratic_are_the_papers_on_cifar10():
    assert timesteps.spaced("linear", 10, 1000) == list(range(0, 1000, 100))
    # the official code's int(linspace(0, sqrt(0.8 T), S)²)
    official = [0, 9, 39, 88, 158, 246, 355, 483, 632, 800]
    ours = timesteps.spaced("quadratic", 10, 1000)
    assert max(abs(a - b) for a, b in zip(ours, official, strict=True)) <= 1
    assert ours[-1] == 800
    assert timesteps.spaced("quadratic", 1000, 1000) == list(range(1000))


def test_steps_of_a_quadratic_list_grow_with_t():
    tau = timesteps.spaced("quadratic", 20, 1000)
    gaps = [late - early for early, late in itertools.pairwise(tau)]
    assert gaps[0] < gaps[len(gaps) // 2] < gaps[-1]


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
def test_spacings_of_diffusers_are_those_of_diffusers(spacing):
    from diffusers import DDIMScheduler

    agreed = 0
    for S in range(2, 1001, 7):
        scheduler = DDIMScheduler(timestep_spacing=spacing)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.set_timesteps(S)
        theirs = scheduler.timesteps.tolist()[::-1]
        if len(theirs) != S or theirs[0] < 0:  # their `trailing` loses its way by float error
            continue
        ours = timesteps.spaced(spacing, S, 1000)
        for i, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            # exact halves fall either way in their floats; everything else must agree
            assert our == their or (exact(spacing, i, S) % 1 == HALF and abs(our - their) == 1)
        agreed += ours == theirs
    assert agreed > 90


HALF = Fraction(1, 2)


def exact(spacing, i, S):
    """Member i before rounding, as a fraction."""
    return Fraction(i * 999, S - 1) if spacing == "linspace" else Fraction((i + 1) * 1000, S) - 1


def test_transitions_walk_down_to_the_clean_image():
    assert list(timesteps.transitions([0, 10, 500])) == [(500, 10), (10, 0), (0, -1)]


def test_a_users_list_is_taken_as_it_is():
    settings = SampleSettings(timesteps=[3, 50, 999])
    assert settings.steps == 3
    assert timesteps.tau_of(settings, 1000) == [3, 50, 999]
    with pytest.raises(SettingsError, match="0 to 99"):
        timesteps.tau_of(settings, 100)


@pytest.mark.parametrize("S", [0, -1, 1001])
def test_s_must_fit_the_model(S):
    with pytest.raises(SettingsError, match="1 to 1000") as caught:
        timesteps.spaced("linear", S, 1000)
    assert caught.value.field == "steps"


def test_a_tau_that_hardly_denoises_is_called_so():
    assert "t = 0" in timesteps.advice([0], 1000)
    assert timesteps.advice(timesteps.spaced("linear", 10, 1000), 1000) == ""
