"""The picture follows the slider: newest first, never flooded, stale answers never shown."""

import numpy as np
import pytest

from ddim_studio.gui.live_path import INTERVAL_MS, MAX_CACHED, TICKS, LivePath
from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.inversion_events import Decoded
from ddim_studio.jobs.runs import InvertRun

RUN = InvertRun(steps=10)


class Desk:
    """Plays the worker for a path."""

    def __init__(self, path):
        self.path, self.orders, self.shown = path, [], []
        path.wanted.connect(self.orders.append)
        path.shown.connect(lambda pixels, final: self.shown.append((int(pixels[0, 0, 0]), final)))

    def answer(self, order, final=True, level=None):
        levels = [round(100 * alpha) if level is None else level for alpha in order.alphas]
        pixels = np.stack([np.full((2, 2, 1), value, np.uint8) for value in levels])
        alphas = tuple((alpha,) for alpha in order.alphas)
        self.path.receive([Decoded(order.key, alphas, pixels, final)])

    def end(self, outcome="finished"):
        self.path.receive([Ended(outcome)])


@pytest.fixture
def desk(qtbot):
    path = LivePath()
    made = Desk(path)
    ends = np.zeros((2, 2, 1), np.uint8), np.full((2, 2, 1), 100, np.uint8)
    path.begin(1, RUN, *ends)
    return made


def test_the_ends_are_known_without_decoding(desk, qtbot):
    desk.path.show(0)
    desk.path.show(TICKS)
    assert desk.shown[-2:] == [(0, True), (100, True)]
    qtbot.wait(2 * INTERVAL_MS)
    assert desk.orders == []


def test_first_a_coarse_picture_then_the_final_one(desk, qtbot):
    desk.path.show(300)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    order = desk.orders[0]
    assert (order.alphas, order.coarse, order.key, order.run) == ((0.3,), True, 1, RUN)
    desk.answer(order, final=False, level=31)
    desk.answer(order)
    assert desk.shown[-2:] == [(31, False), (30, True)]
    desk.path.show(300)
    assert desk.shown[-1] == (30, True)  # at once, from the cache


def test_of_a_hundred_moves_only_the_newest_is_asked_for(desk, qtbot):
    desk.path.show(1)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    for tick in range(2, 102):
        desk.path.show(tick)
    qtbot.wait(3 * INTERVAL_MS)
    assert len(desk.orders) == 1  # one on its way is enough
    desk.answer(desk.orders[0], final=False)
    qtbot.waitUntil(lambda: len(desk.orders) == 2)
    assert desk.orders[1].alphas == (0.101,)


def test_an_answer_for_another_place_is_kept_but_not_shown(desk, qtbot):
    desk.path.show(200)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.path.show(700)
    before = list(desk.shown)
    desk.answer(desk.orders[0])
    assert desk.shown == before
    assert desk.path.final(200)[0, 0, 0] == 20


def test_a_late_answer_of_the_other_path_is_not_taken_for_this_one(desk, qtbot):
    desk.path.show(500)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.path.set_path("lerp")
    qtbot.waitUntil(lambda: len(desk.orders) == 2)
    before = list(desk.shown)
    desk.answer(desk.orders[0], level=77)  # of slerp, as is known from the order of arrival
    desk.end("cancelled")
    assert desk.shown == before
    assert desk.path.final(500) is None
    desk.answer(desk.orders[1], level=55)
    assert desk.shown[-1] == (55, True)
    desk.path.set_path("slerp")
    assert desk.shown[-1] == (77, True)


def test_answers_to_latents_that_are_gone_are_dropped(desk, qtbot):
    desk.path.show(500)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.path.begin(2, RUN, np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2, 1), np.uint8))
    before = list(desk.shown)
    desk.answer(desk.orders[0])
    assert desk.shown == before
    assert desk.path.final(500) is None


def test_the_strip_is_decoded_when_the_slider_rests(desk, qtbot):
    desk.path.show(400)
    desk.path.want([0, 250, 500, 750, 1000])
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    assert desk.orders[0].alphas == (0.4,)
    desk.answer(desk.orders[0])
    desk.end()
    qtbot.waitUntil(lambda: len(desk.orders) == 2)
    assert desk.orders[1].alphas == (0.25, 0.5, 0.75)
    assert not desk.orders[1].coarse


def test_the_slider_goes_before_the_strip(desk, qtbot):
    desk.path.want([0, 250, 500, 750, 1000])
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.path.show(123)
    qtbot.waitUntil(lambda: len(desk.orders) == 2)
    assert desk.orders[1].alphas == (0.123,)
    desk.end("cancelled")  # of the strip
    desk.answer(desk.orders[1])
    desk.end()
    qtbot.waitUntil(lambda: len(desk.orders) == 3)
    assert desk.orders[2].alphas == (0.25, 0.5, 0.75)


def test_a_cancelled_or_failed_order_is_not_repeated_until_the_slider_moves(desk, qtbot):
    desk.path.show(300)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.end("failed")
    qtbot.wait(3 * INTERVAL_MS)
    assert len(desk.orders) == 1
    desk.path.show(301)
    qtbot.waitUntil(lambda: len(desk.orders) == 2)


def test_the_cache_is_bounded_and_forgets_the_oldest(desk, qtbot):
    ticks = list(range(1, TICKS))
    desk.path.want(ticks)
    qtbot.waitUntil(lambda: len(desk.orders) == 1)
    desk.path.want([])
    desk.answer(desk.orders[0])
    assert desk.path.cached() == MAX_CACHED
    assert desk.path.final(TICKS - 1) is not None
    assert desk.path.final(1) is None
