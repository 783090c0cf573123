"""Actions on a turn: frequent ones as icons below it, all of them in a menu."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from app.core.lazy_dataclasses import dataclass
from app.store.conversations import StoredMessage
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr
from app.ui.icons import icon, left_bearing
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ABOUT_THIS_ANSWER, MORE_LABEL, PINNED, UNPIN
from app.ui.shell.keyboard import written
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.elevation import RADIUS_PX
from app.ui.widgets.labels import plain_caption
from app.ui.widgets.menus import Menu

ABOUT_ANSWER_LINE = "About this answer: {words}"

PREVIOUS_VERSION = "Previous version"
BRING_BACK = "Bring back"
PIN_MESSAGE = "Pin: the model always sees this"
NEXT_VERSION = "Next version"


class TurnCommand(StrEnum):
    """Commands of a turn; `TurnActions.run` has a handler for each."""

    ANSWER = "answer"
    BESIDE = "beside"
    COMPARE_WITH = "compare_with"
    CONTINUE = "continue"
    COPY = "copy"
    COPY_CODE = "copy_code"
    COPY_MARKDOWN = "copy_markdown"
    COPY_TEXT = "copy_text"
    DELETE = "delete"
    DETAILS = "details"
    EDIT = "edit"
    EDITED = "edited"
    FORK = "fork"
    KEEP = "keep"
    MAP = "map"
    MARKDOWN = "markdown"
    MORE = "more"
    NEXT = "next"
    PICTURE = "picture"
    PIN = "pin"
    PREVIOUS = "previous"
    PROMPT = "prompt"
    READ_ALL = "read_all"
    READ_ALOUD = "read_aloud"
    REGENERATE = "regenerate"
    REMEMBER = "remember"
    RETRY = "retry"
    SAVE = "save"
    TRANSLATE = "translate"
    UNPIN = "unpin"


ICON_PX = 17
BUTTON_PX = (26, 26)
GAP_PX = 4
PILL_PX = 4
"""Room between the icons of raised actions and the ends of their pill."""
KEYS = {
    TurnCommand.COPY: "Ctrl+C",
    TurnCommand.COPY_MARKDOWN: "Ctrl+Shift+C",
    TurnCommand.REGENERATE: "Ctrl+R",
    TurnCommand.COMPARE_WITH: "Ctrl+Shift+R",
    TurnCommand.CONTINUE: "Ctrl+Return",
    TurnCommand.EDIT: "F2",
    TurnCommand.FORK: "Ctrl+D",
    TurnCommand.PIN: "Ctrl+Shift+P",
    TurnCommand.UNPIN: "Ctrl+Shift+P",
    TurnCommand.TRANSLATE: "Ctrl+T",
    TurnCommand.MARKDOWN: "Ctrl+U",
    TurnCommand.PREVIOUS: "Alt+Left",
    TurnCommand.NEXT: "Alt+Right",
    TurnCommand.DETAILS: "Alt+Return",
    TurnCommand.DELETE: "Del",
}
"""Shortcuts while the turn has the keyboard."""
IN_ROW = (TurnCommand.PREVIOUS, TurnCommand.NEXT, TurnCommand.MAP, TurnCommand.DETAILS, TurnCommand.UNPIN)
"""Commands in the row below a turn other than the action icons."""
WITH_ICON = (TurnCommand.COPY, TurnCommand.REGENERATE, TurnCommand.EDIT, TurnCommand.FORK, TurnCommand.DELETE)
"""The most used commands; only these have icons in the menu."""
MORE = TurnCommand.MORE
COPY_AS, VERSIONS = "copy_as", "versions"
GROUPS = {COPY_AS: "Copy as", VERSIONS: "Versions", MORE: "More"}
"""Labels of submenus by name. They keep a turn's menu at no more than eight entries."""


@dataclass(frozen=True)
class TurnAction:
    """An action on a turn: command, glyph and label."""

    name: TurnCommand
    glyph: str
    label: str
    checked: bool | None = None
    """None for an action that cannot be checked."""
    is_quick: bool = False
    """True if the action is also an icon below the turn."""
    begins: bool = False
    """True if a separator precedes it."""
    is_enabled: bool = True
    group: str = ""
    """Name of its submenu, one of `GROUPS`; ignored if it would be the only entry."""

    @property
    def keys(self) -> QKeySequence:
        return QKeySequence(KEYS.get(self.name, ""))


def opens_menu(event: QKeyEvent) -> bool:
    # Not every system sends a menu event for these keys.
    is_shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    return event.key() == Qt.Key.Key_Menu or (event.key() == Qt.Key.Key_F10 and is_shifted)


