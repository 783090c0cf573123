"""A door that connects to the addresses that were checked, and to no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx2

from app.core.errors.hub_errors import HubUnreachable
from app.hub.access import NetworkAccess
from app.hub.door import HubDoor

Find = Callable[[str, int], Sequence[str]]
"""Returns the checked addresses of a host; raises OSError where it has none."""


class PinnedDoor(HubDoor):
    """Lets requests out to the addresses that `find` returns; a proxy is given names, as it looks them up itself."""

    def __init__(self, find: Find) -> None:
        super().__init__()
        self._find = find

    def _way_for(self, request: httpx2.Request, access: NetworkAccess, proxy: str) -> httpx2.BaseTransport:
        way = super()._way_for(request, access, proxy)
        host, port = request.url.raw_host.decode("ascii"), request.url.port
        try:
            found = self._find(host.strip("[]"), port or (443 if request.url.scheme == "https" else 80))
        except OSError as error:
            # Behind some proxies no name can be looked up here.
            if proxy:
                return way
            raise HubUnreachable(access.host, "offline") from error
        return way if proxy else _PinnedTransport(way, found)


class _PinnedTransport(httpx2.BaseTransport):
    """Sends a request to the first address that takes it; certificates are still held against the name."""

    def __init__(self, way: httpx2.BaseTransport, addresses: Sequence[str]) -> None:
        self._way, self._addresses = way, addresses

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        name, last = request.url.host, self._addresses[-1]
        for address in self._addresses:
            pinned = httpx2.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                extensions={**request.extensions, "sni_hostname": name},
            )
            try:
                return self._way.handle_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if address == last:
                    raise
        raise AssertionError("there is no address")
