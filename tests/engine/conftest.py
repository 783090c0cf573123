"""Engines that are closed again after their tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.engine.client import EngineClient
from tests.helpers.engine import load, scripted_client


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., EngineClient]]:
    """Makes clients with a script; a model is loaded unless `loaded=False`."""
    clients: list[EngineClient] = []

    def make(*, loaded: bool = True, **script: Any) -> EngineClient:
        client = scripted_client(tmp_path / f"scripted{len(clients)}", script)
        clients.append(client)
        if loaded:
            load(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def starter_engine(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """The starter model in one real child for all tests of a file; they must leave it loaded and alive."""
    client = EngineClient(own_command("--engine-worker"), tmp_path_factory.mktemp("engine"))
    load(client, starter)
    yield client
    client.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    """A real child of one test's own; nothing is loaded."""
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    client.folders = lambda: (tmp_path.parent,)  # stands for the folder of models
    yield client
    client.close()


@pytest.fixture(scope="session", autouse=True)
def llama_cpp_closes_its_files() -> Iterator[None]:
    """WORKAROUND: llama_cpp opens os.devnull twice when it is imported and never closes it."""
    yield
    utils = sys.modules.get("llama_cpp._utils")
    for name in ("outnull_file", "errnull_file") if utils else ():
        getattr(utils, name).close()
