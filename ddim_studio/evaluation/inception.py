"""The Inception network that the FID is defined by, through the library torch-fidelity.

Its weights are not part of this program: they are a file that the user gives, or that is downloaded
after asking. torch-fidelity would unpickle that file; here it is read by `read_weights`, which runs
nothing from it, and the library gets a copy that was written from the tensors.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import urllib.request
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ddim_studio.models.errors import ModelError
from ddim_studio.models.weights import read_weights
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from torch import Tensor

INCEPTION_DIMENSION = 2048
INCEPTION_HASH = "6726825d"
"""The first digits of the SHA-256 of the weights that published FIDs are made with."""

INCEPTION_ADDRESS = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    f"weights-inception-2015-12-05-{INCEPTION_HASH}.pth"
)
"""Where torch-fidelity itself gets them (its ``URL_INCEPTION_V3``)."""

INCEPTION_BYTES = 95_600_000
"""About as much is downloaded."""

_MOST_BYTES = 200_000_000
_PIECE = 1 << 20
_TIMEOUT_S = 30
_INSTALL = 'Install it with pip install "ddim-studio[inception]".'
_GIVE = f"Give the file pt_inception-2015-12-05-{INCEPTION_HASH}.pth, or let it be downloaded."


class Inception(NamedTuple):
    """An opened Inception network.

    Attributes:
        compute: From uint8 images (N, 3, H, W) of any size to float32 features (N, 2048).
        standard: Whether its weights are those of published FIDs.
    """

    compute: Callable[[Tensor], Tensor]
    standard: bool


def open_inception(weights: Path | None) -> Inception:
    """Open the network from a file of weights, on the CPU.

    The features are those of torch-fidelity's ``inception-v3-compat``: images are resized to
    299×299 as TensorFlow 1 did, and the last pooling layer is taken.

    Raises:
        ModelError: torch-fidelity is missing or does not work; there is no such file; or it
            holds anything but the weights of this network.
    """
    if weights is None:
        raise ModelError("The FID needs the weights of Inception.", _GIVE)
    if not weights.is_file():
        raise ModelError(f"There is no file {weights} with the weights of Inception.", _GIVE)
    plain = _checked_copy(weights)
    build = _builder()
    try:
        network = build(
            "inception", [str(INCEPTION_DIMENSION)], feature_extractor_weights_path=plain
        )
    except (RuntimeError, KeyError, TypeError) as error:
        raise ModelError(f"{weights.name} holds the weights of another network.", _GIVE) from error

    def compute(images: Tensor) -> Tensor:
        features: Tensor = network(images)[0]
        return features

    return Inception(compute, standard=_hash_of(weights).startswith(INCEPTION_HASH))


def download_inception(
    destination: Path, ask: Callable[[str, int], bool], address: str = INCEPTION_ADDRESS
) -> bool:
    """Download the weights of Inception, if the user agrees.

    Nothing is sent before the answer. The file appears under its name only when it is complete.

    Args:
        destination: The file to write, replaced if it exists.
        ask: Called with the address and the size in bytes, about; True starts the download.
        address: A file whose name ends in ``-`` and the first digits of its SHA-256.

    Returns:
        Whether it was downloaded; False if the answer was no.

    Raises:
        ModelError: The server cannot be reached, sends something else, or the disk is full.
    """
    if not ask(address, INCEPTION_BYTES):
        return False
    expected = PurePosixPath(urlsplit(address).path).stem.rpartition("-")[2]
    try:
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT_S) as response,
            atomic_path(destination) as temporary,
            temporary.open("wb") as file,
        ):
            if not _copied(response, file).startswith(expected):
                raise ModelError("The download is not complete, or is another file.", _BY_HAND)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise ModelError("The weights of Inception could not be downloaded.", _BY_HAND) from error
    return True


_BY_HAND = f"Check the connection, or get {INCEPTION_ADDRESS} in a browser and give the file."


def _copied(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy a bounded number of bytes, and return their SHA-256."""
    digest, size = hashlib.sha256(), 0
    while size <= _MOST_BYTES and (piece := source.read(_PIECE)):
        target.write(piece)
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _builder() -> Callable[..., Callable[[Tensor], tuple[Tensor, ...]]]:
    if importlib.util.find_spec("torch_fidelity") is None:
        raise ModelError("The FID needs the library torch-fidelity, which is missing.", _INSTALL)
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise ModelError(
            "The library torch-fidelity does not start: its torchvision does not fit torch.",
            "Install the versions of torch and torchvision that belong together.",
        ) from error
    build: Callable[..., Callable[[Tensor], tuple[Tensor, ...]]] = FeatureExtractorInceptionV3
    return build


def _checked_copy(path: Path) -> io.BytesIO:
    """The tensors of a file, read safely and written afresh."""
    import torch

    tensors = read_weights(path)
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ModelError(f"{path.name} is damaged: it holds NaN or infinite values.", _GIVE)
    copy = io.BytesIO()
    torch.save(tensors, copy)
    copy.seek(0)
    return copy
