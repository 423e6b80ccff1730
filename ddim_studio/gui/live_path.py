"""Which points of a path to have decoded, and when: the picture follows the slider.

One order is on its way at a time. While its first answer is awaited the slider may move on: only
the newest place is then asked for, so a slow model never starves and a fast one is never flooded.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.inversion_events import Decoded
from ddim_studio.jobs.orders import DecodeOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ddim_studio.jobs.events import Event, Pixels
    from ddim_studio.jobs.orders import PathKind
    from ddim_studio.jobs.runs import InvertRun

TICKS = 1000
"""α is a whole number of thousandths, as on the slider."""
INTERVAL_MS = 33
MAX_CACHED = 256

_Place = tuple[int, str, int]


class LivePath(QObject):
    """Decoded points between two latents: cached, asked for in good time, newest first.

    Signals:
        wanted: A `DecodeOrder`, which replaces the one before.
        shown: The picture (H, W, C) of the point on show, and whether it is final.
        filled: More final pictures are there.
    """

    wanted = Signal(object)
    shown = Signal(object, bool)
    filled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: InvertRun | None = None
        self._key = 0
        self._path: PathKind = "slerp"
        self._tick = 0
        self._also: tuple[int, ...] = ()
        self._cache: OrderedDict[_Place, Pixels] = OrderedDict()
        self._orders: deque[DecodeOrder] = deque()
        self._awaiting = False
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    # --- what a page sets --------------------------------------------------------------------

    def begin(self, key: int, run: InvertRun, first: Pixels, last: Pixels) -> None:
        """Walk between other latents.

        Args:
            key: Of the latents.
            run: How they were inverted.
            first: Reconstruction of the first, which is the point α = 0; (H, W, C).
            last: Reconstruction of the second, α = 1.
        """
        self.stop()
        self._cache.clear()  # the worker has forgotten the latents before, or soon will
        self._key, self._run = key, run
        for path in ("slerp", "lerp"):
            self._cache[key, path, 0] = first
            self._cache[key, path, TICKS] = last
        self.filled.emit()
        self.show(self._tick)

    def set_path(self, path: PathKind) -> None:
        """Walk on the sphere or straight."""
        if path != self._path:
            self._path = path
            self._awaiting = False
            self.filled.emit()
            self.show(self._tick)

    def stop(self) -> None:
        """Ask for nothing more until `begin`."""
        self._run = None
        self._awaiting = False
        self._timer.stop()

    def show(self, tick: int) -> None:
        """Put the point α = tick / 1000 on show: at once if it is known, else as soon as it is."""
        self._tick = tick
        known = self.final(tick)
        if known is not None:
            self.shown.emit(known, True)
        self._ask_soon()

    def want(self, ticks: Iterable[int]) -> None:
        """Have these points decoded too, when there is nothing more urgent."""
        self._also = tuple(ticks)
        self._ask_soon()

    def final(self, tick: int) -> Pixels | None:
        """The final picture of a point, or None if it is not known."""
        place = (self._key, self._path, tick)
        if place not in self._cache:
            return None
        self._cache.move_to_end(place)
        return self._cache[place]

    def cached(self) -> int:
        """How many pictures are kept, at most 256."""
        return len(self._cache)

    def receive(self, events: Sequence[Event]) -> None:
        """Take answers. Those to one order end with `Ended`, before those to the next begin."""
        for event in events:
            if not self._orders:
                return
            order = self._orders[0]
            if isinstance(event, Decoded) and event.key == self._key and self._run is not None:
                self._keep(order, event)
            elif isinstance(event, Ended):
                self._orders.popleft()
                self._after(event)

    # --- inside ------------------------------------------------------------------------------

    def _keep(self, order: DecodeOrder, event: Decoded) -> None:
        """Take pictures that answer an order, which may not be the newest."""
        for (alpha, *_), picture in zip(event.alphas, event.pixels, strict=True):
            tick = round(alpha * TICKS)
            if event.final:
                self._cache[order.key, order.path, tick] = picture
                self._cache.move_to_end((order.key, order.path, tick))
            if self._is_wanted(order, tick, final=event.final):
                self.shown.emit(picture, event.final)
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        if event.final:
            self.filled.emit()
        if self._awaiting and len(self._orders) == 1:
            self._awaiting = False
            if self._tick / TICKS not in order.alphas:
                self._ask_soon()

    def _is_wanted(self, order: DecodeOrder, tick: int, *, final: bool) -> bool:
        """Whether an answer is to be shown.

        While the hand moves, a coarse answer to the newest order is nearer to it than what is on
        show, though the hand has gone on; a final one is shown only where the hand is.
        """
        if order.path != self._path:
            return False
        if tick == self._tick:
            return final or self.final(tick) is None
        newest = order is self._orders[-1]
        return newest and order.coarse and not final and self.final(self._tick) is None

    def _after(self, ended: Ended) -> None:
        """The oldest order that was under way is over."""
        if not self._orders:
            self._awaiting = False
            if ended.outcome == "finished":
                self._ask_soon()

    def _missing(self) -> tuple[int, ...]:
        return tuple(tick for tick in self._also if self.final(tick) is None)

    def _ask_soon(self) -> None:
        if self._run is None or self._awaiting or self._timer.isActive():
            return
        passed = self._since.elapsed() if self._since.isValid() else INTERVAL_MS
        self._timer.start(max(0, INTERVAL_MS - passed))

    def _ask(self) -> None:
        if self._run is None:
            return
        urgent = self.final(self._tick) is None
        ticks = (self._tick,) if urgent else self._missing()
        if not ticks:
            return
        self._awaiting = urgent
        self._since.restart()
        alphas = tuple(tick / TICKS for tick in ticks)
        order = DecodeOrder(self._key, self._run, alphas, path=self._path, coarse=urgent)
        self._orders.append(order)
        self.wanted.emit(order)
