"""Save the open page within a second of each change; open files as pages and save pages as files.

A page's language, prose or one of Pygments', comes from its file or the user.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.i18n import Translatable, tr
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import DOCUMENTS, SAVED, file_dialog
from app.ui.widgets.timers import new_timer
from app.ui.write.page_document import PageContent

if TYPE_CHECKING:
    from app.features.write_pages import Pages, WritingOptions, WrittenPage


TEXT = "text"
PROSE = ("", TEXT, "markdown", "rst", "tex")
"""Languages shown as prose, though they may be highlighted."""
LANGUAGES: tuple[tuple[str, Translatable], ...] = (
    (TEXT, "Text"),
    ("markdown", "Markdown"),
    ("bash", "Bash"),
    ("c", "C"),
    ("cpp", "C++"),
    ("csharp", "C#"),
    ("css", "CSS"),
    ("go", "Go"),
    ("html", "HTML"),
    ("java", "Java"),
    ("javascript", "JavaScript"),
    ("json", "JSON"),
    ("kotlin", "Kotlin"),
    ("lua", "Lua"),
    ("make", "Makefile"),
    ("php", "PHP"),
    ("python", "Python"),
    ("r", "R"),
    ("ruby", "Ruby"),
    ("rust", "Rust"),
    ("sql", "SQL"),
    ("swift", "Swift"),
    ("toml", "TOML"),
    ("typescript", "TypeScript"),
    ("xml", "XML"),
    ("yaml", "YAML"),
)
"""Pygments' names with names for people."""


def language_of(file: Path | None) -> str:
    """Return a file's language by its name; text if it is unknown."""
    if file is None:
        return TEXT
    # Not before it is needed, as Pygments would delay the start.
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        aliases = get_lexer_for_filename(file.name).aliases
    except ClassNotFound:
        return TEXT
    return next((alias for alias in aliases if alias in dict(LANGUAGES)), aliases[0] if aliases else TEXT)


def is_text_file(path: Path) -> bool:
    """Return whether a file is text or source code by its name."""
    return language_of(path) != TEXT or path.suffix.lower() in (".txt", ".text", ".log")


def languages_with(language: str) -> list[tuple[str, Translatable]]:
    """Return the languages offered, with this one added if it isn't among them."""
    if language in dict(LANGUAGES):
        return list(LANGUAGES)
    from pygments.lexers import get_lexer_by_name

    return [*LANGUAGES, (language, str(get_lexer_by_name(language).name))]


def is_code(language: str) -> bool:
    """Return whether a language is shown in the code font."""
    return language not in PROSE


def file_name(title: str, language: str) -> str:
    endings = {
        "markdown": ".md", "bash": ".sh", "c": ".c", "cpp": ".cpp", "csharp": ".cs", "css": ".css", "go": ".go",
        "html": ".html", "java": ".java", "javascript": ".js", "json": ".json", "kotlin": ".kt", "lua": ".lua",
        "php": ".php", "python": ".py", "r": ".r", "ruby": ".rb", "rust": ".rs", "sql": ".sql", "swift": ".swift",
        "toml": ".toml", "typescript": ".ts", "xml": ".xml", "yaml": ".yaml",
    }  # fmt: skip
    # Other signs are forbidden in file names, or awkward, on one system or another.
    letters = "".join(text if text.isalnum() or text in "-_ " else " " for text in title)
    stem = " ".join(letters.split())[:40].strip()
    return (stem or tr("Page")) + endings.get(language, ".txt")


KEEP_MS = 700
REST_S = 2.0
"""Changes within this time are one step of undo across a restart."""


