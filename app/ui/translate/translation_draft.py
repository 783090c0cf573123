"""Page of a translation before it starts: files being read, amount, estimated time, Translate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.features.files_to_read import FileToRead, Stage
from app.features.translate.translation_events import StoredTranslation, TranslationEstimate
from app.features.work.job_draft import RemoveFiles
from app.ui.document.document_details import short_name
from app.ui.i18n import label_value, tr, tr_count
from app.ui.shared_labels import CANCEL, COUNTING, REMOVE, TRANSLATE, WAITING
from app.ui.theme import EDGE_PX, PAGE_PX, TOP_PX, Theme
from app.ui.translate.document_job import Drafts
from app.ui.translate.translation_texts import draft_words, layout_words, segments_words
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import ColumnRow, fill_layout, name_widgets, scrolled
from app.ui.work.picture_reading import PicturesLine

LOOKING_FOR_TEXT = "Finding text… {count}"
TRANSLATE_DOCUMENTS = "Translate {count} documents"
NEEDS_PASSWORD = "It needs a password."


class DraftFoot(QWidget):
    """Start buttons of drafts: all added together, or only the open one."""

    begun = Signal(bool)
    """True to start all of the batch."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = plain_label(wraps=True)
        self.note = plain_label(kind="muted", wraps=True)
        self.one = text_button(tr("Only this one"), "quiet", on_click=lambda: self.begun.emit(False))
        self.button = text_button(tr(TRANSLATE), "primary", on_click=lambda: self.begun.emit(True))
        labels = fill_layout(QVBoxLayout(), self.words, self.note)
        row = QHBoxLayout(self)
        row.addLayout(labels, 1)
        row.addWidget(self.one, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        theme.dress(row, margins=(EDGE_PX, 4, EDGE_PX, 16), spacing=12)
        theme.dress(labels, spacing=2)
        theme.dress(self.words, self.one, font="control")
        theme.dress(self.note, font="small")
        theme.dress(self.button, font="control")
        name_widgets(draft_words=self.words, draft_note=self.note, begin_one=self.one, begin=self.button)

    def show_drafts(
        self,
        drafts: Sequence[StoredTranslation],
        estimate: TranslationEstimate | None,
        *,
        is_counting: bool,
        problem: str,
    ) -> None:
        """Show drafts, the open one first. `problem` says why there is no estimate."""
        self.words.setText(draft_words(drafts, estimate))
        note = problem or (tr(COUNTING) if is_counting and estimate is None else "")
        if not note and estimate is not None and estimate.seconds is None:
            note = tr("A time estimate appears after the first segments.")
        notes = [part for part in (note, layout_words(drafts[0]) if drafts else "") if part]
        self.note.setText(" ".join(notes))
        self.note.setVisible(bool(notes))
        count = len(drafts)
        label = tr_count("Translate {count} document", TRANSLATE_DOCUMENTS, count) if count > 1 else tr(TRANSLATE)
        self.button.setText(label)
        self.button.setAccessibleName(label)
        self.one.setVisible(count > 1)

    def show_can(self, can_begin: bool) -> None:
        """Enable the buttons if a model and a target language are set."""
        for button in (self.button, self.one):
            button.setEnabled(can_begin)


class FileLine(QFrame):
    """File being read: name, state, and a button with its one action."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = ElidedLabel()
        self.words = plain_label(wraps=True)
        self.button = text_button("", "quiet")
        labels = fill_layout(QVBoxLayout(), self.name, self.words)
        row = fill_layout(QHBoxLayout(self), (labels, 1), self.button)
        theme.dress(labels, spacing=2)
        theme.dress(row, margins=(16, 10, 10, 10))
        theme.dress(self.name, font="control")
        theme.dress(self.words, font="small")
        theme.dress(self.button, font="control")
        name_widgets(file_words=self.words, file_button=self.button)

    def show_file(self, file: FileToRead) -> None:
        # Only its scanned pages are missing, so this is no error to the user.
        waits = file.document is not None and file.stage is Stage.FAILED
        is_failed = file.stage is Stage.FAILED and not waits
        words = {
            Stage.FAILED: tr("Waiting until its picture pages are read") if waits else file.error,
            Stage.LOCKED: tr(NEEDS_PASSWORD),
            Stage.READING: tr(LOOKING_FOR_TEXT, count=segments_words(file.page)),
        }.get(file.stage, tr(WAITING))
        self.name.setText(file.name)
        self.words.setText(words)
        set_mark(self.words, "kind", "danger" if is_failed else "muted")
        self.button.setText(tr(REMOVE) if file.stage is Stage.FAILED else tr(CANCEL))
        self.button.setAccessibleName(label_value(self.button.text(), short_name(file.name)))
        self.setAccessibleName(label_value(file.name, words))


class TranslationDraftPage(QWidget):
    """Page of files that aren't translations yet, with a line each, and the question about scanned pages."""

    def __init__(self, theme: Theme, drafts: Drafts, *, show_models: Callable[[], object]) -> None:
        super().__init__()
        self.show_models, self._theme, self._drafts = show_models, theme, drafts
        self.pictures = PicturesLine(theme)
        self.pictures.models_wanted.connect(self.show_models)
        self.leave = text_button(tr("Skip these pages"), "quiet", on_click=drafts.leave_pictures)
        if drafts.pictures is not None:
            self.pictures.watch(drafts.pictures)
            drafts.pictures.changed.connect(self.show_files)
        self.lines: list[FileLine] = []
        self._shown: list[int] = []
        """Keys of the files with a line."""
        self._title = plain_label(wraps=True)
        inner, middle = QWidget(), QWidget()
        inner.setObjectName("page")
        ColumnRow(theme, middle, inner, most_px=PAGE_PX + 2 * EDGE_PX)
        self._column = fill_layout(
            QVBoxLayout(middle), self._title, self.pictures, (self.leave, 0, Qt.AlignmentFlag.AlignLeading), 1
        )
        theme.dress(fill_layout(QVBoxLayout(self), scrolled(inner)), margins=(0, 0, 0, 0))
        theme.dress(self._column, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=10)
        theme.dress(self._title, font="title")
        drafts.session.listen(self.show_files)
        self.show_files()

    def show_files(self) -> None:
        # Replacing the lines with each event would take the focus from their buttons.
        files = self._drafts.session.state.files
        if self._shown != [file.key for file in files]:
            self._write(files)
        for line, to_read in zip(self.lines, files, strict=True):
            line.show_file(to_read)
        documents = [
            to_translate.document for to_translate in self._drafts.with_pictures if to_translate.document is not None
        ]
        self.pictures.show_documents(documents)
        pictures = self._drafts.pictures
        is_seeing = pictures is not None and any(map(pictures.is_reading, documents))
        # Without a text layer, nothing would be left to translate.
        self.leave.setVisible(
            bool(documents) and not is_seeing and any(document.info.get("words") for document in documents)
        )
        if self._drafts.files.is_reading or is_seeing:
            self._title.setText(tr("Reading the documents…"))
        else:
            self._title.setText(tr("Pages to read first") if documents else tr("Couldn’t be read"))

    def _write(self, files: Sequence[FileToRead]) -> None:
        for line in self.lines:
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        self._shown, self.lines = [file.key for file in files], []
        for key in self._shown:
            line = FileLine(self._theme)
            line.button.clicked.connect(partial(self._drafts.session.dispatch, RemoveFiles((key,))))
            self._column.insertWidget(self._column.count() - 1, line)  # before the stretch
            self.lines.append(line)
