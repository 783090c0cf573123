"""Pages of the settings: titles, and rows with a name, a help text and a field."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.settings import Settings
from app.ui.i18n import tr
from app.ui.shell.keyboard import is_tab_stop
from app.ui.shell.settings_index import STORED_AS, label_of
from app.ui.theme import FontRole, Theme, smooth_painter
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import SegmentedControl, Switch
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.setting_rows import INSET_PX, HelpMark, RowName, SettingCard, group_title, named_line

SET_BY_ADMINISTRATOR = "Set by your administrator."
NARROW_PX = 400
"""Below this width, fields move under their labels."""


_ANY = 1 << 20  # a field gets its full width next to its label


MARGIN_PX = 28
MARKED_MS = 2500
"""Time a row found by search stays highlighted."""


class SettingsSection(QWidget):
    """Part of a settings page: a title, and cards of rows; `more` is shown behind a question mark."""

    def __init__(self, theme: Theme, title: str, more: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[tuple[QBoxLayout, QWidget, int]] = []
        self._fields: dict[str, QWidget] = {}
        self.setting_rows: dict[str, QWidget] = {}
        """Rows by the keys of `settings_index`."""
        self.column = theme.dress(self._make_column(), spacing=8)
        self._add_title(title, more)
        theme.changed.connect(self._arrange)
        self._arrange()

    def _make_column(self) -> QVBoxLayout:
        return drop_margins(QVBoxLayout(self))

    def _add_title(self, title: str, more: str) -> None:
        self.add_heading(title, more)

    def finish(self) -> None:
        """Hook called after the last row was added; a page adds its stretch."""

    def label(self, text: str, role: FontRole) -> QLabel:
        """Return a wrapping label whose font follows the theme."""
        label = plain_label(text, wraps=True)
        self.follow_font(label, role)
        return label

    def muted(self, text: str) -> QLabel:
        """Return a wrapping help text in the muted colour."""
        label = self.label(text, "small")
        label.setProperty("kind", "muted")
        return label

    def follow_font(self, widget: QWidget, role: FontRole) -> None:
        self._theme.dress(widget, font=role)

    def add_heading(self, text: str, more: str = "") -> QWidget:
        """Add the title of the following card."""
        line = self._theme.dress(group_title(self._theme, text, more), margins=(0, 16, 0, 0))
        self.column.addLayout(line)
        item = line.itemAt(0)
        heading = item.widget() if item is not None else None
        assert heading is not None
        return heading

    @property
    def card(self) -> SettingCard:
        """The card that further rows go into; a new one after a heading or another widget."""
        last = self.column.itemAt(self.column.count() - 1)
        widget = last.widget() if last is not None else None
        if not isinstance(widget, SettingCard):
            widget = SettingCard(self._theme)
            self.column.addWidget(widget)
        return widget

    def add_row(self, name: str, explanation: str | QLabel, field: QWidget, more: str = "") -> QWidget:
        """Add a row to the card; return it, so that it can be hidden."""
        row = self.card.add_row(name, explanation, field, more)
        line = row.layout()
        assert isinstance(line, QBoxLayout)
        self.turn_with_room(line, field, INSET_PX)
        return row

    def add_setting(self, key: str, explanation: str | QLabel, field: QWidget, more: str = "") -> QWidget:
        """Add a row for a setting, named as in `settings_index`."""
        row = self.setting_rows[key] = self.add_row(label_of(key), explanation, field, more)
        self._fields[key] = field
        return row

    def add_switch(
        self, key: str, explanation: str | QLabel, on_change: Callable[[bool], object], *, is_on: bool, more: str = ""
    ) -> Switch:
        """Add the row of a setting that is on or off; `on_change` keeps it."""
        switch = Switch(self._theme, label_of(key), on=is_on, on_change=on_change)
        self.add_setting(key, explanation, switch, more)
        return switch

    def add_block(self, key: str, explanation: str, field: QWidget, more: str = "") -> None:
        """Add a setting whose field spans the full width below its name."""
        self.setting_rows[key] = self.card.add_block(label_of(key), explanation, field, more)
        self._fields[key] = field

    def lock_rows(self, settings: Settings) -> None:
        """Disable the fields of what an administrator has set, and say so in their rows."""
        for key, row in self.setting_rows.items():
            if not settings.is_locked(STORED_AS.get(key, "")):
                continue
            card = row.parentWidget()
            if key in self._fields and isinstance(card, SettingCard):
                self._fields[key].setEnabled(False)
                card.add_note(row, tr(SET_BY_ADMINISTRATOR))
            else:  # a section as a whole
                row.setEnabled(False)
                row.setToolTip(tr(SET_BY_ADMINISTRATOR))

    def add_content(self, *parts: QWidget | QLayout, spacing_px: int = 8) -> QWidget:
        """Add a row of the card with parts below each other; return it."""
        return self.card.add_content(self._theme.dress(fill_layout(QVBoxLayout(), *parts), spacing=spacing_px))

    def turn_with_room(self, row: QBoxLayout, field: QWidget, gap_px: int) -> None:
        """Stack a row's parts when the page is narrow; otherwise keep them `gap_px` apart."""
        self._rows.append((row, field, gap_px))
        self._arrange()

    def ask(self, title: str, words: str, yes: str, do: Callable[[], object]) -> QuestionDialog:
        """Confirm before something is deleted; `do` runs on yes."""
        dialog = QuestionDialog(self._theme, title, words, self)
        dialog.setObjectName("settings_question")
        dialog.add_choice(yes, do, "primary")
        dialog.open()
        return dialog

    def replace(self, layout: QVBoxLayout, old: QWidget, new: QWidget) -> None:
        """Swap a widget in a layout and drop rows of the old one."""
        layout.replaceWidget(old, new)
        gone = {old, *old.findChildren(QWidget)}
        # Rows inside the old widget would be arranged after it was deleted.
        self._rows = [row for row in self._rows if row[0].parentWidget() not in gone]
        old.hide()
        old.deleteLater()

    @property
    def _is_narrow(self) -> bool:
        return self.width() < self._theme.px(NARROW_PX - 2 * MARGIN_PX)

    @property
    def _room_px(self) -> int:
        return self.width()

    def _arrange(self) -> None:
        px, is_narrow = self._theme.px, self._is_narrow
        for place in range(self.column.count()):
            item = self.column.itemAt(place)
            if item is not None and isinstance(card := item.widget(), SettingCard):
                card.fit_narrow(is_narrow)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        for row, field, gap_px in self._rows:
            row.setDirection(down if is_narrow else along)
            row.setSpacing(px(6 if is_narrow else gap_px))
            if isinstance(field, SegmentedControl):
                field.fit_width(self._room_px - px(INSET_PX) - 2 if is_narrow else _ANY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class SettingsPage(SettingsSection):
    """Scrolling page of settings; what is in `foot` stays visible below."""

    def __init__(self, theme: Theme, title: str) -> None:
        self.sections: list[SettingsSection] = []
        self._mark: RowMark | None = None
        super().__init__(theme, title)

    def _make_column(self) -> QVBoxLayout:
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        # Otherwise the scroll area would be a stop of Tab before the fields.
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(inside)
        fade_ends(self._scroll, self._theme)
        self.foot = QVBoxLayout()
        fill_layout(drop_margins(QVBoxLayout(self), 0), (self._scroll, 1), self.foot)
        return column

    def _add_title(self, title: str, more: str) -> None:
        line = named_line(self._theme, RowName(self._theme, title, "title"), more)
        self.column.addLayout(self._theme.dress(line, margins=(0, 0, 0, 4)))

    def finish(self) -> None:
        self.column.addStretch(1)

    def add_section(self, section: SettingsSection, key: str = "") -> None:
        """Append a section; with `key` the search finds it as a whole."""
        self.sections.append(section)
        if key:
            self.setting_rows[key] = section
        self.column.addWidget(section)

    def row_of(self, key: str) -> QWidget | None:
        """Return the row of a setting; None if this computer doesn't have it."""
        known = self.setting_rows.get(key) or next(
            (section.setting_rows[key] for section in self.sections if key in section.setting_rows), None
        )
        return known if known is not None and not known.isHidden() else None

    def reveal_later(self, key: str) -> None:
        # Rows get their places with the next pass of the layout.
        QTimer.singleShot(0, self, lambda: self._reveal(key))

    def _reveal(self, key: str) -> None:
        if (row := self.row_of(key)) is None:
            return
        if self._mark is not None:
            self._mark.remove_mark()
        self._mark = RowMark(self._theme, row, self._scroll)
        inside = (widget for widget in row.findChildren(QWidget) if not isinstance(widget, HelpMark))
        field = row if is_tab_stop(row) else next(filter(is_tab_stop, inside), None)
        if field is not None:
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def marked_row(self) -> QWidget | None:
        """The row that search highlighted; None once the highlight is over."""
        return self._mark.row if self._mark is not None and not self._mark.is_over else None

    @property
    def _is_narrow(self) -> bool:
        return self.width() < self._theme.px(NARROW_PX)

    @property
    def _room_px(self) -> int:
        margins = self.column.contentsMargins()
        return self.width() - margins.left() - margins.right()

    def _arrange(self) -> None:
        px, is_narrow = self._theme.px, self._is_narrow
        self.column.setContentsMargins(*(px(8 if is_narrow else MARGIN_PX), px(14 if is_narrow else 20)) * 2)
        super()._arrange()


class RowMark(QWidget):
    """Highlight of a row found by search. It keeps the row in view while rows above change height."""

    def __init__(self, theme: Theme, row: QWidget, scroll: QScrollArea) -> None:
        around = row.parentWidget()
        super().__init__(around)
        self.setObjectName("row_mark")
        self.row = row
        self.is_over = False
        self._theme, self._scroll = theme, scroll
        # Inside a card or a section a row moves along with it, without an event of its own.
        self._watched = [row]
        while around is not None and around is not scroll.widget():
            self._watched.append(around)
            around = around.parentWidget()
        for widget in self._watched:
            widget.installEventFilter(self)
        # Behind the row, so that its text stays readable.
        self.lower()
        self._follow_row()
        self.show()
        QTimer.singleShot(MARKED_MS, self, self.remove_mark)

    def remove_mark(self) -> None:
        if not self.is_over:
            self.is_over = True
            for widget in self._watched:
                widget.removeEventFilter(self)
            self.hide()
            self.deleteLater()

    def _follow_row(self) -> None:
        px, place = self._theme.px, self.row.geometry()
        if isinstance(self.row.parentWidget(), SettingCard):
            self.setGeometry(place.adjusted(px(4), px(4), -px(4), -px(3)))
        else:
            self.setGeometry(place.adjusted(-px(10), -px(7), px(10), px(7)))
        self._scroll.ensureWidgetVisible(self.row, 0, px(40))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._follow_row()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        # What a row says in muted words can't be read on a selection.
        painter, tokens, radius = smooth_painter(self), self._theme.tokens, self._theme.px(8)
        painter.setPen(QColor(tokens.accent))
        painter.setBrush(QColor(tokens.chip))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


Save = Callable[..., None]
