"""The models on this computer: ours, those opened elsewhere, those of other programs, with what is noted about them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from app.core.errors.model_errors import ModelNotInstalled
from app.core.events import CancelToken
from app.core.gguf import GgufProblem, embedding_pooling, read_beginning
from app.core.lazy_dataclasses import dataclass, fields
from app.core.paths import runs_elsewhere, starter_model
from app.core.settings import Settings
from app.core.visible import visible_name
from app.features.models import choice
from app.features.models.model_names import STARTER_NAME
from app.hub import model_library
from app.hub.catalog import CatalogEntry
from app.hub.model_files import RemoteFile
from app.hub.model_library import InstalledModel
from app.store.model_notes import ModelNote, ModelNotes

STARTER, OPENED, KEPT = "starter", "opened", "kept"
PASSAGES = "passages"
"""The task of finding passages of documents by an embedding model."""
HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class InstalledFile:
    """A model on this computer. `label` is the user's name for it, `used_at` in seconds since 1970, None for never."""

    model: InstalledModel
    label: str
    used_at: float | None = None
    embeds: bool = False
    """An embedding model, which can't answer."""
    is_kept: bool = False
    """The person took it back after a newer version had replaced it."""
    has_newer: bool = False
    """A newer version of the same file is here, too, and hasn't answered yet."""


