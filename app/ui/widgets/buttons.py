"""Buttons: text buttons by kind, icon buttons that follow the theme, and buttons that open a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QAction, QActionGroup, QFont, QHelpEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QToolTip,
    QWidget,
)

from app.ui.application_style import BUTTON_FONTS
from app.ui.focus_ring import repolish
from app.ui.i18n import label_value, tr
from app.ui.icons import icon
from app.ui.locale_formats import isolate
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CHOOSE_AN_ICON
from app.ui.shown_texts import rewrite_text
from app.ui.theme import MUTED_KINDS, Theme
from app.ui.widgets.labels import plain_caption, plain_tip
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.menus import Menu
from app.ui.widgets.popovers import FloatingPanel

ICON_PX = 20
ICON_GAP_PX = 4
"""Between a button's icon and its words, in Qt's styles."""
LEAST_LETTERS = 8
DONE_MS = 1500


OnClick = Callable[..., object] | SignalInstance


ARROWS = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right}
MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class ArrowPassing:
    """Mixin of buttons that leave arrows with modifiers to what they are in: Qt's take every arrow."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ARROWS and event.modifiers() & MODIFIERS:
            event.ignore()
        else:
            super().keyPressEvent(event)  # type: ignore[misc]


class TextButton(ArrowPassing, QPushButton):
    """Wears the font of controls, unless it is dressed in another."""

    _is_dressed = False

    def setFont(self, font: QFont | str | Sequence[str]) -> None:
        self._is_dressed = True
        super().setFont(font)

    def wear_control_font(self) -> None:
        """Take the present font of controls, muted where the button's kind is."""
        if (application := QApplication.instance()) is not None and not self._is_dressed:
            font = application.property(BUTTON_FONTS[self.property("kind") in MUTED_KINDS])
            if isinstance(font, QFont):
                super().setFont(font)

    def changeEvent(self, event: QEvent) -> None:
        # The style changes with the theme; under a style sheet a button loses its font where it gets another parent.
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.ParentChange):
            self.wear_control_font()
        super().changeEvent(event)


class ElidedButton(TextButton):
    """Button that is elided where it has less room than it asks for; its tooltip then has all of its words."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("elides", True)
        # A layout never makes a button of Qt's own policy narrower than its words.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        beyond = metrics.horizontalAdvance(self.text()) - LEAST_LETTERS * metrics.averageCharWidth()
        return self.sizeHint() - QSize(max(0, beyond), 0)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and not self.toolTip() and self._shown_words() != self.text():
            QToolTip.showText(event.globalPos(), plain_tip(self.accessibleName()), self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        # Isolated, or the dots stand at the beginning where the arrow of a choice is to stand at the end.
        option.text = isolate(self._shown_words())
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)

    def _shown_words(self) -> str:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        room = self.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self).width()
        if not option.icon.isNull():
            room -= option.iconSize.width() + ICON_GAP_PX
        elide, flag = Qt.TextElideMode.ElideRight, Qt.TextFlag.TextShowMnemonic
        return option.fontMetrics.elidedText(option.text, elide, room, flag)


def text_button(
    text: str,
    kind: str = "plain",
    parent: QWidget | None = None,
    *,
    name: str = "",
    on_click: OnClick | None = None,
    elides: bool = False,
) -> QPushButton:
    """Return a button with its text as accessible name; kinds are primary, plain, quiet, link.

    `name` is its object name. With `elides` it is shortened where it has less room than it asks for.
    """
    button = (ElidedButton if elides else TextButton)(text, parent)
    button.setObjectName(name)
    if on_click is not None:
        button.clicked.connect(on_click)
    button.setProperty("kind", kind)
    button.wear_control_font()
    button.setAccessibleName(text)
    # Reachable by Tab; a click leaves no focus frame and doesn't take the focus from the composer.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    # In a dialog Qt makes every button a default one, so Enter in a field would press the first.
    button.setAutoDefault(False)
    return button


def set_mark(widget: QWidget, name: str, value: bool | str) -> None:
    """Set a property used by the style sheet and reapply the style; Qt doesn't do so itself."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        repolish(widget)


def put_glyph_after(button: QPushButton, around: QWidget) -> None:
    """Show a button's icon after its words, so that these stand on the edge of what is above and below."""
    # Qt has no place of its own for it: the icon leads in the button's direction, which nothing else in it shows.
    is_mirrored = around.isRightToLeft()
    button.setLayoutDirection(Qt.LayoutDirection.LeftToRight if is_mirrored else Qt.LayoutDirection.RightToLeft)


def set_text_font(area: QAbstractScrollArea, font: QFont) -> None:
    """Set the font of a text area and its viewport, which doesn't inherit it under a style sheet."""
    area.setFont(font)
    area.viewport().setFont(font)


