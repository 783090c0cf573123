"""Clients that close their connection at every stage harm nobody else."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from app.engine.client import EngineClient
from tests.helpers.program import wait_until
from tests.server.conftest import KEY, Served

GONE = 499
LONG, SHORT, STREAM = "long", "short", "stream"


def bytes_of(served: Served, text: str, **fields: object) -> bytes:
    body = json.dumps({"messages": [{"role": "user", "content": text}]} | fields).encode()
    head = f"Host: {served.address.split('/')[2]}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"POST /v1/chat/completions HTTP/1.1\r\n{head}".encode() + body


def connected(served: Served) -> socket.socket:
    host, _, port = served.address.split("/")[2].partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def leave(served: Served, sent: bytes, *, resets: bool) -> None:
    """Sends so much and closes; with `resets` as a program that is killed."""
    connection = connected(served)
    connection.sendall(sent)
    if resets:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_who_leaves_at_any_stage_harms_nobody(scripted: Callable[..., Served], tmp_path: Path) -> None:
    served = scripted(
        {"when": LONG, "batch": "go", "text": "read all the same"},
        {"when": STREAM, "text": "word ", "repeat": 100_000, "delay_s": 0.005},
        log="log.jsonl",
    )
    log = tmp_path / "engine" / "log.jsonl"
    stayed: list[str] = []

    def stay() -> None:
        stayed.append(served.chat(LONG).json()["choices"][0]["message"]["content"])

    staying = threading.Thread(target=stay)
    staying.start()
    wait_until(lambda: log.exists() and LONG in log.read_text(), "a batch that lasts until this test ends it")
    engine = served.serving.pool.chat
    assert isinstance(engine, EngineClient)
    process = engine._keeper.process
    assert process is not None

    request = bytes_of(served, SHORT)
    before, in_queue = (
        (b"", request[:40], request[: len(request) // 2], request[:-5]),
        (request, bytes_of(served, SHORT, stream=True)),
    )
    for sent in before + in_queue:
        for resets in (False, True):
            leave(served, sent, resets=resets)
    wait_until(
        lambda: [one.status for one in served.serving.journal.list_requests()] == [GONE] * 4, "all of them to be let go"
    )
    wait_until(lambda: not process._cancelled, "the child to answer what waited, in the middle of the batch")
    assert staying.is_alive()

    log.with_name("go").touch()
    staying.join(60)
    assert stayed == ["read all the same"]
    for resets in (False, True):
        connection = connected(served)
        connection.sendall(bytes_of(served, STREAM, stream=True))
        received = b""
        while received.count(b"data: ") < 3:
            received += connection.recv(4096)
        if resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert served.chat(SHORT).json()["choices"][0]["message"]["content"] == f"You said: {SHORT}"
    wait_until(lambda: len(served.serving.journal.list_requests()) == 8, "both streams to be let go")
    assert sum(one.status == GONE for one in served.serving.journal.list_requests()) == 6
    assert engine._keeper.process is process
    wait_until(lambda: not process._cancelled, "the child to answer both streams")
