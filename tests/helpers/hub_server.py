"""A small hub on this computer: the model API and the files of folders, with all that goes wrong.

It speaks what the hub speaks over plain HTTP: the JSON of a model with the sizes and checksums of
its files, HEAD and GET of a file (large ones by way of a redirect), ETag, commit and ranges.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

TINY = "hub:a/tiny"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
PIECE = 1 << 16
LARGE = (".safetensors", ".bin")
PATIENCE = 30


def fetch(source=TINY):
    """Download a model; how far it got."""
    from ddim_studio.models.hub import hub_info
    from ddim_studio.models.hub_download import download

    *_, last = download(hub_info(source))
    return last


class Request(NamedTuple):
    """What was asked for: "GET", "/owner/name/resolve/…", and the range and the token or ""."""

    method: str
    path: str
    range: str
    token: str


@dataclass
class Repo:
    """A model on this hub.

    Attributes:
        files: Contents by name.
        about: Entries of the model's JSON that are not made from the files.
        gated: Whether its files need a token.
        private: Whether nobody may know of it.
    """

    files: dict[str, bytes]
    about: dict = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    branches: tuple[str, ...] = ("main",)

    @property
    def commit(self) -> str:
        contents = sorted((name, self.etag(name)) for name in self.files)
        return hashlib.sha1(repr(contents).encode()).hexdigest()

    def etag(self, name: str) -> str:
        content = self.files[name]
        if name.endswith(LARGE):
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    def sibling(self, name: str) -> dict:
        size, etag = len(self.files[name]), self.etag(name)
        if not name.endswith(LARGE):
            return {"rfilename": name, "size": size, "blobId": etag}
        lfs = {"sha256": etag, "size": size, "pointerSize": 134}
        return {"rfilename": name, "size": size, "blobId": "0" * 40, "lfs": lfs}


class HubServer(ThreadingHTTPServer):
    """The server; a context manager that serves while it is entered.

    Attributes:
        repos: What is on it, by owner/name.
        requests: What was asked for so far.
        status: Answer every request whose path has this text with this status.
        cut_after: Break the connection after so many bytes of a large file, once for every entry.
        hold_after: Wait after so many bytes of a large file until `go` is set.
        damage: Change the contents of every large file so.
        ignores_ranges: Answer with the whole file whatever is asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.status: dict[str, int] = {}
        self.cut_after: list[int] = []
        self.hold_after: int | None = None
        self.held, self.go = threading.Event(), threading.Event()
        self.damage = lambda content: content
        self.ignores_ranges = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, repo: str, folder: Path, **options) -> Repo:
        """Put a folder on the hub."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.repos[repo] = Repo(files, **options)
        return self.repos[repo]

    def asked(self, text: str, method: str = "GET") -> list[Request]:
        """The requests whose path has a text."""
        return [r for r in self.requests if r.method == method and text in r.path]

    def __enter__(self) -> HubServer:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error) -> None:
        self.go.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A client that goes away in the middle is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        headers = (self.headers.get(name, "") for name in ("Range", "Authorization"))
        self.server.requests.append(Request(self.command, path, *headers))
        failing = next((s for text, s in self.server.status.items() if text in path), None)
        if failing is not None:
            self._refuse(failing)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._model(*found.groups())
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(*found.groups())
        elif found := re.fullmatch(r"/store/([0-9a-f]+)", path):
            self._stored(found[1])
        else:
            self._refuse(404, "EntryNotFound")

    def _model(self, name: str, revision: str | None) -> None:
        repo = self.server.repos.get(name)
        if repo is None or repo.private:
            self._refuse(401, "RepoNotFound")
        elif revision not in {None, repo.commit, *repo.branches}:
            self._refuse(404, "RevisionNotFound")
        else:
            about = {
                "id": name,
                "sha": repo.commit,
                "private": False,
                "gated": "auto" if repo.gated else False,
                "downloads": 1234,
                "lastModified": "2023-08-03T07:24:07.000Z",
                "tags": [],
                "siblings": [repo.sibling(file) for file in repo.files],
                **repo.about,
            }
            self._send(json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, file: str) -> None:
        repo = self.server.repos.get(name)
        if repo is None:
            self._refuse(401, "RepoNotFound")
        elif repo.gated and self.headers.get("Authorization") != "Bearer let-me-in":
            self._refuse(401, "GatedRepo")
        elif revision not in {repo.commit, *repo.branches}:
            self._refuse(404, "RevisionNotFound")
        elif file not in repo.files:
            self._refuse(404, "EntryNotFound")
        else:
            headers = {"X-Repo-Commit": repo.commit, "ETag": f'"{repo.etag(file)}"'}
            if file.endswith(LARGE):
                self._redirect(repo, file, headers)
            else:
                self._send(repo.files[file], headers)

    def _redirect(self, repo: Repo, file: str, headers: dict[str, str]) -> None:
        """To the other host that has large files; they are in the newer kind of storage as well."""
        etag = repo.etag(file)
        headers |= {
            "Location": f"http://localhost:{self.server.server_address[1]}/store/{etag}",
            "X-Linked-ETag": f'"{etag}"',
            "X-Linked-Size": str(len(repo.files[file])),
            "X-Xet-Hash": etag,
            "X-Xet-Refresh-Route": f"{self.server.url}/api/no-such-storage",
        }
        self._send(b"", headers, 302)

    def _stored(self, etag: str) -> None:
        contents = [
            repo.files[name]
            for repo in self.server.repos.values()
            for name in repo.files
            if repo.etag(name) == etag
        ]
        content = self.server.damage(contents[0])
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if begin is None or self.server.ignores_ranges:
            self._send(content, {})
            return
        first = int(begin[1])
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        self._send(content[first:], {"Content-Range": span}, 206)

    def _refuse(self, status: int, code: str = "") -> None:
        self._send(b"{}", {"X-Error-Code": code} if code else {}, status)

    def _send(self, content: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self._write(content, stored=self.path.startswith("/store/"))

    def _write(self, content: bytes, *, stored: bool) -> None:
        server = self.server
        hold = server.hold_after if stored else None
        if stored and server.cut_after:
            self.wfile.write(content[: server.cut_after.pop(0)])
            self.close_connection = True
            self.connection.close()
            return
        if hold is not None:
            self.wfile.write(content[:hold])
            self.wfile.flush()
            server.held.set()
            server.go.wait(PATIENCE)
            content = content[hold:]
        for start in range(0, len(content), PIECE):
            self.wfile.write(content[start : start + PIECE])

    def log_message(self, *_arguments) -> None:
        """Quiet."""
