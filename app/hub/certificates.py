"""Certificates of authorities that a person or an administrator trusts beside those of the system."""

from __future__ import annotations

import contextlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.errors.hub_errors import CertificateUnreadable
from app.core.visible import visible_name

MOST_CERTIFICATE_BYTES = 32 * 1024
"""Limit for the authority of one server."""
MOST_AUTHORITIES_BYTES = 512 * 1024
"""Limit for the authorities of all hosts: a system's whole list takes half of it."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----")


def certificates_in(path: Path, most_bytes: int = MOST_CERTIFICATE_BYTES) -> str:
    """Return the certificates in a file, PEM or DER, as PEM, and nothing else of it, such as a key.

    A file is read again only after it changed. Raises CertificateUnreadable.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise CertificateUnreadable(str(path)) from error
    # The time of the change, too: a copy may keep size and date of the file that it replaces.
    state = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return _read_certificates(path, most_bytes, state)


@lru_cache(maxsize=8)  # asked for with every request; failures aren't kept
def _read_certificates(path: Path, most_bytes: int, _state: tuple[int, ...]) -> str:
    import ssl  # who has no server does without

    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        # Without a certificate in PEM, the file may be one in DER.
        found = [element.decode("ascii") for element in _CERTIFICATE.findall(data)] or [ssl.DER_cert_to_PEM_cert(data)]
        # Loading them tells now that they are broken, not when the server is asked.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except (OSError, ValueError) as error:
        raise CertificateUnreadable(str(path)) from error
    if len(data) > most_bytes:
        raise CertificateUnreadable(str(path))
    return "\n".join(found)


def owners_of(authorities: str) -> list[str]:
    """Return the subjects of the authorities among PEM certificates."""
    import ssl  # as in `certificates_in`

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLError):
        context.load_verify_locations(cadata=authorities)
    names = []
    for certificate in context.get_ca_certs():
        parts: Any = certificate["subject"]
        subject = {name: value for part in parts for name, value in part}
        names.append(visible_name(subject.get("commonName") or subject.get("organizationName") or "?"))
    return names
