"""One answer by a second model in an engine of its own, beside the chat's, where memory has room for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import AppError, NoRoomForModel
from app.core.events import CancelToken
from app.features.work.engines import Places, SecondEngine

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.chat.answers import AnswerEvent, Chat


class Beside:
    """`chats` is the engine that is there; `second` makes what may stand beside it, for each answer anew."""

    def __init__(self, chats: Engine, second: Callable[[], SecondEngine]) -> None:
        self._chats, self._second = chats, second

    def has_room(self, model: Path) -> bool:
        """Whether it fits beside what is in now; a file that cannot be read says so when it is loaded."""
        try:
            return self._second().place(model) is Places.BOTH
        except AppError:
            return False

    def answer(self, chat: Chat, question_id: int, model: Path, cancel: CancelToken) -> Iterator[AnswerEvent]:
        """As `Chat.answer`; the second engine is gone when it ends. Raises NoRoomForModel, and what loading raises."""
        second = self._second()
        try:
            engine = second.open(model, cancel)
            if engine is not None:
                yield from chat.with_engine(engine).answer(question_id, cancel, model=model)
            elif not cancel.cancelled:
                loaded = self._chats.loaded
                raise NoRoomForModel(model.stem, loaded.name if loaded is not None else "")
        finally:
            second.close(is_quitting=True)
