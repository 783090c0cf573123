"""The server as a listener: what it writes leaves at once."""

from __future__ import annotations

import socket

import httpx2
from starlette.types import Receive, Scope, Send

from app.server.running import RunningServer


async def says_hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def test_a_word_does_not_wait_until_the_one_before_it_has_arrived() -> None:
    server = RunningServer(says_hello, port=0)
    server.start()
    try:
        with httpx2.Client() as client:
            assert client.get(server.address).text == "hello"
            (connection,) = server._server.server_state.connections
            transport = connection.transport
            assert transport is not None
            opened = transport.get_extra_info("socket")
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "TCP holds small pieces back for 40 ms"
    finally:
        server.stop()
