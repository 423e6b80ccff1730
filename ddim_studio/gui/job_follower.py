"""What the job bar shows of the jobs that run: one at a time, the newest that computes first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ddim_studio.gui.words import duration
from ddim_studio.jobs.events import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.widgets.job_bar import JobBar
    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.jobs.runner import Ticket


class JobFollower:
    """Keeps a `JobBar` up to date while a download and a computation may go on side by side.

    Args:
        job_bar: Where to show.
    """

    def __init__(self, job_bar: JobBar) -> None:
        self._bar = job_bar
        self._begun: dict[Ticket, float] = {}
        self._shown: Ticket | None = None

    def follow(self, ticket: Ticket, events: Sequence[Event], *, modest: bool = False) -> None:
        """Events of a job have arrived.

        Args:
            ticket: The job.
            events: In order.
            modest: Whether it shows only where no other job does.
        """
        if ticket not in self._begun:
            self._begun[ticket] = time.perf_counter()
            if self._shown is None or not modest:
                self._show(ticket)
        newest = [event for event in events if isinstance(event, Progress)]
        if newest and ticket is self._shown:
            p = newest[-1]
            self._bar.set_progress(p.done, p.total, p.rate, p.remaining, p.unit)

    def end(self, ticket: Ticket, ended: Ended) -> None:
        """A job is over: show another one that still runs, or how this one ended."""
        took = duration(time.perf_counter() - self._begun.pop(ticket, time.perf_counter()))
        if self._begun:
            self._show(next(reversed(self._begun)))
            return
        self._shown = None
        words = {"finished": f"Done in {took}", "cancelled": "Cancelled", "failed": "Failed"}
        self._bar.finish(words[ended.outcome])

    def cancel(self) -> None:
        """Ask the job on show to stop."""
        if self._shown is not None:
            self._shown.cancel()

    def _show(self, ticket: Ticket) -> None:
        if ticket is not self._shown:
            self._shown = ticket
            self._bar.start(ticket.title)
