"""A running server, and a client that has its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from app.core.child import own_command
from app.core.events import ModelLoaded
from app.engine.client import EngineClient
from app.engine.contract import Engine
from app.engine.protocol import OPEN, Wish
from app.features.context_growth import affordable_context
from app.features.mcp.client_session import ListTools
from app.features.media import PassingLibrary
from app.features.models.model_pool import ModelPool
from app.features.serving.answer_server import AnswerServer
from app.features.serving.served_models import served_models
from app.features.transcribe import RecordingTranscriber
from app.server.access_guard import AccessRules
from app.server.http_application import make_application
from app.server.running import RunningServer
from app.store.database import Database
from app.store.media_store import MediaStore
from tests.helpers.engine import scripted_client
from tests.helpers.tiny_models import make_tiny

KEY = "the key"


@dataclass
class Served:
    """What a test needs of a server."""

    client: httpx2.Client
    serving: AnswerServer
    address: str
    may_load: bool = True

    def chat(self, text: str = "Hello", **fields: Any) -> httpx2.Response:
        """One chat completion."""
        return self.client.post("chat/completions", json={"messages": [{"role": "user", "content": text}]} | fields)


def serve(
    engine: EngineClient,
    models: list[Path],
    stack: ExitStack,
    make: Callable[[], Engine] = lambda: pytest.fail("no second engine was expected"),
    origins: tuple[str, ...] = (),
    *,
    wish: Wish = OPEN,
    affords: Callable[[Engine, ModelLoaded, Wish], int] = affordable_context,
    list_tools: ListTools = lambda: (),
    **sizes: Any,
) -> Served:
    """Runs until the stack is closed. `make`, `wish` and `sizes` are those of `ModelPool`."""
    pool = ModelPool(engine, lambda: models[0], lambda: wish, make, **sizes)
    database, scratch = Database.in_memory(), Path(stack.enter_context(TemporaryDirectory(prefix="fireside-served-")))
    stack.callback(database.close)
    serving = AnswerServer(
        pool,
        lambda: served_models((path, path.stat().st_size, False, False) for path in models),
        lambda: PassingLibrary(MediaStore(database), scratch / "decoded", scratch / "documents"),
        lambda engine: RecordingTranscriber(engine, scratch / "documents", scratch / "heard"),
        may_load=lambda: served.may_load,
        affords=affords,
    )
    stack.callback(pool.close)
    server = RunningServer(make_application(serving, AccessRules(KEY, origins=origins), list_tools), port=0)
    server.start()
    stack.callback(server.stop)
    headers = {"Authorization": f"Bearer {KEY}"}
    client = stack.enter_context(closing(httpx2.Client(base_url=server.address, headers=headers, timeout=60)))
    served = Served(client, serving, server.address)
    return served


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Makes a server whose engine follows a script."""
    with ExitStack() as stack:

        def make(
            *answers: dict[str, Any],
            beside: dict[str, Any] | None = None,
            models: Sequence[Path] = (),
            free_bytes: Callable[[], int] = lambda: 0,
            needs: Callable[[Path], int] = lambda path: 0,
            origins: tuple[str, ...] = (),
            wish: Wish = OPEN,
            affords: Callable[[Engine, ModelLoaded, Wish], int] = lambda engine, model, wish: wish.context_tokens,
            list_tools: ListTools = lambda: (),
            **script: Any,
        ) -> Served:
            engine = scripted_client(tmp_path / "engine", {"answers": list(answers)} | script)
            stack.callback(engine.close)
            found = [tmp_path / "one.gguf", tmp_path / "two.gguf"]
            for path in found:
                path.write_bytes(b"GGUF")

            def second() -> Engine:
                return scripted_client(tmp_path / "beside", beside or {})

            sizes = {"free_bytes": free_bytes, "needs": needs, "affords": affords, "list_tools": list_tools}
            return serve(engine, [*found, *models], stack, second, origins, wish=wish, **sizes)

        yield make


@pytest.fixture
def embedding_file(tmp_path: Path) -> Path:
    """A file of a model that turns texts into vectors, as far as anybody looks before it is loaded."""
    return make_tiny("llama", tmp_path / "vectors.gguf", template="", **{"llama.pooling_type": 1})


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
