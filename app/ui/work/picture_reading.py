"""Line about scanned pages of documents: their recognition and what the user can do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from app.core.counted_units import count_units
from app.documents.blocks import PERSON
from app.features.document_messages import reader_words
from app.features.error_messages import model_words
from app.store.document_store import StoredDocument, StoredPageReading
from app.ui.document.document_details import short_name
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.shared_labels import GO_ON, STOP
from app.ui.shell.picture_reading import QUEUED, RUNNING, PictureReading, PictureState
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ProgressStripe, plain_label
from app.ui.widgets.layouts import FlowLayout
from app.ui.work.doing import time_words

PAGE_NUMBER = "page {page}"

READ_WITH_MODEL = "Read with {name}"
PAGES_READ_FROM_PICTURES = "{pages} of {name} read from pictures by {way}. Letters may be wrong."
FILE_IS_PICTURE = "{name} is a picture and wasn’t read."
PAGE_IS_PICTURE = "Page {page} of {name} is a picture and wasn’t read."
COMPARE_WITH_PICTURES = "Compare with the pictures"
CORRECTED_PAGES = "Corrected by you: {pages}."
ONE_FIGURE_NOT_READ = "1 figure in {name} wasn’t read."
FIGURES_NOT_READ = "{count} figures in {name} weren’t read."
PICTURES_PAUSED = "Reading the pictures of {name} pauses while you chat."
NO_TEXT_ON_PAGES = "{way} found no text on {pages} of {name}."
CHOOSE_VISION_MODEL = "Use a vision model"
READ_PICTURES = "Read the pictures"
READING_PICTURES = "Reading the pictures of {name} with {way}"
ALL_PAGES_ARE_PICTURES = "All {pages} of {name} are pictures and weren’t read."
PAGES_ARE_PICTURES = "{pages} of {name} are pictures and weren’t read."

CHANGED_SINCE = "The text read from the pictures has changed."
Act = tuple[str, Callable[[], object]]


READ_ITS_TEXT = "Read text"


def can_read_text() -> bool:
    """Return whether pictures can be read without a vision model."""
    return shutil.which("tesseract") is not None


class PicturesLine(QFrame):
    """Line about one document: one being recognized, else one not recognized, else one that is."""

    opened = Signal(int, object)
    """Document id and a `Mark` in its recognized text."""
    models_wanted = Signal()
    """Asks to find a vision model."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pictures: PictureReading | None = None
        self._documents: list[StoredDocument] = []
        self._shown: tuple[str, tuple[str, ...]] = ("", ())
        self.setObjectName("pictures_line")
        self.setProperty("kind", "card")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._words = plain_label(wraps=True)
        self._bar = ProgressStripe(theme)
        self._bar.setAccessibleName(tr("Pages read"))
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons)
        column = QVBoxLayout(self)
        for widget in (self._words, self._bar, self._buttons):
            column.addWidget(widget)
        theme.dress(self._words, font="small")
        theme.dress(column, margins=(14, 10, 14, 10), spacing=8)
        theme.dress(self._flow, spacing=8)
        self.hide()

    def watch(self, pictures: PictureReading) -> None:
        """Follow a reader of pictures in place of the one before."""
        if self._pictures is pictures:
            return
        if self._pictures is not None:
            self._pictures.changed.disconnect(self.update_line)
        self._pictures = pictures
        pictures.changed.connect(self.update_line)

    @property
    def text(self) -> str:
        return self._words.text()

    def show_documents(self, documents: Sequence[StoredDocument]) -> None:
        self._documents = list(documents)
        self.update_line()

    def update_line(self) -> None:
        """Update the line after more was read, or new ways to read became available."""
        found = [self._line_of(document) for document in self._documents]
        line = min((line for line in found if line is not None), key=lambda line: _priority_of(line[2]), default=None)
        self.setVisible(line is not None)
        if line is None:
            self._shown = ("", ())
            return
        words, acts, state = line
        self._words.setText(words)
        self.setAccessibleName(words)
        self._bar.setVisible(state.is_reading)
        if state.is_reading and state.row is not None:
            self._bar.show_share(len(state.row.done), len(state.row.pages))
        names = tuple(name for name, _ in acts)
        # Buttons that stay the same keep the focus, and a press in progress.
        if self._shown != (str(state.document.id), names):
            self._shown = (str(state.document.id), names)
            self._put_buttons(acts)

    def _put_buttons(self, acts: Sequence[Act]) -> None:
        focus = self.focusWidget()
        had_focus = focus is not None and self._buttons.isAncestorOf(focus) and focus.hasFocus()
        self._flow.clear()
        for name, do in acts:
            button = text_button(name, "plain", on_click=lambda _=False, do=do: do(), elides=True)
            # `clicked` passes its state first; the default holds this round's action.
            self._theme.dress(button, font="control")
            self._flow.addWidget(button)
            # At once: a layout shows what it is given only when the event loop runs again.
            button.show()
            if had_focus and (name, do) == acts[0]:
                button.setFocus()
        self._buttons.setVisible(bool(acts))

    def _line_of(self, document: StoredDocument) -> tuple[str, list[Act], PictureState] | None:
        pictures = self._pictures
        state = pictures.state_of(document) if pictures is not None else None
        line = self._words_and_acts(pictures, state) if pictures is not None and state is not None else None
        return (*line, state) if line is not None and state is not None else None

    def _words_and_acts(self, pictures: PictureReading, state: PictureState) -> tuple[str, list[Act]] | None:
        known, row = state.pictures, state.row
        read = [page for page in known.pages if page in known.readings]
        if state.is_reading:
            return reading_words(state), self._while_reading(pictures, state)
        if row is not None and row.error is not None:
            return sentence_for(row.error).text, self._unread(pictures, state, row.pages)
        if known.unread_pages:
            return unread_words(state), self._unread(pictures, state, known.unread_pages)
        if read:
            return read_words(state), self._read(pictures, state, read)
        if known.unread_figures and state.ways:
            return unread_words(state), self._unread(pictures, state, known.unread_figures)
        return None

    def _while_reading(self, pictures: PictureReading, state: PictureState) -> list[Act]:
        assert state.row is not None
        others = [way for way in state.ways if way.method != state.row.way.method]
        left = [page for page in state.row.pages if page not in state.row.done]
        return [
            (tr(STOP), partial(pictures.stop, state.document)),
            *(
                (
                    tr("Use {name} instead", name=model_words(way.name)),
                    partial(pictures.begin, state.document, way, left),
                )
                for way in others
            ),
        ]

    def _unread(self, pictures: PictureReading, state: PictureState, pages: Sequence[int]) -> list[Act]:
        acts: list[Act] = []
        if state.row is not None and state.row.state == "paused" and state.row.error is None:
            acts.append((tr(GO_ON), partial(pictures.resume, state.document)))
        for way in state.ways:
            is_model = way.method == "model"
            name = tr(READ_WITH_MODEL, name=model_words(way.name)) if is_model else tr(READ_PICTURES)
            acts.append((name, partial(pictures.begin, state.document, way, pages)))
        if not any(way.method == "model" for way in state.ways):
            acts.append((tr(CHOOSE_VISION_MODEL), self.models_wanted.emit))
        return acts

    def _read(self, pictures: PictureReading, state: PictureState, read: Sequence[int]) -> list[Act]:
        used, figures = {state.pictures.readings[page].method for page in read}, state.pictures.unread_figures
        acts: list[Act] = [(tr(COMPARE_WITH_PICTURES), partial(self._open, state.document))]
        for way in state.ways:
            # Reading again by the same way would say the same.
            if {way.method} != used:
                name = tr(READ_WITH_MODEL, name=model_words(way.name))
                acts.append((name, partial(pictures.begin, state.document, way, read)))
        is_nothing = _is_nothing([state.pictures.readings[page] for page in read])
        if is_nothing and not any(way.method == "model" for way in state.ways):
            acts.append((tr(CHOOSE_VISION_MODEL), self.models_wanted.emit))
        for way in state.ways[-1:] if figures else ():  # a model describes a figure, other ways only read its text
            name = tr("Read the figures with {name}", name=model_words(way.name))
            acts.append((name, partial(pictures.begin, state.document, way, figures)))
        return acts

    def _open(self, document: StoredDocument) -> None:
        assert self._pictures is not None
        self.opened.emit(document.id, self._pictures.reveal(document))