CHIP_GLYPH_PX = 16


class IconButton(ArrowPassing, QToolButton):
    """Icon button; its name is tooltip and accessible name."""

    def __init__(
        self,
        theme: Theme,
        glyph: str,
        accessible_name: str,
        *,
        token: str = "muted",
        size_px: float = ICON_PX,
        parent: QWidget | None = None,
        name: str = "",
        on_click: OnClick | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        if on_click is not None:
            self.clicked.connect(on_click)
        self._theme, self._icon_name, self._token, self._size_px = theme, glyph, token, size_px
        self.setProperty("kind", "icon")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_name(accessible_name)
        self._show_glyph(glyph, token)

    def set_name(self, accessible_name: str) -> None:
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)

    def set_glyph(self, name: str, token: str | None = None) -> None:
        """Change the icon for good, such as from an arrow that sends to a square that stops."""
        self._icon_name, self._token = name, token or self._token
        self._show_glyph(self._icon_name, self._token)

    def show_done(self, words: str) -> None:
        """Show a check mark and a message for a moment."""
        # Pressed again while the check mark is shown: the message would be taken for the button's own name.
        if self.accessibleName() == words:
            return
        name, tip = self.accessibleName(), self.toolTip()
        self._show_glyph("check", "success")
        self.setAccessibleName(words)
        self.setToolTip(words)

        def show_again() -> None:
            self.setAccessibleName(name)
            self.setToolTip(tip)
            self._show_glyph(self._icon_name, self._token)

        # With the button as context the timer is dropped with it.
        QTimer.singleShot(DONE_MS, self, show_again)

    def _show_glyph(self, name: str, token: str) -> None:
        self._theme.dress(self, glyph=(name, token, self._size_px))


class ChoiceButton(QWidget):
    """Button that chooses one of several values, labelled in the user’s language, in a menu; the first is the default.

    With `shows_change` it looks pressed while another value is set.
    """

    changed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        name: str,
        choices: Sequence[tuple[str, str]],
        *,
        shows_change: bool = True,
        on_change: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._theme, self._name, self._choices = theme, name, choices
        if on_change is not None:
            self.changed.connect(on_change)
        self._shows_change = shows_change
        self.value = choices[0][0]
        self.button = read_as(text_button("", "filter", self, on_click=self.show_menu, elides=True), has_menu=True)
        # The arrow belongs behind the words, so the layout direction is reversed.
        self.button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        fill_layout(drop_margins(QHBoxLayout(self)), self.button)
        # An icon wider than its glyph adds space.
        theme.dress(self.button, font="control", glyph=("caret-down-bold", "muted", 20), glyph_size=(20, 11))
        self._show()

    def offer(self, choices: Sequence[tuple[str, str]]) -> None:
        """Replace the values; if the current one is gone, the first becomes current."""
        self._choices = choices
        if self.value not in dict(choices):
            self.value = choices[0][0]
        self._show()

    def show_value(self, value: str) -> None:
        """Set the value without emitting `changed`."""
        self.value = value
        self._show()

    def choose(self, value: str) -> None:
        """Set the value; emit `changed` if it differs."""
        if value != self.value:
            self.value = value
            self._show()
            self.changed.emit(value)

    def menu_now(self) -> Menu:
        """Return a menu of all values with the current one ticked."""
        menu = Menu(self)
        # The button is its parent and would keep every menu that was ever opened.
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        tokens = self._theme.tokens
        for value, word in self._choices:
            # They were made when the button was, perhaps in another language.
            action = menu.addAction(rewrite_text(word), partial(self.choose, value))
            action.setIcon(icon("check", tokens.accent if value == self.value else "#00000000"))
            action.setCheckable(True)
            action.setChecked(value == self.value)
            group.addAction(action)
        return menu

    def show_menu(self) -> None:
        """Open the menu below the button with the current value focused."""
        menu = self.menu_now()
        if not self.underMouse():
            menu.setActiveAction(next(action for action in menu.actions() if action.isChecked()))
        menu.popup_at(self)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._show()

    def _show(self) -> None:
        word = rewrite_text(dict(self._choices)[self.value])
        self.button.setText(word)
        self.button.setAccessibleName(label_value(rewrite_text(self._name), word))
        set_mark(self.button, "on", self._shows_change and self.value != self._choices[0][0])


