"""Two real models, and the program with them. Every test of this folder is marked `qwen` and runs by `make test-qwen`.

`qwen_05b` and `qwen_15b` are the files; `engine_05b` and `engine_15b` are engines that a file's tests share;
`open_program` is the program with a model loaded, `tests.helpers.terminal.fireside` its commands, `serve_model` (of
`tests.helpers.qwen_models`) its server. A test is skipped where its model could not be fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.child import own_command
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from tests.helpers.engine import load
from tests.helpers.qwen_models import ANSWER_S, CONTEXT_TOKENS, fetched_qwen

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """None of them runs by accident, for each takes seconds to minutes."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.qwen)
            item.add_marker(pytest.mark.timeout(2 * ANSWER_S))


@pytest.fixture(scope="session")
def qwen_05b() -> Path:
    """Qwen2.5-Coder-0.5B-Instruct."""
    return fetched_qwen("0.5B")


@pytest.fixture(scope="session")
def qwen_15b() -> Path:
    """Qwen2.5-Coder-1.5B-Instruct."""
    return fetched_qwen("1.5B")


@pytest.fixture(scope="module")
def engine_05b(qwen_05b: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """An engine with the 0.5B."""
    yield from _engine(qwen_05b, tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def engine_15b(qwen_15b: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """An engine with the 1.5B."""
    yield from _engine(qwen_15b, tmp_path_factory.mktemp("engine"))


def _engine(path: Path, folder: Path) -> Iterator[EngineClient]:
    engine = EngineClient(own_command("--engine-worker"), folder)
    load(engine, path, context_tokens=CONTEXT_TOKENS)
    yield engine
    engine.close()


@pytest.fixture
def open_program(fresh_home: Path) -> Iterator[Callable[[Path], Fireside]]:
    """The whole program without its window, with a model in the chat's engine."""
    with ExitStack() as stack:

        def open_with(path: Path) -> Fireside:
            app = build_program()
            stack.callback(app.close)
            list(app.engine.load(path, Wish(context_tokens=CONTEXT_TOKENS)))
            return app

        yield open_with