def action_for(event: QKeyEvent, actions: Sequence[TurnAction]) -> TurnAction | None:
    """Return the offered action that a key triggers, or None."""
    keys = QKeySequence(event.keyCombination())
    return next((action for action in actions if action.is_enabled and action.keys == keys), None)


def memory_actions(message: StoredMessage, *, is_forgotten: bool) -> Sequence[TurnAction]:
    """Return the actions that keep a message in the model's context or stop doing so."""
    if not message.text:
        return ()
    if message.pinned:
        return (TurnAction(TurnCommand.UNPIN, "push-pin-slash", tr(UNPIN), group=MORE),)
    if is_forgotten:
        return (TurnAction(TurnCommand.PIN, "sign-in", tr(BRING_BACK), is_quick=True, group=MORE),)
    return (TurnAction(TurnCommand.PIN, "push-pin", tr(PIN_MESSAGE), group=MORE),)


def version_actions(version: str) -> Sequence[TurnAction]:
    """Return the actions that lead to other versions; `version` is such as "2/3"."""
    place, _, count = version.partition("/")
    if not count:
        return ()
    return (
        TurnAction(TurnCommand.PREVIOUS, "caret-left", tr(PREVIOUS_VERSION), is_enabled=place != "1", group=VERSIONS),
        TurnAction(TurnCommand.NEXT, "caret-right", tr(NEXT_VERSION), is_enabled=place != count, group=VERSIONS),
        TurnAction(TurnCommand.MAP, "tree-structure", tr("Map of all versions"), group=VERSIONS),
    )


class ActionMenu(Menu):
    """Menu of all actions with glyphs and shortcuts; deleted when closed."""

    def __init__(
        self, theme: Theme, actions: Sequence[TurnAction], parent: QWidget, *, run_action: Callable[[str], object]
    ) -> None:
        super().__init__(parent)
        self.run_action = run_action
        self.setObjectName("action_menu")
        self.setAccessibleName(tr("Message actions"))
        # By the event loop, after the entry that closed the menu has run.
        self.aboutToHide.connect(self.deleteLater)
        sizes = Counter(action.group for action in actions)
        groups: dict[str, Menu] = {"": self}
        for action in actions:
            if action.begins and self.actions():
                self.addSeparator()
            name = action.group if sizes[action.group] > 1 else ""
            if name not in groups:
                label = GROUPS[name]
                groups[name] = self.add_submenu(tr(label))
            glyph = "check" if action.checked else action.glyph
            added = groups[name].addAction(action.label)
            if action.name in WITH_ICON or action.checked:
                added.setIcon(icon(glyph, theme.tokens.muted, theme.px(16)))
            added.setEnabled(action.is_enabled)
            added.setCheckable(action.checked is not None)
            added.setChecked(bool(action.checked))
            # To be read: a popup menu receives no shortcuts.
            added.setShortcut(action.keys)
            # Some systems hide shortcuts in context menus.
            added.setShortcutVisibleInContextMenu(True)
            added.triggered.connect(lambda _=False, name=action.name: self.run_action(name))


def _bounds_of(widgets: Sequence[QWidget]) -> QRect:
    """Return the rectangle that contains all the widgets."""
    found = QRect()
    for widget in widgets:
        found = found.united(widget.geometry())
    return found


class RowIcon(IconButton):
    """Icon of a row, which can stand on the row's edge: the glyph then begins where the text above it does."""

    _is_first = False

    def stand_on_edge(self, is_first: bool) -> int:
        """Set whether it is the first of its row; return by how much its box reaches beyond the edge then."""
        if is_first != self._is_first:
            self._is_first = is_first
            self.update()
        return (self._theme.px(BUTTON_PX[0]) - self.iconSize().width()) // 2 + self._bearing if is_first else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._is_first or has_ring(self):
            super().paintEvent(event)
            return
        painter, tokens = QPainter(self), self._theme.tokens
        place, box = QRect(QPoint(-self._bearing, 0), self.iconSize()), self.rect()
        if self.isRightToLeft():
            place.moveRight(box.right() + self._bearing)
        place.moveTop((self.height() - place.height()) // 2)
        if self.underMouse():
            box.setWidth(self._theme.px(BUTTON_PX[0]))
            box.moveCenter(place.center())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.pressed if self.isDown() else tokens.bubble))
            painter.drawRoundedRect(box, self._theme.px(8), self._theme.px(8))
        self.icon().paint(painter, place)

    @property
    def _bearing(self) -> int:
        return int(left_bearing(self._icon_name, self.iconSize().width()))


