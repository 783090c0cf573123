"""A Hub of our own over real HTTP on 127.0.0.1: repositories, files with ranges, a storage host apart, and faults.

It speaks what huggingface_hub asks: /api/models (search and paging), /api/models/ORG/NAME[/revision/REV], and
/ORG/NAME/resolve/REV/FILE, which leads for large files to the storage host by a signed link.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "5f1c2d3e4a5b6c7d8e9f00112233445566778899"
PIECE_BYTES = 64 * 1024
FAST_PIECE_BYTES = 1024 * 1024
CRAWL_BYTES, CRAWL_S = 100, 0.05
IN_THE_BODY = ("reset", "fin", "stall", "short", "flip", "trickle")
UNTIL_RELEASED_S = 3600.0
"""How long what is held stays held: longer than any test may take, so that who goes on did not wait for an answer."""
SMALL_BYTES = 10_000  # smaller files are not in the storage, as on the real Hub


@dataclass
class File:
    """A file's bytes, in memory or on disk."""

    content: bytes | Path
    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes | Path) -> File:
        if isinstance(content, bytes):
            return cls(content, hashlib.sha256(content).hexdigest(), len(content))
        with content.open("rb") as file:
            return cls(content, hashlib.file_digest(file, "sha256").hexdigest(), content.stat().st_size)

    def part(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`."""
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


@dataclass
class Repo:
    """What the Hub knows of a repository; `facts` are further fields of its JSON."""

    name: str
    files: dict[str, File]
    commit: str = COMMIT
    gated: str | bool = False
    private: bool = False
    open_to: tuple[str, ...] = ()
    """Tokens that may read a gated or private repository."""
    facts: dict[str, Any] = field(default_factory=dict)
    changed_at: dict[str, str] = field(default_factory=dict)
    """ISO times of the last commits of files, by name."""

    def tree(self, folder: str) -> list[dict[str, Any]]:
        """A folder's files with the commits that changed them last."""
        return [
            {"type": "file", "path": name, "size": file.size, "lastCommit": {"date": self.changed_at.get(name, "")}}
            for name, file in self.files.items()
            if name.rpartition("/")[0] == folder
        ]

    def as_json(self) -> dict[str, Any]:
        siblings = [
            {"rfilename": name, "size": file.size, "blobId": file.sha256[:40]}
            | ({"lfs": {"sha256": file.sha256, "size": file.size, "pointerSize": 134}} if is_stored(name, file) else {})
            for name, file in self.files.items()
        ]
        return {
            "_id": "0", "id": self.name, "modelId": self.name, "author": self.name.partition("/")[0],
            "sha": self.commit, "gated": self.gated, "private": self.private, "downloads": 0, "likes": 0,
            "lastModified": "2026-10-01T00:00:00.000Z", "createdAt": "2026-09-01T00:00:00.000Z",
            "tags": ["gguf"], "siblings": siblings,
        } | self.facts  # fmt: skip


def is_stored(name: str, file: File) -> bool:
    """Whether a file lies on the storage host."""
    return file.size >= SMALL_BYTES or name.endswith(".gguf")


@dataclass(frozen=True)
class Request:
    """One request as it came. `server` is hub or storage."""

    server: str
    method: str
    path: str
    headers: dict[str, str]

    @property
    def range_start(self) -> int | None:
        """Where a range begins, None without one."""
        found = re.match(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found[1]) if found else None


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match; -1 means always.

    kind: status (with `status`, `headers`, `body`), reset (TCP RST), fin (the connection just ends), stall (until
    `FakeHub.release`), trickle (`bytes_per_s`), ignore_range (answers 200 with everything), flip (one wrong byte),
    short (a shorter body that claims to be all), html (a portal's page with status 200), slow (waits `seconds`
    first, or until `FakeHub.release`), refuse_connection (closed before any answer). Those of a body happen after
    `after_bytes` of it.
    """

    kind: str
    server: str = "storage"
    method: str = "GET"
    path: str = ""
    """A part of the path."""
    times: int = 1
    after_bytes: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    bytes_per_s: int = 1000
    seconds: float = UNTIL_RELEASED_S


class FakeHub:
    """Use as a context manager; `url` is what HF_ENDPOINT should be."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.sent: dict[str, int] = {}
        """Body bytes that went out, by path."""
        self.bytes_per_s = 0
        """A speed limit of every body; 0 is none."""
        self.never_ends = False
        """Whether a body with a speed limit crawls from its middle on, so that no machine is too slow to see it."""
        self.require_token = ""
        """A token without which every API request is 401."""
        self.link_number = 0
        self.expired_before = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._hub = _Server(self, "hub")
        self._storage = _Server(self, "storage")

    def __enter__(self) -> FakeHub:
        for server in (self._hub, self._storage):
            server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        for server in (self._hub, self._storage):
            server.stop()

    @property
    def url(self) -> str:
        """The Hub's address."""
        return f"http://127.0.0.1:{self._hub.server_port}"

    @property
    def storage_url(self) -> str:
        """The storage host's address: another origin."""
        return f"http://127.0.0.1:{self._storage.server_port}"

    def add(self, name: str, files: dict[str, bytes | Path], **facts: Any) -> Repo:
        """A repository. `gated`, `private`, `commit` and `open_to` are set apart, other facts go into its JSON."""
        own = {key: facts.pop(key) for key in ("gated", "private", "commit", "open_to") if key in facts}
        repo = Repo(name, {file: File.of(content) for file, content in files.items()}, facts=facts, **own)
        self.repos[name] = repo
        return repo

    def fail(self, kind: str, **how: Any) -> Fault:
        """From now on; see `Fault`."""
        fault = Fault(kind, **how)
        if kind in ("stall", "slow"):
            self._released.clear()
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()
        self.release()

    def release(self) -> None:
        """Lets go of what stalls."""
        self._released.set()

    def expire_links(self) -> None:
        """Signed links given out so far are refused with 403 from now on."""
        self.expired_before = self.link_number + 1

    def seen(self, server: str = "", method: str = "", path: str = "") -> list[Request]:
        """The requests that match."""
        with self._lock:
            return [
                each
                for each in self.requests
                if (not server or each.server == server) and (not method or each.method == method) and path in each.path
            ]

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Waits until something is true of what was asked or sent."""
        until_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until_s, "the fake Hub waited in vain"
            self._pause(0.01)

    def sent_of(self, path: str) -> int:
        """Body bytes sent for paths that contain `path`."""
        with self._lock:
            return sum(size for known, size in self.sent.items() if path in known)

    def open_connections(self) -> int:
        """How many connections there are now, of both servers."""
        return len(self._hub.open_sockets) + len(self._storage.open_sockets)

    def take_fault(self, request: Request) -> Fault | None:
        """The first fault that matches, used up by one."""
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                matches = fault.server == request.server and fault.method in ("", request.method)
                if matches and fault.path in request.path and fault.times != 0:
                    fault.times -= 1 if fault.times > 0 else 0
                    return fault
        return None

    def count(self, path: str, size: int) -> None:
        """Some body went out."""
        with self._lock:
            self.sent[path] = self.sent.get(path, 0) + size

    def next_link(self, sha256: str) -> str:
        """A signed link to a file's content."""
        with self._lock:
            self.link_number += 1
            return f"{self.storage_url}/blob/{sha256}?signature={self.link_number}"

    def stall(self, timeout_s: float = UNTIL_RELEASED_S) -> None:
        """Waits until `release`."""
        self._released.wait(timeout_s)

    @staticmethod
    def _pause(seconds: float) -> None:
        time.sleep(seconds)


class _Server(ThreadingHTTPServer):
    """One of the two hosts."""

    daemon_threads = False  # so that server_close waits for all of them
    request_queue_size = 64

    def __init__(self, hub: FakeHub, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub, self.name = hub, name
        self.open_sockets: set[socket.socket] = set()
        self._thread = threading.Thread(target=lambda: self.serve_forever(0.02), name=f"fake {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Known from here on, so that `stop` finds it even before its thread runs."""
        self.open_sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open_sockets.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        self.shutdown()
        for each in list(self.open_sockets):
            _shut(each)
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.server.name, self.command, self.path, headers)
        fault = hub.take_fault(request)
        try:
            if fault is not None and self._before(fault):
                return
            if self.server.name == "storage":
                self._storage(request, fault)
            else:
                self._hub(request, fault)
        except (ConnectionError, OSError):
            self.close_connection = True

    def _before(self, fault: Fault) -> bool:
        """What goes wrong instead of an answer; whether that was all."""
        if fault.kind == "slow":
            self.server.hub.stall(fault.seconds)
        elif fault.kind == "refuse_connection":
            _shut(self.connection)
            self.close_connection = True
            return True
        elif fault.kind == "status":
            self._send(fault.status, fault.body, fault.headers)
            return True
        elif fault.kind == "html":
            page = b"<html><title>Sign in</title><body>Welcome to the hotel</body></html>"
            self._send(200, page, {"Content-Type": "text/html"})
            return True
        return False

    def _storage(self, request: Request, fault: Fault | None) -> None:
        parts = urlsplit(request.path)
        sha256 = parts.path.removeprefix("/blob/")
        number = int(parse_qs(parts.query).get("signature", ["0"])[0])
        if number < self.server.hub.expired_before:
            self._send(403, b"<Error>Request has expired</Error>", {"Content-Type": "application/xml"})
            return
        for repo in list(self.server.hub.repos.values()):
            for file in repo.files.values():
                if file.sha256 == sha256:
                    self._send_file(file, request, fault, {"ETag": f'"{sha256}"'})
                    return
        self._send(404, b"")

    def _hub(self, request: Request, fault: Fault | None) -> None:
        parts = urlsplit(request.path)
        path = unquote(parts.path)
        hub = self.server.hub
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if hub.require_token and token != hub.require_token:
            problem = "Invalid credentials in Authorization header"
            self._send(401, json.dumps({"error": problem}).encode(), {"X-Error-Message": problem})
            return
        if path == "/api/models":
            self._search(parse_qs(parts.query))
            return
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        if found:
            repo = self._open(found[1], token, needs_consent=False)
            if repo is not None:
                self._send_json(repo.as_json())
            return
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+(?:/(.+))?", path)
        if found:
            repo = self._open(found[1], token, needs_consent=False)
            if repo is not None:
                self._send_json(repo.tree(found[2] or ""))
            return
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if found:
            repo = self._open(found[1], token, needs_consent=True)
            if repo is not None:
                self._resolve(repo, found[3], request, fault)
            return
        self._send(404, b"Not found")

    def _open(self, name: str, token: str, *, needs_consent: bool) -> Repo | None:
        """The repository, where it may be seen; otherwise answers as the Hub does."""
        repo = self.server.hub.repos.get(name)
        if repo is None or (repo.private and token not in repo.open_to):
            status = 404 if token else 401
            self._send(status, b'{"error":"Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return None
        if needs_consent and repo.gated and token not in repo.open_to:
            status = 403 if token else 401
            self._send(status, b'{"error":"Access is restricted"}', {"X-Error-Code": "GatedRepo"})
            return None
        return repo

    def _resolve(self, repo: Repo, name: str, request: Request, fault: Fault | None) -> None:
        file = repo.files.get(name)
        if file is None:
            self._send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": repo.commit, "ETag": f'"{file.sha256[:40]}"'}
        if not is_stored(name, file):
            self._send_file(file, request, fault, headers | {"Content-Type": "text/plain"})
            return
        headers |= {
            "X-Linked-Size": str(file.size),
            "X-Linked-Etag": f'"{file.sha256}"',
            "Location": self.server.hub.next_link(file.sha256),
        }
        self._send(302, b"", headers)

    def _search(self, query: dict[str, list[str]]) -> None:
        text = query.get("search", [""])[0].lower()
        filters = query.get("filter", [])
        gated = query.get("gated", [""])[0].lower()
        found = [repo.as_json() for repo in self.server.hub.repos.values() if not repo.private]
        found = [
            each
            for each in found
            if all(word in each["id"].lower() for word in text.split())
            and all(tag in each["tags"] for tag in filters)
            and (not gated or (gated == "true") == bool(each["gated"]))
        ]
        sort = query.get("sort", ["downloads"])[0]
        found.sort(key=lambda each: each.get(sort) or 0, reverse=True)
        limit, start = int(query.get("limit", ["30"])[0]), int(query.get("cursor", ["0"])[0])
        headers = {}
        if start + limit < len(found):
            rest = "&".join(
                f"{key}={quote(value)}" for key, values in query.items() if key != "cursor" for value in values
            )
            headers["Link"] = f'<{self.server.hub.url}/api/models?{rest}&cursor={start + limit}>; rel="next"'
        page = [{key: value for key, value in each.items() if key != "siblings"} for each in found]
        self._send_json(page[start : start + limit], headers)

    def _send_json(self, body: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self._send(200, data, {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, file: File, request: Request, fault: Fault | None, headers: dict[str, str]) -> None:
        kind = fault.kind if fault else ""
        start, end, status = 0, file.size, 200
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if found and kind != "ignore_range":
            start, end = int(found[1]), min(file.size, int(found[2]) + 1 if found[2] else file.size)
            if start >= file.size:
                self._send(416, b"", {"Content-Range": f"bytes */{file.size}"})
                return
            status = 206
            headers = headers | {"Content-Range": f"bytes {start}-{end - 1}/{file.size}"}
        cut = fault.after_bytes if fault else 0
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(cut if kind == "short" else end - start))
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(file, start, end, fault)

    def _send_body(self, file: File, start: int, end: int, fault: Fault | None) -> None:
        hub, kind = self.server.hub, fault.kind if fault else ""
        stop = start + fault.after_bytes if fault and kind in IN_THE_BODY else -1
        if fault is None and not hub.bytes_per_s and isinstance(file.content, Path):
            self._send_fast(file.content, start, end)
            return
        at = start
        while at < end:
            if at == stop and fault is not None and self._within(fault):
                return
            until = min(at + PIECE_BYTES, end, stop if at < stop else end)
            data = file.part(at, until)
            if kind == "flip" and at == stop:
                data = bytes([data[0] ^ 0xFF]) + data[1:]
            if kind == "trickle" and at >= stop and fault is not None:
                data = data[: max(1, fault.bytes_per_s // 10)]
                time.sleep(0.1)
            elif hub.bytes_per_s:
                crawls = hub.never_ends and at > start + (end - start) // 2
                data = data[: CRAWL_BYTES if crawls else max(1, hub.bytes_per_s // 20)]
                time.sleep(CRAWL_S if crawls else len(data) / hub.bytes_per_s)
            self.wfile.write(data)
            hub.count(self.path, len(data))
            at += len(data)
        if at == stop and fault is not None:
            self._within(fault)

    def _send_fast(self, path: Path, start: int, end: int) -> None:
        with path.open("rb") as file:
            while start < end:  # in pieces, so that what a client that went away has got is counted
                sent = self.connection.sendfile(file, start, min(FAST_PIECE_BYTES, end - start))
                self.server.hub.count(self.path, sent)
                start += sent

    def _within(self, fault: Fault) -> bool:
        """What goes wrong inside a body; whether the body ends there."""
        if fault.kind == "stall":
            self.server.hub.stall()
            return False
        if fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif fault.kind == "fin":
            _shut(self.connection)
        self.close_connection = True
        return fault.kind in ("reset", "fin", "short")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def variant_of(model: Path, folder: Path, name: str = "variant.gguf") -> Path:
    """A copy of a real model with the last byte of its last tensor changed: valid, with another sha256."""
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    copy = folder / name
    copy.write_bytes(data)
    return copy
