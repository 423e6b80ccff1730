"""Following a job in this thread, with a progress bar where somebody can see it."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from ddim_studio.cli.terminal import FailureError, say, tell
from ddim_studio.jobs.events import Ended, Notice, Progress, Saved
from ddim_studio.jobs.runner import run

if TYPE_CHECKING:
    from typing import Any

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.runner import Job


def follow(job: Job, title: str, *, quiet: bool = False) -> None:
    """Run a job to its end.

    Progress and notices go to the standard error, the paths of saved files to the standard output.
    The bar is shown on terminals only.

    Args:
        job: The job; it is closed in any case.
        title: What it does, in a word, before the bar.
        quiet: Whether there is neither bar nor notice.

    Raises:
        FailureError: The job failed.
    """
    from tqdm import tqdm

    disabled = quiet or not sys.stderr.isatty()
    with (
        tqdm(desc=title, unit="step", disable=disabled, dynamic_ncols=True, file=sys.stderr) as bar,
        closing(job),
    ):
        for event in run(job):
            _show(event, bar, quiet=quiet)


def _show(event: Event, bar: Any, *, quiet: bool) -> None:  # noqa: ANN401 (tqdm has no types)
    if isinstance(event, Progress):
        bar.unit, bar.unit_scale = event.unit, event.unit == "B"  # bytes, as MB
        bar.total, bar.initial = event.total, event.before
        bar.update(event.done - bar.n)
    elif isinstance(event, Notice) and not quiet:
        bar.clear()
        tell(event.text)
    elif isinstance(event, Saved):
        bar.close()
        say(event.path)
    elif isinstance(event, Ended) and event.failure is not None:
        bar.leave = False
        bar.close()
        raise FailureError(event.failure)
