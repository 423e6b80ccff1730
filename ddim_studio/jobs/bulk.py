"""The bulk job: many images, streamed to disk, shared by processes, resumed after a kill.

The images are cut into blocks of one batch, by their numbers alone: which process draws a block,
and when, changes nothing in it. While the network works on one block, the noise of the next is
drawn in a thread, and those before it are copied, encoded and written in others.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.host_copy import HostCopy, to_device
from ddim_studio.jobs.bulk_place import image_seed
from ddim_studio.jobs.bulk_writer import writing
from ddim_studio.jobs.events import ModelOpened, Notice, Progress, Saved
from ddim_studio.jobs.file_sink import made

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from concurrent.futures import Future

    from torch import Tensor

    from ddim_studio.jobs.bulk_place import Held, Place
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.models import ModelCache
    from ddim_studio.jobs.runner import Job
    from ddim_studio.jobs.runs import SampleRun
    from ddim_studio.models.model import Model
    from ddim_studio.models.team import Team

LONG = 20_000
"""Network calls, in images, for which a faster engine is worth waiting for."""
OTHER_ENGINE = "The run was begun with {}, and goes on with {}: images may differ by 1/255."


@dataclass(frozen=True)
class Block:
    """Images that go through the network as one batch.

    Attributes:
        first: Number of the first.
        count: How many.
        missing: Those that are not there yet, in runs of neighbours.
    """

    first: int
    count: int
    missing: tuple[range, ...]

    @property
    def wanted(self) -> int:
        """How many are not there yet."""
        return sum(map(len, self.missing))


@dataclass(frozen=True)
class _Drawn:
    """A block that is drawn, its images perhaps still on the device."""

    block: Block
    images: HostCopy
    finite: HostCopy


def blocks_of(held: Held, size: int) -> list[Block]:
    """The blocks of which images are missing, whole ones, so that each is drawn as ever.

    Args:
        held: Which images are there.
        size: Images a block.
    """
    found = []
    for first in range(0, len(held), size):
        gone = np.flatnonzero(~held[first : first + size])
        if len(gone):
            parts = np.split(gone + first, np.flatnonzero(np.diff(gone) > 1) + 1)
            runs = tuple(range(int(part[0]), int(part[-1]) + 1) for part in parts)
            found.append(Block(first, min(size, len(held) - first), runs))
    return found


def bulk_job(
    run: SampleRun, models: ModelCache, place: Place, team: Team, *, batch_size: int = 64
) -> Job:
    """Draw the images of a run that are not in their place yet.

    Args:
        run: What to do.
        models: Where the model comes from.
        place: Where images go.
        team: The processes that share the work; the first of them completes the output.
        batch_size: Images a network call.

    Yields:
        `ModelOpened`, `Notice`, `Progress` in images after every network call of this process,
        and from the first process `Saved` when all is complete.

    Raises:
        ImageError: Another run is in this place.
        ModelError: The model cannot be opened, draws what is not finite, or another process ended.
        OSError: The images cannot be written.
    """
    from ddim_studio.evaluation.blocks import fingerprint
    from ddim_studio.jobs.models import class_notices, engine_notices

    model, engine, began_with = _opened(run, models, place, team)
    yield ModelOpened(model.info, str(model.device), engine=engine)
    if team.index == 0:
        yield from class_notices(model.info, run.class_label)
        if began_with not in {"", engine}:
            yield Notice(OTHER_ENGINE.format(began_with, engine))
    identity = {**place.identity(), "weights": fingerprint(model)}
    with _claimed(place, identity, engine, team) as held:
        begun, there = time.perf_counter(), int(held.sum())
        if there and team.index == 0:
            yield Notice(f"{there:,} of {run.count:,} images are there already.")
        share = blocks_of(held, batch_size)[team.index :: team.size]
        count = _Count(run, share, there if team.size == 1 else 0)
        with writing(partial(_write, place)) as put:
            for block, x_T in _with_noise(model, run, share):  # noqa: N806 (the paper's name)
                drawn = yield from _drawn(model, run, block, x_T, count, floats=place.floats)
                put(drawn)
        team.gather(None)
        if team.index == 0:
            _finish(place)
            yield from engine_notices(model, run.precision)
            yield Notice(_pace(run.count - there, time.perf_counter() - begun))
            yield Saved(str(place.path))


def _opened(run: SampleRun, models: ModelCache, place: Place, team: Team) -> tuple[Model, str, str]:
    """The model, what runs it, and what ran it when the run was begun, if it was.

    A run keeps to what it was begun with, so that no bit differs. A long one that begins waits for
    the faster engine to be made, which takes seconds.
    """
    from ddim_studio.jobs.models import opened

    began_with = place.journal.engine()
    plain = models.open(run.model, run.device)
    faster = not began_with.startswith("torch") if began_with else run.count * run.steps >= LONG
    if team.index == 0 and faster and plain.engine is not None:
        plain.engine.prepare(run.precision)
    team.gather(None)  # from here on all find it
    model = models.get(run.model, run.device, run.precision)
    engine = opened(model).engine
    speaks_for_all = team.gather(began_with or engine)[0]
    if speaks_for_all.startswith("torch"):
        return plain, opened(plain).engine, began_with
    return model, engine, began_with


@contextmanager
def _claimed(place: Place, identity: dict[str, Any], engine: str, team: Team) -> Iterator[Held]:
    """A place that is this run's, and which images are in it, of all processes together.

    On failure nothing stays of a place that was made and is empty.
    """
    journal = place.journal
    new = team.gather(not journal.exists())[team.index]
    if new:
        place.check()
    with made(journal.path.parent):
        if team.index == 0:
            journal.claim(identity, engine)
            journal.lock()
        try:
            if team.index == 0:
                journal.sweep()
            team.gather(None)
            _claim_too(place, identity, engine)
            here = place.held()
            bits = team.gather(np.packbits(here))
            yield np.unpackbits(np.bitwise_or.reduce(bits))[: len(here)].astype(np.bool_)
        except BaseException:
            if new and team.index == 0 and not place.held().any():
                journal.forget()
            raise
        finally:
            journal.release()


def _claim_too(place: Place, identity: dict[str, Any], engine: str) -> None:
    """Claim a place that the first process has claimed, on whatever machine."""
    if place.shared and not place.journal.exists():
        raise ImageError(
            f"The machines of this run do not share the folder of {place.path}: choose an --out "
            "that all see, or a folder, of which each then fills its own."
        )
    place.journal.claim(identity, engine)


def _with_noise(
    model: Model, run: SampleRun, blocks: Sequence[Block]
) -> Iterator[tuple[Block, Tensor]]:
    """Each block with its x_T, which is drawn while the block before it is in work."""
    from ddim_studio.diffusion.noise import seeded_noise

    def noise(block: Block) -> Tensor:
        return seeded_noise(model.image_shape, _seeds(run, block))

    with ThreadPoolExecutor(1, "noise") as pool:
        coming: Future[Tensor] | None = pool.submit(noise, blocks[0]) if blocks else None
        for number, block in enumerate(blocks, 1):
            assert coming is not None
            x_T = coming.result()  # noqa: N806 (the paper's name)
            coming = pool.submit(noise, blocks[number]) if number < len(blocks) else None
            yield block, to_device(x_T, model.device)


def _seeds(run: SampleRun, block: Block) -> tuple[int, ...]:
    return tuple(image_seed(run, block.first + i) for i in range(block.count))


class _Count:
    """How many images this process has drawn, those in work by the share of their steps."""

    def __init__(self, run: SampleRun, blocks: Sequence[Block], before: int) -> None:
        self._steps = run.steps
        self._before = before
        self._done = before
        self._total = before + sum(block.wanted for block in blocks)
        self._begun = time.perf_counter()

    def tick(self, block: Block, step: int) -> Progress:
        """A block has taken so many steps."""
        done = self._done + block.wanted * step // self._steps
        if step == self._steps:
            self._done += block.wanted
        seconds = time.perf_counter() - self._begun
        return Progress(done, self._total, seconds, "image", self._before)


def _drawn(
    model: Model,
    run: SampleRun,
    block: Block,
    x_T: Tensor,  # noqa: N803 (the paper's name)
    count: _Count,
    *,
    floats: bool,
) -> Generator[Event, None, _Drawn]:
    """Draw a block, telling of every step, and send its images on their way to the host."""
    from ddim_studio.diffusion.sampling import sample
    from ddim_studio.imaging.pixels import to_levels
    from ddim_studio.jobs.splitting import memory_news

    x = x_T
    for step in sample(model, x_T, run, seeds=_seeds(run, block)):
        x = step.x
        yield from memory_news(model)
        yield count.tick(block, step.index)
    images = x if floats else to_levels(x)
    return _Drawn(block, HostCopy(images), HostCopy(x.isfinite().all()))


def _write(place: Place, drawn: _Drawn) -> None:
    """Write the images of a block that are missing."""
    from ddim_studio.models.errors import ModelError

    images = drawn.images.array()
    first = drawn.block.first
    if not bool(drawn.finite.array()):
        last = first + drawn.block.count - 1
        raise ModelError(
            f"Images {first} to {last} are not finite numbers.",
            "Clip x̂_0, take more steps, or try another model.",
        )
    for part in drawn.block.missing:
        place.write(part.start, images[part.start - first : part.stop - first])


def _finish(place: Place) -> None:
    if place.shared and not place.held().all():
        raise ImageError(
            f"Images that were drawn for {place.path} are gone: the same command draws them again."
        )
    place.finish()


def _pace(images: int, seconds: float) -> str:
    return f"{images:,} images in {seconds:.1f} s: {images / seconds:,.1f} images/s."
