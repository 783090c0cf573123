"""Base of the pages in the Models view: a title and a column of cards, or an empty state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.bootstrap import build_engine
from app.core.events import CancelToken
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell import tasks
from app.ui.theme import EDGE_PX, HEADING_PX, PAGE_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import ElidedLabel, ProgressStripe
from app.ui.widgets.layouts import name_widgets, scrolled

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.contract import Engine
    from app.ui.shell.tab_spec import UiContext

NARROW_PX = 600
WAYS_TO_COMPARE = {"blind": "Blind test", "compare": "Benchmark on a text"}
"""Names of two pages that share a place in the navigation, with a switch between them beside the title."""


class ModelsPage(QWidget):
    """Page of cards and headings in `rows`; `empty` shows why there are none."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(title)
        self._newest: tasks.BackgroundTask | None = None
        self.title = self.text(title, 21, 600)
        self.title.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        self.lead = self.text("", 14)
        self.lead.setProperty("kind", "muted")
        self.empty = self.text("", 14)
        self.empty.setProperty("kind", "muted")
        self.foot = self.text("", 13)
        self.foot.setProperty("kind", "muted")
        for label in (self.lead, self.empty, self.foot):
            label.hide()
        self.top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.top.addWidget(self.title, 1)
        self.rows = QVBoxLayout()
        inside = QWidget()
        inside.setObjectName("page")
        self._column = QVBoxLayout()
        self._column.addLayout(self.top)
        self._column.addWidget(self.lead)
        self._column.addWidget(self.empty)
        self._column.addLayout(self.rows)
        self._column.addStretch(1)
        self._column.addWidget(self.foot)
        self._holder = QWidget()
        self._holder.setLayout(self._column)
        # Up to its greatest width the column takes everything; what is left goes to the end.
        self._around = QHBoxLayout(inside)
        self._around.addWidget(self._holder, 1000)
        self._around.addStretch(1)
        self.area = scrolled(inside)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self.area)
        theme.dress(self._around, margins=(EDGE_PX, TOP_PX, EDGE_PX, 20), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(self.rows, spacing=12)
        theme.dress(self.title, least_height=HEADING_PX)
        theme.dress(self._holder, most_width=PAGE_PX)

    def reload(self) -> tasks.BackgroundTask:
        """Reload the page's content on a thread."""
        raise NotImplementedError

    def text(self, text: str, size_px: float, weight: int = 400) -> QLabel:
        """Return a wrapping label that follows the theme's font."""
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._theme.dress(label, font=(size_px, weight))
        return label

    def show_text(self, label: QLabel, text: str) -> None:
        """Set the text of `lead`, `empty` or `foot`; "" hides it."""
        label.setText(text)
        label.setVisible(bool(text))

    def add_heading(self, text: str) -> QLabel:
        heading = self.text(text, 13, 600)
        heading.setProperty("kind", "muted")
        self.rows.addWidget(heading)
        return heading

    def cards(self) -> list[ModelCard]:
        items = (self.rows.itemAt(place) for place in range(self.rows.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [card for card in widgets if isinstance(card, ModelCard) and not card.isHidden()]

    def clear_rows(self) -> None:
        while (item := self.rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                # Deleted only when the event loop runs again; until then it would stay visible.
                widget.hide()
                widget.deleteLater()

    def ask(self, work: Callable[[CancelToken], object], then: Callable[..., object]) -> tasks.BackgroundTask:
        """Run `work` on a thread and pass its result to `then` on the window's. The caller connects `failed`."""
        return tasks.ask(work, self, then)

    def ask_anew(self, work: Callable[[CancelToken], object], then: Callable[..., object]) -> tasks.BackgroundTask:
        """Call `ask` and drop the result of the previous call."""
        if self._newest is not None:
            self._newest.abandon()
        self._newest = self.ask(work, then)
        return self._newest

    def move_focus(self, card: ModelCard, step: int) -> None:
        """Move the focus by `step` cards."""
        cards = self.cards()
        # A card that was just removed leads to the first one.
        place = cards.index(card) + step if card in cards else 0
        if 0 <= place < len(cards):
            cards[place].setFocus(Qt.FocusReason.TabFocusReason)
            self.area.ensureWidgetVisible(cards[place])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self.top.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.area.verticalScrollBar()
        steps = {Qt.Key.Key_PageDown: bar.pageStep(), Qt.Key.Key_PageUp: -bar.pageStep()}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)


# Message of an empty page: title, sentence, actions.


MEASURE_PX = 440

Choice = tuple[str, str, Callable[[], object]]
"""Button: text, kind, action."""


class ComparisonPage(ModelsPage):
    """A page that compares models, with a switch to the other kind of comparison."""

    way_wanted = Signal(str)
    """Carries the name of the other page."""

    def __init__(self, app: Fireside, ui: UiContext, way: str) -> None:
        super().__init__(ui.theme, tr("Compare models"))
        self._app, self._ui, self.way = app, ui, way
        self._task: tasks.BackgroundTask | None = None
        self._engine: Engine | None = None
        ways = [(name, tr(label)) for name, label in WAYS_TO_COMPARE.items()]
        self.ways = SegmentedControl(tr("Comparison method"), ways, way, self._on_way)
        ui.theme.dress(*self.ways.findChildren(QPushButton), font=(13, 500))
        self.top.addWidget(self.ways, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def stop(self) -> None:
        """Stop at once, keeping what is there so far."""
        if self._task is not None:
            self._task.cancel()
        # A cancel takes effect with the next token; a model that is being loaded has none for long.
        if self._engine is not None:
            self._engine.let_go()

    def _run_models(self, compare: Callable[..., Iterator[object]]) -> None:
        """Run a comparison on a thread; `compare` takes an engine of its own, and options for the models in it."""
        # The chat's engine keeps its model, unless that has to sleep to make room. This one loads no projectors.
        pool, engine = self._app.pool, build_engine(self._app.paths)

        def work(cancel: CancelToken) -> Iterator[object]:
            # However it ends, its child ends with it.
            with closing(engine):
                yield from compare(engine, wish=pool.options(), make_room=pool.make_room, cancel=cancel)

        self._engine = engine
        self._task = tasks.run(work, self)
        self._task.event.connect(self._on_event)
        self._task.finished.connect(self._on_ended)
        self._task.failed.connect(self._on_failed)

    def _on_event(self, event: Any) -> None:
        """Show what came of the comparison."""

    def _on_failed(self, error: BaseException) -> None:
        self._ui.notify.error(error)
        self._on_ended()

    def _on_ended(self) -> None:
        self._task = self._engine = None

    def _on_way(self, way: str) -> None:
        # A press has moved the mark; this page keeps its own, and the other page shows the other.
        self.ways.show_value(self.way)
        if way != self.way:
            self.way_wanted.emit(way)


class StateView(QWidget):
    """Centred message with up to two buttons; screen readers read title and text as one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._glyph = ""
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text.setProperty("kind", "muted")
        self._buttons = QHBoxLayout()
        inside = QVBoxLayout()
        for widget in (self._icon, self.title, self.text):
            inside.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addLayout(self._buttons)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(inside, 100)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(3)
        column.addLayout(row)
        column.addStretch(4)
        theme.dress(self.title, font=(16, 600))
        theme.dress(self.text, font=(14, 400))
        theme.dress(inside, spacing=10)
        theme.dress(self._buttons, margins=(0, 8, 0, 0), spacing=8)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(state_title=self.title, state_text=self.text)

    def show_state(self, glyph: str, title: str, text: str, choices: Sequence[Choice] = ()) -> None:
        self._glyph = glyph
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())
        while (item := self._buttons.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        self._buttons.addStretch(1)
        for label, kind, on_click in choices:
            button = text_button(label, kind)
            self._theme.dress(button, font=(14, 600 if kind == "primary" else 500))
            button.clicked.connect(lambda _checked=False, on_click=on_click: on_click())
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        theme, edge = self._theme, self._theme.px(32)
        picture = icon(self._glyph, theme.tokens.muted, edge) if self._glyph else None
        self._icon.setVisible(picture is not None)
        if picture is not None:
            self._icon.setPixmap(picture.pixmap(QSize(edge, edge), self.devicePixelRatio()))
        width = theme.px(MEASURE_PX)
        for label in (self.title, self.text):
            # Or the height of the text before would count in the size hint.
            label.setMinimumHeight(0)
            # A wrapped label that is centred gets no height for its width from a layout.
            label.setFixedSize(width, max(0, label.heightForWidth(width)))


# Card of a model: name, badge, sentence, facts, progress and buttons.


NARROW_CARD_PX = 440
LEAST_CARD_PX = 180
WORDS_PX = 240
_ANY = 1 << 20
SHORT_FACT = 28
TURN_PX = 92
NAME_MOST_CHARACTERS = 120


class Badge(QWidget):
    """Dot or triangle with a word of the same colour."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._token = theme, "success"
        self._mark = QLabel()
        # A word as well: colour alone never carries meaning.
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._mark)
        self._row.addWidget(self._words)
        self._row.addStretch(1)
        theme.dress(self._row, spacing=6)
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
        self._theme.dress(self._words, font=(13, 600))

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
        self.progress = ProgressStripe(theme)
        self.buttons: dict[str, QPushButton] = {}
        self._editor: QLineEdit | None = None
        for widget in (self.sentence, self.facts, self.source, self.problem, self.progress):
            widget.hide()
        self._lay_out()
        theme.dress(self.name, font=(15.5, 600))
        theme.dress(self.sentence, font=(14, 400))
        theme.dress(self.facts, self.source, font=(13, 400))
        theme.dress(self.problem, font=(13.5, 400))
        theme.dress(self._outer, margins=(18, 14, 16, 14), spacing=14)
        theme.dress(self._words, spacing=3)
        theme.dress(self._head, spacing=10)
        theme.dress(self._row, spacing=4)
        # Another font is another width.
        theme.changed.connect(self._fit_layout)
        self._fit_layout()
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

    def show_badge(self, text: str, token: str = "success") -> None:
        self.badge.show_text(text, token)
        self._fit_layout()
        self.describe()

    def add_button(self, key: str, text: str, on_click: Callable[[], object], kind: str = "plain") -> QPushButton:
        """Add a button; its accessible name includes the model's, as screen readers read it out of context."""
        button = text_button(text, kind)
        button.setObjectName(key)
        button.setAccessibleName(f"{text}: {self.name.text()}")
        self.set_button_font(button)
        button.clicked.connect(lambda _=False: on_click())
        self.add_tool(key, button)
        return button

    def set_button_font(self, button: QPushButton) -> None:
        self._theme.dress(button, font=(13, 600 if button.property("kind") == "primary" else 500))

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
        self._theme.dress(editor, font=(15, 600))
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
        parts = (self.badge.text, self.sentence.text(), self.facts.text(), self.source.text(), self.problem.text())
        self.setAccessibleDescription(
            # Without the characters that only guide line breaks: some are read aloud.
            ". ".join(part for part in parts if part).translate({0xA0: " ", 0x200B: "", 0x2011: "-"})
        )

    def _on_edited(self) -> None:
        # It comes once more when the hidden editor loses the focus.
        editor = self._editor
        if editor is None:
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
    """Join facts with dots that never begin a line; long ones, such as a repository's name, break after a slash or
    hyphen.
    """
    return "\u00a0· ".join(
        fact.replace(" ", "\u00a0").replace("-", "\u2011")
        if len(fact) < SHORT_FACT
        else re.sub(r"(?<=[/-])(?=\w)", "\u200b", fact)
        for fact in facts.split(" · ")
    )