def _priority_of(state: PictureState) -> int:
    """Return the priority of a document's state; the lowest is shown."""
    states = (RUNNING, QUEUED)
    if state.row is not None and state.row.state in states:
        return states.index(state.row.state)
    is_open = bool(state.pictures.unread_pages) or (state.row is not None and state.row.error is not None)
    return 2 if is_open else 3


def _is_nothing(readings: Sequence[StoredPageReading]) -> bool:
    return all(reading.state == "empty" and not reading.is_edited for reading in readings)


def reading_words(state: PictureState) -> str:
    """Return what is read by what, such as "… · 3 of 12 · about a minute left", or that it is paused."""
    assert state.row is not None
    name, total = short_name(state.document.name), len(state.row.pages)
    if state.rests:
        return tr(PICTURES_PAUSED, name=name)
    words = tr(READING_PICTURES, name=name, way=model_words(state.row.way.name))
    if state.number:
        words += " · " + tr("{number} of {total}", number=state.number, total=total)
    if state.seconds_left is not None and state.seconds_left > 20:
        words += " · " + tr("{time} left", time=time_words(state.seconds_left))
    return words


def unread_words(state: PictureState) -> str:
    """Return what wasn't read, and what it needs if nothing here can read it."""
    name, pages = short_name(state.document.name), state.pictures.unread_pages
    if not pages:
        count = len(state.pictures.unread_figures)
        return tr_count(ONE_FIGURE_NOT_READ, FIGURES_NOT_READ, count, name=name)
    is_all = len(pages) == state.document.pages
    if is_all and len(pages) == 1:
        words = tr(FILE_IS_PICTURE, name=name)
    elif is_all:
        words = tr(ALL_PAGES_ARE_PICTURES, pages=count_units("page", len(pages)), name=name)
    elif len(pages) == 1:
        words = tr(PAGE_IS_PICTURE, page=pages[0], name=name)
    else:
        words = tr(PAGES_ARE_PICTURES, pages=count_units("page", len(pages)), name=name)
    if not state.ways:
        words += " " + tr("A vision model can read them, or Tesseract if it’s installed.")
    return words


