"""How the hosts that the program uses are reached, and, when a person asks for it, what each of them answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from app import APP_NAME
from app.core.build import RELEASES
from app.core.catalogue import Translatable, tr
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import HubUnreachable
from app.core.lazy_dataclasses import dataclass, replace
from app.core.settings import Settings
from app.features.error_messages import sentence_for
from app.hub.access import NetworkAccess, access_to, endpoint_of, proxy_for
from app.hub.connection_ledger import BUILT_IN, SYSTEM, ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.network import Network, http_client
from app.hub.proxy_script import find_proxy_script

ANSWERS = "answers"
WHY = "test"
"""As the ledger of connections has it."""
DIRECTLY, BY_PROXY = "{host}: directly", "{host}: through the proxy {proxy}"
OWN_AUTHORITIES = "Certificates: those this system trusts, and those in {path}"
BUILT_IN_AUTHORITIES = "Certificates: those that come with {app}"
BUILT_IN_AND_OWN = "Certificates: those that come with {app}, and those in {path}"
SCRIPT_FOUND = "This system uses a proxy script (PAC), which isn’t run. Set the proxy’s address: {script}"
NOT_ASKED = "Use --network to ask these hosts."
HOST_ANSWERS: Translatable = "{host} answers."


@dataclass(frozen=True)
class HostRoute:
    """`proxy` is its host and port, "" for none.

    `state` is what asking ended with, for programs: "answers", `HubUnreachable.reason` or the name of another error,
    such as "network_off"; `answer` says it to a person. Both are "" where nobody asked.
    """

    host: str
    proxy: str
    state: str = ""
    answer: str = ""


@dataclass(frozen=True)
class NetworkRoutes:
    """`script` is the system's proxy script, which isn't run."""

    hosts: tuple[HostRoute, ...]
    authorities_file: str
    script: str
    certificates: str = SYSTEM


def find_routes(settings: Settings, token: HubToken, ledger: ConnectionLedger, *, asks: bool) -> NetworkRoutes:
    """Find out how the Hub and the update address are reached; nothing is sent unless it `asks`."""
    hosts = tuple(_hosts_of(settings, token, ledger, asks=asks))
    script = "" if settings.network.proxy else find_proxy_script(os.environ, Path.home())
    return NetworkRoutes(hosts, settings.network.authorities_file, script, settings.network.certificates)


def _hosts_of(settings: Settings, token: HubToken, ledger: ConnectionLedger, *, asks: bool) -> Iterator[HostRoute]:
    for address in filter(None, (endpoint_of(settings), RELEASES.address)):
        # Without the password, which only asking needs.
        plain = NetworkAccess(endpoint=address, proxy=settings.network.proxy)
        proxy = urlsplit(proxy_for(address, plain)).netloc.rpartition("@")[2]
        route = HostRoute(plain.host, proxy)
        network = Network(partial(access_to, address, settings, token), ledger)
        yield _ask_host(address, route, network) if asks else route


def _ask_host(address: str, route: HostRoute, network: Network) -> HostRoute:
    try:
        network.call(WHY, lambda _: http_client().get(address).status_code)
    except HubUnreachable as error:
        return replace(route, state=error.reason, answer=str(sentence_for(error)))
    except AppError as error:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
        return replace(route, state=name, answer=str(sentence_for(error)))
    return replace(route, state=ANSWERS, answer=tr(HOST_ANSWERS, host=route.host))


def route_sentences(routes: NetworkRoutes) -> list[str]:
    """Write the routes as lines in the user's language."""
    lines = []
    for route in routes.hosts:
        way = tr(BY_PROXY, host=route.host, proxy=route.proxy) if route.proxy else tr(DIRECTLY, host=route.host)
        lines += [way, *([f"  {route.answer}"] if route.answer else [])]
    if routes.certificates == BUILT_IN:
        words = BUILT_IN_AND_OWN if routes.authorities_file else BUILT_IN_AUTHORITIES
        lines += [tr(words, path=routes.authorities_file, app=APP_NAME)]
    elif routes.authorities_file:
        lines += [tr(OWN_AUTHORITIES, path=routes.authorities_file)]
    if routes.script:
        lines += [tr(SCRIPT_FOUND, script=routes.script)]
    if not any(route.answer for route in routes.hosts):
        lines += [tr(NOT_ASKED)]
    return lines
