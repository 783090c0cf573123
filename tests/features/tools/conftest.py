"""Engines that follow a script, for answers with tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.client import EngineClient
from tests.engine.conftest import starter_engine  # noqa: F401
from tests.helpers.engine import ANY_PATH, load, scripted_client


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., EngineClient]]:
    """Makes clients whose model answers by these rules; `keys` are more of the script."""
    clients: list[EngineClient] = []

    def make(*answers: dict[str, Any], context_tokens: int = 4096, **keys: Any) -> EngineClient:
        rules = {"load": ANY_PATH | {"context_tokens": context_tokens}, "log": "prompts.jsonl"}
        client = scripted_client(tmp_path / f"scripted{len(clients)}", {"answers": list(answers)} | rules | keys)
        clients.append(client)
        load(client)
        return client

    yield make
    for client in clients:
        client.close()
