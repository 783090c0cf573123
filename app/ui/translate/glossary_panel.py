"""The glossary of a pair of languages, in the panel at the right: its table, CSV in and out, and applying it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QScrollArea, QVBoxLayout, QWidget

from app.features.translation.result import Term
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.glossary_files import GlossaryFiles
from app.ui.translate.glossary_memory import MemoryFiles
from app.ui.translate.glossary_model import SOURCE, GlossaryModel
from app.ui.translate.glossary_table import GlossaryTable
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.names import name_widgets

FOUND_PX = 150


class GlossaryPanel(QFrame):
    """`changed`: its terms are others, to be kept. `apply_wanted`: the document is to follow them."""

    apply_wanted = Signal()
    changed = Signal()
    closed = Signal()
    memory_wanted = Signal()
    """What is kept of translations is to be looked through."""

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._notify = theme, notify
        self._pair, self._can_apply, self._found = "", False, tuple[Term, ...]()
        self.memory: MemoryFiles | None = None
        """The translations that are known, which come and go by the same menu; None: they do not."""
        self.setObjectName("glossary_panel")
        self.setProperty("kind", "card")
        self.setAccessibleName(tr("Glossary"))
        self.terms = GlossaryModel(self)
        self.terms.edited.connect(self._on_edited)
        self.table = GlossaryTable(theme, self.terms)
        self.table.delete_wanted.connect(self._delete)
        self.files = GlossaryFiles(notify, self)
        self.files.imported.connect(self._on_imported)
        self.title = ElidedLabel(tr("Glossary"))
        self.more = IconButton(theme, "dots-three", tr("More"), size_px=18)
        self.more.clicked.connect(self.show_menu)
        self.close_button = IconButton(theme, "x", tr("Close the glossary"), size_px=16)
        self.close_button.setToolTip(f"{tr('Close the glossary')} (Esc)")
        self.close_button.clicked.connect(self.closed)
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setProperty("kind", "muted")
        self.add_button = text_button(tr("Add a term"), "quiet")
        self.add_button.clicked.connect(self.add)
        self.remove_button = text_button(tr("Remove"), "quiet")
        self.remove_button.clicked.connect(lambda: self._delete(self.table.chosen_rows))
        self.apply = text_button(tr("Apply to this document"), "plain")
        self.apply.setToolTip(tr("Translates only what these terms affect again"))
        self.apply.clicked.connect(self.apply_wanted)
        self.found_head = QLabel(tr("Translated the same way throughout"), wordWrap=True)
        self.found = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.found.setProperty("kind", "muted")
        self.found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.found.setObjectName("page")
        self.found.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._found_area = QScrollArea()
        self._found_area.viewport().setAutoFillBackground(False)
        self._found_area.setWidget(self.found)
        self._found_area.setWidgetResizable(True)
        self._found_area.setFrameShape(QFrame.Shape.NoFrame)
        self._found_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._found_area.setAccessibleName(self.found_head.text())
        self.take_button = text_button(tr("Add to the glossary"), "quiet")
        self.take_button.setToolTip(tr("You can change each one there, and they apply to other documents too"))
        self.take_button.clicked.connect(self._take)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show())
        self._lay_out()
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_found(())

    def _lay_out(self) -> None:
        self._top, self._buttons = QHBoxLayout(), QHBoxLayout()
        self._top.addWidget(self.title, 1)
        self._top.addWidget(self.more)
        self._top.addWidget(self.close_button)
        self._buttons.addWidget(self.add_button)
        self._buttons.addWidget(self.remove_button)
        self._buttons.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._top)
        self._column.addWidget(self.words)
        self._column.addWidget(self.table, 1)
        self._column.addLayout(self._buttons)
        self._column.addWidget(self.apply)
        self._column.addWidget(self.found_head)
        self._column.addWidget(self._found_area)
        self._column.addWidget(self.take_button, 0, Qt.AlignmentFlag.AlignLeft)
        name_widgets(
            glossary_words=self.words,
            add_term=self.add_button,
            apply_glossary=self.apply,
            take_terms=self.take_button,
            close_glossary=self.close_button,
            glossary_more=self.more,
        )

    def show_terms(self, terms: Sequence[Term], names: tuple[str, str], pair: str) -> None:
        """The glossary of a pair, whose languages have these names."""
        if pair == self._pair and tuple(terms) == self.terms.terms and names == self.terms.names:
            return
        self._pair = pair
        self.terms.show_terms(terms, names)
        self._show()

    def show_apply(self, can_apply: bool) -> None:
        """Whether the document was translated with other terms."""
        self._can_apply = can_apply
        self._show()

    def show_found(self, terms: Sequence[Term]) -> None:
        """Names and terms that the document repeats and that are translated the same way in all of it."""
        self._found = tuple(terms)
        self.found.setText("\n".join(f"{term.source} → {term.target}" for term in terms))
        for widget in (self.found_head, self._found_area):
            widget.setVisible(bool(terms))
        self._show()

    def add(self) -> None:
        """A new line, the keyboard in it."""
        self.table.edit_cell(self.terms.add(), SOURCE)
        self._show()

    def show_menu(self) -> QMenu:
        """CSV in and out."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Import from CSV…"), self.files.ask_to_import)
        export = menu.addAction(tr("Export as CSV…"), lambda: self.files.ask_to_export(self.terms.terms, self._pair))
        export.setEnabled(bool(self.terms.terms))
        if self.memory is not None:
            menu.addSeparator()
            menu.addAction(tr("Import translations (TMX)…"), self.memory.ask_to_import)
            menu.addAction(tr("Export all translations (TMX)…"), self.memory.ask_to_export)
            menu.addAction(tr("Translation memory…"), self.memory_wanted.emit)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))
        return menu

    def take_keyboard(self) -> None:
        """Into the table, or to the button that begins one."""
        target: QWidget = self.table if self.terms.rowCount() else self.add_button
        if self.terms.rowCount() and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self.terms.index(0, SOURCE))
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def _on_edited(self) -> None:
        self.changed.emit()
        self._show()

    def _on_imported(self, terms: list[Term]) -> None:
        """Terms of the same source take the place of those that are there."""
        now = {one.source.casefold(): one for one in (*self.terms.terms, *terms)}
        added = len(now) - len(self.terms.terms)
        self.terms.show_terms(list(now.values()), self.terms.names)
        self._on_edited()
        count = len(terms)
        told = tr("1 term was imported.") if count == 1 else tr("{count} terms were imported.", count=f"{count:,}")
        replaced = count - added
        known = tr("1 was there already.") if replaced == 1 else tr("{count} were there already.", count=replaced)
        self._notify.mention(f"{told} {known}" if replaced > 0 else told)

    @property
    def _untaken(self) -> list[Term]:
        """What the document repeats and the glossary does not have."""
        known = {term.source.casefold() for term in self.terms.terms}
        return [term for term in self._found if term.source.casefold() not in known]

    def _take(self) -> None:
        """They become terms like any others; the keyboard goes to the first."""
        rows = [self.terms.add(term) for term in self._untaken]
        self._on_edited()
        if rows:
            self.table.setCurrentIndex(self.terms.index(rows[0], SOURCE))
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _delete(self, rows: Sequence[int]) -> None:
        gone = self.terms.remove(rows)
        if not gone:
            return
        first = gone[0][1].source or tr("The empty line")
        told = tr("“{term}” was removed.", term=first)
        if len(gone) > 1:
            told = tr("{count} terms were removed.", count=len(gone))
        self._notify.undo(told, lambda: self.terms.put_back(gone))

    def _show(self) -> None:
        count = len(self.terms.terms)
        is_empty = not self.terms.rowCount()
        self.words.setText(
            tr("Terms that are always translated the same way. Ticked ones stay as they are.") if is_empty else ""
        )
        self.words.setVisible(is_empty)
        self.title.setText(tr("Glossary · {count}", count=f"{count:,}") if count else tr("Glossary"))
        self.remove_button.setEnabled(bool(self.table.chosen_rows))
        self.apply.setVisible(self._can_apply)
        self.take_button.setVisible(bool(self._untaken))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._column.setContentsMargins(px(14), px(10), px(14), px(14))
        self._column.setSpacing(px(8))
        self._top.setSpacing(px(4))
        self._buttons.setSpacing(px(4))
        self.title.setFont(theme.font(15, 600))
        self.words.setFont(theme.font(13))
        self.found.setFont(theme.font(13))
        self.found_head.setFont(theme.font(13, 600))
        self._found_area.setMaximumHeight(px(FOUND_PX))
        for button in (self.add_button, self.remove_button, self.apply, self.take_button):
            button.setFont(theme.font(13.5, 500))
        self.add_button.setIcon(icon("plus", theme.tokens.muted))
        self.add_button.setIconSize(QSize(px(16), px(16)))
        self._show()
