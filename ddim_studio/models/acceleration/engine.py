"""The engine of one model: absent, on its way, ready, or given up; torch works meanwhile."""

from __future__ import annotations

import atexit
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakSet

from ddim_studio.models.acceleration import store
from ddim_studio.models.acceleration.check import Answer, agrees
from ddim_studio.models.acceleration.child import Conversion
from ddim_studio.models.acceleration.precision import NO_BFLOAT16, hindrance
from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.models.acceleration.compiled import CompiledNetwork
    from ddim_studio.models.model import Model

NAME: Final = "OpenVINO"
REST: Final = 1.0
"""Seconds without a call of the network after which a run is taken to be over."""
LONG: Final = 20.0
"""Seconds of work after which the engine is made beside a run that goes on."""
ENOUGH: Final = 2
"""Network calls that make a run; a single one only measures."""
REMEMBERED: Final = 2
"""Images whose outputs are kept for the check."""
JOIN: Final = 10.0
FAULT: Final = "The faster engine cannot run this model ({}). It runs with torch, as precisely."


class Engine:
    """Finds, makes and offers the compiled networks of a model on the CPU.

    Args:
        model: The model as torch runs it.

    Attributes:
        lasting: Whether a conversion may go on after this process, so that the next one finds its
            result. Else it ends with the process.
    """

    lasting = False

    def __init__(self, model: Model) -> None:
        self._model, self._eager = model, model.network
        self._key = ""
        self._graph: store.Graph | None = None
        self._offers: dict[Precision, CompiledNetwork] = {}
        self._faults: dict[Precision, str] = {}
        self._untold: list[str] = []
        self._answer: Answer | None = None
        self._calls, self._first, self._last = 0, 0.0, 0.0
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._compiling = threading.Lock()
        _LIVE.add(self)

    # --- what a network asks for -------------------------------------------------------------

    def offer(self, precision: Precision) -> CompiledNetwork | None:
        """The compiled network, if it is ready, was checked and has not failed."""
        return self._offers.get(precision)

    def take_up(self, precision: Precision = "precise") -> CompiledNetwork | None:
        """The compiled network, compiled now from the cache's graph where that is there.

        Where there is none this takes no time but that of a look; the first look computes the key.
        """
        if precision not in self._offers and precision not in self._faults:
            with self._compiling:
                self._look()
                self._compile(precision)
        return self.offer(precision)

    def best(self, precision: Precision) -> CompiledNetwork | None:
        """The compiled network of this precision, or else the precise one, as `take_up` does."""
        return self.take_up(precision) or self.take_up("precise")

    def fault(self, precision: Precision) -> str:
        """Why this precision cannot be had, in a sentence; nothing where it can or may."""
        return self._faults.get(precision, "")

    def noted(self, given: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep a piece of what torch computed to check against, and begin when it rests."""
        self._last = time.monotonic()
        self._calls += 1
        if self._offers or "precise" in self._faults or self._stopped.is_set():
            return
        pieces = tuple(tensor[:REMEMBERED].clone() for tensor in given)
        self._answer = Answer(pieces, output[:REMEMBERED].clone())
        if self._thread is None and self._calls >= ENOUGH:
            self._first = self._last
            self._thread = threading.Thread(target=self._make, name="engine", daemon=True)
            self._thread.start()

    def give_up(self, precision: Precision, error: Exception) -> None:
        """It failed in the middle of a run: torch from now on."""
        self._offers.pop(precision, None)
        self._fail(precision, FAULT.format(f"it failed: {type(error).__name__}"))

    def news(self) -> Iterator[str]:
        """Sentences that were not told yet."""
        while self._untold:
            yield self._untold.pop(0)

    # --- its life ----------------------------------------------------------------------------

    def prepare(self, precision: Precision = "precise", count: int = 1) -> CompiledNetwork | None:
        """Make the engine now, in this process, and wait for it: for scripts and measurements.

        Args:
            precision: Which.
            count: The largest batch that it is to be ready for.

        Returns:
            The compiled network; None where it cannot be had, and `fault` says why.
        """
        from ddim_studio.models.acceleration.conversion import convert

        if self.take_up(precision) is None and not self.fault(precision):
            with suppress(ModelError, OSError, ImportError, MemoryError):
                convert(self._model.info.source, self._key)
            if self.take_up(precision) is None:
                self._fail(precision, FAULT.format("it could not be converted"))
        compiled = self.offer(precision)
        if compiled is not None:
            compiled.prepare(count)
        return compiled

    def survey(self) -> None:
        """Find out what this processor can do; imports the package."""
        self._supported("fast")

    def stop(self) -> None:
        """End what goes on in the background, or leave it to itself where it is `lasting`."""
        unmade = self._thread is not None and not self._stopped.is_set()
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN)
        if unmade and self.lasting and not self._offers and "precise" not in self._faults:
            self._begin()

    def _make(self) -> None:
        """In a thread: wait for the end of the run, have the graph made, and take it up."""
        while not self._stopped.wait(REST / 4):
            now = time.monotonic()
            if now - self._last >= REST or now - self._first >= LONG:
                break
        if self.take_up() is not None or self.fault("precise") or self._stopped.is_set():
            return
        conversion = self._begin()
        while not self._stopped.is_set():
            if conversion.wait(REST / 4) is not None if conversion else self._made_elsewhere():
                if self.take_up() is None:
                    self._fail("precise", FAULT.format("it could not be converted"))
                return
        if conversion is not None and not self.lasting:
            conversion.stop()

    def _begin(self) -> Conversion | None:
        """Start the conversion; None where another process does it or none can be started."""
        try:
            return Conversion(self._model.info.source, self._key)
        except OSError:
            return None

    def _made_elsewhere(self) -> bool:
        """Wait a little for the process that converts the same network; whether it ended."""
        self._stopped.wait(REST)
        return not store.busy_mark(self._key).exists()

    # --- compiling ---------------------------------------------------------------------------

    def _look(self) -> None:
        """Look for the graph."""
        from ddim_studio.models.acceleration.fingerprint import key_of

        if self._graph is not None:
            return
        self._key = self._key or key_of(self._model)
        try:
            found = store.find(self._key)
        except OSError:
            self._fail_at_all("its folder cannot be used")
            return
        if isinstance(found, store.Refusal):
            self._fail_at_all("it does not know one of its operations")
        else:
            self._graph = found

    def _compile(self, precision: Precision) -> None:
        """Compile, check and offer; a graph that cannot be read is discarded, to be made anew."""
        from ddim_studio.models.acceleration.compiled import CompiledNetwork

        if self._graph is None or precision in self._offers or precision in self._faults:
            return
        if not self._supported(precision):
            return
        try:
            threads = _threads()
            made = CompiledNetwork(self._graph, self._model.image_shape, precision, threads)
            sound = agrees(made, self._reference(), precision)
        except RuntimeError:  # all that OpenVINO raises
            store.discard(self._key)
            self._fail(precision, FAULT.format("it did not compile"))
            return
        if sound:
            self._offers[precision] = made
        else:
            self._fail(precision, FAULT.format("its numbers differ from torch's"))

    def _supported(self, precision: Precision) -> bool:
        """Whether the package works here, and the processor computes so."""
        from ddim_studio.models.acceleration.library import computes_bfloat16

        try:
            able = computes_bfloat16() or precision == "precise"
        except (ImportError, RuntimeError):
            self._fail(precision, FAULT.format("OpenVINO does not work on this computer"))
            return False
        if not able:
            self._fail(precision, NO_BFLOAT16, tell=False)
        return able

    def _reference(self) -> Answer:
        """What torch said of images of the last run, or says now of noise."""
        if self._answer is None:
            self._answer = _asked(self._model)
        return self._answer

    def _fail_at_all(self, reason: str) -> None:
        """Neither precision can be had, which is said once."""
        self._fail("precise", FAULT.format(reason))
        self._fail("fast", FAULT.format(reason), tell=False)

    def _fail(self, precision: Precision, sentence: str, *, tell: bool = True) -> None:
        if precision not in self._faults:
            self._faults[precision] = sentence
            if tell:
                self._untold.append(sentence)


_LIVE: WeakSet[Engine] = WeakSet()


def engine_for(model: Model) -> Engine | None:
    """An engine for a model, None where it runs elsewhere or there is nothing to run it with."""
    if model.device.type == "cuda":
        from ddim_studio.models.acceleration.cuda import cuda_engine_for

        return cast("Engine | None", cuda_engine_for(model))  # it answers what this one does
    if model.device.type != "cpu" or hindrance():
        return None
    return Engine(model)


def let_conversions_finish() -> None:
    """Let conversions outlive this process: for commands, which end before them."""
    Engine.lasting = True


def _asked(model: Model) -> Answer:
    """What torch says of one image of pure noise at the last timestep."""
    import torch

    from ddim_studio.diffusion.noise import seeded_noise

    t = torch.full((1,), model.schedule.T - 1)
    labels = (torch.full_like(t, model.classes - 1),) if model.classes else ()
    given = (seeded_noise(model, [0]), t, *labels)
    with torch.no_grad():
        return Answer(given, model.network(*given))


def _threads() -> int:
    """As many as torch was told to use, which in the window leaves one core to it."""
    import torch

    return torch.get_num_threads()


@atexit.register
def _stop_all() -> None:
    for engine in list(_LIVE):
        engine.stop()
