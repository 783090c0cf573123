"""Services a window needs to show chats: stored and temporary ones, settings, the loaded model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.features.chat.answer_service import AnswerService
    from app.features.models.model_pool import ModelPool
    from app.features.prompt_library import PromptLibrary
    from app.features.spelling import SpellChecker
    from app.features.survey.surveys import DocumentSurveys
    from app.store.assistant_store import AssistantStore


class SettingsChange(Protocol):
    """Changes settings of a section and saves them; raises DiskFull or FolderNotWritable."""

    def __call__(self, section: str, **values: Any) -> None:
        """Change settings; the change holds until quit even if it can't be saved."""


@dataclass(frozen=True)
class Chats:
    """Services for chats. All are functions, because their values change while the program runs."""

    kept: AnswerService
    new_temporary: Callable[[], AnswerService]
    """Creates a temporary chat, closed with its last reference."""
    settings: Callable[[], Settings]
    change: SettingsChange
    loaded: Callable[[], ModelLoaded | None]
    model_path: Callable[[], Path | None]
    """The chosen model, loaded or not; None without any."""
    usual_model: Callable[[], Path | None]
    """The usual model while another one is loaded because a chat has its own; else None."""
    surveys_of: Callable[[AnswerService], DocumentSurveys]
    """Questions about the whole documents of a chat; not for the window's thread, making them takes a moment."""
    prompts: Callable[[], PromptLibrary]
    """Prompts to insert into a message by name."""
    assistants: Callable[[], AssistantStore]
    """Assistants whose choices chats can take."""
    spelling: Callable[[], SpellChecker]
    """Dictionaries for what is typed; one for the whole run."""
    pool: Callable[[], ModelPool]
    """Lends engines with other models than the loaded one."""
    host_of: Callable[[Path], str] = lambda _path: ""
    """Host a remote model runs on; "" for others."""
