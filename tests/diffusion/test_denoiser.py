import math

import pytest
import torch

from ddim_studio.diffusion import schedule
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.settings import SettingsError

SCHEDULE = schedule.scaled_linear()


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("t", [0, 300, 999])
def test_a_perfect_network_of_any_kind_gives_back_x0_and_epsilon(prediction, t):
    generator = torch.Generator().manual_seed(t)
    x0, epsilon = torch.randn(2, 2, 3, 4, 4, generator=generator, dtype=torch.float64)
    a = SCHEDULE.alpha_bar(t)
    x_t = math.sqrt(a) * x0 + math.sqrt(1 - a) * epsilon
    truth = {
        "epsilon": epsilon,
        "sample": x0,
        "v_prediction": math.sqrt(a) * epsilon - math.sqrt(1 - a) * x0,
    }[prediction]
    model = Denoiser(lambda x, t: truth, SCHEDULE, (3, 4, 4), prediction=prediction)
    predicted = model.predict(x_t, t)
    torch.testing.assert_close(predicted.x0, x0, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(predicted.epsilon, epsilon, rtol=1e-9, atol=1e-9)


def test_a_learned_variance_is_left_aside():
    model = Denoiser(lambda x, t: torch.cat([x, x + 99], 1), SCHEDULE, (3, 2, 2))
    x = torch.randn(1, 3, 2, 2)
    assert torch.equal(model.epsilon(x, 5), x)


def test_network_calls_are_counted_in_images():
    model = Denoiser(lambda x, t: x, SCHEDULE, (1, 2, 2))
    model.epsilon(torch.zeros(3, 1, 2, 2), 1)
    model.epsilon(torch.zeros(2, 1, 2, 2), 1)
    assert model.network_calls == 5


def test_unknown_kinds_of_prediction_are_refused():
    with pytest.raises(SettingsError, match="prediction_type"):
        Denoiser(lambda x, t: x, SCHEDULE, (1, 2, 2), prediction="score")
