"""Files to be read as documents: questions about them, reading queue, chips and texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QSizePolicy, QWidget

from app.core.visible import visible_name
from app.documents.folder import MOST_FILES, ExpandedPaths
from app.documents.formats import registry
from app.features.document_library import ReadRange
from app.features.document_messages import pages_words, remark_sentence
from app.features.error_messages import count_units
from app.features.file_reading import AskAboutSize, AskPassword, ReadAgain
from app.features.files_to_read import FileToRead, Stage, part_of
from app.features.state_session import StateSession
from app.store.document_store import StoredDocument
from app.ui.i18n import size_text, tr, window_title
from app.ui.shared_labels import (
    ABOUT_A_MINUTE,
    ABOUT_MINUTES,
    ATTACH_FILES,
    DOCUMENT_LABEL,
    FROM,
    OPEN_DOCUMENT,
    READING_FILE,
    REMOVE_NAMED,
)
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_mark
from app.ui.widgets.dialogs import DOCUMENTS, QuestionDialog, document_filters, file_dialog
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import ElidedLabel, plain_tip
from app.ui.widgets.layouts import fill_layout

TOKENS_FOR_MODEL = "{count} tokens for this model"

ATTACH_FOLDER_TITLE = "Attach a folder"
WRONG_PASSWORD = "Wrong password for {name}. Try again."
NO_SUCH_FILE = "The file {name} doesn’t exist."
READING_PERCENT = "Reading, {percent} %"


@dataclass(frozen=True)
class FileAction:
    """Action on a file: label, function, and the files it applies to."""

    label: str
    do: Callable[[Any], object]
    serves: Callable[[Any], bool] = lambda _one: True


def offers_menu(file: object, offers: Sequence[FileAction], window: QWidget) -> QMenu:
    """Return a menu of a file's actions; it deletes itself on closing."""
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for offer in offers:
        if offer.serves(file):
            menu.addAction(offer.label, partial(offer.do, file))
    return menu


