"""Timing turn by turn: who runs when, what is counted, and when it stops."""

from __future__ import annotations

from ddim_studio.evaluation.throughput import Timing, turn_by_turn


class Clock:
    """Time that passes only while something works."""

    def __init__(self):
        self.now, self.log = 0.0, []

    def __call__(self):
        return self.now

    def worker(self, name, *seconds):
        """Works so long each time; the first time is the warm-up."""
        times = iter(seconds)

        def work():
            self.log.append(name)
            self.now += next(times)

        return work


def test_each_has_its_turn_in_every_round_and_the_first_is_not_counted():
    clock = Clock()
    contenders = {"a": clock.worker("a", 100, 1, 2, 9), "b": clock.worker("b", 100, 4, 3, 5)}
    timings = turn_by_turn(contenders, rounds=3, clock=clock)
    assert "".join(clock.log) == "abababab"
    assert timings == {"a": Timing((1, 2, 9)), "b": Timing((4, 3, 5))}
    assert [timings["a"].median, timings["a"].low, timings["a"].high] == [2, 1, 9]


def test_no_round_begins_after_its_time_but_one_is_always_made():
    clock = Clock()
    contenders = {"a": clock.worker("a", 100, 6, 6, 6)}
    assert turn_by_turn(contenders, rounds=9, seconds=10, clock=clock) == {"a": Timing((6, 6))}
    clock = Clock()
    contenders = {"a": clock.worker("a", 100, 60)}
    assert turn_by_turn(contenders, rounds=9, seconds=10, clock=clock) == {"a": Timing((60,))}
