"""Saving a translation: as its document, or side by side with the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.features.translate.saving import endings_of, file_name
from app.features.translate.translation_events import Saved, Saving, StoredTranslation
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.menus import Menu
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs


NEW_DOCUMENT_LAYOUT = "This makes a new document without the original layout."
ONE_SEGMENT_UNCHANGED = "1 segment couldn’t be translated and was left unchanged."
BILINGUAL = (
    (".html", "Source and translation, as a web page"),
    (".csv", "Source and translation, as a table"),
    (".tmx", "For other translation programs"),
)


class TranslationSaving(SavedFiles):
    """Save translations on a thread and report errors as sentences."""

    def __init__(
        self,
        translations: TranslationJobs,
        notify: Notify,
        window: QWidget,
        *,
        on_progress: Callable[[int, int], object],
    ) -> None:
        super().__init__(notify, window)
        self.on_progress = on_progress
        """Id of a translation and the number of segments written; -1 when finished."""
        self._files = translations.files

    def menu(self, stored: StoredTranslation) -> Menu:
        menu = Menu(self._window)
        # A menu is made for each click, and would stay as a child of the window.
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for ending in endings_of(stored):
            whole = tr("A new document, without the layout") if stored.format == "blocks" else tr("The document")
            menu.addAction(f"{whole}\t{ending}", partial(self.ask, stored, ending))
        menu.addSeparator()
        for ending, name in BILINGUAL:
            menu.addAction(f"{tr(name)}\t{ending}", partial(self.ask, stored, ending, is_bilingual=True))
        return menu

    def name_of(self, stored: StoredTranslation) -> str:
        """Return the suggested file name; "" if the format can't be saved."""
        ending = next(iter(endings_of(stored)), "")
        return file_name(stored, ending) if ending else ""

    def ask(self, stored: StoredTranslation, ending: str = "", *, is_bilingual: bool = False) -> QFileDialog | None:
        """Open the save dialog, with the format's first ending if none is given; None if it can't be saved."""
        ending = ending or next(iter(endings_of(stored)), "")
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

    def save(self, translation_id: int, path: Path) -> tasks.BackgroundTask:

        def over(error: BaseException | None = None) -> None:
            self.on_progress(translation_id, -1)
            if error is not None:
                self._notify.error(error, action=lambda: self.save(translation_id, path))

        return tasks.run(
            lambda cancel: self._files.save(translation_id, path, cancel),
            self,
            on_event=lambda event: self._on_event(translation_id, event),
            on_end=over,
            on_failed=over,
        )

    def save_bilingual(self, translation_id: int, path: Path) -> tasks.BackgroundTask:
        """Save source and translation side by side, on a thread."""
        return self._write(path, lambda: self._files.save_bilingual(translation_id, path))

    def _on_event(self, translation_id: int, event: Saving | Saved) -> None:
        if isinstance(event, Saving):
            self.on_progress(translation_id, event.segments)
        else:
            self._notify.saved(event.path, saved_words(event))


def saved_words(saved: Saved) -> str:
    """Return the message after saving, with a count of untranslated segments."""
    words = [tr(SAVED_AS, name=saved.path.name)]
    if count := len(saved.untranslated):
        told = tr_count("1 segment isn’t translated yet", "{count} segments aren’t translated yet", count)
        words.append(tr("{told} and are marked.", told=told) if saved.is_marked else f"{told}.")
    if count := len(saved.kept):
        more = "{count} segments couldn’t be translated and were left unchanged."
        words.append(tr_count(ONE_SEGMENT_UNCHANGED, more, count))
    if count := len(saved.refused):
        words.append(tr("{count} couldn’t keep their formatting and were left unchanged.", count=format_number(count)))
    if not saved.keeps_layout:
        words.append(tr(NEW_DOCUMENT_LAYOUT))
    return " ".join(words)


def _with_ending(path: Path, ending: str) -> Path:
    """Append the format's ending where Qt accepted another: for the dialog "lease v1.2" has one."""
    if path.suffix.lower() == ending.lower():
        return path
    named = path.with_name(path.name + ending)
    number = 2
    # The dialog didn't ask whether to overwrite this name.
    while named.exists():
        named = path.with_name(f"{path.name} {number}{ending}")
        number += 1
    return named
