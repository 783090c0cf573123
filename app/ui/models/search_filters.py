"""Filters of a Hub search: order, maximum size, licence, vision; each button shows its value."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QAccessible, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from app.hub.hub_search import HubQuery
from app.ui.i18n import tr, translated_choices
from app.ui.model_texts import LICENSES
from app.ui.screen_reader import read_as
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, set_mark, text_button
from app.ui.widgets.layouts import name_widgets

SORTS = (
    ("downloads", "Most downloaded"),
    ("trending", "Trending now"),
    ("likes", "Most liked"),
    ("last_modified", "Newest first"),
)
SIZES_GB = (2, 4, 8, 16, 32)
UP_TO_SIZE = "Up to {n} GB"


class SearchFilters(QWidget):
    """Row of filters, wrapped if needed. `changed` is emitted with every choice."""

    def __init__(self, theme: Theme, *, on_change: Callable[[], object]) -> None:
        super().__init__()
        self.on_change, self._theme = on_change, theme
        sizes = [("0", tr("Any size")), *((str(n * 10**9), tr(UP_TO_SIZE, n=n)) for n in SIZES_GB)]
        self.sort = ChoiceButton(theme, tr("Sort order"), translated_choices(SORTS))
        self.largest = ChoiceButton(theme, tr("Maximum size"), sizes)
        self.license = ChoiceButton(theme, tr("License"), (("", tr("Any license")), *translated_choices(LICENSES)))
        self.vision = theme.dress(text_button(tr("Sees pictures"), "filter"), font="control")
        self.vision.setCheckable(True)
        read_as(self.vision, QAccessible.Role.Switch)
        self.vision.toggled.connect(self._on_vision)
        for button in (self.sort, self.largest, self.license):
            button.changed.connect(lambda _value: self._on_changed())
            # Placed by hand below, so no layout becomes their parent.
            button.setParent(self)
        self.vision.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        # Without this a layout wouldn't ask for the height of wrapped rows.
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._place_again)
        self._place_again()
        name_widgets(
            filter_order=self.sort, filter_size=self.largest, filter_licence=self.license, filter_pictures=self.vision
        )

    @property
    def is_narrow(self) -> bool:
        return self.largest.value != "0" or bool(self.license.value) or self.vision.isChecked()

    def query(self, text: str, limit: int) -> HubQuery:
        return HubQuery(
            text,
            sort=self.sort.value,
            most_bytes=int(self.largest.value),
            license=self.license.value,
            vision=self.vision.isChecked(),
            limit=limit,
        )

    def widen(self) -> None:
        """Reset all filters, emitting `changed` once."""
        self.blockSignals(True)
        self.largest.choose("0")
        self.license.choose("")
        self.vision.setChecked(False)
        self.blockSignals(False)
        self.on_change()

    def _on_vision(self, checked: bool) -> None:
        set_mark(self.vision, "on", checked)
        self._on_changed()

    def _on_changed(self) -> None:
        self._place_again()  # another text changes the width
        self.on_change()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place_buttons(width, is_dry=True)

    def sizeHint(self) -> QSize:
        # Before it is shown there is no width to wrap at.
        return QSize(self._theme.px(400), self._place_buttons(self.width() or self._theme.px(400), is_dry=True))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.sort.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_buttons(event.size().width())
        super().resizeEvent(event)

    def _place_buttons(self, width: int, *, is_dry: bool = False) -> int:
        """Place the buttons in rows; return the total height."""
        x = y = height = 0
        gap = self._theme.px(8)
        for button in (self.sort, self.largest, self.license, self.vision):
            if button.isHidden():
                continue
            hint = button.sizeHint()
            if x and x + hint.width() > width:
                x, y = 0, y + hint.height() + gap
            if not is_dry:
                place = QRect(x, y, hint.width(), hint.height())
                button.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))
            x += hint.width() + gap
            height = y + hint.height()
        return height

    def _place_again(self) -> None:
        self._place_buttons(self.width())
        self.updateGeometry()
