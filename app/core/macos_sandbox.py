"""What a process may still do on macOS: a sandbox profile that it takes on for good. Written, but never run so far.

Everything is allowed but what the walls are about: the system's frameworks ask for services by names that change with
each release, and a profile that allows by name would break a model with an upgrade of the system.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.core.landlock import ThreadGrant
from app.core.seccomp import SocketRule

PERSONAL_PLACES = ("/Users", "/Volumes", "/private/var/root")
"""With the home folder: where what a person stores is."""
SCREENED = ("lsopen", "appleevent-send")
"""Have other programs opened and act; not all releases know them by these names."""
NAME_LOOKUPS = "/private/var/run/mDNSResponder"
_USER_CACHE = 65538  # _CS_DARWIN_USER_CACHE_DIR, where Metal keeps what it compiles


def enter_sandbox(profile: str) -> None:
    """Take on a profile, in all threads and in all that this process starts.

    Raises OSError with what the system says, AttributeError on another system.
    """
    take = ctypes.CDLL(None).sandbox_init
    take.argtypes = (ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_char_p))
    problem = ctypes.c_char_p()
    if take(os.fsencode(profile), 0, ctypes.byref(problem)) != 0:
        raise OSError((problem.value or b"").decode("utf-8", "replace"))


def sandbox_profile(grant: ThreadGrant, sockets: SocketRule) -> str:
    """Return a profile in Apple's language that leaves `grant` and `sockets`; of several rules the last one counts."""
    return "\n".join(_profile_lines(grant, sockets)) + "\n"


def _profile_lines(grant: ThreadGrant, sockets: SocketRule) -> Iterator[str]:
    written = [*grant.writing, *grant.devices, *_shader_caches()]
    personal = [*map(Path, PERSONAL_PLACES), Path.home()]
    yield "(version 1)"
    yield "(allow default)"
    # Names and sizes stay visible, as looking up a path asks for each folder on its way.
    yield from _rules("deny", "file-read-data file-read-xattr", "subpath", personal)
    yield from _rules("allow", "file-read-data file-read-xattr", "subpath", [*grant.reading, *written])
    yield "(deny file-write*)"
    yield from _rules("allow", "file-write*", "subpath", written)
    if grant.programs is not None:
        yield "(deny process-exec*)"
        yield from _rules("allow", "process-exec* file-read-data", "literal", grant.programs)
    if not grant.starts_programs:
        yield "(deny process-fork)"
    yield "(deny signal)"
    yield "(allow signal (target same-sandbox))"
    yield from (f"(if (defined? '{name}) (deny {name}))" for name in SCREENED)
    yield "(deny network*)"
    yield from _network_rules(grant, sockets)


def _network_rules(grant: ThreadGrant, sockets: SocketRule) -> Iterator[str]:
    if sockets is SocketRule.INTERNET:
        yield '(allow network-outbound (remote ip "*:*"))'
        yield f"(allow network-outbound (literal {_quoted(NAME_LOOKUPS)}))"
    elif sockets is SocketRule.TCP:
        yield from (f'(allow network-outbound (remote tcp "*:{port}"))' for port in grant.ports or ())
        yield from (f'(allow network-bind network-inbound (local tcp "*:{port}"))' for port in grant.listening)


def _rules(verdict: str, deeds: str, kind: str, paths: Iterable[Path]) -> Iterator[str]:
    """Yield one rule for all these places, by the names that the system itself knows them by; none without places."""
    found: Sequence[str] = [*dict.fromkeys(os.fspath(path.resolve()) for path in paths)]
    if found:
        yield f"({verdict} {deeds} {' '.join(f'({kind} {_quoted(path)})' for path in found)})"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shader_caches() -> Iterator[Path]:
    try:
        folder = os.confstr(_USER_CACHE)
    except (OSError, ValueError, AttributeError):
        return
    if folder:
        yield Path(folder)