class KeptPage(QObject):
    """Automatic saving of a page. `now` returns its content; a new page is stored with its first words."""

    kept = Signal(int)
    """Id of a page that was created or changed in the store."""
    page_changed = Signal()
    """`page`, or its stored state, changed."""

    def __init__(
        self,
        pages: Callable[[], Pages],
        notify: Notify,
        now: Callable[[], tuple[PageContent, WritingOptions]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._pages, self._notify, self._now = pages, notify, now
        self.id: int | None = None
        self.page: WrittenPage | None = None
        """The page as stored."""
        self._last = PageContent()
        self._last_options: WritingOptions | None = None
        self._before: PageContent | None = None
        """Content before the current change, until that is stored."""
        self._changed_s = 0.0
        self._later = new_timer(self, KEEP_MS, self.save_page)

    @property
    def is_waiting(self) -> bool:
        """True if changes aren't saved yet but will be shortly."""
        return self._later.isActive()

    @property
    def title(self) -> str:
        return self.page.title if self.page is not None else ""

    @property
    def file(self) -> Path | None:
        return self.page.file if self.page is not None else None

    def before(self, page: WrittenPage) -> PageContent | None:
        """Return a stored page as it was before its last change, also one of an earlier session."""
        found = self._pages().undo_state(page.id)
        return (
            None if found is None or found.text == page.text else PageContent(found.text, found.written, found.cursor)
        )

    def begin(self, page: WrittenPage | None) -> None:
        """Switch to another page; None for a new one."""
        self._later.stop()
        self._before = None
        self._changed_s = 0.0
        self.page, self.id = page, page.id if page is not None else None
        self._last, options = self._now()
        self._last_options = options if page is not None else None
        self.page_changed.emit()

    def reload_page(self) -> None:
        """Reload the page, which may have changed in the store."""
        with self._notify.guard():
            self.page = self._pages().get(self.id) if self.id is not None else None
        self.page_changed.emit()

    def save_soon(self, *, is_step: bool = False) -> None:
        """Schedule saving after a change; `is_step` makes it an undo step of its own."""
        now_s = time.monotonic()
        if is_step:
            # What came before, so that taking back the step leaves it.
            self.save_page()
        if is_step or now_s - self._changed_s > REST_S:
            self._before = self._last
        self._changed_s = now_s
        # Not restarted: who types without a pause is saved all the same.
        if not self._later.isActive():
            self._later.start()

    def save_place_soon(self) -> None:
        """Schedule saving of the cursor or the options only."""
        if self.id is not None and not self._later.isActive():
            self._later.start()

    def save_page(self) -> None:
        """Save now if anything changed; a page without words isn't stored."""
        self._later.stop()
        state, options = self._now()
        if (state, options) == (self._last, self._last_options) or (self.id is None and not state.text.strip()):
            return
        with self._notify.guard():
            self._store(state, options)

    def _store(self, state: PageContent, options: WritingOptions) -> None:
        pages, is_new = self._pages(), self.id is None
        if self.id is None:
            self.id = pages.create(state.text).id
        is_other_text = state.text != self._last.text
        try:
            if self._before is not None and is_other_text:
                before, self._before = self._before, None
                pages.keep_undo(self.id, before.text, before.written, before.cursor)
            pages.save(self.id, state.text, state.written, state.cursor, options.to_fields())
        except KeyError:  # deleted permanently meanwhile, so it is stored as a new page
            self.id = pages.create(state.text).id
            pages.save(self.id, state.text, state.written, state.cursor, options.to_fields())
            is_new = True
        self._last, self._last_options = state, options
        # A cursor that moved changes nothing in the list.
        if is_new or is_other_text:
            self.kept.emit(self.id)


class PageFiles(QObject):
    """Open and save pages as files; `kept` is the page to save, `language` its language."""

    opened = Signal(object)
    """Carries an `OpenedFile`."""
    saved = Signal()

    def __init__(
        self, kept: KeptPage, pages: Callable[[], Pages], notify: Notify, language: Callable[[], str], view: QWidget
    ) -> None:
        super().__init__(view)
        self._kept, self._pages, self._notify, self._language, self._view = kept, pages, notify, language, view

    def ask(self) -> None:
        dialog = self._dialog(tr("Open text files"), DOCUMENTS, "open_page_dialog", self.open)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.open()

    def open(self, files: Sequence[Path]) -> None:
        for file in files:
            self._open(file)

    def _open(self, file: Path) -> None:
        pages = self._pages()
        tasks.ask(lambda _cancel: pages.open_file(file), self, self.opened.emit, self._notify.error)

    def save(self) -> None:
        """Save to the page's file, or ask for one."""
        self._kept.save_page()
        self._kept.reload_page()
        if self._kept.id is None:
            self._notify.mention(tr("This page is empty."))
        elif self._kept.file is not None:
            self._save_as(self._kept.file)
        else:
            self.ask_where_to_save()

    def ask_where_to_save(self) -> None:
        """Ask for a file, even if the page has one."""
        self._kept.save_page()
        self._kept.reload_page()
        name, words = "save_page_dialog", tr("Save the page as a file")
        dialog = self._dialog(words, SAVED, name, lambda paths: self._save_as(paths[0]))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(self._kept.title, self._language()))
        dialog.open()

    def _save_as(self, path: Path) -> None:
        page_id, pages = self._kept.id, self._pages()
        if page_id is None:
            return

        def on_saved(remarks: Any) -> None:
            self._notify.saved(path, " ".join([tr(SAVED_AS, name=path.name), *remarks]))
            self._kept.reload_page()
            self.saved.emit()

        tasks.ask(lambda _cancel: pages.export_page(page_id, path), self, on_saved, self._notify.error)

    def _dialog(self, title: str, place: str, name: str, take: Callable[[list[Path]], object]) -> QFileDialog:
        filters = [tr("Text and source files (*)")]
        return file_dialog(self._view, title, place, take, name=name, filters=filters)
