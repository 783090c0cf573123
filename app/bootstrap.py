"""The composition root: builds every part once, hands parts over, closes them in reverse; no Qt."""

from __future__ import annotations

import errno
import logging
import os
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import APP_NAME, __version__
from app.core.child import own_command
from app.core.errors import DiskFull, FolderNotWritable
from app.core.log import start_log
from app.core.paths import AppPaths, starter_model
from app.core.settings import Settings, load_settings, save_settings
from app.engine.on_demand import EngineOnDemand
from app.engine.states import StateFolder
from app.features.chat import SESSION, Chat
from app.features.sentences import Sentence
from app.store.conversations import Conversations
from app.store.database import Database

log = logging.getLogger(__name__)


@dataclass
class Fireside:
    """All parts of the running program. `notices` is what start-up has to tell."""

    paths: AppPaths
    settings: Settings
    engine: EngineOnDemand
    database: Database
    conversations: Conversations
    states: StateFolder
    chat: Chat = field(init=False)
    notices: list[Sentence] = field(default_factory=list)
    log_handler: logging.Handler | None = None

    def __post_init__(self) -> None:
        self.chat = Chat(self.engine, self.conversations, lambda: self.settings)

    def temporary_chat(self) -> Chat:
        """A chat of which nothing is kept: its store is in memory, and is closed when nobody holds the chat."""
        database = Database.in_memory()
        chat = Chat(self.engine, Conversations(database), lambda: self.settings, is_temporary=True)
        weakref.finalize(chat, database.close)
        return chat

    def change(self, section: str, **values: Any) -> None:
        """Changes settings and saves them; raises DiskFull or FolderNotWritable, the change then holds until quit."""
        self.settings = self.settings.changed(section, **values)
        try:
            save_settings(self.paths.settings, self.settings)
        except OSError as error:
            raise disk_problem(error, self.paths.settings) from error

    def model_path(self) -> Path | None:
        """The chosen model, else the starter, else None."""
        chosen = self.settings.engine.model_path
        return Path(chosen) if chosen else starter_model()

    def known_models(self) -> list[Path]:
        """The starter first, then those a person opened."""
        starter = starter_model()
        return ([starter] if starter else []) + [Path(path) for path in self.settings.engine.known_models]

    def remember_model(self, path: Path) -> None:
        """Chooses a model and keeps it in the list."""
        starter = starter_model()
        if starter is not None and path == starter:
            self.change("engine", model_path="")
            return
        others = [known for known in self.settings.engine.known_models if known != str(path)]
        self.change("engine", model_path=str(path), known_models=(str(path), *others))

    def close(self) -> None:
        """Ends the engine child, then the database; safe to call twice."""
        self.engine.close()
        self.database.close()
        _end_log(self.log_handler)
        self.log_handler = None


def build_engine(paths: AppPaths, states: StateFolder | None = None) -> EngineOnDemand:
    """The engine's client; nothing is started yet. Without `states` nothing of a chat is kept for later.

    FIRESIDE_ENGINE_SCRIPT puts the scripted backend into the child.
    """
    command = own_command("--engine-worker")
    script = os.environ.get("FIRESIDE_ENGINE_SCRIPT")
    if script:
        command += ["--scripted", script]
    return EngineOnDemand(command, paths.engine, states=states)


def build(paths: AppPaths | None = None) -> Fireside:
    """Builds everything for the window.

    Raises DatabaseNewer, MigrationFailed, FolderNotWritable or DiskFull when the data cannot be used. Any later call
    into the store may raise DatabaseDamaged, FolderNotWritable or DiskFull.
    """
    paths = paths or AppPaths.from_environment()
    handler = start_log(paths.logs)
    log.info("%s %s starts", APP_NAME, __version__)
    try:
        return _build_parts(paths, handler)
    except BaseException as error:
        log.error("could not start: %s", error, exc_info=True)
        _end_log(handler)  # a second try starts its own
        raise


def _build_parts(paths: AppPaths, handler: logging.Handler | None) -> Fireside:
    settings, wrong = load_settings(paths.settings)
    database = Database.open(paths.database)
    conversations = Conversations(database)
    conversations.recover()
    gone = conversations.purge_deleted()
    states = StateFolder(paths.states, lambda: app.settings.engine.states_budget_mb * 10**6)
    app = Fireside(paths, settings, build_engine(paths, states), database, conversations, states, log_handler=handler)
    for conversation_id in gone:
        states.delete(SESSION.format(conversation_id))
    app.notices = _notices(wrong, database)
    return app


def _end_log(handler: logging.Handler | None) -> None:
    if handler is not None:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _notices(wrong_settings: list[str], database: Database) -> list[Sentence]:
    notices: list[Sentence] = []
    if database.moved_aside is not None:
        text = (
            f"The file with your chats was damaged. It was moved to {database.moved_aside.name}, nothing was deleted."
        )
        notices.append(Sentence(text, "A new, empty one is in use.", "open_folder"))
    if wrong_settings == ["settings"]:
        notices.append(
            Sentence("The settings could not be read; the old file was kept beside them.", "Defaults are in use.")
        )
    elif wrong_settings:
        names = ", ".join(wrong_settings)
        notices.append(Sentence(f"These settings had values that are not possible: {names}.", "Defaults are in use."))
    return notices


def disk_problem(error: OSError, path: Path) -> DiskFull | FolderNotWritable:
    """The situation behind an OSError while writing."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return DiskFull(str(path.parent))
    return FolderNotWritable(str(path.parent))
