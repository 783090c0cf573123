"""What the settings say about model files: which one each tab uses, and which were opened where they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from app.core.paths import starter_model
from app.core.settings import Settings
from app.store.models import ModelNote, ModelNotes

TAB_PATHS = ("summarize_path", "translate_path", "write_path")


class ChosenModels:
    """`change` is that of the whole program: it saves, and may raise DiskFull or FolderNotWritable."""

    def __init__(self, settings: Callable[[], Settings], change: Callable[..., None], notes: ModelNotes) -> None:
        self._settings, self._change, self._notes = settings, change, notes

    def of(self, task: str) -> Path | None:
        """The file that was chosen for a tab, where it still is."""
        settings = self._settings()
        chosen = settings.engine.model_path if task == "chat" else getattr(settings.models, f"{task}_path", "")
        return Path(chosen) if chosen and Path(chosen).is_file() else None

    def use(self, task: str, path: Path) -> None:
        """A tab keeps this model; the starter is what the chat has where nothing is chosen."""
        if task != "chat":
            self._change("models", **{f"{task}_path": str(path)})
        elif path == starter_model():
            self._change("engine", model_path="")
        else:
            self._change("engine", model_path=str(path), known_models=self._with(path))

    def know(self, path: Path) -> None:
        """A file is used where it lies."""
        self._change("engine", known_models=self._with(path))

    def forget(self, path: Path) -> None:
        """No setting names this file any more."""
        engine, models, gone = self._settings().engine, self._settings().models, str(path)
        if gone in (engine.model_path, *engine.known_models):
            known = tuple(each for each in engine.known_models if each != gone)
            chosen = "" if engine.model_path == gone else engine.model_path
            self._change("engine", model_path=chosen, known_models=known)
        cleared = {name: "" for name in TAB_PATHS if getattr(models, name) == gone}
        if cleared:
            self._change("models", **cleared)

    def follow(self, old: Path, new: Path, usual: Path) -> None:
        """The models moved to another folder; everything that names a file in the old one names it in the new one.

        `usual` is the folder that needs no setting.
        """

        def moved(path: str) -> str:
            return str(new / Path(path).relative_to(old)) if old in Path(path).parents else path

        for note in self._notes.all():
            if old in note.path.parents:
                facts = {field.name: getattr(note, field.name) for field in fields(ModelNote) if field.name != "path"}
                self._notes.note(Path(moved(str(note.path))), **facts)
                self._notes.forget(note.path)
        engine, models = self._settings().engine, self._settings().models
        known = tuple(moved(path) for path in engine.known_models)
        self._change("engine", model_path=moved(engine.model_path), known_models=known)
        paths = {name: moved(getattr(models, name)) for name in TAB_PATHS}
        self._change("models", folder="" if new == usual else str(new), **paths)

    def _with(self, path: Path) -> tuple[str, ...]:
        return (str(path), *(known for known in self._settings().engine.known_models if known != str(path)))
