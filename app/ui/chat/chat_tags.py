"""Tags above the list of chats: chips that filter it, and tagging by drag and drop, menu and keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QButtonGroup, QHBoxLayout, QLineEdit, QToolButton, QWidget

from app.store.projects import ChatTag, Tags
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.locale_formats import isolate
from app.ui.screen_reader import read_as
from app.ui.shared_labels import SAVE
from app.ui.shell.notify import Notify
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import set_mark
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.labels import announce, plain_caption, plain_tip
from app.ui.widgets.layouts import fill_layout, scrolled
from app.ui.widgets.menus import Menu
from app.ui.widgets.row_list import clean_title

TAGS = "Tags"

COLOURS = {
    "": ("Grey", "#7A7269", "#A39A90"),
    "red": ("Red", "#C23B3B", "#EE7B74"),
    "orange": ("Orange", "#B8620B", "#E9A04F"),
    "green": ("Green", "#3F7F3C", "#7FBF73"),
    "teal": ("Teal", "#1F7F80", "#62BFBE"),
    "blue": ("Blue", "#2F6FBF", "#7FB0EE"),
    "violet": ("Violet", "#7A4FBF", "#B594EE"),
    "pink": ("Pink", "#B83E86", "#EC86BE"),
}
"""Colours by stored name: label, light-theme value, dark-theme value."""
CHAT_TYPE, TAG_TYPE = "application/x-fireside-chat", "application/x-fireside-tag"
"""MIME types of dragged chats and tags; the data is the id in ASCII."""
WHEEL_PARTS = 2
"""Units of the wheel for a pixel."""
MOST_CHIP_PX = 200


def colour_of(name: str, theme: Theme) -> str:
    """Return a stored colour for the current theme; grey for a name from another version."""
    return COLOURS.get(name, COLOURS[""])[2 if theme.is_dark else 1]


def dot(name: str, theme: Theme) -> object:
    """Return a menu icon: a dot in the colour."""
    return icon("circle-fill", colour_of(name, theme))


class TagChip(QToolButton):
    """Chip that filters the list by its tag while checked. Chats can be dropped on it, and it can be dragged
    to a chat.
    """

    def __init__(
        self,
        theme: Theme,
        tag: ChatTag,
        *,
        delete: Callable[[], object],
        drop: Callable[[int], object],
        rename: Callable[[], object],
    ) -> None:
        super().__init__()
        self.rename, self.drop = rename, drop
        """Gets the id of a chat that was dropped on the tag."""
        self.delete, self._theme, self.tag = delete, theme, tag
        self._pressed_at: QPoint | None = None
        self._is_target = False
        self.setProperty("kind", "tag")
        self.setCheckable(True)
        read_as(self, QAccessible.Role.Switch)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        name = " ".join(tag.name.split())
        self.setAccessibleName(tr("Tag {name}", name=name))
        self.setAccessibleDescription(tr("Show only chats with this tag"))
        keep_words(self, "text", "toolTip").setToolTip(plain_tip(name))
        theme.dress(self, font="caption")

    def sizeHint(self) -> QSize:
        px, metrics = self._theme.px, self.fontMetrics()
        wide = metrics.horizontalAdvance(self._name) + px(8 + 8 + 6 + 9)
        return QSize(min(wide, px(MOST_CHIP_PX)), max(px(24), metrics.height() + px(6)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @property
    def _name(self) -> str:
        return " ".join(self.tag.name.split())[:100]

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter = smooth_painter(self)
        is_on = self.isChecked()
        around = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        colour = tokens.focus if has_ring(self) else tokens.accent if is_on or self._is_target else tokens.line
        line = Qt.PenStyle.DashLine if self._is_target else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(colour), 2 if has_ring(self) or self._is_target else 1, line))
        painter.setBrush(QColor(tokens.chip if is_on else tokens.bubble if self.underMouse() else tokens.surface))
        painter.drawRoundedRect(around, around.height() / 2, around.height() / 2)
        size, is_mirrored = px(8), self.isRightToLeft()
        left = self.width() - px(9) - size if is_mirrored else px(9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour_of(self.tag.colour, self._theme)))
        painter.drawEllipse(left, (self.height() - size) // 2, size, size)
        painter.setPen(QColor(tokens.accent if is_on else tokens.text))
        painter.setFont(self.font())
        lead, trail = px(9 + 8 + 5), px(8)
        room = self.rect().adjusted(trail if is_mirrored else lead, 0, -(lead if is_mirrored else trail), 0)
        words = painter.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideRight, room.width())
        side = Qt.AlignmentFlag.AlignRight if is_mirrored else Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, isolate(words))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete()
        elif event.key() == Qt.Key.Key_F2:
            self.rename()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = event.position().toPoint()
        far = QApplication.startDragDistance()
        # A click that trembles is no drag.
        if self._pressed_at is not None and (at - self._pressed_at).manhattanLength() >= far:
            hot, self._pressed_at = self._pressed_at, None
            # The drag takes the release of the button, which would stay pressed.
            self.setDown(False)
            data, drag = QMimeData(), QDrag(self)
            data.setData(TAG_TYPE, QByteArray(str(self.tag.id).encode()))
            drag.setMimeData(data)
            drag.setPixmap(self.grab())
            drag.setHotSpot(hot)
            drag.exec(Qt.DropAction.CopyAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(CHAT_TYPE):
            event.acceptProposedAction()
            self._show_target(is_target=True)
        else:
            event.ignore()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._show_target(is_target=False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._show_target(is_target=False)
        event.acceptProposedAction()
        self.drop(int(bytes(event.mimeData().data(CHAT_TYPE).data())))

    def _show_target(self, *, is_target: bool) -> None:
        self._is_target = is_target
        self.update()


class TagBar(QWidget):
    """Row of tag chips, hidden while there are no tags. Storage errors are shown to the user."""

    def __init__(
        self,
        theme: Theme,
        tags: Tags,
        notify: Notify,
        *,
        on_chosen: Callable[[], object],
        on_change: Callable[[], object],
    ) -> None:
        super().__init__()
        self.on_change = on_change
        """Tags or their assignments changed."""
        self.on_chosen = on_chosen
        """The filter changed."""
        self.setObjectName("tag_bar")
        self.setAccessibleName(tr(TAGS))
        self._theme, self._tags, self._notify = theme, tags, notify
        self._shown: list[ChatTag] = []
        self._of_chats: dict[int, tuple[int, ...]] = {}
        self.chosen: frozenset[int] = frozenset()
        """Ids of the checked tags; listed chats have all of them."""
        self.chips: list[TagChip] = []
        inside = QWidget()
        inside.setObjectName("page")
        self._line = QHBoxLayout(inside)
        self._line.setSizeConstraint(QHBoxLayout.SizeConstraint.SetMinimumSize)
        self._area = scrolled(inside)
        fade_ends(self._area, theme, "sidebar", is_across=True)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.viewport().installEventFilter(self)
        inside.installEventFilter(self)
        theme.dress(fill_layout(QHBoxLayout(self), self._area), margins=(0, 0, 0, 0))
        theme.dress(self._line, margins=(0, 0, 0, 0), spacing=5)
        theme.changed.connect(self._fit_height)
        self._line.addStretch(1)
        self.hide()

    def reload(self) -> Mapping[int, Sequence[ChatTag]]:
        """Reload tags and return those of each chat by id. Raises storage errors."""
        found, self._of_chats = self._tags.all(), self._tags.of_chats()
        known = {tag.id: tag for tag in found}
        if found != self._shown:
            self._shown = found
            self._make_chips()
        # A tag that was deleted must not go on filtering.
        gone = self.chosen - known.keys()
        if gone:
            self.chosen -= gone
        # In the order of the bar, which is that of the dots.
        places = {tag.id: place for place, tag in enumerate(found)}
        ordered = {chat: sorted(ids, key=places.get) for chat, ids in self._of_chats.items()}  # type: ignore[arg-type]
        return {chat: [known[number] for number in ids] for chat, ids in ordered.items()}

    def suits(self, conversation_id: int) -> bool:
        """Return whether a chat has all checked tags."""
        return self.chosen <= set(self._of_chats.get(conversation_id, ()))

    def clear(self) -> None:
        """Uncheck all tags, so that every chat is listed."""
        self.chosen = frozenset()
        for chip in self.chips:
            chip.setChecked(False)

    def set_tag(self, tag_id: int, conversation_id: int, *, is_on: bool = True) -> None:
        """Add a tag to a chat or remove it."""
        with self._notify.guard():
            self._tags.set_tag(tag_id, conversation_id, is_on=is_on)
            name = next((tag.name for tag in self._shown if tag.id == tag_id), "")
            announce(self, tr("Tag {name}", name=name))
        self.on_change()

    def menu_for_chat(self, parent: QWidget, conversation_id: int) -> Menu:
        """Return a submenu of all tags, with the chat's checked, and an entry for a new one."""
        inside = Menu(parent, tr(TAGS))
        inside.setIcon(icon("tag", self._theme.tokens.muted))
        mine = set(self._of_chats.get(conversation_id, ()))
        for tag in self._shown:
            name = " ".join(tag.name.split())
            action = inside.addAction(plain_caption(name if len(name) <= 40 else name[:39] + "…"))
            action.setCheckable(True)
            action.setChecked(tag.id in mine)
            action.toggled.connect(lambda on, tag=tag: self.set_tag(tag.id, conversation_id, is_on=on))
        if self._shown:
            inside.addSeparator()
        plus = icon("plus", self._theme.tokens.muted)
        inside.addAction(plus, tr("New tag…"), lambda: self.begin(conversation_id))
        return inside

    def begin(self, conversation_id: int) -> TagDialog:
        """Open the dialog for a new tag, which is added to the chat."""

        def make(name: str, colour: str) -> None:
            with self._notify.guard():
                self._tags.set_tag(self._tags.create(name, colour).id, conversation_id)
            self.on_change()

        dialog = TagDialog(self._theme, tr("New tag"), ChatTag(0, "", ""), self.window())
        dialog.chosen.connect(make)
        dialog.open()
        return dialog

    def edit(self, tag: ChatTag) -> TagDialog:
        """Open the dialog for a tag's name and colour."""

        def change(name: str, colour: str) -> None:
            with self._notify.guard():
                number = self._tags.update(tag.id, name=name)
                self._tags.update(number, colour=colour)
            self.on_change()

        dialog = TagDialog(self._theme, tr("Tag"), tag, self.window())
        dialog.chosen.connect(change)
        dialog.open()
        return dialog

    def delete(self, tag: ChatTag) -> None:
        """Delete a tag at once and offer to undo it; its chats stay."""

        def bring_back() -> None:
            with self._notify.guard():
                self._tags.restore(tag.id)
            self.on_change()

        with self._notify.guard():
            self._tags.delete(tag.id)
            self._notify.undo(tr("Tag “{name}” deleted. Its chats were kept.", name=tag.name), bring_back)
        self.on_change()

    def _make_chips(self) -> None:
        # Chips are made anew; the keyboard stays at the same tag.
        focused = next((chip.tag.id for chip in self.chips if chip.hasFocus()), None)
        for chip in self.chips:
            self._line.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = []
        for tag in self._shown:
            chip = TagChip(
                self._theme,
                tag,
                delete=partial(self.delete, tag),
                drop=partial(self.set_tag, tag.id),
                rename=partial(self.edit, tag),
            )
            chip.setChecked(tag.id in self.chosen)
            chip.toggled.connect(lambda on, tag=tag: self._choose(tag, is_on=on))
            chip.customContextMenuRequested.connect(
                lambda at, chip=chip: self.menu_of(chip).popup(chip.mapToGlobal(at))
            )
            self._line.insertWidget(len(self.chips), chip)
            chip.show()
            self.chips.append(chip)
            if tag.id == focused:
                chip.setFocus()
        self.setVisible(bool(self._shown))
        self._fit_height()

    def menu_of(self, chip: TagChip) -> Menu:
        menu, tokens = Menu(self, is_temporary=True), self._theme.tokens
        pencil, bin_ = icon("pencil-simple", tokens.muted), icon("trash", tokens.danger)
        menu.addAction(pencil, tr("Name and color…") + "\tF2", lambda: self.edit(chip.tag))
        menu.addSeparator()
        menu.addAction(bin_, tr("Delete tag") + "\t" + tr("Del"), lambda: self.delete(chip.tag))
        return menu

    def _choose(self, tag: ChatTag, *, is_on: bool) -> None:
        self.chosen = self.chosen | {tag.id} if is_on else self.chosen - {tag.id}
        self.on_chosen()

    def _fit_height(self) -> None:
        self._area.setFixedHeight(max((chip.sizeHint().height() for chip in self.chips), default=1))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Chips know their size only once they have their font, at the first show.
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_height()
        # One line: a wheel that turns up and down moves it sideways.
        if isinstance(event, QWheelEvent) and watched is self._area.viewport():
            turned, bar = event.angleDelta(), self._area.horizontalScrollBar()
            sideways = -1 if self.isRightToLeft() else 1
            bar.setValue(bar.value() - sideways * (turned.y() or turned.x()) // WHEEL_PARTS)
            return True
        return super().eventFilter(watched, event)


class ColourButton(QToolButton):
    """Button for one colour, with the name as tooltip and for screen readers."""

    def __init__(self, theme: Theme, colour: str) -> None:
        super().__init__()
        self._theme, self.colour = theme, colour
        words = tr(COLOURS[colour][0])
        self.setCheckable(True)
        read_as(self, QAccessible.Role.RadioButton)
        self.setAccessibleName(words)
        self.setToolTip(words)
        theme.dress(self, size=(30, 30))

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter = smooth_painter(self)
        around = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(QColor(tokens.focus), 2) if has_ring(self) else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(around, px(8), px(8))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour_of(self.colour, self._theme)))
        edge = px(6)
        inside = self.rect().adjusted(edge, edge, -edge, -edge)
        painter.drawEllipse(inside)
        if self.isChecked():
            size = px(12)
            at = self.rect().center() - QPoint(size // 2 - 1, size // 2 - 1)
            tick = "#1B1917" if self._theme.is_dark else "#FFFFFF"
            icon("check-bold", tick).paint(painter, at.x(), at.y(), size, size)


class TagDialog(QuestionDialog):
    """Dialog for a tag's name and colour; `chosen` carries both."""

    chosen = Signal(str, str)

    def __init__(self, theme: Theme, title: str, tag: ChatTag, parent: QWidget) -> None:
        super().__init__(theme, title, tr("Tags appear above your chats. Click one to show only its chats."), parent)
        self.setObjectName("tag_dialog")
        set_mark(self.words, "kind", "muted")
        self.name = QLineEdit(tag.name[:200], maxLength=200, placeholderText=tr("Name"))
        self.name.setAccessibleName(tr("Name of the tag"))
        self.name.setFont(theme.font("body"))
        self._colours = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(0)
        for colour in COLOURS:
            button = ColourButton(theme, colour)
            # A colour of a newer version is shown as grey.
            button.setChecked(colour == tag.colour or (not colour and tag.colour not in COLOURS))
            self._colours.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self.fields.setDirection(QHBoxLayout.Direction.TopToBottom)
        self.fields.addWidget(self.name)
        self.fields.addLayout(row)
        self.save = self.add_choice(tr(SAVE), self._on_saved, "primary")
        self.save.setEnabled(bool(clean_title(self.name.text())))
        self.name.textChanged.connect(lambda text: self.save.setEnabled(bool(clean_title(text))))
        self.name.setFocus()

    def _on_saved(self) -> None:
        button = self._colours.checkedButton()
        colour = button.colour if isinstance(button, ColourButton) else ""
        self.chosen.emit(clean_title(self.name.text()), colour)
