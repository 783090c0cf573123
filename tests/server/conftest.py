"""A running server, and a client that has its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.child import own_command
from app.engine.client import EngineClient
from app.engine.protocol import OPEN
from app.features.serving import Serving, served_models
from app.server.application import Rules, application
from app.server.running import RunningServer
from tests.helpers.engine import scripted_client

KEY = "the key"


@dataclass
class Served:
    """What a test needs of a server."""

    client: httpx2.Client
    serving: Serving
    address: str

    def chat(self, text: str = "Hello", **fields: Any) -> httpx2.Response:
        """One chat completion."""
        return self.client.post("chat/completions", json={"messages": [{"role": "user", "content": text}]} | fields)


def serve(engine: EngineClient, models: list[Path], stack: ExitStack) -> Served:
    """Runs until the stack is closed."""
    sizes = {path: path.stat().st_size for path in models}
    serving = Serving(lambda: engine, lambda: served_models(sizes), lambda: models[0], lambda: OPEN)
    server = RunningServer(application(serving, Rules(KEY)), port=0)
    server.start()
    stack.callback(server.stop)
    headers = {"Authorization": f"Bearer {KEY}"}
    client = stack.enter_context(closing(httpx2.Client(base_url=server.address, headers=headers, timeout=60)))
    return Served(client, serving, server.address)


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Makes a server whose engine follows a script."""
    with ExitStack() as stack:

        def make(*answers: dict[str, Any], **script: Any) -> Served:
            engine = scripted_client(tmp_path / "engine", {"answers": list(answers)} | script)
            stack.callback(engine.close)
            models = [tmp_path / "one.gguf", tmp_path / "two.gguf"]
            for path in models:
                path.write_bytes(b"GGUF")
            return serve(engine, models, stack)

        yield make


@pytest.fixture(scope="module")
def starter_server(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the real starter."""
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack:
        engine = EngineClient(own_command("--engine-worker"), folder / "engine")
        stack.callback(engine.close)
        served = serve(engine, [starter], stack)
        assert served.chat("Hello", max_tokens=1).status_code == 200  # its threads and its child are no test's own
        assert served.client.get("models").status_code == 200
        yield served
