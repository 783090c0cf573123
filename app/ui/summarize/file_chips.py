"""The documents of a summary that is being put together, a chip for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.shell.i18n import tr
from app.ui.summarize.draft_files import DraftFiles
from app.ui.theme import Theme
from app.ui.widgets.document_chip import DocumentChip
from app.ui.widgets.document_texts import remarks_words, size_words, spoken_size, tokens_words
from app.ui.widgets.file_to_read import FileToRead, Stage
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.plain_tip import plain_tip


class FileChips(QWidget):
    """In as many lines as they need; Delete leaves one out."""

    def __init__(self, theme: Theme, files: DraftFiles) -> None:
        super().__init__()
        self._theme, self._files = theme, files
        self._chips: dict[FileToRead, DocumentChip] = {}
        self._tokens: Mapping[int, int] = {}
        self._last: QWidget | None = None
        self._flow = FlowLayout(self)
        self.setAccessibleName(tr("Documents"))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def add_last(self, widget: QWidget) -> None:
        """Something that stands behind all chips."""
        self._last = widget
        self._flow.addWidget(widget)

    @property
    def chips(self) -> list[DocumentChip]:
        """The chips, in order."""
        return list(self._chips.values())

    def show_files(self, files: Sequence[FileToRead], tokens: Mapping[int, int]) -> None:
        """All of them, in order, with the tokens of documents where they were counted; chips that stay are kept."""
        self._tokens = tokens
        if list(self._chips) != list(files):
            for gone in [one for one in self._chips if one not in files]:
                self._take_out(self._chips.pop(gone))
            self._chips = {one: self._chips.get(one) or self._new_chip(one) for one in files}
            for chip in self._chips.values():  # in their order
                self._flow.removeWidget(chip)
                self._flow.addWidget(chip)
            if self._last is not None:
                self._flow.removeWidget(self._last)
                self._flow.addWidget(self._last)
            self._order()
        for one in files:
            self.show_progress(one)

    def show_progress(self, one: FileToRead) -> None:
        """How far one of them is."""
        chip = self._chips.get(one)
        if chip is None:
            return
        if one.stage is Stage.FAILED:
            chip.show_error(one.error)
        elif one.stage is Stage.READING:
            chip.show_progress(one.page, one.pages)
        elif one.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif one.document is None:
            chip.show_words(tr("waits"))
        else:
            tokens = self._tokens.get(one.document.id)
            chip.show_words(size_words(one.document))
            said = (one.name, spoken_size(one.document))
            chip.setAccessibleName(", ".join(part for part in said if part))
            remarks = remarks_words(one.document)
            chip.setAccessibleDescription(remarks)
            chip.setToolTip(plain_tip("\n".join(part for part in (one.name, tokens_words(tokens), remarks) if part)))

    def _new_chip(self, one: FileToRead) -> DocumentChip:
        chip = DocumentChip(self._theme)
        chip.show_name(one.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self._open(one))
        chip.remove_wanted.connect(lambda: self._remove(one))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self._files.show_menu(one, chip.mapToGlobal(at)))
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _order(self) -> None:
        """Tab goes through the chips as they stand, each with its cross."""
        before: QWidget = self
        for chip in self._chips.values():
            for widget in (chip, chip.remove):
                QWidget.setTabOrder(before, widget)
                before = widget
        if self._last is not None:
            QWidget.setTabOrder(before, self._last)

    def _take_out(self, chip: DocumentChip) -> None:
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()

    def _open(self, one: FileToRead) -> None:
        if one.document is not None:
            self._files.opened.emit(one.document.id)
        elif one.error:
            self._files.explain(one)

    def _remove(self, one: FileToRead) -> None:
        """The keyboard goes on to the next chip."""
        places = list(self._chips)
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        place = places.index(one) if one in places else 0
        self._files.remove(one)
        if had_focus and self._chips:
            self.chips[min(place, len(self._chips) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_theme_changed(self) -> None:
        self._flow.gap_px = self._theme.px(8)
