"""An engine that asks servers, and servers for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.fake_server import FakeServer
from tests.helpers.remote import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    made = Remote(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture
def start(remote: Remote) -> Iterator[Callable[..., FakeServer]]:
    """Starts a server whose model the engine then asks."""
    with ExitStack() as stack:

        def started(*answers: str, at_once: int = 4, **options: str) -> FakeServer:
            server = stack.enter_context(FakeServer(*answers, **options))
            path = remote.add(server.address, at_once=at_once)
            if server.key:
                remote.servers.keep_key("box", server.key)
            remote.load(path)
            return server

        yield started
