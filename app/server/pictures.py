"""Pictures in requests: sent as base64, never fetched from an address or read from a file of this computer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from app.core.events import Media
from app.server.body import BadRequest

MOST_PICTURES = 32
ONLY_DATA = "send the picture itself as base64 (data:image/png;base64,…): addresses are not fetched, and files not read"
_DATA = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)


class Pictures:
    """Those of one request, by the SHA-256 of their bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def from_address(self, address: object, name: str, at: int) -> Media:
        """Of a data address, for the place `at` of a text. Raises BadRequest, which names the field."""
        found = _DATA.match(address) if isinstance(address, str) else None
        if found is None:
            raise BadRequest(f"{name}: {ONLY_DATA}", name)
        assert isinstance(address, str)
        return self.from_base64(address[found.end() :], name, at)

    def from_base64(self, text: str, name: str, at: int) -> Media:
        """Of the bytes themselves."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest(f"{name} is not base64", name) from None
        sha256 = hashlib.sha256(data).hexdigest()
        self.files[sha256] = data
        if len(self.files) > MOST_PICTURES:
            raise BadRequest(f"{name}: there are more than {MOST_PICTURES} pictures", name)
        return Media(sha256, "", at=at)
