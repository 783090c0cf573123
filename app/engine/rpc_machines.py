"""Other computers that lend their memory to a model here, over llama.cpp's RPC: addresses, and whether they answer.

ggml itself connects without a time limit and ends the process where something is not as it should be. So each machine
is asked here first, in the few messages that say who it is and what it has; ggml gets only those that answered. The
messages are those of ``ggml-rpc.cpp``, as llama.cpp's pinned version has them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from app.core.errors.engine_errors import MachineUnusable
from app.core.lazy_dataclasses import dataclass

DEFAULT_PORT = 50052
MOST_PORT = 65535
CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 4.0
TOGETHER_S = 8.0
"""Limit for asking all workers together: a child silent for longer counts as hung."""
MOST_DEVICES = 16  # GGML_RPC_MAX_SERVERS; a machine has a few
VERSION = (7, 0)
"""RPC_PROTO_MAJOR_VERSION and RPC_PROTO_MINOR_VERSION: the same major one, and no newer minor one."""
HELLO, DEVICE_COUNT, DEVICE_MEMORY = 14, 15, 11
CAPABILITIES = bytes(24)  # of network cards that reach into memory by themselves: none
SILENT_S, ASK_AGAIN_S, ASKED = 10, 5, 4
"""A connection over which nothing comes is asked about after so many seconds, again and again, and then given up."""


@dataclass(frozen=True)
class LentDevice:
    """A device of an RPC worker, by its name here. Bytes are what it may lend."""

    name: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class RemoteMachine:
    """An RPC worker that answered. `endpoint` is the IP number and port of its `address`."""

    address: str
    endpoint: str
    devices: tuple[LentDevice, ...]

    @property
    def is_here(self) -> bool:
        """True if the worker runs on this computer, so that its memory is ours."""
        return ipaddress.ip_address(self.endpoint.rpartition(":")[0]).is_loopback


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of ``host[:port]``; the port is `DEFAULT_PORT` without one. Raises MachineUnusable."""
    host, colon, digits = address.strip().partition(":")
    is_port = digits.isdecimal() and len(digits) < 6 and 0 < int(digits) <= MOST_PORT
    if not host or any(letter.isspace() or letter in "/@[]" for letter in host) or (colon and not is_port):
        raise MachineUnusable(address.strip(), "address")
    return host, int(digits) if colon else DEFAULT_PORT


def is_private(number: str) -> bool:
    """Return whether an IPv4 number is this computer's own or in a private network."""
    found = ipaddress.ip_address(number)
    # Nothing of a model leaves the local network: a public address is refused, whatever its name says.
    return found.version == 4 and not (found.is_global or found.is_unspecified or found.is_multicast)


def query_machine(address: str) -> RemoteMachine:
    """Ask a worker for its devices, within ten seconds unless a name look-up hangs.

    Raises MachineUnusable.
    """
    # The name is resolved here once: ggml gets the number that was checked, not a name that may change.
    host, port = parse_address(address)
    number = _number_of(address, host)
    try:
        connection = socket.create_connection((number, port), CONNECT_TIMEOUT_S)
    except OSError as error:
        raise MachineUnusable(address, "refused" if isinstance(error, ConnectionRefusedError) else "silent") from error
    with connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            return RemoteMachine(address, f"{number}:{port}", tuple(_read_devices(connection, address)))
        except TimeoutError as error:  # it serves one program at a time, and lets the others wait
            raise MachineUnusable(address, "busy") from error
        except (OSError, EOFError, struct.error) as error:
            raise MachineUnusable(address, "other") from error


def ask_all(addresses: Sequence[str]) -> tuple[list[RemoteMachine], list[MachineUnusable]]:
    """Ask several at once, for eight seconds at most; return those that answered, in order, and the others."""
    answers: dict[str, RemoteMachine | MachineUnusable] = {}

    def run(address: str) -> None:
        try:
            answers[address] = query_machine(address)
        except MachineUnusable as problem:
            answers[address] = problem

    _run_together(run, addresses)
    found = [answers.get(address) or MachineUnusable(address, "silent") for address in addresses]
    return (
        [answer for answer in found if isinstance(answer, RemoteMachine)],
        [answer for answer in found if isinstance(answer, MachineUnusable)],
    )


def ports_of(addresses: Sequence[str]) -> list[int]:
    """Return the ports of these addresses; what is no address has none."""
    ports = set()
    for address in addresses:
        with contextlib.suppress(MachineUnusable):
            ports.add(parse_address(address)[1])
    return sorted(ports)


