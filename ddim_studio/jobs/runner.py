"""The thread that runs jobs one after another, and the loop that ends each with `Ended`.

The thread knows nothing of any window: it puts events into a mailbox that somebody else empties.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddim_studio.jobs.events import Ended, Event
from ddim_studio.jobs.failures import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Job = Generator[Event, None, None]


def run(job: Job, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Iterate a job; the last event is always `Ended`, whatever happens inside.

    Args:
        job: A generator of events; it is closed in any case, so its ``finally`` runs.
        cancelled: Asked after every event. Jobs yield at least once a network call.
    """
    outcome = Ended("finished")
    try:
        for event in job:
            yield event
            if cancelled():
                outcome = Ended("cancelled")
                break
        job.close()
    except Exception as error:  # noqa: BLE001 (the one place where a job's errors end)
        outcome = Ended("failed", explain(error))
    finally:
        with suppress(Exception):  # the first error is the one to tell
            job.close()
    yield outcome


@dataclass(eq=False)
class Ticket:
    """A job handed to a `Runner`.

    Attributes:
        title: What the job does, in a few words.
        number: Counts up with every job of the program.
        about: Whatever the submitter wants to find again when events arrive.
    """

    title: str
    number: int
    start: Callable[[], Job] = field(repr=False)
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    about: object = None

    def cancel(self) -> None:
        """Ask the job to stop at its next event."""
        self.stop.set()


class Runner:
    """One persistent thread that runs jobs in the order of their submission.

    Attributes:
        mailbox: Pairs of ticket and event, for whoever follows the jobs.
    """

    _numbers = itertools.count(1)

    def __init__(self, name: str) -> None:
        self.mailbox: queue.SimpleQueue[tuple[Ticket, Event]] = queue.SimpleQueue()
        self._waiting: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._current: Ticket | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, title: str, start: Callable[[], Job]) -> Ticket:
        """Queue a job. ``start`` makes its generator, and is called in the thread.

        Handed to a closed runner, the job ends as cancelled.
        """
        ticket = Ticket(title, next(self._numbers), start)
        with self._changed:
            if self._closing:
                self.mailbox.put((ticket, Ended("cancelled")))
            else:
                self._waiting.append(ticket)
                self._changed.notify()
        return ticket

    def waiting(self) -> list[Ticket]:
        """The jobs that have not begun, next one first."""
        with self._changed:
            return list(self._waiting)

    def cancel_all(self) -> None:
        """Ask the running job and every waiting one to stop."""
        with self._changed:
            for ticket in [*self._waiting, *filter(None, [self._current])]:
                ticket.cancel()

    def close(self, timeout: float = 10.0) -> bool:
        """Cancel everything and wait for the thread.

        Returns:
            Whether the thread ended within ``timeout`` seconds.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.cancel_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _next(self) -> Ticket | None:
        with self._changed:
            self._current = None
            self._changed.wait_for(lambda: self._closing or self._waiting)
            if self._waiting:
                self._current = self._waiting.popleft()
            return self._current

    def _work(self) -> None:
        while (ticket := self._next()) is not None:
            self._follow(ticket)

    def _follow(self, ticket: Ticket) -> None:
        if ticket.stop.is_set():
            self.mailbox.put((ticket, Ended("cancelled")))
            return
        for event in run(self._started(ticket), ticket.stop.is_set):
            self.mailbox.put((ticket, event))

    @staticmethod
    def _started(ticket: Ticket) -> Job:
        yield from ticket.start()