def read_words(state: PictureState) -> str:
    """Return what read the pages, and which need a check."""
    readings = [state.pictures.readings[page] for page in state.pictures.pages if page in state.pictures.readings]
    names = list(dict.fromkeys(reader_words(reading.method, reading.model) for reading in readings))
    pages_of = {
        "pages": count_units("page", len(readings)),
        "name": short_name(state.document.name),
        "way": join_list(names),
    }
    if _is_nothing(readings):
        return tr(NO_TEXT_ON_PAGES, **pages_of)
    words = tr(PAGES_READ_FROM_PICTURES, **pages_of)
    line = {
        "empty": tr("Without text: {pages}."),
        "repeated": tr("The answer repeated itself. The text before that was kept: {pages}."),
        "cut": tr("The answer was cut off. The text so far was kept: {pages}."),
        "refused": tr("The model refused to read: {pages}."),
        PERSON: tr(CORRECTED_PAGES),
    }
    pages: dict[str, list[int]] = {}
    for reading in readings:
        pages.setdefault(PERSON if reading.is_edited else reading.state, []).append(reading.page)
    return " ".join([words, *(line[kind].format(pages=_pages(found)) for kind, found in pages.items() if kind in line)])


def _pages(pages: Sequence[int]) -> str:
    return tr_count(PAGE_NUMBER, "pages {pages}", len(pages), page=pages[0], pages=join_list(map(str, pages)))