_numbers: dict[str, str] = {}
"""Numbers of hosts that were looked up before this process gave that up."""


def look_up(addresses: Sequence[str]) -> None:
    """Look up these hosts for good, all at once and for eight seconds at most."""

    def run(address: str) -> None:
        with contextlib.suppress(MachineUnusable):
            host, _ = parse_address(address)
            _numbers[host] = _number_of(address, host)

    _run_together(run, addresses)


def _run_together(run: Callable[[str], None], addresses: Sequence[str]) -> None:
    """Run a function for each address in a thread of its own, and wait for all, for eight seconds at most."""
    threads = [threading.Thread(target=run, args=(text,), name=f"asking {text}", daemon=True) for text in addresses]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + TOGETHER_S
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))


def _number_of(address: str, host: str) -> str:
    if host in _numbers:
        return _numbers[host]
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MachineUnusable(address, "name") from error
    number = str(found[0][4][0])
    if not is_private(number):
        raise MachineUnusable(address, "public")
    return number


def _read_devices(connection: socket.socket, address: str) -> Iterator[LentDevice]:
    major, minor, *_ = struct.unpack("<4B24s", _exchange_command(connection, HELLO, CAPABILITIES, 28))
    if major != VERSION[0] or minor > VERSION[1]:
        raise MachineUnusable(address, "version")
    (count,) = struct.unpack("<I", _exchange_command(connection, DEVICE_COUNT, b"", 4))
    if not 0 < count <= MOST_DEVICES:
        raise EOFError
    for number in range(count):
        free, total = struct.unpack("<QQ", _exchange_command(connection, DEVICE_MEMORY, struct.pack("<I", number), 16))
        yield LentDevice(address if number == 0 else f"{address} #{number + 1}", free, total)


def _exchange_command(connection: socket.socket, command: int, body: bytes, length: int) -> bytes:
    connection.sendall(struct.pack("<BQ", command, len(body)) + body)
    (size,) = struct.unpack("<Q", _receive_bytes(connection, 8))
    # A length of its own invention would have to be read to its end.
    if size != length:
        raise EOFError
    return _receive_bytes(connection, length)


def _receive_bytes(connection: socket.socket, length: int) -> bytes:
    found = b""
    until_s = time.monotonic() + ANSWER_TIMEOUT_S
    while len(found) < length:
        if time.monotonic() > until_s:  # a byte now and then is no answer, either
            raise TimeoutError
        piece = connection.recv(length - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


def watch_connections(first_word_s: float = 0) -> int:
    """Enable keep-alive on this process's connections, so that dead ones (a pulled cable) are dropped; return their
    number.

    ggml would wait forever. Returns 0 if the system doesn't list a process's files. With `first_word_s`, connections
    silent for that long since they were made are closed (Linux).
    """
    folder = "/dev/fd" if sys.platform == "darwin" else "/proc/self/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - numbers, no paths
    except OSError:
        return 0
    return sum(_is_watched(int(name), first_word_s) for name in names)


def _is_watched(descriptor: int, first_word_s: float) -> bool:
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:  # another kind of file
        return False
    try:
        if connection.family != socket.AF_INET:
            return False
        connection.getpeername()
        _keep_alive(connection)
        if first_word_s and _is_silent(connection, first_word_s):
            connection.shutdown(socket.SHUT_RDWR)  # whoever reads from it hears its end
            return False
        return True
    except OSError:
        return False
    finally:
        # Only detached: the descriptor is ggml's, and closing it would close the connection.
        connection.detach()


def _is_silent(connection: socket.socket, first_word_s: float) -> bool:
    """Return whether a connection older than `first_word_s` has received nothing."""
    if sys.platform != "linux":
        return False
    # struct tcp_info of Linux: tcpi_last_data_recv at 52 (ms), tcpi_bytes_received at 128.
    facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
    if len(facts) < 136:
        return False
    (silent_ms,), (received,) = struct.unpack_from("=I", facts, 52), struct.unpack_from("=Q", facts, 128)
    return bool(received == 0 and silent_ms > first_word_s * 1000)


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls it TCP_KEEPALIVE.
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    for option, value in ((idle, SILENT_S), ("TCP_KEEPINTVL", ASK_AGAIN_S), ("TCP_KEEPCNT", ASKED)):
        number = getattr(socket, option, None) if isinstance(option, str) else option
        if number is not None:
            connection.setsockopt(socket.IPPROTO_TCP, number, value)
    # Keep-alive alone does not help while something was sent and not acknowledged.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = 1000 * (SILENT_S + ASKED * ASK_AGAIN_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