class OptionChip(QFrame):
    """Chip of an option that is on: its icon and words, and a cross that turns it off. Hidden while it is off.

    `about` says what a choice means, `words` its visible text, `off` the name of the cross.
    """

    pressed = Signal()
    removed = Signal()

    def __init__(
        self,
        theme: Theme,
        name: str,
        glyph: str,
        *,
        about: Callable[[str], str],
        words: Callable[[str], str] = str,
        off: str,
        most_px: int = 120,
    ) -> None:
        super().__init__()
        self._theme, self._about, self._words, self._most_px = theme, about, words, most_px
        self._name, self._glyph, self.has_words = "", glyph, True
        self.words_px = 0
        """Width of the words in addition to the icon; 0 while the chip is hidden."""
        self.setProperty("kind", "option")
        self.button: QPushButton = text_button("", "option", name=name, on_click=lambda _=False: self.pressed.emit())
        self.cross = IconButton(theme, "x", off, size_px=12, name=f"{name}_off", on_click=self.removed)
        self.cross.setProperty("kind", "cross")
        fill_layout(drop_margins(QHBoxLayout(self), 0), self.button, self.cross)
        theme.changed.connect(self._update)
        self._update()

    def show_name(self, name: str, glyph: str = "") -> None:
        """Set the chosen name, with its icon if it has one; "" hides the chip."""
        self._name, self._glyph = name, glyph or self._glyph
        self._update()

    def add_switch(self, menu: Menu, words: str, *, is_on: bool, on_choice: Callable[[], object]) -> QAction:
        """Add an entry to a menu that switches the option, checked while it is on."""
        entry = menu.addAction(words, on_choice)
        entry.setCheckable(True)
        entry.setChecked(is_on)
        tokens = self._theme.tokens
        entry.setIcon(icon("check", tokens.accent) if is_on else icon(self._glyph, tokens.muted))
        return entry

    def show_words(self, has_words: bool) -> None:
        """Show or hide the words next to the icon."""
        if has_words != self.has_words:
            self.has_words = has_words
            self._update()

    def _update(self) -> None:
        about = self._about(self._name)
        self.button.setAccessibleName(about)
        self.button.setToolTip(plain_tip(about))
        self.button.ensurePolished()  # or it would lose its font on the first show
        glyph = (self._glyph, "text", CHIP_GLYPH_PX)
        self._theme.dress(self.button, font="control", glyph=glyph, glyph_size=(CHIP_GLYPH_PX + 4, CHIP_GLYPH_PX))
        room = self._theme.px(self._most_px)
        words = self.button.fontMetrics().elidedText(self._words(self._name), Qt.TextElideMode.ElideRight, room)
        # Measured with and without words, since the row has room for one or the other.
        self.button.setText("")
        without_words = self.button.sizeHint().width()
        self.button.setText(plain_caption(words))
        self.words_px = self.button.sizeHint().width() - without_words if self._name else 0
        self.button.setText(self.button.text() if self.has_words else "")
        self.button.setFixedSize(self.button.sizeHint())
        self.setFixedSize(self.sizeHint())
        self.setVisible(bool(self._name))


ICON_COLUMNS = 8


class IconPopup(FloatingPanel):
    """Popup grid of icons: arrows move, Return chooses, Escape closes."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, icons: Sequence[str], parent: QWidget, *, now: str = "") -> None:
        """Take Phosphor icon names; `now` is the current one, in the accent colour."""
        super().__init__(theme, "icon_popup", parent)
        self.setAccessibleName(tr(CHOOSE_AN_ICON))
        self._icons = icons
        grid = theme.dress(QGridLayout(self), margins=(10, 10, 10, 10), spacing=2)
        self.buttons = [
            IconButton(theme, name, name.replace("-", " "), size_px=ICON_PX, token="accent" if name == now else "muted")
            for name in icons
        ]
        for place, (name, button) in enumerate(zip(icons, self.buttons, strict=True)):
            set_mark(button, "kind", "icon")
            button.clicked.connect(partial(self._choose, name))
            button.installEventFilter(self)
            grid.addWidget(button, *divmod(place, ICON_COLUMNS))

    def show_below(self, button: QWidget) -> None:
        """Open below a button with the first icon focused."""
        self.adjustSize()
        self.place_at(button)
        self.show()
        self.buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def _choose(self, name: str, _checked: bool = False) -> None:
        self.close()
        self.chosen.emit(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Arrows move between rows; a button group only knows previous and next.
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        at = next((place for place, button in enumerate(self.buttons) if button is watched), 0)
        # The grid is mirrored in a right-to-left window, the arrow keys are not.
        sideways = -1 if self.isRightToLeft() else 1
        steps = {
            Qt.Key.Key_Right: sideways,
            Qt.Key.Key_Left: -sideways,
            Qt.Key.Key_Down: ICON_COLUMNS,
            Qt.Key.Key_Up: -ICON_COLUMNS,
        }
        if event.key() in steps:
            self.buttons[(at + steps[Qt.Key(event.key())]) % len(self.buttons)].setFocus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._icons[at])
        else:
            return False
        return True
