"""Models that the tests of real engines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model, load_model
from tests.helpers.engine import load
from tests.helpers.tiny_models import make_tiny
from tests.helpers.writer import Writer


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes each tiny model once; see `tests.helpers.tiny_models.KINDS` for their names."""
    folder = tmp_path_factory.mktemp("tiny")

    def made(kind: str) -> Path:
        path = folder / f"{kind}.gguf"
        return path if path.exists() else make_tiny(kind, path)

    return made


@pytest.fixture(scope="module")
def tiny_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """A tiny model in one real child: how answers share places and time is the same for each model."""
    folder = tmp_path_factory.mktemp("tiny")
    client = EngineClient(own_command("--engine-worker"), folder / "engine")
    load(client, make_tiny("llama", folder / "tiny.gguf", context_tokens=8192))
    yield client
    client.close()


@pytest.fixture(scope="module")
def starter_loaded(starter: Path) -> Iterator[Model]:
    """The starter, loaded into the test's own process."""
    loaded = load_model(open_library(), str(starter), check_model(starter), 0, tell=lambda _: None, cancelled=bool)
    assert loaded is not None
    yield loaded
    loaded.free()


@pytest.fixture(scope="module")
def writer(starter_loaded: Model) -> Iterator[Writer]:
    """The starter with a context, writing token by token."""
    made = Writer(starter_loaded)
    yield made
    made.free()
