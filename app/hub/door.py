"""The door itself: the transport of the one HTTP client. Imported with the library, when the network is used first."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2

from app import APP_ID, __version__
from app.core.errors.hub_errors import HubUnreachable, NetworkOff
from app.hub.access import NetworkAccess, NetworkVisit, current_visit, problem_of, proxy_for, refusal_of
from app.hub.connection_ledger import BUILT_IN, OWN, SYSTEM, HubConnection

TELL_EVERY_S = 3.0
MOST_BODY_BYTES = 32 * 1024 * 1024
"""Limit of an unpacked response that isn't a file; the Hub's largest lists take a few MiB."""
MOST_ERROR_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024


class HubDoor(httpx2.BaseTransport):
    """HTTP transport that lets a visit's allowed requests out."""

    def __init__(self, authorities: str = "") -> None:
        """Trusts the chosen certificates and, with `authorities` in PEM, those too."""
        self._ways: dict[tuple[str, str, str], httpx2.HTTPTransport] = {}
        self._authorities = authorities
        self._trusts = {(SYSTEM, ""): httpx2.create_ssl_context()}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        visit = current_visit()
        if visit is None or not visit.access.allowed:
            raise NetworkOff
        if time.monotonic() > visit.deadline_s:  # a try of the library's own, which nobody waits for
            raise HubUnreachable(visit.access.host, "timeout")
        _prepare_request(request, visit.access)
        proxy = _proxy_of(request, visit.access)
        way = self._way_for(request, visit.access, proxy)
        entry = visit.ledger.begin(request.url.host, visit.why, **self._describe_way(request, visit.access, proxy))
        try:
            response = way.handle_request(request)
        # Retries of the caller want the error as it is; everybody else a sentence.
        except httpx2.HTTPError as error:
            if visit.patient:
                raise
            raise problem_of(error, visit) from error
        visit.is_html = response.headers.get("content-type", "").startswith("text/html")
        # Counted outermost on the wire: packed bytes are what the network cost.
        response.stream = CountedStream(response.stream, visit, entry, response.status_code)
        if not visit.patient or response.is_error:
            # A file may be of any size; lists and errors may not.
            response.stream = BoundedStream(response.stream, visit, response)
        problem = None if visit.patient else refusal_of(response, visit.access)
        if problem is not None:
            response.close()
            raise problem
        return response

    def close(self) -> None:
        for way in self._ways.values():
            way.close()

    def _authorities_for(self, access: NetworkAccess) -> str:
        return "\n".join(filter(None, (self._authorities, access.authorities)))

    def _describe_way(self, request: httpx2.Request, access: NetworkAccess, proxy: str) -> dict[str, str]:
        """Return what the ledger keeps of a request's way: the proxy, without its password, and who was trusted."""
        trusted = "+".join([access.trust, *([OWN] if self._authorities_for(access) else [])])
        host = urlsplit(proxy).netloc.rpartition("@")[2]
        return {"proxy": host, "trusted": trusted if request.url.scheme == "https" else ""}

    def _transport_for(self, proxy: str, access: NetworkAccess) -> httpx2.HTTPTransport:
        chosen = access.trust, self._authorities_for(access)
        with self._lock:
            # A transport for each proxy and trust: connections are pooled within one.
            if (proxy, *chosen) not in self._ways:
                if chosen not in self._trusts:
                    self._trusts[chosen] = _make_trust(*chosen)
                trust = self._trusts[chosen]
                self._ways[proxy, *chosen] = httpx2.HTTPTransport(verify=trust, proxy=proxy or None)
            return self._ways[proxy, *chosen]

    def _way_for(self, _request: httpx2.Request, access: NetworkAccess, proxy: str) -> httpx2.BaseTransport:
        try:
            return self._transport_for(proxy, access)
        except (ImportError, ValueError, httpx2.InvalidURL) as error:  # socks, or no proxy's address at all
            raise HubUnreachable(access.host, "proxy") from error


def _proxy_of(request: httpx2.Request, access: NetworkAccess) -> str:
    """Return the proxy for a request, found out once; raises HubUnreachable for an address that is none."""
    proxy = proxy_for(str(request.url), access)
    try:
        # Raises for a port beyond 65535: the system would take 16 bits of it, and ask another program.
        _ = urlsplit(proxy).port
    except ValueError as error:
        raise HubUnreachable(access.host, "proxy") from error
    return proxy


