"""Card of a model: name, badge, sentence, facts, progress and buttons."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.i18n import label_value, tr
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as
from app.ui.theme import CARD_INSET_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ElidedLabel, ProgressStripe, plain_label, plain_tip
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout

NARROW_CARD_PX = 440
LEAST_CARD_PX = 180
WORDS_PX = 240
_ANY = 1 << 20
SHORT_FACT = 28
COLUMN_PX = 96
TURN_PX = 92
NAME_MOST_CHARACTERS = 120


class ModelBadge(QWidget):
    """Dot or triangle with a word of the same colour."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._token = theme, "success"
        self._mark = QLabel()
        # A word as well: colour alone never carries meaning.
        self._words = plain_label()
        self._row = theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), self._mark, self._words, 1), spacing=6)
        self.hide()

    @property
    def text(self) -> str:
        return self._words.text() if not self.isHidden() else ""

    def wanted_width(self) -> int:
        """Return the width in pixels on one line."""
        words = self._words.fontMetrics().horizontalAdvance(self._words.text())
        return self._theme.px(12) + self._row.spacing() + words + 1

    def fit_width(self, room: int) -> None:
        """Wrap the words if they exceed `room` pixels."""
        is_wrapped = self.wanted_width() > room
        if is_wrapped != self._words.wordWrap():
            self._words.setWordWrap(is_wrapped)
            # A wrapped label prefers a square, so it has to be stretched.
            self._row.setStretchFactor(self._words, int(is_wrapped))
            self._row.setStretch(self._row.count() - 1, int(not is_wrapped))

    def show_text(self, text: str, token: str) -> None:
        """Show words in a colour token (success, warning, muted); "" hides the badge."""
        self._token = token
        self._words.setText(text)
        if self._words.property("kind") != token:
            self._words.setProperty("kind", token)
            # Before its first polish the style does this itself, later only when asked.
            if self._words.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
                self._words.style().polish(self._words)
        self.setVisible(bool(text))
        self._show_mark()

    def show_again(self) -> None:
        """Show the badge again, if it has words."""
        self.setVisible(bool(self._words.text()))

    def _show_mark(self) -> None:
        glyph = "triangle-fill" if self._token == "warning" else "circle-fill"
        self._theme.dress(self._mark, picture=(glyph, self._token, 12))
        self._theme.dress(self._words, font="group")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # On first polish the style sheet gives a label its parent's font.
        self._show_mark()


