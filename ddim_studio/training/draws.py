"""What is random in training, each number of it decided by the seed and the step alone.

With NumPy's ``SeedSequence(seed, spawn_key=…)``, each through ``Generator(PCG64(…))``:

* the order of the images of pass e over the data from the key (stream, 0, e),
* timesteps and flips of step s from (stream, 1, s),
* the noise ε of images 32 j … 32 j + 31 of step s from (stream, 2, s, j).

So a run that goes on after a kill draws what it would have drawn, and of many processes each draws
its share of the very batch that one process would have drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINING, VALIDATION, SPLIT, WEIGHTS, START = range(5)
"""The streams: for training, for the validation loss, for the split, for the first weights, and for
the loss of a model that a run starts from."""
_ORDER, _STEP, _NOISE = range(3)
NOISE_BLOCK = 32


class Draw(NamedTuple):
    """Some images of one step.

    Attributes:
        rows: (n,) numbers of the images, from 0 to N − 1.
        flips: (n,) whether each is mirrored.
        t: (n,) timesteps, 0 … T − 1.
        epsilon: (n, C, H, W), float32, standard normal.
    """

    rows: NDArray[np.int64]
    flips: NDArray[np.bool_]
    t: NDArray[np.int64]
    epsilon: NDArray[np.float32]


def generator(seed: int, *key: int) -> np.random.Generator:
    """The random numbers of a key."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


class Draws:
    """Batches by their step.

    Args:
        seed: Of the run.
        stream: What they are for.
        images: N, how many images there are.
        image_shape: (C, H, W).
        batch_size: B, images a step.
        timesteps: T.
    """

    def __init__(
        self,
        seed: int,
        stream: int,
        images: int,
        image_shape: tuple[int, int, int],
        *,
        batch_size: int,
        timesteps: int,
    ) -> None:
        self._seed, self._stream, self._images = seed, stream, images
        self._shape, self._batch_size, self._timesteps = image_shape, batch_size, timesteps
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def draw(self, step: int, part: slice = slice(None)) -> Draw:
        """Images ``part`` of step ``step``.

        Every image comes once in each pass over the data. Timesteps are stratified: image k of B
        has one uniform over [k T/B, (k+1) T/B), so each batch covers all levels of noise.
        """
        chosen = range(self._batch_size)[part]
        random = generator(self._seed, self._stream, _STEP, step)
        strata = np.arange(self._batch_size) + random.random(self._batch_size)
        t = (strata * (self._timesteps / self._batch_size)).astype(np.int64)
        flips = random.random(self._batch_size) < 0.5
        return Draw(
            self._rows(step * self._batch_size + chosen.start, len(chosen)),
            flips[part],
            t.clip(max=self._timesteps - 1)[part],
            self._noise(step, chosen),
        )

    def _rows(self, first: int, count: int) -> NDArray[np.int64]:
        """Images first, first + 1, … of the endless sequence of passes over the data."""
        found: list[NDArray[np.int64]] = []
        while count > 0:
            passes, place = divmod(first, self._images)
            rows = self._shuffled(passes)[place : place + count]
            found.append(rows)
            first, count = first + len(rows), count - len(rows)
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _shuffled(self, passes: int) -> NDArray[np.int64]:
        if self._order[0] != passes:
            random = generator(self._seed, self._stream, _ORDER, passes)
            self._order = (passes, random.permutation(self._images))
        return self._order[1]

    def _noise(self, step: int, chosen: range) -> NDArray[np.float32]:
        first, last = chosen.start // NOISE_BLOCK, -(-chosen.stop // NOISE_BLOCK)
        noise = np.empty(((last - first) * NOISE_BLOCK, *self._shape), np.float32)
        for block, values in enumerate(noise.reshape(-1, NOISE_BLOCK, *self._shape), first):
            random = generator(self._seed, self._stream, _NOISE, step, block)
            random.standard_normal(out=values, dtype=np.float32)
        start = chosen.start - first * NOISE_BLOCK
        return noise[start : start + len(chosen)]


def split(seed: int, images: int, held_out: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the images to train on, and of those held out, each ascending."""
    order = generator(seed, SPLIT, _ORDER, 0).permutation(images)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
