"""A stand-in for the controller and the worker: it answers pages at once, without a network."""

import numpy as np

from ddim_studio.gui.pages.page import FileWork
from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.inversion_events import (
    Decoded,
    EncodeStep,
    Inverted,
    LatentReport,
    Quality,
)
from ddim_studio.jobs.orders import DecodeOrder, GridOrder, InvertOrder, WatchOrder
from ddim_studio.models.info import ModelInfo
from ddim_studio.storage import resources

INFO = ModelInfo(
    name="fashion-28",
    source="fashion-28",
    family="diffusers folder",
    image_shape=(1, 28, 28),
    parameters=3_900_000,
    nbytes=15_600_000,
    timesteps=1000,
    schedule="linear",
    prediction="ε",
)


class FakeController:
    """Runs file work at once; keeps orders until a test answers them."""

    def __init__(self, page):
        self.page = page
        self.orders = []
        self.live = []
        self.failures = []
        self.notices = []
        self.cancelled = 0
        self.models = []
        page.run_requested.connect(self._run)
        page.live_requested.connect(self.live.append)
        page.file_requested.connect(self._file)
        page.cancel_requested.connect(self._cancel)
        page.model_requested.connect(self.models.append)
        page.problem.connect(self.failures.append)
        page.said.connect(self.notices.append)

    def _run(self, order):
        self.orders.append(order)
        self.page.begin()

    def _file(self, work):
        assert isinstance(work, FileWork)
        self.events = list(work.start())

    def _cancel(self):
        self.cancelled += 1

    def send(self, *events):
        self.page.receive(list(events))

    def finish(self, outcome="finished", failure=None):
        self.page.end(Ended(outcome, failure))

    def invert(self, key=1, **change):
        """Answer the last order, an inversion, from beginning to end."""
        order = self.orders[-1]
        assert isinstance(order, InvertOrder)
        self.send(*encode_steps(order))
        self.send(inverted(order, key, **change))
        self.finish()

    def decode(self, order=None, final=True, ended=True):
        """Answer a live order: pictures as grey as their α."""
        order = order or self.live[-1]
        assert isinstance(order, DecodeOrder)
        alphas = tuple((alpha,) for alpha in order.alphas)
        events = []
        if order.coarse:
            events.append(Decoded(order.key, alphas, greys(order.alphas, 20), final=False))
        if final:
            events.append(Decoded(order.key, alphas, greys(order.alphas), final=True))
        if final and ended:
            events.append(Ended("finished"))
        self.page.receive_live(events)


def greys(alphas, add=0):
    """Pictures whose one grey is 100·α + add."""
    levels = np.array([round(100 * alpha) + add for alpha in alphas], np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), 28, 28, 1)).copy()


def originals(order):
    fallback = np.full((28, 28, 1), 77, np.uint8)
    return np.stack([fallback if i.pixels is None else i.pixels for i in order.images])


def encode_steps(order, count=4):
    clean = originals(order).astype(float)
    rng = np.random.default_rng(0)
    noise = rng.normal(127.5, 42.5, clean.shape)
    n = len(clean)
    for k in range(1, count + 1):
        share = k / count
        x = np.clip(clean * (1 - share) ** 0.5 + noise * share**0.5, 0, 255).astype(np.uint8)
        yield EncodeStep(
            index=k,
            t=-1 if k == 1 else 200 * (k - 1),
            t_next=200 * k,
            x=x,
            residuals=(10.0 ** (-6 - k),) * n,
            converged=(True,) * n,
            calls=(6 - k,) * n,
        )


def report(seed=0):
    rng = np.random.default_rng(seed)
    edges = np.linspace(-4, 4, 33)
    values = rng.normal(0, 1, 784)
    probabilities = (np.arange(50) + 0.5) / 50
    normal = np.sort(np.random.default_rng(9).normal(0, 1, 40_000))
    return LatentReport(
        mean=0.012,
        variance=0.97,
        skewness=-0.03,
        kurtosis=0.21,
        norm=0.985,
        neighbour_correlation=0.18,
        histogram_edges=edges,
        histogram=np.histogram(values, edges, density=True)[0],
        quantiles_normal=np.quantile(normal, probabilities),
        quantiles=np.quantile(values, probabilities),
        autocorrelation=0.4 ** np.arange(12.0),
        reading="Close to N(0, I), but neighbours are correlated: smooth areas of the image leave "
        "structure in x_T.",
    )


def inverted(order, key=1, steps=4, missed=(), scale=3.1e-5):
    clean = originals(order)
    n = len(clean)
    rng = np.random.default_rng(1)
    latents = np.clip(rng.normal(127.5, 42.5, clean.shape), 0, 255).astype(np.uint8)
    for i, image in enumerate(order.images):
        if image.pixels is not None:
            latents[i][image.pixels < 5] = (0.5 * latents[i] + 64)[image.pixels < 5]
    converged = np.ones((steps, n), bool)
    for step, image in missed:
        converged[step, image] = False
    residuals = np.repeat(10.0 ** -np.linspace(4, 9, steps)[:, None], n, axis=1)
    return Inverted(
        key=key,
        timesteps=tuple(range(0, 200 * steps, 200)),
        originals=clean,
        reconstructions=clean.copy(),
        differences=rng.integers(0, 256, clean.shape).astype(np.uint8),
        difference_scale=scale,
        latents=latents,
        cosines=np.eye(n) + 0.1 * (1 - np.eye(n)),
        quality=tuple(Quality(1.7e-11 * (i + 1), 107.6 - 3 * i, 0.99999) for i in range(n)),
        reports=tuple(report(i) for i in range(n)),
        residuals=residuals,
        converged=converged,
        calls=np.repeat(np.linspace(9, 3, steps).astype(int)[:, None], n, axis=1),
        decode_calls=steps,
    )


class Fakes:
    """What tests need to play the worker."""

    INFO = INFO
    FakeController = FakeController
    GridOrder, WatchOrder = GridOrder, WatchOrder
    encode_steps = staticmethod(encode_steps)
    inverted = staticmethod(inverted)
    greys = staticmethod(greys)

    @staticmethod
    def sample(name):
        return resources() / "samples" / "fashion" / f"{name}.png"
