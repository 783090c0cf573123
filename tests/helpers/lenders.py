"""Computers that lend their memory, or something else that answers in their place."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

from app.engine import rpc_machines

HELLO_LENGTH = 1 + 8 + 24
Answer = Callable[[socket.socket], object]


@contextlib.contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """An address at which `answer` is what happens to everybody who comes."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = door.accept()
                with connection, contextlib.suppress(OSError):
                    answer(connection)

    door = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, name="listening")
    thread.start()
    try:
        yield f"127.0.0.1:{door.getsockname()[1]}"
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join()


def a_server(
    version: tuple[int, int] = rpc_machines.VERSION, memory: tuple[tuple[int, int], ...] = ((3, 4),)
) -> Answer:
    """As llama.cpp's own would answer."""

    def answer(connection: socket.socket) -> None:
        with connection.makefile("rb") as file:
            while head := file.read(9):
                command, size = struct.unpack("<BQ", head)
                body = file.read(size)
                if command == rpc_machines.HELLO:
                    said = struct.pack("<4B24s", *version, 0, 0, bytes(24))
                elif command == rpc_machines.DEVICE_COUNT:
                    said = struct.pack("<I", len(memory))
                else:
                    assert command == rpc_machines.DEVICE_MEMORY
                    said = struct.pack("<QQ", *memory[struct.unpack("<I", body)[0]])
                connection.sendall(struct.pack("<Q", len(said)) + said)

    return answer
