"""Who of a team draws which blocks of a cell, and how their features come together again.

Blocks are the same whoever draws them, so the result does not depend on how many processes there
are. Processes on one machine see each other's files, those on several machines may not: each one
tells what it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.evaluation.drawing import draw_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.diffusion.settings import SampleSettings
    from ddim_studio.evaluation.blocks import Block, BlockStore
    from ddim_studio.models.model import Model
    from ddim_studio.models.team import Team

    Array = NDArray[np.float64]


class CellShare:
    """This process's part of one cell.

    Args:
        store: Where blocks are kept.
        settings: The cell.
        seeds: The seeds of every block.
        team: The processes that share the cell.
    """

    def __init__(
        self, store: BlockStore, settings: SampleSettings, seeds: Sequence[range], team: Team
    ) -> None:
        self.settings = settings
        self._store, self._seeds, self._team = store, seeds, team
        self._held = {
            number for number, part in enumerate(seeds) if store.read(settings, part) is not None
        }
        everywhere = set().union(*team.gather(self._held))
        missing = [number for number in range(len(seeds)) if number not in everywhere]
        self.missing = missing[team.index :: team.size]

    def draw(self, model: Model) -> Iterator[None]:
        """Draw what is missing, and keep it block by block; yields after every network call."""
        for number in self.missing:
            seeds = self._seeds[number]
            block = yield from draw_block(model, self.settings, seeds)
            self._store.write(self.settings, seeds, block)
            self._held.add(number)

    def gathered(self, measure: Callable[[Block], Array]) -> list[Array]:
        """What ``measure`` gives for every block, in their order; all processes must call this.

        Each process measures some of the blocks that it holds, and all get all.
        """
        holders = self._team.gather(self._held)
        own = {}
        for number, seeds in enumerate(self._seeds):
            able = [index for index, held in enumerate(holders) if number in held]
            if able[number % len(able)] == self._team.index:
                block = self._store.read(self.settings, seeds)
                if block is None:
                    raise OSError(0, "a block that was drawn is gone", str(self._store.folder))
                own[number] = measure(block)
        everything: dict[int, Array] = {}
        for part in self._team.gather(own):
            everything |= part
        return [everything[number] for number in range(len(self._seeds))]
