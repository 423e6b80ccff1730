"""Threads that write while the network goes on, with a bounded queue before them."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

MOST_THREADS = 8


def writer_threads() -> int:
    """How many threads write: compression takes a core each, and the network wants most."""
    return min(MOST_THREADS, max(1, (os.cpu_count() or 2) // 2))


@contextmanager
def writing(
    write: Callable[[T], None], threads: int | None = None
) -> Iterator[Callable[[T], None]]:
    """Do something with every item that is handed over, in other threads.

    Left normally, the block waits for all of it; left by an exception as well, since what was drawn
    is worth keeping. At most two items a thread are under way, then handing over waits.

    Args:
        write: What is done with an item.
        threads: How many at a time.

    Yields:
        What takes the items. It raises what an earlier item has met with, and so does the block's
        end.
    """
    count = threads or writer_threads()
    queue = _Queue(write, count)
    try:
        yield queue.put
    finally:
        queue.pool.shutdown(wait=True)
    queue.check()


class _Queue(Generic[T]):
    """The threads, the room before them, and the first error."""

    def __init__(self, write: Callable[[T], None], threads: int) -> None:
        self.pool = ThreadPoolExecutor(threads, "writer")
        self._write = write
        self._slots = threading.Semaphore(2 * threads)
        self._error: Exception | None = None

    def put(self, item: T) -> None:
        """Hand over an item, as soon as there is room."""
        self._slots.acquire()
        self.check()
        self.pool.submit(self._work, item)

    def check(self) -> None:
        """Raise what an item has met with."""
        if self._error is not None:
            raise self._error

    def _work(self, item: T) -> None:
        try:
            if self._error is None:
                self._write(item)
        except Exception as error:  # noqa: BLE001 (raised in the thread that puts)
            self._error = error
        finally:
            self._slots.release()
