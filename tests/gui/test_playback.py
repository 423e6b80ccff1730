"""Playing walks over every frame at the speed asked for, once, in a loop, or back and forth."""

import pytest

from ddim_studio.gui.playback import Playback
from ddim_studio.gui.words import duration, rate

FRAME = 1 / 12


def walk(playback, last, ticks, start=0, seconds=FRAME * 1.0001):
    position, places = start, [start]
    for _ in range(ticks):
        position, ended = playback.advance(position, last, seconds)
        if ended:
            break
        places.append(position)
    return places


def test_once():
    assert walk(Playback(), 4, 20) == [0, 1, 2, 3, 4]


def test_loop():
    assert walk(Playback(loop=True), 2, 7) == [0, 1, 2, 0, 1, 2, 0, 1]


def test_back_and_forth():
    playback = Playback(loop=True, ping_pong=True)
    assert walk(playback, 3, 8) == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_one_frame_ends_at_once_in_every_mode():
    for playback in (Playback(), Playback(loop=True), Playback(loop=True, ping_pong=True)):
        assert walk(playback, 0, 5) == [0]


@pytest.mark.parametrize("speed", [0.25, 0.5, 1, 2, 4, 8])
def test_the_speed_is_kept_whatever_the_ticks(speed):
    playback = Playback(speed=speed)
    position = 0
    for _ in range(500):
        position, _ = playback.advance(position, 10_000, 0.0167)
    assert position == pytest.approx(500 * 0.0167 * 12 * speed, abs=1)


def test_a_stall_does_not_jump():
    assert Playback().advance(0, 100, 10.0)[0] == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (float("inf"), ""),
        (float("nan"), ""),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(3.21, "3.2 steps/s"), (250.4, "250 steps/s"), (0.25, "4.0 s/step"), (0, "")],
)
def test_rates(per_second, text):
    assert rate(per_second, "step") == text
