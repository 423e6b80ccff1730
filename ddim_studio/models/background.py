"""Waiting for something slow without being bound to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")

TICK = 0.1


class _Work(threading.Thread, Generic[T]):
    """Does something once, and keeps what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="background", daemon=True)
        self.ended = threading.Event()
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            self._error = error
        finally:
            self.ended.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._results[0]


def in_background(work: Callable[[], T]) -> Generator[None, None, T]:
    """Do something in a thread of its own, and wait for it.

    A generator that is closed does not wait any longer: the thread is left to itself, and what
    comes of it is dropped.

    Args:
        work: Ends by itself, since nothing can stop it from outside.

    Yields:
        Nothing, about ten times a second while it lasts.

    Returns:
        What ``work`` returned; what it raised is raised.
    """
    thread = _Work(work)
    thread.start()
    while not thread.ended.wait(TICK):
        yield
    return thread.result()
