"""Saves a translation where the person says: as its document, or side by side with the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.translation.saving import file_name
from app.features.translation.stored import Saved, Saving, StoredTranslation
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.work.saving import SavedFiles

if TYPE_CHECKING:
    from app.bootstrap import Fireside

BILINGUAL = (
    (".html", "Both side by side, as a web page"),
    (".csv", "Both side by side, as a table"),
    (".tmx", "For other translation programs"),
)


class TranslationSaving(SavedFiles):
    """What takes time is done on a thread; what goes wrong is told in words."""

    progressed = Signal(int, int)
    """A translation's id and how many of its segments are written; -1 when it is over."""

    def __init__(self, app: Fireside, notify: Notify, window: QWidget) -> None:
        super().__init__(notify, window)
        self._app = app

    def menu(self, stored: StoredTranslation) -> QMenu:
        """Every form."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for ending in self._endings(stored.id):
            name = tr("A new document, without the layout") if stored.format == "blocks" else tr("The document")
            menu.addAction(f"{name}\t{ending}", partial(self.ask, stored, ending))
        menu.addSeparator()
        for ending, name in BILINGUAL:
            menu.addAction(f"{tr(name)}\t{ending}", partial(self.ask, stored, ending, is_bilingual=True))
        return menu

    def name_of(self, stored: StoredTranslation) -> str:
        """What is offered as the name; "" where nothing can be saved."""
        ending = next(iter(self._endings(stored.id)), "")
        return file_name(stored, ending) if ending else ""

    def ask(self, stored: StoredTranslation, ending: str = "", *, is_bilingual: bool = False) -> QFileDialog | None:
        """Asks where, and saves there. Without an ending it is the usual one."""
        ending = ending or next(iter(self._endings(stored.id)), "")
        if not ending:
            return None
        save = self.save_bilingual if is_bilingual else self.save
        return self._ask_to_save(
            tr("Save the translation"),
            "save_translation",
            kind=ending.removeprefix(".").upper(),
            offered=file_name(stored, ending),
            take=lambda path: save(stored.id, _with_ending(path, ending)),
        )

    def save(self, translation_id: int, path: Path) -> tasks.Task:
        """Writes the document."""

        def work(cancel: CancelToken) -> Iterator[Saving | Saved]:
            yield from self._app.translations.files.save(translation_id, path, cancel)

        task = tasks.run(work, self)
        task.event.connect(lambda event: self._on_event(translation_id, event))
        self._end(task, translation_id, lambda: self.save(translation_id, path))
        return task

    def save_bilingual(self, translation_id: int, path: Path) -> tasks.Task:
        """Writes source and translation side by side."""

        def work(_cancel: CancelToken) -> Iterator[Saved]:
            self._app.translations.files.save_bilingual(translation_id, path)
            yield Saved(path)

        task = tasks.run(work, self)
        task.event.connect(lambda event: self._on_event(translation_id, event))
        self._end(task, translation_id, lambda: self.save_bilingual(translation_id, path))
        return task

    def _end(self, task: tasks.Task, translation_id: int, again: Callable[[], object]) -> None:
        over: Callable[[], object] = lambda: self.progressed.emit(translation_id, -1)  # noqa: E731
        task.finished.connect(over)
        task.failed.connect(lambda _error: over())
        task.failed.connect(lambda error: self._notify.error(error, action=again))

    def _on_event(self, translation_id: int, event: Saving | Saved) -> None:
        if isinstance(event, Saving):
            self.progressed.emit(translation_id, event.segments)
            return
        self._notify.saved(event.path, saved_words(event))

    def _endings(self, translation_id: int) -> tuple[str, ...]:
        try:
            return self._app.translations.files.endings(translation_id)
        except AppError as error:
            self._notify.error(error)
        except KeyError:
            self._notify.mention(tr("This translation is not there any more."))
        return ()


def saved_words(saved: Saved) -> str:
    """What there is to say of a file that was saved."""
    words = [tr("Saved as {name}.", name=saved.path.name)]
    if count := len(saved.untranslated):
        told = tr("1 segment is not translated yet") if count == 1 else tr("{count} segments are not translated yet")
        told = told.format(count=f"{count:,}")
        words.append(tr("{told} and marked so.", told=told) if saved.is_marked else f"{told}.")
    if count := len(saved.kept):
        told = tr("1 segment could not be translated and stands there as it was.")
        more = tr("{count} segments could not be translated and stand there as they were.", count=f"{count:,}")
        words.append(told if count == 1 else more)
    if count := len(saved.refused):
        words.append(tr("{count} could not be written with their markup and stayed as they were.", count=f"{count:,}"))
    if not saved.keeps_layout:
        words.append(tr("It is a new document: the layout of the original is not kept."))
    return " ".join(words)


def _with_ending(path: Path, ending: str) -> Path:
    """To the dialog "lease v1.2" has an ending, though none of ours; nothing that is there is written over unasked."""
    if path.suffix.lower() == ending.lower():
        return path
    named = path.with_name(path.name + ending)
    number = 2
    while named.exists():
        named = path.with_name(f"{path.name} {number}{ending}")
        number += 1
    return named