class InstalledModels:
    """Models on this computer; every call scans the disk."""

    def __init__(
        self,
        folder: Callable[[], Path],
        settings: Callable[[], Settings],
        notes: ModelNotes,
        entries: tuple[CatalogEntry, ...],
    ) -> None:
        self._folder, self._settings, self._notes, self.entries = folder, settings, notes, entries

    def list_ours(self) -> list[InstalledFile]:
        """List the starter model, those in the models folder, and those opened from elsewhere."""
        starter = starter_model()
        found = [
            model_library.describe_model(starter, STARTER) if starter else None,
            *model_library.scan_folder(self._folder()),
        ]
        # Parts of split models are files too, and are no models of their own.
        known = {part for model in found if model for part in model.parts}
        opened = (Path(path) for path in self._settings().engine.known_models)
        found += [model_library.describe_model(path, OPENED) for path in opened if path not in known]
        return self._with_notes(found)

    def list_others(self) -> list[InstalledFile]:
        return self._with_notes(model_library.scan_others(os.environ, Path.home(), sys.platform))

    def find(self, name: str) -> InstalledModel:
        """Find one of our models by path, file name, label or name; raises ModelNotInstalled."""
        path, rows = Path(name).expanduser().absolute(), self.list_ours()
        same = name.lower()
        # Each way over all rows first: a path is surer than a name.
        for is_it in (
            lambda row: row.model.path == path,
            lambda row: row.model.path.name == name,
            lambda row: same in (row.label.lower(), row.model.name.lower(), row.model.path.stem.lower()),
        ):
            for row in filter(is_it, rows):
                return row.model
        raise ModelNotInstalled(name)

    def find_copy(self, file: RemoteFile, cancel: CancelToken) -> Path | None:
        """Find an equal file here or in another program's folder."""
        candidates = [row.model for row in (*self.list_ours(), *self.list_others())]
        return model_library.find_copy(file, candidates, self._known_sha, self._remember_sha, cancel)

    def entry_of(self, model: InstalledModel) -> CatalogEntry | None:
        """Return the catalog entry of a model, or None."""
        return next((entry for entry in self.entries if is_of(model, entry)), None)

    def can_do(self, model: InstalledModel, task: str) -> bool:
        """Return whether a model suits a tab. Unknown ones are judged by their name."""
        # The starter serves no tab of its own, so that a better model is offered.
        if model.origin == STARTER or model.missing:
            return False
        if (entry := self.entry_of(model)) is not None:
            return choice.TASKS_OF_TABS.get(task, task) in entry.tasks
        if embeds_texts(model.path) or task == PASSAGES:
            return embeds_texts(model.path) and task == PASSAGES
        return choice.is_translator(model.path.name) == (task == "translate")

    def _with_notes(self, models: Iterable[InstalledModel | None]) -> list[InstalledFile]:
        notes = {note.path: note for note in self._notes.all()}
        rows = []
        for model in filter(None, models):
            note, entry = notes.get(model.path), self.entry_of(model)
            name = STARTER_NAME if model.origin == STARTER else entry.name if entry else model.name
            label = (note.label if note else "") or name
            is_kept = note is not None and note.origin == KEPT
            used_at = note.used_at if note else None
            rows.append(InstalledFile(model, visible_name(label), used_at, embeds_texts(model.path), is_kept))
        return rows

    def _known_sha(self, path: Path) -> str:
        """Return a file's stored sha256, "" if the file has changed since."""
        note = self._notes.get(path)
        with contextlib.suppress(OSError):
            stat = path.stat()
            # Hashing gigabytes takes a while, so the hash counts as long as the file is the same.
            if note is not None and (note.size_bytes, note.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                return note.sha256
        return ""

    def sha_of(self, model: InstalledModel) -> str:
        """Return the SHA-256 of a model's first file, by its note or an earlier look; "" if unknown."""
        return model.sha256 or self._known_sha(model.path)

    def _remember_sha(self, path: Path, sha256: str) -> None:
        with contextlib.suppress(OSError):
            stat = path.stat()
            self._notes.update_note(path, sha256=sha256, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)


def embeds_texts(path: Path) -> bool:
    """Return whether a file is an embedding model; False if unreadable."""
    try:
        stat = path.stat()
    except OSError:
        return False
    return _embeds_texts(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
# Size and time are in the key, so a replaced file is read anew.
def _embeds_texts(path: Path, _size_bytes: int, _mtime_ns: int) -> bool:
    try:
        with path.open("rb") as file:
            header = read_beginning(file.read(HEADER_BYTES))
    except (OSError, GgufProblem):
        return False
    return embedding_pooling(header) != 0


def is_of(model: InstalledModel, entry: CatalogEntry) -> bool:
    """Return whether an installed model is this catalog entry."""
    return entry.is_file(model.path.name, model.size_bytes, model.sha256)


def senses_of(path: Path) -> tuple[bool, bool]:
    """Return (sees, hears) by the projector next to a model, without loading anything."""
    # By the file's own header, not its name.
    projector = model_library.find_projector(path)
    return model_library.projector_abilities(projector) if projector is not None else (False, False)


def engine_names(path: Path) -> tuple[str, ...]:
    """Return the names the engine may use for this model: from its metadata, else the file's."""
    try:
        with path.open("rb") as file:
            name = read_beginning(file.read(HEADER_BYTES)).metadata.get("general.name")
    except (OSError, GgufProblem):
        name = None
    return (name, path.stem) if isinstance(name, str) else (path.stem,)


TAB_PATHS = ("summarize_path", "translate_path", "write_path", "passages_path", "checker_path")


class ChosenModels:
    """`change` is that of the whole program: it saves, and may raise DiskFull or FolderNotWritable."""

    def __init__(self, settings: Callable[[], Settings], change: Callable[..., None], notes: ModelNotes) -> None:
        self._settings, self._change_settings, self._notes = settings, change, notes

    def path_for(self, task: str) -> Path | None:
        """Return a tab's chosen file if it still exists."""
        settings = self._settings()
        chosen = settings.engine.model_path if task == "chat" else getattr(settings.models, f"{task}_path", "")
        return Path(chosen) if chosen and Path(chosen).is_file() else None

    def choose_model(self, task: str, path: Path) -> bool:
        """Choose a tab's model and list it; for the chat, the starter equals choosing nothing.

        Returns whether it is new to the list.
        """
        # The starter is always there, and a model elsewhere is no file here.
        is_file = path != starter_model() and not runs_elsewhere(path)
        is_new = is_file and str(path) not in self._settings().engine.known_models
        if task != "chat":
            self._change_settings("models", **{f"{task}_path": str(path)})
            if is_new:
                self.add_known(path)
        elif is_file:
            self._change_settings("engine", model_path=str(path), known_models=self._known_models_with(path))
        else:
            # The empty setting means the starter, which has no path of its own in settings.
            self._change_settings("engine", model_path="" if path == starter_model() else str(path))
        return is_new

    def clear_choice(self, task: str) -> None:
        """Clear a task's own model; it uses the chat's again."""
        self._change_settings("models", **{f"{task}_path": ""})

    def add_known(self, path: Path) -> None:
        """Remember a file that is used in place."""
        self._change_settings("engine", known_models=self._known_models_with(path))

    def forget_file(self, path: Path) -> None:
        """Remove a file from all settings."""
        engine, models, gone = self._settings().engine, self._settings().models, str(path)
        if gone in (engine.model_path, *engine.known_models):
            known = tuple(model for model in engine.known_models if model != gone)
            chosen = "" if engine.model_path == gone else engine.model_path
            self._change_settings("engine", model_path=chosen, known_models=known)
        cleared = {name: "" for name in TAB_PATHS if getattr(models, name) == gone}
        if cleared:
            self._change_settings("models", **cleared)

    def uses_of(self, path: Path) -> dict[str, str]:
        """Return the settings of tabs that name a file, with what they say."""
        models = self._settings().models
        return {name: str(path) for name in TAB_PATHS if getattr(models, name) == str(path)}

    def restore_uses(self, uses: Mapping[str, str]) -> None:
        """Name files again in settings of tabs that name none since."""
        models = self._settings().models
        empty = {name: path for name, path in uses.items() if not getattr(models, name)}
        if empty:
            self._change_settings("models", **empty)

    def replace_file(self, old: Path, new: Path) -> None:
        """Use the new file wherever settings name the old one, under the person's name for it."""
        if (note := self._notes.get(old)) is not None and note.label:
            self._notes.update_note(new, label=note.label)
        self._rewrite_paths(lambda path: str(new) if path == str(old) else path)

    def follow_move(self, old: Path, new: Path, usual: Path) -> None:
        """Update all settings and notes after the models moved to another folder.

        `usual` is the folder that needs no setting.
        """

        def moved(path: str) -> str:
            # Only what lay in the old folder has moved.
            return str(new / Path(path).relative_to(old)) if old in Path(path).parents else path

        for note in self._notes.all():
            if old in note.path.parents:
                # All of a note moves along with its file.
                facts = {field.name: getattr(note, field.name) for field in fields(ModelNote) if field.name != "path"}
                self._notes.update_note(Path(moved(str(note.path))), **facts)
                self._notes.forget(note.path)
        self._rewrite_paths(moved)
        self._change_settings("models", folder="" if new == usual else str(new))

    def _rewrite_paths(self, rewrite: Callable[[str], str]) -> None:
        engine, models = self._settings().engine, self._settings().models
        known = tuple(dict.fromkeys(rewrite(path) for path in engine.known_models))
        self._change_settings("engine", model_path=rewrite(engine.model_path), known_models=known)
        self._change_settings("models", **{name: rewrite(getattr(models, name)) for name in TAB_PATHS})

    def _known_models_with(self, path: Path) -> tuple[str, ...]:
        return (str(path), *(known for known in self._settings().engine.known_models if known != str(path)))
