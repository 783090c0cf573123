"""Glossary of a language pair in the right panel: table, CSV import and export, and applying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.features.translate.translation_events import GlossaryTerm
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.screen_reader import read_as
from app.ui.shared_labels import APPLY_GLOSSARY, GLOSSARY, MORE_LABEL, REMOVE
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.glossary_table import SOURCE, GlossaryModel, GlossaryTable
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import SidePane, drop_margins, fill_layout, name_widgets
from app.ui.widgets.menus import Menu
from app.ui.widgets.pane_head import PANE_EDGE_PX, PaneHead
from app.ui.work.doing import SavedFiles

TRANSLATIONS_IMPORTED = "{count} translations imported."
GLOSSARY_HELP = "These terms are always translated the same way. Checked terms aren’t translated."

GLOSSARY_COUNT = "Glossary · {count}"
EXPORT_TMX = "Export all translations (TMX)…"
TERM_REMOVED = "Removed “{term}”."

FOUND_PX = 150


class GlossaryPane(SidePane):
    """A translation with the glossary of its languages at its right."""

    share = 0.4
    most_px = 380
    least_px = 300


class GlossaryPanel(QWidget):
    """Panel of a glossary. `changed`: store its terms for its `pair`; `apply`: update the document to them."""

    changed = Signal()
    changed_elsewhere = Signal(object, object)
    """A pair no longer shown, and a function that updates its terms."""
    closed = Signal()
    memory_wanted = Signal()
    """Asks to show the translation memory."""

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._notify = theme, notify
        self.pair, self._can_apply, self._found = ("", ""), False, tuple[GlossaryTerm, ...]()
        self.memory: MemoryFiles | None = None
        """Import and export of the translation memory in the same menu; None to leave it out."""
        self.setObjectName("glossary_panel")
        self.setAccessibleName(tr(GLOSSARY))
        self.terms = GlossaryModel(self, on_edited=self._on_edited)
        self.table = GlossaryTable(theme, self.terms)
        self.table.delete_wanted.connect(self._delete)
        self.files = GlossaryFiles(notify, self)
        self.files.imported.connect(self._on_imported)
        self.title = ElidedLabel(tr(GLOSSARY))
        self.more = IconButton(theme, "dots-three-bold", tr(MORE_LABEL), size_px=18, on_click=self.show_menu)
        read_as(self.more, has_menu=True)
        self.head = PaneHead(theme, self.title, 1, self.more, close=tr("Close the glossary"), name="close_glossary")
        self.head.closer.clicked.connect(self.closed)
        self.words = plain_label(kind="muted", wraps=True)
        self.add_button = text_button(tr("Add a term"), "quiet", on_click=self.add)
        self.remove_button = text_button(tr(REMOVE), "quiet", on_click=lambda: self._delete(self.table.chosen_rows))
        self.apply = text_button(tr(APPLY_GLOSSARY), "plain")
        self.apply.setToolTip(tr("Retranslate only what these terms affect"))
        self.found_head = QLabel(tr("Translated the same way throughout"), wordWrap=True)
        self.found = plain_label(kind="muted", wraps=True)
        self.found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.found.setObjectName("page")
        self.found.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._found_area = QScrollArea()
        read_as(self._found_area, QAccessible.Role.Grouping)
        self._found_area.viewport().setAutoFillBackground(False)
        self._found_area.setWidget(self.found)
        self._found_area.setWidgetResizable(True)
        self._found_area.setFrameShape(QFrame.Shape.NoFrame)
        self._found_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._found_area.setAccessibleName(self.found_head.text())
        self.take_button = text_button(tr("Add to the glossary"), "quiet", on_click=self._take_terms)
        self.take_button.setToolTip(tr("You can edit them there. They apply to other documents too."))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show())
        self._lay_out()
        self.show_found(())

    def _lay_out(self) -> None:
        buttons, column = QHBoxLayout(), QVBoxLayout()
        fill_layout(buttons, self.add_button, self.remove_button, 1)
        fill_layout(column, self.words, (self.table, 1), buttons)
        for widget in (self.apply, self.found_head, self._found_area):
            column.addWidget(widget)
        column.addWidget(self.take_button, 0, Qt.AlignmentFlag.AlignLeft)
        fill_layout(drop_margins(QVBoxLayout(self), 0), self.head, (column, 1))
        dress = self._theme.dress
        dress(column, margins=(PANE_EDGE_PX, 0, PANE_EDGE_PX, PANE_EDGE_PX), spacing=8)
        dress(buttons, spacing=4)
        dress(self.words, self.found, font="small")
        dress(self.found_head, font="group")
        dress(self._found_area, most_height=FOUND_PX)
        dress(self.add_button, self.remove_button, self.apply, self.take_button, font="control")
        dress(self.add_button, glyph=("plus", "muted", 16))
        name_widgets(
            glossary_words=self.words,
            add_term=self.add_button,
            apply_glossary=self.apply,
            take_terms=self.take_button,
            glossary_more=self.more,
        )

    def show_terms(self, terms: Sequence[GlossaryTerm], names: tuple[str, str], pair: tuple[str, str]) -> None:
        """Show a pair's glossary; `names` are its languages as column headers."""
        # An unchanged table keeps its selection and an open cell.
        if pair == self.pair and tuple(terms) == self.terms.terms and names == self.terms.names:
            return
        self.pair = pair
        self.terms.show_terms(terms, names)
        self._show()

    def show_apply(self, can_apply: bool) -> None:
        """Show Apply if the document was translated with other terms."""
        self._can_apply = can_apply
        self._show()

    def show_found(self, terms: Sequence[GlossaryTerm]) -> None:
        """Show names and terms that recur in the document with a consistent translation."""
        self._found = tuple(terms)
        self.found.setText("\n".join(f"{term.source} → {term.target}" for term in terms))
        for widget in (self.found_head, self._found_area):
            widget.setVisible(bool(terms))
        self._show()

    def add(self) -> None:
        """Add an empty line and edit it; it counts once both sides are filled in."""
        self.table.edit_cell(self.terms.add(), SOURCE)
        self._show()

    def show_menu(self) -> Menu:
        menu = Menu(self, is_temporary=True)
        menu.addAction(tr("Import from CSV…"), lambda: self.files.ask_to_import(self.pair))
        named = "-".join(self.pair)
        export = menu.addAction(tr("Export as CSV…"), lambda: self.files.ask_to_export(self.terms.terms, named))
        export.setEnabled(bool(self.terms.terms))
        if self.memory is not None:
            menu.addSeparator()
            menu.addAction(tr("Import translations (TMX)…"), self.memory.ask_to_import)
            menu.addAction(tr(EXPORT_TMX), self.memory.ask_to_export)
            menu.addAction(tr("Translation memory…"), self.memory_wanted.emit)
        menu.popup_at(self.more)
        return menu

    def take_keyboard(self) -> None:
        """Focus the table, or the add button if it is empty."""
        target: QWidget = self.table if self.terms.rowCount() else self.add_button
        if self.terms.rowCount() and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self.terms.index(0, SOURCE))
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def _on_edited(self) -> None:
        self.changed.emit()
        self._show()

    def _on_imported(self, terms: Sequence[GlossaryTerm], pair: object) -> None:
        """Merge imported terms; they replace those with the same source."""
        now, added = _merged(self.terms.terms, terms), len(terms)
        if pair in (None, self.pair):
            added = len(now) - len(self.terms.terms)
            self.terms.show_terms(now, self.terms.names)
            self._on_edited()
        else:
            # Another pair was opened since the file was chosen.
            self.changed_elsewhere.emit(pair, lambda others: _merged(others, terms))
        count = len(terms)
        told = tr_count("1 term imported.", "{count} terms imported.", count)
        replaced = count - added
        known = tr_count("1 already existed.", "{count} already existed.", replaced)
        self._notify.mention(f"{told} {known}" if replaced > 0 else told)

    @property
    def _untaken(self) -> list[GlossaryTerm]:
        """Recurring terms whose source isn't in the glossary yet, ignoring case."""
        known = {term.source.casefold() for term in self.terms.terms}
        return [term for term in self._found if term.source.casefold() not in known]

    def _take_terms(self) -> None:
        """Add the recurring terms to the glossary and focus the first."""
        rows = [self.terms.add(term) for term in self._untaken]
        self._on_edited()
        if rows:
            self.table.setCurrentIndex(self.terms.index(rows[0], SOURCE))
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _delete(self, rows: Sequence[int]) -> None:
        if not (gone := self.terms.remove(rows)):
            return
        first = gone[0][1].source or tr("Empty line")
        told = tr(TERM_REMOVED, term=first)
        if len(gone) > 1:
            told = tr_count("Removed {count} term.", "Removed {count} terms.", len(gone))
        pair = self.pair

        def put_back() -> None:
            if pair == self.pair:
                self.terms.put_back(gone)
            else:
                self.changed_elsewhere.emit(pair, lambda others: _merged(others, [term for _, term in gone]))

        self._notify.undo(told, put_back)

    def _show(self) -> None:
        count = len(self.terms.terms)
        is_empty = not self.terms.rowCount()
        self.words.setText(tr(GLOSSARY_HELP) if is_empty else "")
        self.words.setVisible(is_empty)
        self.title.setText(tr(GLOSSARY_COUNT, count=format_number(count)) if count else tr(GLOSSARY))
        self.remove_button.setEnabled(bool(self.table.chosen_rows))
        self.apply.setVisible(self._can_apply)
        self.take_button.setVisible(bool(self._untaken))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