class ActionRow(QWidget):
    """Row of action icons, a menu button, the version switch ‹ 2/3 ›, a pin mark, and a note at the other end."""

    def __init__(self, theme: Theme, parent: QWidget, *, run_action: Callable[[str], object]) -> None:
        super().__init__(parent)
        self.run_action = run_action
        """A button was pressed: the name of its action, or `MORE` for the menu."""
        self.setObjectName("turn_actions")
        self._theme = theme
        self._actions: tuple[TurnAction, ...] = ()
        self._version = ""
        self._is_pinned = False
        self._is_raised = False
        self.pill = QRect()
        """Rectangle behind raised actions; empty without any."""
        self._buttons: list[IconButton] = []
        self._count: QPushButton = self._text_button("versions", TurnCommand.MAP)
        self._count.setToolTip(tr("Map of all versions"))
        self._previous = self._icon_button(TurnAction(TurnCommand.PREVIOUS, "caret-left", tr(PREVIOUS_VERSION)))
        self._next = self._icon_button(TurnAction(TurnCommand.NEXT, "caret-right", tr(NEXT_VERSION)))
        self._pin: QPushButton = self._text_button("pinned", TurnCommand.UNPIN)
        self._pin.setText(tr(PINNED))
        self._pin.setAccessibleName(tr("Pinned: the model always sees this"))
        self._pin.setAccessibleDescription(tr("Unpin"))
        self._pin.setToolTip(tr("The model always sees this. Click to unpin."))
        theme.dress(self._pin, glyph=("push-pin", "muted", 14))
        self._note: QPushButton = self._text_button("answer_note", TurnCommand.DETAILS)
        self._note.setToolTip(tr(ABOUT_THIS_ANSWER))
        self._about = self._icon_button(TurnAction(TurnCommand.DETAILS, "info", tr(ABOUT_THIS_ANSWER)))
        self.more = read_as(self._icon_button(TurnAction(MORE, "dots-three-bold", tr(MORE_LABEL))), has_menu=True)
        """Button that opens the menu."""
        for button in (self._count, self._note, self._about):
            read_as(button, has_menu=True)
        self.more.setToolTip(tr("More (Shift+F10)"))

    def show_actions(
        self, actions: Sequence[TurnAction], version: str, note: str, *, is_pinned: bool, is_raised: bool
    ) -> None:
        """Show the icons of the actions, rebuilt only if they differ; `version` is such as "2/3" or "".

        `is_raised` draws them in a pill at the lower right.
        """
        self._note.setText(plain_caption(note))
        self._note.setAccessibleName(tr(ABOUT_ANSWER_LINE, words=note))
        place, _, count = version.partition("/")
        self._count.setText(version)
        self._count.setAccessibleName(tr("Version {place} of {count}: open the map", place=place, count=count))
        self._previous.setEnabled(place != "1")
        self._next.setEnabled(place != count)
        # Made anew only if they are others: a button that has the focus would lose it.
        quick = tuple(action for action in actions if action.is_quick)
        if quick != self._actions:
            self._actions = quick
            for button in self._buttons:
                button.hide()
                button.deleteLater()
            self._buttons = [self._icon_button(action) for action in quick]
        self.more.setVisible(bool(actions))
        self._version, self._is_pinned, self._is_raised = version, is_pinned, is_raised
        self.arrange()
        self.update()

    def button(self, label: str) -> IconButton | None:
        """Return a visible icon button by its label, or None."""
        every = [*self._buttons, *([self._previous, self._next] if self._version else ())]
        return next((button for button in every if button.accessibleName() == label), None)

    def arrange(self) -> None:
        """Lay out the row: at the leading end for an answer, at the trailing end for a question; see `align_end`."""
        px, mirrored = self._theme.px, self.isRightToLeft()
        for button, closed in ((self._previous, "caret-left"), (self._next, "caret-right")):
            # In a mirrored window the next version is to the left.
            button.set_glyph({"caret-left": "caret-right", "caret-right": "caret-left"}[closed] if mirrored else closed)
        versions: list[QWidget] = [self._previous, self._count, self._next]
        for widget, is_shown in (
            *((version, bool(self._version)) for version in versions),
            (self._pin, self._is_pinned),
        ):
            widget.setVisible(is_shown)
        at_end, marks = bool(self.property("align_end")), versions if self._version else []
        pin: list[QWidget] = [self._pin] if self._is_pinned else []
        about: list[QWidget] = [self._about] if self._is_raised and self._note.text() else []
        icons: list[QWidget] = [] if self.more.isHidden() else [*self._buttons, *about, self.more]
        # The version switch is outermost and the pin next: neither moves when icons appear under the pointer.
        if at_end:
            self._place_widgets([*icons, *pin, *marks], is_at_end=True)
        elif self._is_raised:
            self._place_widgets([*marks, *pin], is_at_end=False)
            self._place_widgets(icons, is_at_end=True)
        else:
            self._place_widgets([*marks, *pin, *icons], is_at_end=False)
        self.pill = (
            _bounds_of(icons).adjusted(-px(PILL_PX), -1, px(PILL_PX), 1) if self._is_raised and icons else QRect()
        )
        self._place_note(self.width() - self._width_of([*marks, *pin, *icons]))

    @property
    def about(self) -> QWidget:
        """Button with the statistics at the end of the row, or its icon where there is no room; opens the answer's
        details.
        """
        return self._note if self._note.isVisible() else self._about

    @property
    def versions(self) -> QWidget:
        """Button that opens the map of all versions."""
        return self._count

    @property
    def pin(self) -> QPushButton:
        """Button that marks a pinned message and unpins it."""
        return self._pin

    def _place_widgets(self, widgets: Sequence[QWidget], *, is_at_end: bool) -> None:
        """Place widgets next to each other, at the leading or the trailing end."""
        px, height = self._theme.px, self._theme.px(BUTTON_PX[1])
        # The pill ends where the text does.
        is_in_pill = self._is_raised and bool(widgets) and isinstance(widgets[-1], IconButton)
        x = self.width() - self._width_of(widgets) - (px(PILL_PX) if is_in_pill else 0) if is_at_end else 0
        on_edge = widgets[0] if widgets and not is_at_end and not self._is_raised else None
        for widget in widgets:
            wide = self._width_of([widget])
            if isinstance(widget, RowIcon):
                wide -= widget.stand_on_edge(widget is on_edge)
            left = self.width() - x - wide if self.isRightToLeft() else x
            widget.setGeometry(left, (self.height() - height) // 2, wide, height)
            x += wide + self._gap_after(widget)

    def _width_of(self, widgets: Sequence[QWidget]) -> int:
        icon_px = self._theme.px(BUTTON_PX[0])
        widths = [widget.sizeHint().width() if isinstance(widget, QPushButton) else icon_px for widget in widgets]
        return sum(widths) + sum(self._gap_after(widget) for widget in widgets[:-1])

    def _gap_after(self, widget: QWidget) -> int:
        """Return the gap after a widget; none around the version number, which belongs to its arrows."""
        px = self._theme.px
        if widget in (self._previous, self._count):
            return 0
        return px(GAP_PX) + (2 * px(PILL_PX) if widget is self.more and self._is_raised else 0)

    def _place_note(self, room: int) -> None:
        """Place the note at the other end, or an icon in its place if it does not fit; raised actions have the icon."""
        note_width, height = self._note.sizeHint().width(), self._theme.px(BUTTON_PX[1])
        about_width, top = self._theme.px(BUTTON_PX[0]), (self.height() - height) // 2
        is_room, is_noted = note_width < room and not self._is_raised, bool(self._note.text())
        self._note.setVisible(is_room and is_noted)
        self._about.setVisible(not is_room and is_noted and (self._is_raised or about_width < room))
        # Among the raised icons it has its place already.
        for widget, width in ((self._note, note_width), *([] if self._is_raised else [(self._about, about_width)])):
            widget.setGeometry(0 if self.isRightToLeft() else self.width() - width, top, width, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.pill.isEmpty():
            return
        tokens, radius = self._theme.tokens, RADIUS_PX
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(tokens.edge), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(self.pill.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def resizeEvent(self, _event: object) -> None:
        self.arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            QTimer.singleShot(0, self, self.arrange)  # the buttons have their words after this event

    def _text_button(self, name: str, action: TurnCommand) -> QPushButton:
        button: QPushButton = text_button("", "quiet", self, on_click=lambda: self.run_action(action), name=name)
        # Return presses it, too.
        button.setAutoDefault(True)
        self._theme.dress(button, font="caption")
        button.hide()
        return button

    def _icon_button(self, action: TurnAction) -> RowIcon:
        button = RowIcon(
            self._theme,
            action.glyph,
            action.label,
            size_px=ICON_PX,
            parent=self,
            on_click=lambda: self.run_action(action.name),
        )
        if not action.keys.isEmpty():
            button.setToolTip(f"{action.label} ({written(KEYS[action.name])})")
        button.show()
        return button
