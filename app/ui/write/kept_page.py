"""Keeps the page that is open, at the latest a second after each change; files become pages, and a page a file.

What a page is written in, prose or one of the languages that Pygments knows, is told by its file or by the person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.i18n import tr
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import DOCUMENTS, SAVED, file_dialog
from app.ui.write.page_document import PageContent

if TYPE_CHECKING:
    from app.features.write_pages import Pages, WritingOptions, WrittenPage


TEXT = "text"
PROSE = ("", TEXT, "markdown", "rst", "tex")
"""Shown as text, in whatever colours."""
LANGUAGES: tuple[tuple[str, str], ...] = (
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
"""Pygments' names, and what people call them."""


def language_of(file: Path | None) -> str:
    """The language of a file, by its name; that of text where the name says none."""
    if file is None:
        return TEXT
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        aliases = get_lexer_for_filename(file.name).aliases
    except ClassNotFound:
        return TEXT
    return next((alias for alias in aliases if alias in dict(LANGUAGES)), aliases[0] if aliases else TEXT)


def is_text_file(path: Path) -> bool:
    """Whether a file is text or source by its name."""
    return language_of(path) != TEXT or path.suffix.lower() in (".txt", ".text", ".log")


def languages_with(language: str) -> list[tuple[str, str]]:
    """All that are offered, and this one."""
    if language in dict(LANGUAGES):
        return list(LANGUAGES)
    from pygments.lexers import get_lexer_by_name

    return [*LANGUAGES, (language, str(get_lexer_by_name(language).name))]


def is_code(language: str) -> bool:
    """Whether it is shown in the letters of code."""
    return language not in PROSE


def file_name(title: str, language: str) -> str:
    """What a page is called as a file, as long as nobody says otherwise."""
    endings = {
        "markdown": ".md", "bash": ".sh", "c": ".c", "cpp": ".cpp", "csharp": ".cs", "css": ".css", "go": ".go",
        "html": ".html", "java": ".java", "javascript": ".js", "json": ".json", "kotlin": ".kt", "lua": ".lua",
        "php": ".php", "python": ".py", "r": ".r", "ruby": ".rb", "rust": ".rs", "sql": ".sql", "swift": ".swift",
        "toml": ".toml", "typescript": ".ts", "xml": ".xml", "yaml": ".yaml",
    }  # fmt: skip
    letters = "".join(text if text.isalnum() or text in "-_ " else " " for text in title)
    stem = " ".join(letters.split())[:40].strip()
    return (stem or "Page") + endings.get(language, ".txt")


KEEP_MS = 700
REST_S = 2.0
"""What is changed within so long is one change, for the way back across a restart."""


class KeptPage(QObject):
    """`now` says what there is to keep. A new page gets its row with its first words."""

    kept = Signal(int)
    """The number of a page whose row is another, or new."""
    told = Signal()
    """`page` is another, or what the store says of it."""

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
        """What the store says of it."""
        self._last = PageContent()
        self._last_options: WritingOptions | None = None
        self._before: PageContent | None = None
        """What the page was like before what is being changed now, where that is not kept yet."""
        self._changed_s = 0.0
        self._later = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._later.timeout.connect(self.save_page)

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to be kept."""
        return self._later.isActive()

    @property
    def title(self) -> str:
        return self.page.title if self.page is not None else ""

    @property
    def file(self) -> Path | None:
        return self.page.file if self.page is not None else None

    def before(self, page: WrittenPage) -> PageContent | None:
        """What a stored page was like before its last change, also that of an earlier run."""
        found = self._pages().undo_state(page.id)
        return (
            None if found is None or found.text == page.text else PageContent(found.text, found.written, found.cursor)
        )

    def begin(self, page: WrittenPage | None) -> None:
        """Another page is shown now: one that is stored, or None for one that is new."""
        self._later.stop()
        self._before = None
        self._changed_s = 0.0
        self.page, self.id = page, page.id if page is not None else None
        self._last, options = self._now()
        self._last_options = options if page is not None else None
        self.told.emit()

    def reload_page(self) -> None:
        """It may be another in the store now."""
        with self._notify.guard():
            self.page = self._pages().get(self.id) if self.id is not None else None
        self.told.emit()

    def nudge(self, *, is_step: bool = False) -> None:
        """Something of it is another; `is_step`: a change of its own, however soon after the last."""
        now_s = time.monotonic()
        if is_step:
            self.save_page()
        if is_step or now_s - self._changed_s > REST_S:
            self._before = self._last
        self._changed_s = now_s
        if not self._later.isActive():
            self._later.start()

    def nudge_place(self) -> None:
        """Only the cursor or an option is elsewhere."""
        if self.id is not None and not self._later.isActive():
            self._later.start()

    def save_page(self) -> None:
        """Keeps it now, where anything is not kept."""
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
        except KeyError:  # it was deleted for good meanwhile: what is written is a new page
            self.id = pages.create(state.text).id
            pages.save(self.id, state.text, state.written, state.cursor, options.to_fields())
            is_new = True
        self._last, self._last_options = state, options
        if is_new or is_other_text:
            self.kept.emit(self.id)


class PageFiles(QObject):
    """Asks which, and tells what came of it; `kept` is the page that is saved, `language` what it is written in."""

    opened = Signal(object)
    """An `OpenedFile`."""
    saved = Signal()

    def __init__(
        self,
        kept: KeptPage,
        pages: Callable[[], Pages],
        notify: Notify,
        language: Callable[[], str],
        view: QWidget,
    ) -> None:
        super().__init__(view)
        self._kept, self._pages, self._notify, self._language, self._view = kept, pages, notify, language, view

    def ask(self) -> None:
        """Which are to be opened."""
        dialog = self._dialog(tr("Open text files"), DOCUMENTS, "open_page_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda files: self.open([Path(file) for file in files]))
        dialog.open()

    def open(self, files: Sequence[Path]) -> None:
        """Each becomes a page."""
        for file in files:
            self._open(file)

    def _open(self, file: Path) -> None:
        pages = self._pages()
        tasks.ask(lambda _cancel: pages.open_file(file), self, self.opened.emit, self._notify.error)

    def save(self) -> None:
        """In the file that the page has, else in one that is asked for."""
        self._kept.save_page()
        self._kept.reload_page()
        if self._kept.id is None:
            self._notify.mention(tr("There is nothing on this page yet."))
        elif self._kept.file is not None:
            self._save_as(self._kept.file)
        else:
            self.ask_where_to_save()

    def ask_where_to_save(self) -> None:
        """Also where the page has a file."""
        self._kept.save_page()
        self._kept.reload_page()
        dialog = self._dialog(tr("Save the page as a file"), SAVED, "save_page_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(self._kept.title, self._language()))
        dialog.fileSelected.connect(lambda file: self._save_as(Path(file)))
        dialog.open()

    def _save_as(self, path: Path) -> None:
        page_id, pages = self._kept.id, self._pages()
        if page_id is None:
            return

        def told(remarks: Any) -> None:
            self._notify.saved(path, " ".join([tr(SAVED_AS, name=path.name), *map(tr, remarks)]))
            self._kept.reload_page()
            self.saved.emit()

        tasks.ask(lambda _cancel: pages.export_page(page_id, path), self, told, self._notify.error)

    def _dialog(self, title: str, place: str, name: str) -> QFileDialog:
        dialog = file_dialog(self._view, title, place)
        dialog.setObjectName(name)
        dialog.setNameFilters([tr("Text and source files (*)")])
        return dialog