def _merged(terms: Sequence[GlossaryTerm], more: Sequence[GlossaryTerm]) -> list[GlossaryTerm]:
    """Return complete terms; of equal sources the last wins."""
    return list({term.source.casefold(): term for term in (*terms, *more) if term.source and term.target}.values())


class GlossaryFiles(SavedFiles):
    """CSV files of glossaries; `imported` carries the terms and the pair they were requested for."""

    imported = Signal(object, object)

    def ask_to_import(self, pair: tuple[str, str] | None = None) -> QFileDialog:
        """Ask for a file for a pair; None is the pair shown when it was read."""
        title, tables = tr("Import a glossary"), f"{tr('Table')} (*.csv)"
        return self._ask_to_open(title, "import_glossary", filter_=tables, take=lambda path: self.read(path, pair))

    def ask_to_export(self, terms: Sequence[GlossaryTerm], pair: str) -> QFileDialog:
        title, offered = tr("Export the glossary"), f"{tr(GLOSSARY)} {pair}.csv"
        return self._ask_to_save(
            title, "export_glossary", kind=tr("Table"), offered=offered, take=lambda path: self.write(path, terms)
        )

    def read(self, path: Path, pair: tuple[str, str] | None = None) -> tasks.BackgroundTask:
        from app.features.translate.glossary import read_csv

        return self._read(lambda: read_csv(path), lambda terms: self.imported.emit(terms, pair))

    def write(self, path: Path, terms: Sequence[GlossaryTerm]) -> tasks.BackgroundTask:
        from app.features.translate.glossary import write_csv

        return self._write(path, lambda: write_csv(path, tuple(terms)))


