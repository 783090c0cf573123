"""A model as a card: its name, a badge, one sentence, quiet facts, progress while there is some, and buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.indicators import ProgressLine
from app.ui.widgets.labels import ElidedLabel

NARROW_PX = 440
LEAST_PX = 180
WORDS_PX = 240
SHORT_FACT = 28
TURN_PX = 92
NAME_MOST_CHARACTERS = 120


class Badge(QWidget):
    """A dot or a triangle with words of the same colour; the words alone say everything."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._token = theme, "success"
        self._mark = QLabel()
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._mark)
        self._row.addWidget(self._words)
        self._row.addStretch(1)
        theme.changed.connect(self._on_theme_changed)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text() if not self.isHidden() else ""

    def say(self, text: str, token: str) -> None:
        """Words in a colour: success, warning or muted; "" takes the badge away."""
        self._token = token
        self._words.setText(text)
        if self._words.property("kind") != token:
            self._words.setProperty("kind", token)
            if self._words.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):  # else it is yet to come
                self._words.style().polish(self._words)
        self.setVisible(bool(text))
        self._on_theme_changed()

    def show_again(self) -> None:
        """After it was hidden for a while."""
        self.setVisible(bool(self._words.text()))

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self._words.setFont(theme.font(13, 600))
        edge = QSize(theme.px(12), theme.px(12))
        glyph = "triangle-fill" if self._token == "warning" else "circle-fill"
        color = getattr(theme.tokens, self._token)
        self._mark.setPixmap(icon(glyph, color).pixmap(edge, self.devicePixelRatio()))
        self._row.setSpacing(theme.px(6))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_theme_changed()  # the style sheet's first look at a label gives it the font of its parent


