"""Room for a model in an engine of its own: the chat's model rests meanwhile, where both do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine
from app.features.work.engines import RESERVE_BYTES, needed_bytes


@dataclass(frozen=True)
class Rests:
    """The chat's model was put to sleep; the chat's next message wakes it."""

    name: str


MakeRoom = Callable[[Path], Rests | None]
"""Before a model is loaded; raises ModelMissing or ModelUnreadable."""


def nobody_rests(_path: Path) -> None:
    """Where no other model is in memory."""


def room_beside(
    chats: Engine,
    *,
    free_bytes: Callable[[], int] = free_memory_bytes,
    needs: Callable[[Path], int] = needed_bytes,
) -> MakeRoom:
    """Puts the model of `chats` to sleep where the next one does not fit beside it, once its answer is complete."""

    def make_room(path: Path) -> Rests | None:
        loaded, free, needed = chats.loaded, free_bytes(), needs(path)
        if loaded is None or loaded.needed_bytes <= 0 or not free or needed <= free - RESERVE_BYTES:
            return None
        chats.sleep()
        return Rests(loaded.name)

    return make_room
