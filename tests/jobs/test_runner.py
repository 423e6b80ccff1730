"""Every job ends exactly once, its clean-up runs, and no thread stays behind."""

import random
import threading
from itertools import pairwise

import pytest

from ddim_studio.jobs.events import Ended, Frame, Notice, Progress
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import Runner, run
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.sample import sample_job

TIMEOUT = 20


def counting(count, log=None, error=None):
    """A job of ``count`` notices that logs its clean-up."""
    try:
        for number in range(count):
            yield Notice(str(number))
        if error is not None:
            raise error
    finally:
        if log is not None:
            log.append("cleaned")


def endless(begun, log):
    try:
        while True:
            yield Notice("still here")
            begun.set()
    finally:
        log.append(threading.current_thread().name)


@pytest.fixture
def runner():
    made = Runner("test runner")
    yield made
    assert made.close(TIMEOUT)


def follow(runner, *tickets):
    """The events of all tickets until each has ended, in the order of the mailbox."""
    events, left = [], set(tickets)
    while left:
        ticket, event = runner.mailbox.get(timeout=TIMEOUT)
        events.append((ticket, event))
        if isinstance(event, Ended):
            left.remove(ticket)
    return events


def texts(count):
    return [Notice(str(number)) for number in range(count)]


def test_a_job_that_finishes():
    log = []
    assert list(run(counting(3, log))) == [*texts(3), Ended("finished")]
    assert log == ["cleaned"]


def test_a_job_that_yields_nothing():
    assert list(run(counting(0))) == [Ended("finished")]


@pytest.mark.parametrize("count", [0, 2])
def test_a_job_that_fails(count):
    log = []
    *before, last = run(counting(count, log, ZeroDivisionError("by nought")))
    assert before == texts(count)
    assert last.outcome == "failed"
    assert "by nought" in last.failure.details
    assert log == ["cleaned"]


def test_a_job_that_is_cancelled_is_closed_before_it_ends():
    log, asked = [], []

    def cancelled():
        asked.append(None)
        return len(asked) == 2

    events = []
    for event in run(counting(9, log), cancelled):
        events.append(event)
        assert log == (["cleaned"] if isinstance(event, Ended) else [])
    assert events == [*texts(2), Ended("cancelled")]


def test_an_error_while_a_cancelled_job_cleans_up():
    def job():
        try:
            yield Notice("0")
            yield Notice("1")
        finally:
            raise OSError(28, "No space left on device", "out.png")

    first, last = run(job(), lambda: True)
    assert first == Notice("0")
    assert last.outcome == "failed"
    assert last.failure.message == "The disk is full: could not write out.png."


def test_a_job_that_will_not_stop_is_a_failure():
    def job():
        for _ in range(3):  # survives both attempts to close it
            try:
                yield Notice("no")
            except GeneratorExit:
                continue

    *_, last = run(job(), lambda: True)
    assert last.outcome == "failed"
    assert "GeneratorExit" in last.failure.details


def test_leaving_the_loop_closes_the_job():
    log = []
    events = run(counting(9, log))
    assert next(events) == Notice("0")
    events.close()
    assert log == ["cleaned"]


def test_an_interrupt_is_not_swallowed():
    log = []
    with pytest.raises(KeyboardInterrupt):
        list(run(counting(1, log, KeyboardInterrupt())))
    assert log == ["cleaned"]


def test_jobs_run_in_the_order_of_their_submission(runner):
    tickets = [runner.submit(f"job {count}", lambda n=count: counting(n)) for count in (3, 0, 2)]
    expected = [
        (ticket, event)
        for ticket, count in zip(tickets, (3, 0, 2), strict=True)
        for event in (*texts(count), Ended("finished"))
    ]
    assert follow(runner, *tickets) == expected
    assert all(late.number > early.number for early, late in pairwise(tickets))


def test_jobs_are_made_and_closed_in_the_thread(runner):
    names, begun = [], threading.Event()

    def start():
        names.append(threading.current_thread().name)
        return endless(begun, names)

    ticket = runner.submit("job", start)
    assert begun.wait(TIMEOUT)
    ticket.cancel()
    assert follow(runner, ticket)[-1] == (ticket, Ended("cancelled"))
    assert names == ["test runner"] * 2


