"""Check for a newer Fireside: fetch one small signed file when the user clicks, never otherwise.

The file is JSON; its signature is next to it under the same name plus `.sig`: 64 bytes of Ed25519 over the file's
bytes, in base64. `packaging/sign_release.py` makes both.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app import APP_ID, __version__
from app.core.build import RELEASES, ReleaseHome
from app.core.errors.hub_errors import HubUnreachable, ReleaseRefused
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.core.settings import Settings

if TYPE_CHECKING:
    from app.hub.connection_ledger import ConnectionLedger
    from app.hub.hub_token import HubToken
    from app.hub.network import Network

WHY = "updates"
FORMAT = 1
MOST_BYTES = 64 * 1024
"""Of the file: a page of notes takes four."""
MOST_SIGNATURE_BYTES = 200
_VERSION = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)


class ReleaseStanding(StrEnum):
    """The newest release compared with this program."""

    NEWER = "newer"
    SAME = "same"
    OLDER = "older"


@dataclass(frozen=True)
class ReleaseFile:
    """Content of a release file. `issued_s` counts from 1970; `page` is an https address; `notes` are plain text."""

    version: str
    issued_s: int
    page: str
    notes: str

    @property
    def standing(self) -> ReleaseStanding:
        theirs, ours = version_precedence(self.version), version_precedence(__version__)
        return (
            ReleaseStanding.SAME
            if theirs == ours
            else ReleaseStanding.NEWER
            if theirs > ours
            else ReleaseStanding.OLDER
        )


class ReleaseUpdates:
    """`network` is one whose named host is the home's; `change` saves settings."""

    def __init__(
        self, home: ReleaseHome, network: Network, settings: Callable[[], Settings], change: Callable[..., None]
    ) -> None:
        self._home, self._network, self._settings, self._change_settings = home, network, settings, change

    @property
    def host(self) -> str:
        """Host of the update address; "" without one."""
        return urlsplit(self._home.address).netloc

    def check(self, token: CancelToken | None = None) -> ReleaseFile:
        """Fetch the newest release.

        Raises NetworkOff, HubUnreachable, HubBusy or ReleaseRefused. A file older than one seen before is refused, as
        a replay.
        """
        address, host = self._home.address, self.host
        content, signature = self._network.call(
            WHY,
            lambda _: (
                _fetch_bytes(address, host, MOST_BYTES),
                _fetch_bytes(f"{address}.sig", host, MOST_SIGNATURE_BYTES),
            ),
            cancel=token,
        )
        release = release_of(content, signature, self._home.key, host)
        newest_s = self._settings().updates.newest_issued_s
        # An old file with a valid signature would hide a newer release (replay).
        if release.issued_s < newest_s:
            raise ReleaseRefused(host, "replayed")
        if release.issued_s > newest_s:
            self._change_settings("updates", newest_issued_s=release.issued_s)
        return release


def _fetch_bytes(address: str, host: str, most_bytes: int) -> bytes:
    """Fetch an answer of at most `most_bytes`."""
    from app.hub.network import http_client

    content = bytearray()
    with http_client().stream("GET", address) as response:
        if not response.is_success:
            raise ReleaseRefused(host, "missing")
        for part in response.iter_bytes():
            content += part
            if content.lstrip()[:1] == b"<":  # a page for people, whatever its header says
                raise HubUnreachable(host, "captive_portal")
            # Counted as it comes: the answer may have no end.
            if len(content) > most_bytes:
                raise ReleaseRefused(host, "too_long")
    return bytes(content)


def release_of(content: bytes, signature: bytes, key: str, host: str) -> ReleaseFile:
    """Parse the file if it was signed with the private half of `key` (base64). Raises ReleaseRefused."""
    from Cryptodome.Signature import eddsa

    try:
        # The signature is over the bytes, so nothing is parsed before it is proved.
        known = eddsa.import_public_key(base64.b64decode(key, validate=True))
        eddsa.new(known, "rfc8032").verify(content, base64.b64decode(signature.strip(), validate=True))
    except ValueError as error:
        raise ReleaseRefused(host, "signature") from error
    try:
        return _parse_release(json.loads(content))
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError) as error:
        raise ReleaseRefused(host, "unreadable") from error


def _parse_release(said: Any) -> ReleaseFile:
    """Parse a release file. Raises ValueError and the like for anything else."""
    if said["format"] != FORMAT or said["program"] != APP_ID:
        raise ValueError("of another form, or of another program")
    version, page, notes = said["version"], said["page"], said["notes"]
    # Raises for what is no version: it is shown and compared.
    version_precedence(version)
    # A page over http could be replaced on its way.
    if urlsplit(page).scheme != "https" or not urlsplit(page).hostname or not isinstance(notes, str):
        raise ValueError("no page, or no notes")
    issued = datetime.fromisoformat(said["issued"])
    if issued.tzinfo is None:
        raise ValueError("a time without its zone")
    return ReleaseFile(version, int(issued.timestamp()), page, notes)


def version_precedence(version: str) -> tuple[Any, ...]:
    """Return the sort key of a semantic version (semver.org, 11): 1.0.0-a < 1.0.0-a.1 < 1.0.0. Raises ValueError."""
    if (found := _VERSION.fullmatch(version)) is None:
        raise ValueError("no semantic version")
    before = tuple(
        # Numbers before words, and numbers by value (semver 11).
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in (found[4] or "").split(".")
        if part
    )
    return int(found[1]), int(found[2]), int(found[3]), not before, before


def build_updates(
    settings: Callable[[], Settings], change: Callable[..., None], ledger: ConnectionLedger, token: HubToken
) -> ReleaseUpdates:
    """Build the check against the update address of this build."""
    from app.hub.access import access_to
    from app.hub.network import Network

    network = Network(lambda: access_to(RELEASES.address, settings(), token), ledger)
    return ReleaseUpdates(RELEASES, network, settings, change)