class ModelCard(QFrame):
    """Card of a model. Tab goes to the card, then to its buttons; other keys are emitted."""

    key_pressed = Signal(int)
    """Return, F2, Delete, Menu, Up or Down was pressed on the card itself."""
    renamed = Signal(str)
    """The new name; "" restores the original one."""
    editing_ended = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "model")
        read_as(self, QAccessible.Role.Grouping)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.name = theme.dress(ElidedLabel(name), font="section")
        self.badge = ModelBadge(theme)
        self.sentence = theme.dress(plain_label(wraps=True), font="row")
        self.columns = QWidget()
        self._columns_row = FlowLayout(self.columns)
        self._columns: tuple[tuple[str, str], ...] = ()
        self.about = ""
        """What only the tooltip and screen readers say."""
        self.facts = plain_label(wraps=True)
        self.source = ElidedLabel()
        for label in (self.facts, self.source):
            label.setProperty("kind", "muted")
        self.problem = plain_label(kind="danger", wraps=True)
        self.progress = ProgressStripe(theme)
        self.buttons: dict[str, QPushButton] = {}
        self._editor: QLineEdit | None = None
        for widget in (self.sentence, self.columns, self.facts, self.source, self.problem, self.progress):
            widget.hide()
        self._lay_out()
        theme.dress(self.facts, self.source, self.problem, font="small")
        theme.dress(self._outer, margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14), spacing=14)
        theme.dress(self._words, spacing=3)
        theme.dress(self._head, spacing=10)
        theme.dress(self._row, spacing=4)
        theme.dress(self._columns_row, spacing=16)
        # Another font is another width.
        theme.changed.connect(self._fit_layout)
        self._fit_layout()
        self.describe()

    def _lay_out(self) -> None:
        self._head = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), self.name, (self.badge, 1))
        self._words = fill_layout(QVBoxLayout(), self._head)
        for widget in (self.sentence, self.columns, self.facts, self.source, self.problem, self.progress):
            self._words.addWidget(widget)
        self._row = fill_layout(QHBoxLayout(), 0)
        self._outer = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), (self._words, 1), self._row)

    def show_words(self, sentence: str = "", facts: str = "", source: str = "", problem: str = "") -> None:
        """Set sentence, facts, source and problem (in red); empty ones are hidden.

        The source may be a long name from elsewhere, so it is elided.
        """
        told = (
            (self.sentence, sentence),
            (self.facts, together(facts)),
            (self.source, source),
            (self.problem, problem),
        )
        for label, text in told:
            if label.text() != text:
                label.setText(text)
            label.setVisible(bool(text))
        self.describe()

    def show_columns(self, columns: Sequence[tuple[str, str]], about: str = "") -> None:
        """Set figures with their captions, and what the tooltip says besides."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._columns_row.clear()
            for caption, value in self._columns:
                self._columns_row.addWidget(self._column(caption, value))
        self.columns.setVisible(bool(self._columns))
        self.about = about
        self.setToolTip(plain_tip(about))
        self.describe()

    def _column(self, caption: str, value: str) -> QWidget:
        column = QWidget()
        above = self._theme.dress(plain_label(caption, kind="muted"), font="caption")
        below = self._theme.dress(plain_label(value), font="row")
        self._theme.dress(fill_layout(drop_margins(QVBoxLayout(column)), above, below), spacing=1)
        self._theme.dress(column, least_width=COLUMN_PX)
        return column

    def show_badge(self, text: str, token: str = "success") -> None:
        self.badge.show_text(text, token)
        self._fit_layout()
        self.describe()

    def add_button(self, key: str, text: str, on_click: Callable[[], object], kind: str = "plain") -> QPushButton:
        """Add a button; its accessible name includes the model's, as screen readers read it out of context."""
        button = text_button(text, kind, name=key, on_click=lambda _=False: on_click())
        button.setAccessibleName(label_value(text, self.name.text()))
        self.set_button_font(button)
        self.add_tool(key, button)
        return button

    def set_button_font(self, button: QPushButton) -> None:
        self._theme.dress(button, font="control")

    def align_buttons(self, *keys: str) -> None:
        # Otherwise the neighbours move when one replaces the other.
        self._theme.dress(*(self.buttons[key] for key in keys), least_width=TURN_PX)
        self._fit_layout()

    def add_tool(self, key: str, widget: QWidget) -> None:
        """Add a widget at the end of the card."""
        if isinstance(widget, QPushButton):
            self.buttons[key] = widget
        self._row.insertWidget(self._row.count() - 1, widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_buttons(self, *keys: str) -> None:
        """Show only the buttons named by `keys`. If the focused one is hidden, the card takes the focus."""
        for key, button in self.buttons.items():
            if key not in keys and button.hasFocus():
                self.setFocus(Qt.FocusReason.OtherFocusReason)
            button.setVisible(key in keys)
        self._fit_layout()

    def rename(self) -> None:
        """Edit the name in place: Return saves, Escape cancels."""
        if self._editor is not None:
            return
        editor = QLineEdit(self.name.text())
        editor.setObjectName("model_name_editor")
        editor.setAccessibleName(tr("New name of {name}", name=self.name.text()))
        editor.setMaxLength(NAME_MOST_CHARACTERS)
        self._theme.dress(editor, font="body")
        editor.editingFinished.connect(self._on_edited)
        self._editor = editor
        self.name.hide()
        self.badge.hide()
        self._head.insertWidget(0, editor, 2)
        editor.show()
        editor.selectAll()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_edited(self) -> bool:
        return self._editor is not None

    def describe(self) -> None:
        """Set name and description for screen readers."""
        self.setAccessibleName(self.name.text())
        figures = join_list(f"{caption} {value}" for caption, value in self._columns)
        shown = (self.facts.text(), self.source.text(), self.problem.text())
        parts = (self.badge.text, self.sentence.text(), figures, self.about, *shown)
        self.setAccessibleDescription(
            # Without the characters that only guide line breaks: some are read aloud.
            ". ".join(part for part in parts if part).translate({0xA0: " ", 0x200B: "", 0x2011: "-"})
        )

    def _on_edited(self) -> None:
        # It comes once more when the hidden editor loses the focus.
        if (editor := self._editor) is None:
            return
        # With Return the card gets the keyboard; who clicked elsewhere has it there.
        text, had_focus = editor.text().strip(), editor.hasFocus()
        self._end_editing(take_focus=had_focus)
        if text != self.name.text():
            self.name.setText(text or self.name.text())
            self.describe()
            self.renamed.emit(text)

    def _end_editing(self, *, take_focus: bool) -> None:
        editor, self._editor = self._editor, None
        assert editor is not None
        self._head.removeWidget(editor)
        editor.hide()
        editor.deleteLater()
        self.name.show()
        self.badge.show_again()
        if take_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.editing_ended.emit()

    def _fit_layout(self) -> None:
        """Stack name and badge, or text and buttons, where the card is too narrow for a row."""
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        buttons = self._row.sizeHint().width()
        is_narrow = self.width() < max(self._theme.px(NARROW_CARD_PX), buttons + self._theme.px(WORDS_PX))
        self._outer.setDirection(down if is_narrow else along)
        taken = 0 if is_narrow else buttons + self._outer.spacing()
        margins = self._outer.contentsMargins()
        room = self.width() - margins.left() - margins.right() - taken
        badge = 0 if self.badge.isHidden() else self.badge.wanted_width() + self._head.spacing()
        wanted = min(self.name.sizeHint().width(), self._theme.px(160)) + badge
        self._head.setDirection(along if wanted <= room else down)
        self.badge.fit_width(room if wanted > room else _ANY)

    def minimumSizeHint(self) -> QSize:
        # Stacked where words and buttons don't fit side by side.
        return QSize(self._theme.px(LEAST_CARD_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_layout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (key := event.key()) == Qt.Key.Key_Escape and self._editor is not None:
            self._end_editing(take_focus=True)
        elif self.hasFocus() and key in _KEYS:
            self.key_pressed.emit(_KEYS[Qt.Key(key)].value)
        else:
            super().keyPressEvent(event)


_KEYS = {
    Qt.Key.Key_Return: Qt.Key.Key_Return,
    Qt.Key.Key_Enter: Qt.Key.Key_Return,
    Qt.Key.Key_Space: Qt.Key.Key_Return,
    Qt.Key.Key_F2: Qt.Key.Key_F2,
    Qt.Key.Key_Delete: Qt.Key.Key_Delete,
    Qt.Key.Key_Menu: Qt.Key.Key_Menu,
    Qt.Key.Key_Up: Qt.Key.Key_Up,
    Qt.Key.Key_Down: Qt.Key.Key_Down,
}


def together(facts: str) -> str:
    """Join facts with dots that never begin a line; long ones, such as a repository's name, break after a slash or
    hyphen.
    """
    return "\u00a0· ".join(
        fact.replace(" ", "\u00a0").replace("-", "\u2011")
        if len(fact) < SHORT_FACT
        else re.sub(r"(?<=[/-])(?=\w)", "\u200b", fact)
        for fact in facts.split(" · ")
    )
