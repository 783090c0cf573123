"""Menus: entries of one height, muted shortcuts at the end, places inside the window; those made for one opening."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFontMetrics, QIcon, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QMenu, QStyleOptionMenuItem, QWidget, QWidgetAction

from app.ui.icons import icon
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.elevation import elevate
from app.ui.widgets.labels import plain_caption
from app.ui.widgets.popovers import place_beside, room_for_popups

EDGE_PX, SHORTCUT_SHARE = 14, 13 / 14
"""Space between a shortcut and the menu's edge, and the size of shortcuts as a share of the entries'."""
TALL_PX, WIDEST_PX = 48, 420


class Menu(QMenu):
    """Menu as used everywhere."""

    def __init__(self, parent: QWidget | None = None, title: str = "", *, is_temporary: bool = False) -> None:
        """Make a menu; a temporary one is deleted when it closes."""
        super().__init__(title, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, is_temporary)
        elevate(self)

    def add_submenu(self, title: str, glyph: QIcon | None = None) -> Menu:
        """Add an entry that opens a menu of its own."""
        inside = Menu(self, title)
        if glyph is not None:
            inside.setIcon(glyph)
        self.addMenu(inside)
        return inside

    def popup(self, pos: QPoint, /, at: QAction | None = None) -> None:
        """Open at a global position, or where it fits into the window from there."""
        super().popup(_inside_window(self, pos), at)

    def popup_at(self, anchor: QWidget) -> None:
        """Open below a widget, or above it where the window ends below it."""
        self.ensurePolished()  # before, it has another font and so another size
        super().popup(place_beside(anchor, self.sizeHint()))

    def initStyleOption(self, option: QStyleOptionMenuItem, action: QAction) -> None:
        super().initStyleOption(option, action)
        # Left to `paintEvent`: the style would draw it like the words, and from its left edge. The room stays.
        option.text = option.text.partition("\t")[0]

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        font = self.font()
        font.setPixelSize(round(font.pixelSize() * SHORTCUT_SHARE))
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        edge = round(EDGE_PX * self.font().pixelSize() / 14)
        end = Qt.AlignmentFlag.AlignLeft if self.isRightToLeft() else Qt.AlignmentFlag.AlignRight
        for action in self.actions():
            if action.isVisible() and (keys := keys_shown(action)):
                room = self.actionGeometry(action).adjusted(edge, 0, -edge, 0)
                painter.drawText(room, end | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, keys)


def keys_shown(action: QAction) -> str:
    """Return the shortcut that a menu shows at an entry's end: that in its text, or its own."""
    words, _, keys = action.text().partition("\t")
    if keys or not words or not action.isShortcutVisibleInContextMenu():
        return keys
    return action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)


class TwoLineAction(QWidgetAction):
    """Entry with a muted second line; the current one of several has a check at its end.

    Its text, for screen readers, has both lines.
    """

    def __init__(self, theme: Theme, title: str, note: str, menu: Menu, *, is_current: bool) -> None:
        super().__init__(menu)
        self.title, self.note = title, note
        self.setText(plain_caption("  ·  ".join(part for part in (title, note) if part)))
        self.setCheckable(True)
        self.setChecked(is_current)
        self.setDefaultWidget(_TwoLineRow(theme, self, menu))
        menu.addAction(self)


class _TwoLineRow(QWidget):
    def __init__(self, theme: Theme, action: TwoLineAction, menu: Menu) -> None:
        super().__init__(menu)
        self._theme, self._action, self._menu = theme, action, menu
        # The menu handles pointer and keys as with its other entries.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        px, action = self._theme.px, self._action
        title, note = QFontMetrics(self._theme.font("control")), QFontMetrics(self._theme.font("small"))
        widths = (title.horizontalAdvance(action.title), note.horizontalAdvance(action.note))
        room = self._menu.screen().availableGeometry().width() - px(16)
        return QSize(min(max(widths) + px(12 + 12 + 16 + 14), px(WIDEST_PX), room), px(TALL_PX if action.note else 34))

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens, action = self._theme.px, self._theme.tokens, self._action
        painter = smooth_painter(self)
        if self._menu.activeAction() is action:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.chosen))
            painter.drawRoundedRect(self.rect(), px(6), px(6))
        mirrored, size = self.isRightToLeft(), px(16)
        inside = self.rect().adjusted(px(14 if mirrored else 12), 0, -px(12 if mirrored else 14), 0)
        check = QRect(inside.left() if mirrored else inside.right() - size, inside.center().y() - size // 2, size, size)
        if action.isChecked():
            icon("check", tokens.accent, size).paint(painter, check)
        words = inside.adjusted(size + px(12) if mirrored else 0, 0, 0 if mirrored else -size - px(12), 0)
        align = (
            Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        ) | Qt.AlignmentFlag.AlignAbsolute
        upper, lower = words.adjusted(0, px(6), 0, 0), words.adjusted(0, 0, 0, -px(6))
        middle, top, bottom = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        self._write(painter, upper if action.note else words, align | (top if action.note else middle), action.title)
        if action.note:
            self._write(painter, lower, align | bottom, action.note, is_note=True)

    def _write(
        self, painter: QPainter, box: QRect, align: Qt.AlignmentFlag, words: str, *, is_note: bool = False
    ) -> None:
        painter.setFont(self._theme.font("small" if is_note else "control"))
        painter.setPen(QColor(self._theme.tokens.muted if is_note else self._theme.tokens.text))
        elided = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, align, elided)


def new_menu(parent: QWidget, name: str, accessible_name: str) -> Menu:
    """Return a menu that is deleted once it is closed."""
    menu = Menu(parent)
    menu.setObjectName(name)
    menu.setAccessibleName(accessible_name)
    # By the event loop, after the entry that closed the menu has run.
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def popup_inside(menu: QMenu, at: QPoint) -> None:
    """Open a menu of Qt's own as `Menu.popup` does."""
    menu.popup(_inside_window(menu, at))


def _inside_window(menu: QMenu, at: QPoint) -> QPoint:
    """Return the position for a menu, moved above the given one or sideways to stay inside the window."""
    menu.ensurePolished()  # see `Menu.popup_at`
    host, size = menu.parentWidget(), menu.sizeHint()
    if host is None:
        return at
    room = room_for_popups(host)
    y = at.y() if at.y() + size.height() <= room.bottom() + 1 else at.y() - size.height()
    return QPoint(
        max(room.left(), min(at.x(), room.right() + 1 - size.width())),
        max(room.top(), min(y, room.bottom() + 1 - size.height())),
    )
