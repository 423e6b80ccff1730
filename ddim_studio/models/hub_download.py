"""Downloading a model of the Hugging Face hub, each file going on where it stopped.

What is downloaded is what `hub_info` told: one commit, and of its files only those that are needed.
They go into the hub library's own cache, named by their checksums, which are verified; the library
itself then links them into the folder of the commit.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ddim_studio.models.background import in_background
from ddim_studio.models.errors import ModelError
from ddim_studio.models.folder import read_json
from ddim_studio.models.hub import SECONDS, endpoint, part_of
from ddim_studio.models.hub_cache import MAIN, HubName, cache_root, cached_folder, repo_folder
from ddim_studio.models.hub_errors import (
    UNEXPECTED,
    broken_off,
    damaged,
    disk_full,
    explained,
    is_of_the_network,
    refuse_if_offline,
)
from ddim_studio.models.unet import check_network_config
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from ddim_studio.models.hub import HubFile, HubInfo

LOCK_SECONDS = 2 * SECONDS
_HASHED = 1 << 20
_SHA256_LETTERS = 64
_PARTIAL_CONTENT = 206
_ERROR = 400


class Transfer(NamedTuple):
    """How far a download is.

    Attributes:
        done: Bytes that are here, those of earlier downloads included.
        total: Bytes in all.
    """

    done: int
    total: int


def download(info: HubInfo) -> Generator[Transfer, None, Path]:
    """Fetch a model into the cache. This uses the network.

    Closed before its end, it keeps what has arrived, and the next download goes on from there.

    Args:
        info: What `hub_info` told, and the user agreed to.

    Yields:
        How far it is, several times a second.

    Returns:
        The model's folder, which `load_model` opens.

    Raises:
        ModelError: The connection broke off, the disk is full, a file is not what the hub said, or
            the model is none that opens here.
    """
    refuse_if_offline()
    fetching = _Fetching(info)
    try:
        for _ in in_background(fetching.run):
            yield fetching.transfer()
    except ModelError:
        raise
    except Exception as error:  # the library raises those of several others
        raise explained(error, info.name) from error
    finally:
        fetching.stop()
    yield fetching.transfer()
    folder = cached_folder(HubName(info.name.repo, info.commit))
    if folder is None:
        raise ModelError(*UNEXPECTED)
    return folder


class _StoppedError(Exception):
    """Nobody waits for the download any longer."""


class _Fetching:
    """The part of a download that is done in a thread of its own.

    Once `stop` returns, no file is written any more, even while the thread still waits for the
    network; at most a link is made to one that is complete.
    """

    def __init__(self, info: HubInfo) -> None:
        self._info = info
        self._folder = repo_folder(info.name.repo)
        self._endpoint = endpoint()
        self._here = dict.fromkeys(info.files, 0)
        self._stopped = False
        self._writing = threading.Lock()

    def transfer(self) -> Transfer:
        """How far it is."""
        return Transfer(sum(self._here.values()), self._info.nbytes)

    def stop(self) -> None:
        """Write nothing from now on."""
        with self._writing:
            self._stopped = True

    def run(self) -> None:
        """Fetch every file that is not there, the weights last."""
        (self._folder / "blobs").mkdir(parents=True, exist_ok=True)
        needed = self._info.nbytes - self._info.cached
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise disk_full(needed, free)
        for file in self._info.files:
            blob = self._folder / "blobs" / file.etag
            with self._locked(file):
                if not blob.is_file():
                    self._fetch(file, blob)
            self._here[file] = file.size
            linked = self._link(file)
            if file.name.rpartition("/")[2] == "config.json":  # before the weights are fetched
                check_network_config(read_json(linked))
        revision = self._info.name.revision or MAIN
        if revision != self._info.commit:
            with self._unless_stopped(), atomic_path(self._folder / "refs" / revision) as path:
                path.write_text(self._info.commit, encoding="utf-8")

    @contextmanager
    def _unless_stopped(self) -> Iterator[None]:
        """Hold `stop` up while something is written; raise where it came before."""
        with self._writing:
            if self._stopped:
                raise _StoppedError
            yield

    @contextmanager
    def _locked(self, file: HubFile) -> Iterator[None]:
        """Keep other programs that use the same cache from fetching the same file."""
        from huggingface_hub.utils import WeakFileLock

        locks = cache_root() / ".locks" / self._folder.name
        locks.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(locks / f"{file.etag}.lock", timeout=LOCK_SECONDS):
            yield

    def _fetch(self, file: HubFile, blob: Path) -> None:
        part = part_of(blob)
        part.touch()
        try:
            while (have := part.stat().st_size) < file.size:
                self._fetch_more(file, part, have)
            if _checksum(part, file) != file.etag:
                raise damaged(file.name)
        except ModelError:
            if part.stat().st_size >= file.size:  # it is complete, and not what it should be
                part.unlink()
                self._here[file] = 0
            raise
        with self._unless_stopped():
            part.replace(blob)

    def _fetch_more(self, file: HubFile, part: Path, have: int) -> None:
        """Get at least one byte more, or raise."""
        try:
            self._receive(file, part, have)
        except Exception as error:
            if not is_of_the_network(error):
                raise
            done, total = self.transfer()
            if not done:
                raise
            if part.stat().st_size <= have:
                raise broken_off(done, total) from error
        if part.stat().st_size <= have:
            raise broken_off(*self.transfer())

    def _receive(self, file: HubFile, part: Path, have: int) -> None:
        """Ask for a file from byte ``have`` on, and write what arrives behind what is there."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = hf_hub_url(
            self._info.name.repo,
            file.name,
            revision=self._info.commit,
            endpoint=self._endpoint,
        )
        headers = build_hf_headers(library_name="ddim-studio")
        headers["Accept-Encoding"] = "identity"  # sizes and ranges are those of the file itself
        if have:
            headers["Range"] = f"bytes={have}-"
        self._here[file] = have
        with get_session().stream(
            "GET", url, headers=headers, timeout=SECONDS, follow_redirects=True
        ) as response:
            if response.status_code >= _ERROR:
                response.read()
            hf_raise_for_status(response)
            with part.open("r+b", buffering=0) as out:
                begin = have if response.status_code == _PARTIAL_CONTENT else 0
                out.truncate(begin)
                out.seek(begin)
                for chunk in response.iter_bytes():
                    self._write(out, chunk, file)

    def _write(self, out: BinaryIO, chunk: bytes, file: HubFile) -> None:
        with self._unless_stopped():
            room = file.size - out.tell()
            out.write(chunk[:room])
            self._here[file] = out.tell()
            if len(chunk) > room:
                raise damaged(file.name)

    def _link(self, file: HubFile) -> Path:
        """Have the library link a file that is in its cache into the folder of the commit."""
        from pathlib import Path

        from huggingface_hub import hf_hub_download

        with self._unless_stopped():
            pass  # holding the lock would have `stop` wait for the network
        linked = hf_hub_download(
            self._info.name.repo,
            file.name,
            revision=self._info.commit,
            cache_dir=cache_root(),
            endpoint=self._endpoint,
            etag_timeout=SECONDS,
            library_name="ddim-studio",
        )
        return Path(linked)


def _checksum(path: Path, file: HubFile) -> str:
    """What names the contents of a file: its SHA-256, or what git calls it where it is small."""
    if len(file.etag) == _SHA256_LETTERS:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as contents:
        while chunk := contents.read(_HASHED):
            digest.update(chunk)
    return digest.hexdigest()