@pytest.mark.parametrize("where", ["start", "job"])
def test_a_failing_job_does_not_stop_the_next(runner, where):
    def start():
        if where == "start":
            raise ZeroDivisionError
        return counting(0, error=ZeroDivisionError())

    failing, sound = runner.submit("bad", start), runner.submit("good", lambda: counting(1))
    (_, failed), *rest = follow(runner, failing, sound)
    assert failed.outcome == "failed"
    assert "ZeroDivisionError" in failed.failure.message
    assert rest == [(sound, Notice("0")), (sound, Ended("finished"))]


def test_a_waiting_job_that_is_cancelled_never_starts(runner):
    begun, log, started = threading.Event(), [], []
    running = runner.submit("running", lambda: endless(begun, log))
    assert begun.wait(TIMEOUT)
    waiting = runner.submit("waiting", lambda: started.append("no") or counting(1))
    third = runner.submit("third", lambda: counting(1))
    assert runner.waiting() == [waiting, third]
    waiting.cancel()
    running.cancel()
    events = [(t, e) for t, e in follow(runner, running, waiting, third) if t is not running]
    assert events == [
        (waiting, Ended("cancelled")),
        (third, Notice("0")),
        (third, Ended("finished")),
    ]
    assert not started
    assert log == ["test runner"]


def test_cancel_all_stops_what_runs_and_what_waits(runner):
    begun, log = threading.Event(), []
    tickets = [runner.submit("job", lambda: endless(begun, log)) for _ in range(4)]
    assert begun.wait(TIMEOUT)
    runner.cancel_all()
    ends = [event for _, event in follow(runner, *tickets) if isinstance(event, Ended)]
    assert ends == [Ended("cancelled")] * 4
    assert log == ["test runner"]
    again = runner.submit("after", lambda: counting(1))
    assert follow(runner, again)[-1] == (again, Ended("finished"))


def test_close_ends_the_thread_in_the_middle_of_a_job():
    runner, begun, log = Runner("to close"), threading.Event(), []
    tickets = [runner.submit("job", lambda: endless(begun, log)) for _ in range(3)]
    assert begun.wait(TIMEOUT)
    assert runner.close(TIMEOUT)
    assert not [thread for thread in threading.enumerate() if thread.name == "to close"]
    ends = [event for _, event in follow(runner, *tickets) if isinstance(event, Ended)]
    assert ends == [Ended("cancelled")] * 3
    assert log == ["to close"]
    late = runner.submit("too late", lambda: counting(1))
    assert follow(runner, late) == [(late, Ended("cancelled"))]
    assert runner.close(TIMEOUT)


def test_close_says_when_a_job_does_not_let_go():
    runner, begun, release = Runner("stuck"), threading.Event(), threading.Event()

    def stuck():
        begun.set()
        release.wait(TIMEOUT)
        yield Notice("at last")

    ticket = runner.submit("stuck", stuck)
    assert begun.wait(TIMEOUT)
    assert not runner.close(0.01)
    release.set()
    assert runner.close(TIMEOUT)
    assert follow(runner, ticket)[-1] == (ticket, Ended("cancelled"))


def test_200_runs_cancelled_at_random_moments(tiny_pipeline):
    """With the real sampler: each ends once, as its last event, and nothing is left behind."""
    threads = set(threading.enumerate())
    rng, runner, models = random.Random(7), Runner("cycles"), ModelCache()
    order = SampleRun(model=str(tiny_pipeline), device="cpu", steps=4, count=2)
    tickets, timers = [], []
    for number in range(200):
        job = SampleRun.from_dict({**order.to_dict(), "seed": number})
        tickets.append(runner.submit("run", lambda job=job: sample_job(job, models)))
        timers.append(threading.Timer(rng.uniform(0, 0.02), tickets[-1].cancel))
        timers[-1].start()
        if rng.random() < 0.8:
            timers[-1].join()  # else the next one waits in the queue
    assert runner.close(TIMEOUT)
    for timer in timers:
        timer.join(TIMEOUT)
    events = {ticket: [] for ticket in tickets}
    while not runner.mailbox.empty():
        ticket, event = runner.mailbox.get()
        events[ticket].append(event)
    outcomes = [told[-1].outcome for told in events.values()]
    for told in events.values():
        assert [isinstance(event, Ended) for event in told].index(True) == len(told) - 1
        frames = [event.index for event in told if isinstance(event, Frame)]
        assert frames == list(range(len(frames)))
        done = [event.done for event in told if isinstance(event, Progress)]
        assert done == list(range(1, len(done) + 1))
    assert outcomes.count("cancelled") >= 20
    assert set(outcomes) <= {"cancelled", "finished"}
    assert any(0 < len(told) - 1 < 11 for told in events.values())  # some in the middle
    assert set(threading.enumerate()) <= threads
