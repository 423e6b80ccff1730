"""Processes that share an evaluation, played by threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor


class Player:
    """One of the threads; its ``gather`` waits for the others, as that of accelerate does."""

    def __init__(self, index, size, barrier, table):
        self.index, self.size = index, size
        self._barrier, self._table = barrier, table

    def gather(self, item):
        self._table[self.index] = item
        self._barrier.wait(timeout=60)
        gathered = [self._table[index] for index in range(self.size)]
        self._barrier.wait(timeout=60)
        return gathered


def play(size, work):
    """What ``work(player)`` gives for every player of a team of ``size``, all at once."""
    barrier, table = threading.Barrier(size), {}
    players = [Player(index, size, barrier, table) for index in range(size)]

    def work_or_part(player):
        try:
            return work(player)
        except BaseException:
            barrier.abort()  # the others need not wait until they give up
            raise

    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(work_or_part, player) for player in players]
        return [future.result(timeout=120) for future in futures]