class ModelCard(QFrame):
    """Shows what it is told. Tab reaches the card and then its buttons; the keys are signals."""

    key_pressed = Signal(int)
    """Return, F2, Delete, Menu, Up or Down on the card itself."""
    renamed = Signal(str)
    """The new name; "" is the wish for the name it came with."""
    editing_ended = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "model")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.name = ElidedLabel(name)
        self.badge = Badge(theme)
        self.sentence = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.facts = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.source = ElidedLabel()
        for label in (self.facts, self.source):
            label.setProperty("kind", "muted")
        self.problem = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.problem.setProperty("kind", "danger")
        self.progress = ProgressLine(theme)
        self.buttons: dict[str, QPushButton] = {}
        self._aligned: list[QPushButton] = []
        self._editor: QLineEdit | None = None
        for widget in (self.sentence, self.facts, self.source, self.problem, self.progress):
            widget.hide()
        self._lay_out()
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.describe()

    def _lay_out(self) -> None:
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.addWidget(self.name)
        self._head.addWidget(self.badge, 1)
        self._words = QVBoxLayout()
        self._words.addLayout(self._head)
        for widget in (self.sentence, self.facts, self.source, self.problem, self.progress):
            self._words.addWidget(widget)
        self._row = QHBoxLayout()
        self._row.addStretch()
        self._outer = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._outer.addLayout(self._words, 1)
        self._outer.addLayout(self._row)

    def show_words(self, sentence: str = "", facts: str = "", source: str = "", problem: str = "") -> None:
        """The sentence in the text's colour, facts and source quieter, the problem in red; empty ones take no room.

        The source may be a name from elsewhere, as long as it likes: it is shortened.
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

    def show_badge(self, text: str, token: str = "success") -> None:
        """What stands beside the name."""
        self.badge.say(text, token)
        self._turn()
        self.describe()

    def add_button(self, key: str, text: str, on_click: Callable[[], object], kind: str = "plain") -> QPushButton:
        """A button at the card's end; its accessible name holds the model's, for those who hear one at a time."""
        button = text_button(text, kind)
        button.setObjectName(key)
        button.setAccessibleName(f"{text}: {self.name.text()}")
        self.set_button_font(button)
        button.clicked.connect(lambda _=False: on_click())
        self.add_tool(key, button)
        return button

    def set_button_font(self, button: QPushButton) -> None:
        """The font of a button's kind, at the zoom in force."""
        button.setFont(self._theme.font(13, 600 if button.property("kind") == "primary" else 500))

    def align_buttons(self, *keys: str) -> None:
        """Makes buttons that take turns equally wide, so that what stands beside them stays where it is."""
        self._aligned = [self.buttons[key] for key in keys]
        self._on_theme_changed()

    def add_tool(self, key: str, widget: QWidget) -> None:
        """Any widget at the card's end."""
        if isinstance(widget, QPushButton):
            self.buttons[key] = widget
        self._row.insertWidget(self._row.count() - 1, widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_buttons(self, *keys: str) -> None:
        """Which of the buttons are there now; a focus that would get lost goes to the card."""
        for key, button in self.buttons.items():
            if key not in keys and button.hasFocus():
                self.setFocus(Qt.FocusReason.OtherFocusReason)
            button.setVisible(key in keys)
        self._turn()

    def rename(self) -> None:
        """Opens the name for editing in its place: Return keeps, Escape leaves it as it was."""
        if self._editor is not None:
            return
        editor = QLineEdit(self.name.text())
        editor.setObjectName("model_name_editor")
        editor.setAccessibleName(tr("New name of {name}", name=self.name.text()))
        editor.setMaxLength(NAME_MOST_CHARACTERS)
        editor.setFont(self._theme.font(15, 600))
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
        """Whether its name is being written."""
        return self._editor is not None

    def describe(self) -> None:
        """The card as one sentence for screen readers."""
        self.setAccessibleName(self.name.text())
        parts = (self.badge.text, self.sentence.text(), self.facts.text(), self.source.text(), self.problem.text())
        self.setAccessibleDescription(". ".join(part for part in parts if part).replace("\u00a0", " "))

    def _on_edited(self) -> None:
        editor = self._editor
        if editor is None:
            return
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

    def _turn(self) -> None:
        """Where name and badge, or words and buttons, have no room side by side, they stand one above the other."""
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        buttons = self._row.sizeHint().width()
        is_narrow = self.width() < max(self._theme.px(NARROW_PX), buttons + self._theme.px(WORDS_PX))
        self._outer.setDirection(down if is_narrow else along)
        taken = 0 if is_narrow else buttons + self._outer.spacing()
        margins = self._outer.contentsMargins()
        room = self.width() - margins.left() - margins.right() - taken
        badge = 0 if self.badge.isHidden() else self.badge.sizeHint().width() + self._head.spacing()
        wanted = min(self.name.sizeHint().width(), self._theme.px(160)) + badge
        self._head.setDirection(along if wanted <= room else down)

    def _on_theme_changed(self) -> None:
        theme, px = self._theme, self._theme.px
        self.name.setFont(theme.font(15.5, 600))
        self.sentence.setFont(theme.font(14))
        self.facts.setFont(theme.font(13))
        self.source.setFont(theme.font(13))
        self.problem.setFont(theme.font(13.5))
        for button in self.buttons.values():
            self.set_button_font(button)
        for button in self._aligned:
            button.setMinimumWidth(px(TURN_PX))
        self._outer.setContentsMargins(px(18), px(14), px(16), px(14))
        self._outer.setSpacing(px(14))
        self._words.setSpacing(px(3))
        self._head.setSpacing(px(10))
        self._row.setSpacing(px(4))
        self._turn()

    def minimumSizeHint(self) -> QSize:
        # Narrower than its words and buttons beside each other: then they stand one above the other.
        return QSize(self._theme.px(LEAST_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self._editor is not None:
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
    """Facts whose lines break between two of them; only a long one breaks inside."""
    return " · ".join(fact.replace(" ", "\u00a0") if len(fact) < SHORT_FACT else fact for fact in facts.split(" · "))