class MemoryFiles(SavedFiles):
    """Files of the translation memory.

    `bring` imports one and returns the count, `write` exports all; both run on a thread.
    """

    def __init__(
        self, notify: Notify, window: QWidget, import_file: Callable[[Path], int], write: Callable[[Path], object]
    ) -> None:
        super().__init__(notify, window)
        self._import_file, self._export_all = import_file, write

    def ask_to_import(self) -> QFileDialog:
        title, files = tr("Import translations"), f"{tr('Translation memory')} (*.tmx)"
        return self._ask_to_open(title, "import_memory", filter_=files, take=self.read)

    def ask_to_export(self) -> QFileDialog:
        title, kind = tr("Export all translations"), tr("Translation memory")
        return self._ask_to_save(
            title, "export_memory", kind=kind, offered=f"{tr('Translations')}.tmx", take=self.write
        )

    def read(self, path: Path) -> tasks.BackgroundTask:
        """Import a TMX file on a thread; the count is shown as a notice."""
        return self._read(lambda: self._import_file(path), self._on_read)

    def write(self, path: Path) -> tasks.BackgroundTask:
        return self._write(path, lambda: self._export_all(path))

    def _on_read(self, count: object) -> None:
        told = tr_count("1 translation imported.", TRANSLATIONS_IMPORTED, count) if isinstance(count, int) else ""
        self._notify.mention(f"{told} {tr('They’re used the next time you start a translation.')}")
