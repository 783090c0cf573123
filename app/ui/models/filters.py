"""What a search is narrowed by: order, largest size, licence, pictures; each a button that says what holds."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from app.features import chat
from app.hub.search import Query
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, set_mark, text_button
from app.ui.widgets.layouts import name_widgets

SORTS = (
    ("downloads", "Most downloaded"),
    ("trending", "Trending now"),
    ("likes", "Most liked"),
    ("last_modified", "Newest first"),
)
SIZES = tuple((str(n * 10**9), f"Up to {n} GB") for n in (2, 4, 8, 16, 32))
LICENSES = (
    ("apache-2.0", "Apache-2.0"),
    ("mit", "MIT"),
    ("gemma", "Gemma"),
    ("llama3.1", "Llama 3.1"),
    ("llama3.2", "Llama 3.2"),
    ("cc-by-4.0", "CC BY 4.0"),
    ("cc-by-nc-4.0", "CC BY-NC 4.0"),
)
_LICENSE_NAMES = dict(LICENSES)


def license_name(key: str) -> str:
    """A licence as people write it; the Hub's own word where it is not one of the common ones."""
    return _LICENSE_NAMES.get(key, key)


class Filters(QWidget):
    """In a row, or several where it is narrow. `changed` comes with every choice."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sort = ChoiceButton(theme, tr("Order"), SORTS)
        self.largest = ChoiceButton(theme, tr("Largest size"), (("0", "Any size"), *SIZES))
        self.license = ChoiceButton(theme, tr("Licence"), (("", "Any licence"), *LICENSES))
        self.vision = text_button(tr("With pictures"), "filter")
        self.vision.setCheckable(True)
        self.vision.toggled.connect(self._on_vision)
        for button in (self.sort, self.largest, self.license):
            button.changed.connect(lambda _value: self._on_changed())
            button.setParent(self)
        self.vision.setParent(self)
        self.vision.setVisible(chat.TAKES_PICTURES)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(
            filter_order=self.sort, filter_size=self.largest, filter_licence=self.license, filter_pictures=self.vision
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return self.largest.value != "0" or bool(self.license.value) or self.vision.isChecked()

    def query(self, text: str, limit: int) -> Query:
        """What to ask for."""
        return Query(
            text,
            sort=self.sort.value,
            most_bytes=int(self.largest.value),
            license=self.license.value,
            vision=self.vision.isChecked(),
            limit=limit,
        )

    def widen(self) -> None:
        """Leaves nothing out any more; tells it once."""
        self.blockSignals(True)
        self.largest.choose("0")
        self.license.choose("")
        self.vision.setChecked(False)
        self.blockSignals(False)
        self.changed.emit()

    def _on_vision(self, checked: bool) -> None:
        set_mark(self.vision, "on", checked)
        self._on_changed()

    def _on_changed(self) -> None:
        self._place(self.width())  # another word is another width
        self.updateGeometry()
        self.changed.emit()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(width, is_dry=True)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._place(self.width() or self._theme.px(400), is_dry=True))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.sort.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place(event.size().width())
        super().resizeEvent(event)

    def _place(self, width: int, *, is_dry: bool = False) -> int:
        """Puts the buttons one after the other, the next row where one is full; returns the height of all."""
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

    def _on_theme_changed(self) -> None:
        self.vision.setFont(self._theme.font(13.5, 500))
        self._place(self.width())
        self.updateGeometry()