class DocumentQuestions(QObject):
    """Dialogs about the files of a session, which is told the answers; password dialogs come one at a time.

    `add` takes chosen files, `remove` a file that the user declined to read.
    """

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        session: StateSession[Any],
        *,
        add: Callable[[list[str]], object],
        remove: Callable[[Any], object],
    ) -> None:
        super().__init__(window)
        self._theme, self._window, self._session = theme, window, session
        self._add, self._remove = add, remove
        session.serve({AskPassword: self._ask_for_password, AskAboutSize: self._ask_about_size})
        self._locked: list[tuple[FileToRead, bool]] = []
        self._asked: PasswordDialog | None = None

    def ask_for_files(self, title: str = "") -> None:
        dialog = file_dialog(self._window, title or tr(ATTACH_FILES), DOCUMENTS)
        dialog.setObjectName("attach_dialog")
        dialog.setNameFilters(document_filters())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._add)
        dialog.open()

    def ask_for_folder(self) -> None:
        """Ask for a folder to be read with its subfolders."""
        dialog = file_dialog(self._window, tr(ATTACH_FOLDER_TITLE), DOCUMENTS)
        dialog.setObjectName("attach_folder_dialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(self._add)
        dialog.open()

    def _ask_for_password(self, effect: AskPassword) -> None:
        """Queue a password dialog behind those already open, as they come one at a time."""
        self._locked.append((effect.part, effect.is_wrong))
        self._ask_next()

    def ask_for_pages(self, file: FileToRead) -> None:
        document = file.document
        if document is None:
            return
        dialog = PagesDialog(
            self._theme, file.name, document.unit, document.pages,
            first=file.part.first_page or 1, last=file.part.last_page, names=document.info.get("names", ()),
            parent=self._window,
        )  # fmt: skip
        dialog.chosen.connect(
            lambda first, last: self._read_part(file, replace(file.part, first_page=first, last_page=last))
        )
        dialog.open()

    def _read_part(self, file: FileToRead, part: ReadRange) -> None:
        self._session.dispatch(ReadAgain(file.key, part=part))

    def _ask_about_size(self, effect: AskAboutSize) -> None:
        file = effect.part
        dialog = LargeFile(self._theme, file.name, effect.size_bytes, self._window)
        dialog.read_wanted.connect(lambda: self._session.dispatch(ReadAgain(file.key)))
        dialog.rejected.connect(lambda: self._remove(file))
        dialog.open()

    def show_menu(self, file: FileToRead, at: QPoint, offers: Sequence[FileAction]) -> QMenu:
        """Return the menu of a document: its actions, and text encodings where they apply."""
        menu = offers_menu(file, offers, self._window)
        if file.has_encoding and file.document is not None:
            used = file.document.info["encoding"] or file.part.encoding
            from app.documents.source import ENCODINGS

            encodings = menu.addMenu(tr("Text encoding"))
            for name in ENCODINGS:
                action = encodings.addAction(name, partial(self._on_encoding, file, name))
                action.setCheckable(True)
                action.setChecked(name == used)
        menu.popup(at)
        return menu

    def _on_encoding(self, file: FileToRead, name: str) -> None:
        self._read_part(file, replace(file.part, encoding=name))

    def _ask_next(self) -> None:
        while self._locked and self._asked is None:
            file, is_wrong = self._locked.pop(0)
            # It may have been removed since it was queued.
            now = self._session.state.find(file.key)
            if now is None or now.stage is not Stage.LOCKED:
                continue
            dialog = self._asked = PasswordDialog(self._theme, file.name, is_wrong=is_wrong, parent=self._window)
            dialog.given.connect(lambda password, key=file.key: self._session.dispatch(ReadAgain(key, password)))
            dialog.rejected.connect(lambda file=file: self._remove(file))
            dialog.finished.connect(self._on_done)
            dialog.open()

    def _on_done(self) -> None:
        self._asked = None
        self._ask_next()


# Question before a very large file is read, with its size and an estimated time.

BYTES_PER_MINUTE = 300_000_000
"""Speed of reading plain text into the store, on two cores; other formats hold fewer words per byte."""


class LargeFile(QuestionDialog):
    """Question about a large file: `read_wanted` on yes; closing it drops the file."""

    read_wanted = Signal()

    def __init__(self, theme: Theme, name: str, size_bytes: int, parent: QWidget) -> None:
        minutes = max(1, round(size_bytes / BYTES_PER_MINUTE))
        time = tr(ABOUT_A_MINUTE) if minutes == 1 else tr(ABOUT_MINUTES, count=minutes)
        words = tr("Reading takes {time}, and its text uses as much disk space again. You can keep working.", time=time)
        title = tr("{name} is {size}.", name=short_name(name), size=size_text(size_bytes))
        super().__init__(theme, title, words, parent)
        self.setObjectName("large_file")
        self.setWindowTitle(window_title(tr("Large file")))
        self.add_choice(tr("Read file"), self.read_wanted.emit, "primary")


class PagesDialog(QuestionDialog):
    """Choice of pages to read. `chosen` carries first and last; `names` lists the files of an archive."""

    chosen = Signal(int, int)

    def __init__(
        self,
        theme: Theme,
        name: str,
        unit: str,
        pages: int,
        *,
        first: int = 1,
        last: int = 0,
        names: Sequence[str] = (),
        parent: QWidget,
    ) -> None:
        title = tr("Which {unit}s of {name}?", unit=unit, name=short_name(name))
        words = tr("It has {pages}. Only the ones you choose are read.", pages=count_units(unit, pages))
        super().__init__(theme, title, words, parent)
        self.setObjectName("pages_dialog")
        self.setWindowTitle(window_title(tr("Choose {unit}s", unit=unit)))
        self.words.setProperty("kind", "muted")
        self.first = Stepper(theme, tr("From {unit}", unit=unit), first, lowest=1, highest=pages)
        self.last = Stepper(theme, tr("To {unit}", unit=unit), last or pages, lowest=1, highest=pages)
        # The other end moves along, so that the range is never empty.
        self.first.changed.connect(lambda value: self.last.number.setValue(max(value, self.last.number.value())))
        self.last.changed.connect(lambda value: self.first.number.setValue(min(value, self.first.number.value())))
        if names:
            self.fields.setDirection(QHBoxLayout.Direction.TopToBottom)
        self.named = [
            self._add(text, stepper, names) for text, stepper in ((tr(FROM), self.first), (tr("to"), self.last))
        ]
        self.fields.addStretch(1)
        self.read_button = self.add_choice(tr("Read this part"), self._on_part_chosen, "primary")
        self.first.number.setFocus()

    def _add(self, text: str, stepper: Stepper, names: Sequence[str]) -> QLabel:
        """Add a labelled number field; return the label behind it for the file's name."""
        row, label, named = QHBoxLayout(), QLabel(text), ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self._theme.dress(label, named, font=(14, 400))
        label.setMinimumWidth(self._theme.px(40) if names else 0)

        def show_name(number: float) -> None:
            name = visible_name(names[round(number) - 1]) if len(names) >= number else ""
            named.setText(name)
            stepper.number.setAccessibleDescription(name)

        self._theme.dress(row, spacing=10)
        fill_layout(row, label, stepper, (named, 1))
        named.setVisible(bool(names))
        self.fields.addLayout(row)
        stepper.changed.connect(show_name)
        show_name(stepper.number.value())
        return named

    def _on_part_chosen(self) -> None:
        self.chosen.emit(round(self.first.number.value()), round(self.last.number.value()))


class PasswordDialog(QuestionDialog):
    """Password question: `given` carries it; closing it drops the document."""

    given = Signal(str)

    def __init__(self, theme: Theme, name: str, *, is_wrong: bool, parent: QWidget) -> None:
        name = short_name(name)
        words = tr(WRONG_PASSWORD, name=name) if is_wrong else tr("The password isn’t stored.")
        super().__init__(theme, tr("{name} needs a password.", name=name), words, parent)
        self.setObjectName("password_dialog")
        self.setWindowTitle(window_title(tr("Password")))
        self.words.setProperty("kind", "danger" if is_wrong else "muted")
        self.field = theme.dress(QLineEdit(echoMode=QLineEdit.EchoMode.Password), font=(14, 400))
        self.field.setAccessibleName(tr("Password for {name}", name=name))
        self.field.setAccessibleDescription(words)
        self.fields.addWidget(self.field)
        self.open_button = self.add_choice(tr(OPEN_DOCUMENT), lambda: self.given.emit(self.field.text()), "primary")
        self.open_button.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.open_button.setEnabled(bool(text)))
        self.field.setFocus()


