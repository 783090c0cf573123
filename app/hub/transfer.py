"""Download child: fetches one file over HTTP, resumes, verifies the sha256, and retries network errors forever.

It exits when its standard input closes; to stop it sooner, kill it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import os
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError

from app.core.cage import enter_cage
from app.core.cage_report import CageReport
from app.core.child import NOTE, claim_wire, run_in_heart
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import DownloadDamaged, DownloadFailed, FileNotOnHub, HubUnreachable, NotEnoughDisk
from app.core.errors.saving_errors import DiskReadOnly, FolderNotWritable
from app.core.landlock import ThreadGrant, program_places
from app.core.lazy_dataclasses import dataclass
from app.core.paths import be_as_closed_as
from app.core.seccomp import SocketRule
from app.core.wire import Caged, Failed, ParentSide, check_request
from app.hub.access import CAPTIVE_PORTAL_STATUS, NetworkVisit, problem_of, wait_of
from app.hub.connection_ledger import ConnectionLedger
from app.hub.network import Network, http_client
from app.hub.part import (
    RESERVE_BYTES,
    PartialFile,
    RemoteOrigin,
    check_room,
    fetched_bytes,
    file_place,
    free_bytes,
    hash_of,
    reserve_for,
    throw_away,
)
from app.hub.protocol import WIRE, ChildEvent, Done, Fetched, Job, Phase

log = logging.getLogger(__name__)
T = TypeVar("T")

DEFECT_EXIT_CODE = 70
LIMITS_VARIABLE = "FIRESIDE_DOWNLOAD_LIMITS"
TELL_EVERY_S = 0.1
# One fresh try after a wrong hash: more would fetch gigabytes again and again.
FRESH_TRIES = 1
MOST_DOUBLINGS = 10
PASSING = (408, 425, 429)
"""Statuses that pass, besides 5xx."""
NEEDS_PERSON = ("certificate", "proxy_sign_in", "proxy_password")
"""Reasons of HubUnreachable that no waiting mends."""
# Signed links live for about an hour.
STALE = (401, 403, 404, 410)
"""Statuses with which storage hosts refuse an expired link."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TransferLimits:
    """Time-outs and waits of the child; tests shorten them with `FIRESIDE_DOWNLOAD_LIMITS` (JSON with these names)."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 15.0
    slow_bytes_per_s: float = 1000.0
    slow_after_s: float = 60.0
    reserve_bytes: int = RESERVE_BYTES


def limits_from(environment: Mapping[str, str]) -> TransferLimits:
    """Return the usual ones, with what the environment changes."""
    return dataclasses.replace(TransferLimits(), **json.loads(environment.get(LIMITS_VARIABLE) or "{}"))


def main(_arguments: list[str]) -> int:
    """Run `--download-worker`: read one job, write events. Never returns: the process ends itself."""
    parent = ParentSide(WIRE, *claim_wire())
    # A note is a line that the parent takes for its log.
    logging.basicConfig(level=logging.WARNING, format=f"{NOTE}%(message)s", stream=sys.stderr)
    logging.getLogger("app").setLevel(logging.INFO)  # not the libraries': they tell signed links
    job = next(parent.read_requests(), None)
    if job is None:
        os._exit(0)
    try:
        job = check_request(job)
        be_as_closed_as(Path(job.folder))  # models may be shared with others of this computer
        report = restrict_to(job)
        # With its parent it ends at once, as the part on the disk is always usable.
        parent.leave_with_parent(lambda _request: None)
        parent.send_greeting()
        parent.send_reply(Caged(report))
        parent.send_reply(last_event(job, parent.send_reply, limits_from(os.environ)))
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reads it from stderr
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(DEFECT_EXIT_CODE)
    os._exit(0)


RESOLVER_PLACES = ("/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf")
"""Where those who look up names keep the file that /etc/resolv.conf is a link to."""
TRUSTED_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def restrict_to(job: Job) -> CageReport:
    """Restrict this process to the models folder, its own, the ledger's and the program; it keeps the internet, but no
    way to other programs of this computer.
    """
    trusted = [Path(known) for name in TRUSTED_VARIABLES if (known := os.environ.get(name))]
    reading = [*program_places(), *trusted, *map(Path, RESOLVER_PLACES)]
    models, ledger = Path(job.folder), Path(job.ledger).parent
    for folder, mode in ((models, 0o777), (ledger, 0o700)):
        with contextlib.suppress(OSError):  # told where it is written to
            folder.mkdir(mode, parents=True, exist_ok=True)
    writing = [models, ledger, Path.cwd(), Path(os.devnull)]
    with contextlib.suppress(DownloadFailed):  # a name that is not safe, told when it is asked for
        place = file_place(models, job.repo, job.file, job.version)
        # A folder in it may be a link to another disk.
        writing += [folder for folder in place.parents if folder.is_relative_to(models) and folder.is_dir()]
    # Any port: where the Hub sends for a file is its choice, and a mirror's.
    grant = ThreadGrant(reading, writing, programs=())
    return enter_cage(grant, SocketRule.INTERNET, other_threads=(run_in_heart,))


def last_event(job: Job, tell: Callable[[ChildEvent], None], limits: TransferLimits) -> Done | Failed:
    """Run a job to its end and return the event that tells it: done, or the error."""
    try:
        return FileTransfer(job, tell, limits).run()
    except AppError as error:
        return Failed(error)


def _disk_problem(error: OSError, job: Job, missing_bytes: int) -> AppError:
    # ENOSPC can come at any time: another program may fill the disk meanwhile.
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughDisk(job.folder, missing_bytes, free_bytes(Path(job.folder)))
    if error.errno == errno.EROFS:
        return DiskReadOnly(job.folder)
    if error.errno in (errno.EACCES, errno.EPERM):
        return FolderNotWritable(job.folder)
    return DownloadFailed(job.file, f"{type(error).__name__}: {error.strerror}")


class TransientProblem(Exception):
    """Something that may be over in a while. `wait_s` is what the other side asked for."""

    def __init__(self, problem: str, wait_s: float = 0.0) -> None:
        super().__init__(problem)
        self.problem, self.wait_s = problem, wait_s


class LinkStale(Exception):
    """The storage host does not take the link (any more)."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(status)
        self.host, self.status = host, status


