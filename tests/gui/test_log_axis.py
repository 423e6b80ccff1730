import math

import pytest

from ddim_studio.gui.log_axis import log_ticks


@pytest.mark.parametrize(
    ("low", "high"), [(-8.0, 0.0), (-2.2, -0.6), (-1.1, -0.9), (0.0, 3.0), (-15.3, 2.1)]
)
def test_ticks_lie_in_the_range_and_are_few_enough_to_read(low, high):
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(ticks)


def test_a_long_range_is_labelled_at_powers_of_ten():
    assert all(math.isclose(tick % 1, 0) for tick in log_ticks(-6.5, 0.5))