# Chip of a document: its name and size, reading progress, or an error.

ICON_PX = 16
BAR_PX = 2
NAME_PX = 260
LEAST_NAME_PX = 100
_GLYPHS = {registry.PDFS: "file-pdf", registry.TABLES: "table", registry.MAILS: "envelope", "epub": "book-open"}
"""Icons by kind and name of formats."""


class DocumentChip(QPushButton):
    """Card of a document that works as a button, with a cross to remove it where that is possible."""

    remove_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self._is_error = False
        self.setObjectName("document_chip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # shrinks where the line is narrower
        self._icon = QLabel()
        self._name = theme.dress(ElidedLabel("", Qt.TextElideMode.ElideMiddle), font=(13, 400), most_width=NAME_PX)
        self._words = ElidedLabel()
        self._words.setProperty("kind", "muted")
        self.remove = IconButton(theme, "x", "", size_px=14, on_click=self.remove_wanted)
        self.remove.hide()
        for part in (self._icon, self._name, self._words):  # the parts form one button
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row = theme.dress(QHBoxLayout(self), spacing=10)
        for widget in (self._icon, self._name, self._words, self.remove):
            self._row.addWidget(widget)
        theme.dress(self._words, font=(13, 400))
        theme.dress(self, least_height=30)
        theme.changed.connect(self._show_look)
        self._show_look()

    def show_name(self, name: str) -> None:
        """Set the file name; its ending chooses the icon."""
        self._name.setText(name)
        self.remove.set_name(tr(REMOVE_NAMED, name=name))
        self._show_look()
        self._describe()

    def show_words(self, words: str) -> None:
        """Show details such as "15 pages · 4,200 words", ending progress or error."""
        self._share, self._is_error = None, False
        self._show_words(words)

    def show_progress(self, done: int, total: int) -> None:
        """Show the reading progress; a `total` of 0 is unknown."""
        self._share, self._is_error = (min(1.0, done / total) if total > 0 else 0.0), False
        self._show_words(tr(READING_PERCENT, percent=round(self._share * 100)) if total > 0 else tr(READING_FILE))

    def show_error(self, words: str) -> None:
        """Show why reading failed; the whole text is the tooltip."""
        self._share, self._is_error = None, True
        # The card shows the name already.
        self._show_words(words.removeprefix(f"{self._name.text()} "))
        self.setAccessibleDescription(words)
        self.setToolTip(plain_tip(words))

    def set_removable(self, is_removable: bool) -> None:
        self.remove.setVisible(is_removable)
        self._show_look()

    def _show_words(self, words: str) -> None:
        self._words.setText(words)
        set_mark(self._words, "kind", "danger" if self._is_error else "muted")
        self._show_look()
        self._describe()

    def _describe(self) -> None:
        self.setAccessibleName(tr(DOCUMENT_LABEL, name=self._name.text()))
        self.setAccessibleDescription(self._words.text())

    def _show_look(self) -> None:
        glyph = "warning-circle" if self._is_error else _glyph_of(PurePath(self._name.text()).suffix)
        self._theme.dress(self._icon, picture=(glyph, "danger" if self._is_error else "accent", ICON_PX))
        self._theme.dress(self._row, margins=(12, 4, 4 if self.remove.isVisibleTo(self) else 12, 4))
        needed = self._name.fontMetrics().horizontalAdvance(self._name.text())
        self._name.setMinimumWidth(min(needed, self._theme.px(LEAST_NAME_PX)))  # so that the details are elided first
        self.update()

    def sizeHint(self) -> QSize:
        # A push button's own hint is that of its text, and this one has a layout instead.
        return self._row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._row.minimumSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        # The key that a Mac labels "delete" is Qt's Backspace.
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.remove.isVisibleTo(self):
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the reading progress along the lower edge, over the button."""
        super().paintEvent(event)
        if self._share is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside = QPainterPath()
        radius = self._theme.px(8)
        # So that the ends of the bar follow the button's round corners.
        inside.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        painter.setClipPath(inside)
        high, width = self._theme.px(BAR_PX), self.width() * self._share
        left = self.width() - width if self.isRightToLeft() else 0.0
        painter.fillRect(QRectF(0, self.height() - 1 - high, self.width(), high), QColor(self._theme.tokens.line))
        painter.fillRect(QRectF(left, self.height() - 1 - high, width, high), QColor(self._theme.tokens.muted))


def _glyph_of(ending: str) -> str:
    meant = next((file_format for file_format in registry.formats() if file_format.has(ending)), None)
    return "file-text" if meant is None else _GLYPHS.get(meant.name) or _GLYPHS.get(meant.kind, "file-text")


class PageChip(QPushButton):
    """Link-like button such as "p. 4", small enough for a line of text."""

    def __init__(self, theme: Theme, text: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setObjectName("page_chip")
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        theme.dress(self, font=(14, 400))


# Texts of a chip: size, range read, and warnings.

MOST_NAME = 44


def pages_line(document: StoredDocument) -> str:
    """Return the number or range of pages; "" for documents without pages."""
    part, unit = part_of(document), document.unit
    if not unit or not document.pages:
        return ""
    if not part.first_page and not part.last_page:
        return _length_words(document) or count_units(unit, document.pages)
    first, last = part.first_page or 1, part.last_page or document.pages
    if first == last:
        return tr("{unit} {page} of {pages}", unit=unit, page=first, pages=f"{document.pages:,}")
    return tr("{unit}s {first} to {last} of {pages}", unit=unit, first=first, last=last, pages=f"{document.pages:,}")


def _length_words(document: StoredDocument) -> str:
    """Return the length of a recording, such as "10 seconds" or "1:30"; "" if it is unknown."""
    seconds = document.info.get("seconds", 0.0)
    if not seconds:
        return ""
    # From 59.5 on, this would be rounded to "60 seconds".
    if seconds < 59.5:
        return count_units("second", max(1, round(seconds)))
    from app.features.transcribe import format_clock

    return format_clock(round(seconds))


def size_words(document: StoredDocument) -> str:
    """Return a document's size, such as "15 pages · 4,200 words", without unknown parts."""
    return " · ".join(_sizes(document))


def spoken_size(document: StoredDocument) -> str:
    """Return the size with commas, for screen readers, without unknown parts."""
    # They would speak a dot.
    return ", ".join(_sizes(document))


def tokens_words(tokens: int | None) -> str:
    """Return the token count for the tooltip; "" if it wasn't counted."""
    return "" if tokens is None else tr(TOKENS_FOR_MODEL, count=f"{tokens:,}")


def _sizes(document: StoredDocument) -> list[str]:
    words = document.info.get("words", 0)
    counted = tr("1 word") if words == 1 else tr("{count} words", count=f"{words:,}")
    return [part for part in (pages_line(document), counted if words else "") if part]


def remarks_words(document: StoredDocument) -> str:
    """Return warnings from reading a document; "" if there are none. Scanned pages are reported by `PicturesLine`."""
    from app.documents.source import PageRead, ReadingRemark  # reading happens in another process, mostly

    found = [PageRead(**fields) for fields in document.info.get("pages", ())]
    odd = {page.page: page for page in found if (not page.has_text or page.recognized) and not page.is_picture}
    part = part_of(document)
    looked_at = range(part.first_page or 1, (part.last_page or document.pages) + 1)
    seen = [odd.get(page, PageRead(page)) for page in looked_at]
    pages = pages_words(document.unit, document.pages, seen) if odd else ""
    remarks = [remark for remark in document.info.get("remarks", ()) if remark["name"] != "recognized"]
    said = [remark_sentence(ReadingRemark(remark["name"], remark["values"]), tr) for remark in remarks]
    return " ".join([f"{pages}." if said and pages else pages, *said]).strip()


def short_name(name: str) -> str:
    """Return a name for titles, with the middle of a very long one elided."""
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"


def told_of(found: ExpandedPaths, *, left: int = 0) -> str:
    """Return a sentence about dropped files that weren't taken; "" if all were."""
    if found.is_cut or left:
        return tr("You can attach up to {count} files at once. The others were left out.", count=MOST_FILES)
    odd = [skipped_path for skipped_path in found.skipped if skipped_path.reason != "no_document"]
    if not found.files and not odd:
        return tr("No documents found in it.")
    if len(odd) == 1:
        reason = {"missing": tr(NO_SUCH_FILE), "denied": tr("You don’t have permission to read {name}.")}
        words = reason.get(odd[0].reason, tr("{name} can’t be read."))
        return words.format(name=short_name(visible_name(odd[0].path.name)))
    return tr("{count} files couldn’t be read.", count=len(odd)) if odd else ""


def left_out_words(found: ExpandedPaths) -> str:
    """Return a notice about files of a folder that were skipped for lack of text; "" if none were."""
    names = [
        short_name(visible_name(skipped_path.path.name))
        for skipped_path in found.skipped
        if skipped_path.reason == "no_document"
    ]
    taken = tr("1 file attached.") if len(found.files) == 1 else tr("{n} files attached.", n=len(found.files))
    if len(names) == 1:
        return f"{taken} {tr('{name} was left out because it has no text.', name=names[0])}"
    if names:
        left = tr("{n} were left out because they have no text, such as {name}.", n=len(names), name=names[0])
        return f"{taken} {left}"
    return ""