def _make_trust(chosen: str, authorities: str) -> ssl.SSLContext:
    """Return the system's trust, which includes what an administrator has added to it, or the built-in one, and
    `authorities` in PEM beside it.
    """
    if chosen == BUILT_IN:
        import certifi  # only who chose it needs it

        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(certifi.where())
    else:
        trust = httpx2.create_ssl_context()
    if authorities:
        with contextlib.suppress(ssl.SSLError):  # then the server's certificate is found wanting
            trust.load_verify_locations(cadata=authorities)
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # also a server's own one by itself
    return trust


class CountedStream(httpx2.SyncByteStream):
    """Counts what comes, tells the ledger every few seconds, and ends at the deadline."""

    def __init__(self, inner: object, visit: NetworkVisit, entry: HubConnection, status: int) -> None:
        self._inner, self._visit, self._entry, self._status = inner, visit, entry, status
        self._size, self._told_s = 0, time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        # The deadline is asked for at every piece: a server that trickles would never time out.
        for part in self._inner:  # type: ignore[attr-defined]
            self._size += len(part)
            now_s = time.monotonic()
            if now_s > self._visit.deadline_s:
                raise HubUnreachable(self._visit.access.host, "timeout")
            if now_s > self._told_s + TELL_EVERY_S:
                self._told_s = now_s
                self._report_bytes()
            yield part

    def close(self) -> None:
        self._report_bytes()
        self._inner.close()  # type: ignore[attr-defined]

    def _report_bytes(self) -> None:
        self._visit.ledger.update_connection(self._entry, received_bytes=self._size, status=self._status)


class BoundedStream(httpx2.SyncByteStream):
    """Unpacks an answer piece by piece, since a small one can unpack to gigabytes; the client would do it at once.

    Of an error only the beginning is kept, which its sentence is made from; any other answer that is too long, or
    packed in a way that nobody asked for, raises HubUnreachable.
    """

    def __init__(self, inner: httpx2.SyncByteStream, visit: NetworkVisit, response: httpx2.Response) -> None:
        self._inner, self._host = inner, visit.access.host
        self._is_error = response.is_error
        # Taken out of the headers, so that the client does not unpack it again, as a whole.
        self._packing = response.headers.pop("content-encoding", "identity").strip().lower()
        self._most = MOST_ERROR_BYTES if self._is_error else MOST_BODY_BYTES

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._bounded_pieces()
        # Of an error page the beginning is enough, whatever follows.
        except (ValueError, zlib.error) as error:
            if not self._is_error:
                raise HubUnreachable(self._host, "garbage") from error

    def _bounded_pieces(self) -> Iterator[bytes]:
        size = 0
        for piece in self._unpacked_pieces():
            size += len(piece)
            if size > self._most:
                raise ValueError("too long")
            yield piece

    def _unpacked_pieces(self) -> Iterator[bytes]:
        if self._packing == "identity":
            yield from self._inner
            return
        if self._packing not in ("gzip", "x-gzip", "deflate"):
            raise ValueError("packed otherwise")
        unpacker = zlib.decompressobj(zlib.MAX_WBITS + 32)  # either header
        for part in self._inner:
            packed = part
            while packed:
                # At most so much at once: a megabyte of gzip took 4.7 GB when it was unpacked as a whole.
                yield unpacker.decompress(packed, PIECE_BYTES)
                packed = unpacker.unconsumed_tail
        if not unpacker.eof:
            raise ValueError("cut short")

    def close(self) -> None:
        self._inner.close()


def _prepare_request(request: httpx2.Request, access: NetworkAccess) -> None:
    """Replace identifying headers by the program's name and version, and send the token to the Hub only."""
    # The library's own header tells versions of Python and of every package.
    request.headers["User-Agent"] = f"{APP_ID}/{__version__}"
    # An identifier for each request.
    request.headers.pop("X-Amzn-Trace-Id", None)
    if request.headers.get("Accept-Encoding") != "identity":
        # Brotli and zstd are not unpacked here.
        request.headers["Accept-Encoding"] = "gzip, deflate"
    url, hub = request.url, httpx2.URL(access.endpoint)  # which leaves out a usual port, too
    # The Hub sends downloads on to other hosts, which must not learn the token.
    if (url.scheme, url.netloc) != (hub.scheme, hub.netloc):
        request.headers.pop("Authorization", None)
