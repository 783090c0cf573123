"""Engine clients for tests, and what to read from their events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.core.child import own_command
from app.core.events import AnswerStats, CancelToken, Finished, FinishReason, Message, Role, TextDelta
from app.engine.client import EngineClient
from app.engine.protocol import Sampling, Wish
from app.features.models.model_pool import ModelPool

GREEDY = Sampling(temperature=0.0)
ANY_PATH = {"any_path": True}


def scripted_client(folder: Path, script: dict[str, Any]) -> EngineClient:
    """A client whose child follows a script; see tests/helpers/scripted_backend.py for what a script may say."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "script.json"
    path.write_text(json.dumps({"load": ANY_PATH} | script), "utf-8")
    return EngineClient([*own_command("--engine-worker"), "--scripted", str(path)], folder / "engine")


def pool_of(make_engine: Callable[[], Any]) -> ModelPool:
    """A pool without a chat's model, whose other engines are made so."""
    chat: Any = SimpleNamespace(loaded=None, awaited=None, is_answering=False)
    return ModelPool(chat, lambda: None, Wish, make_engine)


def user(text: str) -> Message:
    """A question."""
    return Message(Role.USER, text)


def assistant(text: str) -> Message:
    """An answer."""
    return Message(Role.ASSISTANT, text)


def system(text: str) -> Message:
    """A system prompt."""
    return Message(Role.SYSTEM, text)


def answer_of(events: Iterable[object]) -> tuple[str, AnswerStats]:
    """The whole text and the measures of an answer."""
    seen = list(events)
    assert isinstance(seen[-1], Finished), seen[-1:]
    return "".join(event.text for event in seen if isinstance(event, TextDelta)), seen[-1].stats


def ask_behind(client: EngineClient, text: str, cancel: CancelToken) -> str | None:
    """What is answered to a question that waits for others; None where it was cancelled."""
    if cancel.cancelled:
        return None
    answer, stats = answer_of(client.generate([user(text)], background=True, cancel=cancel))
    return None if stats.finish_reason is FinishReason.CANCELLED else answer


def load(client: EngineClient, path: Path = Path("scripted.gguf"), **options: Any) -> None:
    """Loads a model and waits for it."""
    for _ in client.load(path, Wish(**options)):
        pass
