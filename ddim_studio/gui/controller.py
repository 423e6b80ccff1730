"""Between pages and jobs: turns wishes into jobs, and brings their events back.

1. A page emits settings. 2. The controller submits a job to the worker thread. 3. The monitor
delivers its events in batches. 4. The page that asked receives them, the job bar counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.gui.job_follower import JobFollower
from ddim_studio.gui.job_monitor import JobMonitor
from ddim_studio.gui.pages.page import FileWork, OpenModel, Page
from ddim_studio.jobs.events import Ended, ModelOpened, Saved
from ddim_studio.jobs.kinds import KINDS, short_name
from ddim_studio.jobs.model_events import FastMeasured, MemoryMeasured
from ddim_studio.jobs.models import open_job
from ddim_studio.jobs.runner import Runner
from ddim_studio.jobs.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.gui.widgets.error_bar import ErrorBar
    from ddim_studio.gui.widgets.job_bar import JobBar
    from ddim_studio.jobs.events import Event, Failure
    from ddim_studio.jobs.runner import Job, Ticket

CLOSE_SECONDS = 10.0
NOT_OPENED = "Opening was cancelled: it opens with the next run."


class Controller(QObject):
    """Owns the worker threads and everything that goes between them and the window.

    Signals:
        prepared: The libraries that take long to import are there.
        model_opened: A `ModelOpened` event, and the source that was asked for, or "".
        model_failed: Source and sentence, when a model could not be opened.
        memory_measured: A `MemoryMeasured` event.
        fast_measured: A `FastMeasured` event.
    """

    prepared = Signal()
    model_opened = Signal(object, str)
    model_failed = Signal(str, str)
    memory_measured = Signal(object)
    fast_measured = Signal(object)

    def __init__(
        self, job_bar: JobBar, error_bar: ErrorBar, prepare: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self._job_bar, self._error_bar = job_bar, error_bar
        self._follower = JobFollower(job_bar)
        self._prepare = prepare
        self.bench = Workbench()
        self.computing = Runner("compute")
        self.filing = Runner("files")
        self.network = Runner("network")
        self.monitor = JobMonitor([self.computing, self.filing, self.network], self)
        self.monitor.received.connect(self._receive)
        self._owners: dict[Ticket, Page] = {}
        self._live: dict[Ticket, Page] = {}
        self._preparation: Ticket | None = None
        self._opening: dict[Page, Ticket] = {}
        self._downloads: set[Ticket] = set()
        job_bar.cancel_requested.connect(self._follower.cancel)

    def attach(self, page: Page) -> None:
        """Listen to a page."""
        page.run_requested.connect(partial(self._run, page))
        page.live_requested.connect(partial(self._run_newest, page, self.computing))
        page.live_cancelled.connect(partial(self._cancel_live, page, self.computing))
        page.side_requested.connect(partial(self._run_newest, page, self.filing))
        page.cancel_requested.connect(partial(self._cancel, page))
        page.model_requested.connect(partial(self._open, page))
        page.file_requested.connect(self._file)
        page.problem.connect(self.show_failure)
        page.said.connect(self._error_bar.show_notice)

    def start(self) -> None:
        """Import what takes long, in the worker thread, once the window is up."""
        self._preparation = self._submit("Starting up", self._preparing)

    def show_failure(self, failure: Failure) -> None:
        """Say in the error bar what happened."""
        self._error_bar.show_error(failure.message, failure.advice, failure.details)

    def close(self) -> bool:
        """Stop every job and both threads; whether they ended in time."""
        runners = (self.network, self.filing, self.computing)
        for runner in runners:
            runner.cancel_all()
        closed = [runner.close(CLOSE_SECONDS) for runner in runners]
        self.monitor.close()
        return all(closed)

    def _preparing(self) -> Job:
        self._prepare()
        yield from ()

    def _run(self, page: Page, order: object) -> None:
        if page in self._owners.values():
            return
        self._error_bar.hide()
        kind = KINDS[type(order)]
        start = partial(kind.start, order, self.bench)
        if kind.where == "network":
            ticket = self.monitor.submit(self.network, kind.title(order), start)
            self._downloads.add(ticket)
        else:
            ticket = self._submit(kind.title(order), start)
        self._owners[ticket] = page
        page.begin()

    def _run_newest(self, page: Page, runner: Runner, order: object) -> None:
        self._cancel_live(page, runner)  # the newest order wins
        kind = KINDS[type(order)]
        ticket = self.monitor.submit(
            runner, kind.title(order), partial(kind.start, order, self.bench)
        )
        ticket.about = runner
        self._live[ticket] = page

    def _cancel_live(self, page: Page, runner: Runner) -> None:
        for ticket, owner in self._live.items():
            if owner is page and ticket.about is runner:
                ticket.cancel()

    def _open(self, page: Page, wish: OpenModel) -> None:
        if page in self._opening:
            self._opening[page].cancel()  # the newest wish of a page wins
        job = partial(open_job, wish.source, wish.device, self.bench.models, wish.precision)
        ticket = self._submit(f"Opening {short_name(wish.source)}", job)
        ticket.about = wish
        self._opening[page] = ticket

    def _file(self, work: FileWork) -> None:
        self.monitor.submit(self.filing, work.title, work.start).about = work

    def _submit(self, title: str, start: Callable[[], Job]) -> Ticket:
        ticket = self.monitor.submit(self.computing, title, start)
        self._show_queue()
        return ticket

    def _cancel(self, page: Page) -> None:
        for ticket, owner in self._owners.items():
            if owner is page:
                ticket.cancel()

    def _show_queue(self) -> None:
        self._job_bar.set_queue([ticket.title for ticket in self.computing.waiting()])

    def _receive(self, ticket: Ticket, events: Sequence[Event]) -> None:
        self._spread(ticket, events)
        if isinstance(ticket.about, FileWork):
            self._show_failure_of(events[-1])
        elif ticket in self._live:
            self._receive_live(ticket, events)
        else:
            self._follow(ticket, events)
            if ticket in self._owners:
                self._owners[ticket].receive(events)
            if isinstance(events[-1], Ended):
                self._end(ticket, events[-1])

    def _spread(self, ticket: Ticket, events: Sequence[Event]) -> None:
        """Tell of what concerns more than the page that asked."""
        asked = ticket.about.source if isinstance(ticket.about, OpenModel) else ""
        for event in events:
            if isinstance(event, ModelOpened):
                self.model_opened.emit(event, asked)
            elif isinstance(event, MemoryMeasured):
                self.memory_measured.emit(event)
            elif isinstance(event, FastMeasured):
                self.fast_measured.emit(event)
            elif isinstance(event, Saved):
                self._error_bar.show_notice(f"Saved {event.path}")

    def _show_failure_of(self, event: Event) -> None:
        if isinstance(event, Ended) and event.failure is not None:
            self.show_failure(event.failure)

    def _receive_live(self, ticket: Ticket, events: Sequence[Event]) -> None:
        self._live[ticket].receive_live(events)
        if isinstance(events[-1], Ended):
            del self._live[ticket]
        self._show_failure_of(events[-1])

    def _follow(self, ticket: Ticket, events: Sequence[Event]) -> None:
        self._follower.follow(ticket, events, modest=ticket in self._downloads)
        self._show_queue()

    def _end(self, ticket: Ticket, ended: Ended) -> None:
        self._follower.end(ticket, ended)
        self._show_queue()
        self._downloads.discard(ticket)
        owner = self._owners.pop(ticket, None)
        if ticket is self._preparation:
            self.prepared.emit()
        if owner is not None:
            owner.end(ended)
        elif isinstance(ticket.about, OpenModel):
            self._end_opening(ticket, ticket.about, ended)
        elif ended.failure is not None:
            self.show_failure(ended.failure)

    def _end_opening(self, ticket: Ticket, wish: OpenModel, ended: Ended) -> None:
        if ended.failure is not None:
            self.model_failed.emit(wish.source, ended.failure.message)
            self.show_failure(ended.failure)
        elif ended.outcome == "cancelled" and ticket in self._opening.values():
            self.model_failed.emit(wish.source, NOT_OPENED)
        elif ended.outcome == "finished":
            self.monitor.spare_libraries()  # those that models need are there as well