class NotTheFile(Exception):
    """The data isn't what the Hub promised, or the partial data doesn't belong to it."""


@dataclass(frozen=True)
class RemoteContent:
    """A file as the Hub has it now, and a link to its content, which holds for an hour. `sha256` may be ""."""

    origin: RemoteOrigin
    link: str
    sha256: str

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file, as the Hub says."""
        return self.origin.size_bytes


class FileTransfer:
    """The download of one file, from the first question to the hash that is compared."""

    def __init__(self, job: Job, tell: Callable[[ChildEvent], None], limits: TransferLimits) -> None:
        self.job, self.tell, self.limits = job, tell, limits
        self._visit: NetworkVisit
        self._failures = 0
        self._stale_links = 0
        self._resumed_bytes: int | None = None
        self._told_s = 0.0
        self._size_bytes = job.size_bytes

    def run(self) -> Done:
        """Fetch until the file is in place. Raises an AppError, or OSError of the disk."""
        job = self.job
        path = file_place(Path(job.folder), job.repo, job.file, job.version)
        network = Network(lambda: job.access, ConnectionLedger(Path(job.ledger)))
        try:
            with network.visit(f"download {job.repo}/{job.file}") as self._visit, PartialFile(path).locked() as part:
                http_client()  # reads the trusted certificates
                began_s = time.monotonic()
                sha256, commit = self._fetch_part(part)
                seconds = round(time.monotonic() - began_s, 4)
        except OSError as error:
            raise _disk_problem(error, job, self._size_bytes - fetched_bytes(path)) from error
        return Done(str(path), self._size_bytes, sha256, commit, self._resumed_bytes or 0, seconds)

    def _fetch_part(self, part: PartialFile) -> tuple[str, str]:
        """Return the sha256 and the commit of the finished file."""
        damaged = 0
        # A second wrong hash is no accident of the line.
        while damaged <= FRESH_TRIES:
            # Anew each time: the link may have expired, and another commit may be the newest.
            remote = self._retry_transient(self._resolve_file)
            if self._is_in_place(part, remote):
                return remote.sha256, remote.origin.commit
            self._open_part(part, remote)
            try:
                self._fill_part(part, remote)
                return self._compare_hash(part, remote), remote.origin.commit
            except LinkStale as link:
                # A stale link is asked for again; a refused one is told.
                self._expect_a_better_link(link)
            except NotTheFile as problem:
                log.info("%s is not what was promised: %s", self.job.file, problem)
                part.start_anew()
                damaged += 1
        part.close()
        throw_away(part.path)
        raise DownloadDamaged(self.job.file)

    def _resolve_file(self) -> RemoteContent:
        """Ask the Hub for the file's commit, etag, size and link."""
        job, access = self.job, self.job.access
        self.tell(Phase("connecting"))
        url = hf_hub_url(job.repo, job.file, revision=job.revision, endpoint=access.endpoint)
        known = get_hf_file_metadata(
            url, token=access.token or False, timeout=self.limits.read_timeout_s, endpoint=access.endpoint
        )
        etag, size, link = known.etag, known.size, known.location
        # A page instead of a header: a network that wants to be logged into, or a mirror that is broken.
        if not etag or not known.commit_hash or size is None:
            is_elsewhere = urlsplit(link).netloc != access.host
            reason = "captive_portal" if self._visit.is_html or is_elsewhere else "garbage"
            raise HubUnreachable(access.host, reason)
        sha256 = etag if _SHA256.fullmatch(etag) else job.sha256
        # Pinned by the hash of the list: what came since is another file than the person chose.
        if sha256 != (job.sha256 or sha256):  # not the one that was chosen
            raise FileNotOnHub(job.repo, job.file)
        self._size_bytes = size
        return RemoteContent(RemoteOrigin(job.repo, job.file, known.commit_hash, etag, size), link, sha256)

    def _is_in_place(self, part: PartialFile, remote: RemoteContent) -> bool:
        """Return whether the finished file is here: the previous program may have ended before it heard so."""
        if not remote.sha256 or not part.path.is_file() or part.path.stat().st_size != remote.size_bytes:
            return False
        self.tell(Phase("checking"))
        if hash_of(part.path, lambda size: self._report_progress(size, remote)) != remote.sha256:
            return False
        part.origin = remote.origin
        part.write_note(remote.sha256)
        self._resumed_bytes = remote.size_bytes
        return True

    def _open_part(self, part: PartialFile, remote: RemoteContent) -> None:
        if part.is_begun:
            self.tell(Phase("checking"))
        size = part.open(remote.origin, lambda size: self._report_progress(size, remote))
        # Only the first time: retries go on from where they stopped themselves.
        if self._resumed_bytes is None:
            self._resumed_bytes = size
        missing = remote.size_bytes - size
        if missing:
            # Room for the others in the queue, too, or the last one would find none.
            reserve = self.job.reserve_bytes + reserve_for(remote.size_bytes, self.limits.reserve_bytes)
            check_room(Path(self.job.folder), missing + reserve)

    def _fill_part(self, part: PartialFile, remote: RemoteContent) -> None:
        while part.size < remote.size_bytes:
            self._retry_transient(lambda: self._request_range(part, remote))
        self._report_progress(part.size, remote, at_once=True)

    def _compare_hash(self, part: PartialFile, remote: RemoteContent) -> str:
        self.tell(Phase("verifying"))
        # Synced before it is compared, as what is not on the disk can still be lost.
        sha256 = part.sync()
        if remote.sha256 and sha256 != remote.sha256:
            raise NotTheFile("another sha256")
        part.finish()
        return sha256

    def _request_range(self, part: PartialFile, remote: RemoteContent) -> None:
        """Send one request and store what it returns of the file."""
        self.tell(Phase("connecting"))
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
        if self.job.access.token:  # for small files, which lie on the Hub itself; the door keeps it from other hosts
            headers["Authorization"] = f"Bearer {self.job.access.token}"
        timeout = httpx2.Timeout(self.limits.read_timeout_s, connect=self.limits.connect_timeout_s)
        with http_client().stream("GET", remote.link, headers=headers, timeout=timeout) as response:
            self._accept_response(response, part, remote)
            self.tell(Phase("downloading"))
            self._read_body(response, part, remote)

    def _accept_response(self, response: httpx2.Response, part: PartialFile, remote: RemoteContent) -> None:
        """Check that the body continues where the partial data ends; a body from the start discards that."""
        status, host = response.status_code, response.url.host
        # Too many at once, or a server that is overloaded: it passes.
        if _is_transient(status):
            raise TransientProblem("HubBusy" if status == 429 else "HubUnreachable", wait_of(response))
        if status in STALE:
            raise LinkStale(host, status)
        if status == 416:
            raise NotTheFile("the part is longer than what the storage has")
        # The answer has to begin exactly where the part ends, or the file would have a seam.
        if status == 206:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
            if not found or int(found[1]) != part.size or found[3] not in ("*", str(remote.size_bytes)):
                raise NotTheFile("another range")
            return
        # Without a length the connection may end early and look complete; the hash finds it.
        length = response.headers.get("content-length", "")
        fits = length in ("", str(remote.size_bytes))
        if status == CAPTIVE_PORTAL_STATUS or (self._visit.is_html and (not fits or not length)):
            raise HubUnreachable(host, "captive_portal")
        if status != 200:
            raise HubUnreachable(host, "garbage")
        if not fits:
            raise NotTheFile("another size")
        # A server that knows no ranges sends everything: the part begins anew.
        if part.size:
            part.start_anew()

    def _read_body(self, response: httpx2.Response, part: PartialFile, remote: RemoteContent) -> None:
        looked_s, looked_bytes = time.monotonic(), part.size
        for data in response.iter_raw():
            # A server that never stops would fill the disk.
            if part.size + len(data) > remote.size_bytes:
                raise NotTheFile("more than was promised")
            part.write(data)
            # Progress forgives what was before, so that a long download is not given up for old failures.
            self._failures = self._stale_links = 0
            self._report_progress(part.size, remote)
            passed_s = time.monotonic() - looked_s
            # A trickle can go on for days: a new connection often ends it.
            if passed_s >= self.limits.slow_after_s:
                if part.size - looked_bytes < passed_s * self.limits.slow_bytes_per_s:
                    raise TransientProblem("HubUnreachable")
                looked_s, looked_bytes = time.monotonic(), part.size
        # The connection ended in the middle, without an error of its own.
        if part.size < remote.size_bytes:
            raise TransientProblem("HubUnreachable")

    def _expect_a_better_link(self, link: LinkStale) -> None:
        """Ask the Hub for a new link. If that is refused too, the link's age isn't the reason: raise."""
        self._stale_links += 1
        if self._stale_links > 1:
            # A fresh link is refused as well, so that its age is not the reason.
            if link.status in (404, 410):
                raise FileNotOnHub(self.job.repo, self.job.file)
            raise HubUnreachable(link.host, "server")

    def _retry_transient(self, work: Callable[[], T]) -> T:
        """Return what `work` returns once nothing passing is in its way."""
        while True:
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - what does not pass is raised again
                passing = self._transient_problem(error)
                own_s = self.limits.first_wait_s * 2 ** min(self._failures, MOST_DOUBLINGS)
                # A random share, so that the children of one office don't all ask at the same moment.
                own_s = min(own_s, self.limits.longest_wait_s) * random.uniform(0.75, 1.0)  # noqa: S311 - nobody guesses a wait
                self._failures += 1
                wait_s = max(own_s, passing.wait_s)  # the other side may know better
                log.info("waiting %.1f s: %s", wait_s, type(error).__name__)
                self.tell(Phase("waiting", round(wait_s, 2), passing.problem))
                time.sleep(wait_s)

    def _transient_problem(self, error: Exception) -> TransientProblem:
        """Return errors that may pass; raise all others, as an AppError where possible."""
        if isinstance(error, TransientProblem):
            return error
        # A defect of ours is not retried.
        problem = problem_of(error, self._visit, self.job.repo, self.job.file)  # raises what it does not know
        if isinstance(error, HfHubHTTPError) and _is_transient(error.response.status_code):
            return TransientProblem(type(problem).__name__, wait_of(error.response))
        # Errors that this side makes are as wrong at the next try.
        is_ours = isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError)
        is_ours = is_ours or getattr(problem, "reason", "") in NEEDS_PERSON
        if isinstance(error, httpx2.TransportError) and not is_ours:
            return TransientProblem(type(problem).__name__)
        raise problem from error

    def _report_progress(self, done_bytes: int, remote: RemoteContent, *, at_once: bool = False) -> None:
        now_s = time.monotonic()
        if at_once or now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self.tell(Fetched(done_bytes, remote.size_bytes))


def _is_transient(status: int) -> bool:
    return status in PASSING or (status >= 500 and status != CAPTIVE_PORTAL_STATUS)
