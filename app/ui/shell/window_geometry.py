"""Size and position of the window and its left column: kept within the screen and restored after a restart.

In a narrow window the column becomes a drawer over the content, which closes once something was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QByteArray, QEvent, QMargins, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from app.core.settings import WindowSettings
from app.ui.theme import Theme
from app.ui.widgets.layouts import USUAL_FRAME_PX

SIZE_PX, SMALLEST_PX = (1280, 800), (640, 480)
COLUMN_PX = (200, 420)
"""Least and most width of the left column before zoom."""
MOST_SHARE = 0.4
"""Largest share of the window's width for the column, at any zoom."""
NARROW_PX = 560
"""Window width before zoom, less than which leaves no room for the column next to the content."""
CONTENT_PX = 380
"""Width before zoom that the content keeps next to the column, even if it would like more."""
DRAWER_PX, STRIP_PX = 280, 40
"""Width of the drawer, and the least strip it leaves free: a click there closes it."""
LOW_PX = 200
"""Window height before zoom below which the status line is hidden."""
SHADE = 90


class ColumnVeil(QWidget):
    """Darkens the content behind the drawer; a click on it closes that."""

    def __init__(self, window: QWidget, on_click: Callable[[], object]) -> None:
        super().__init__(window)
        self._on_click = on_click

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), QColor(0, 0, 0, SHADE))

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self._on_click()


class WindowGeometry(QObject):
    """Fits the window to zoom and screen. Zooming in enlarges it, zooming out restores it unless the user
    resized it.
    """

    def __init__(
        self, window: QMainWindow, splitter: QSplitter, column: QWidget, theme: Theme, status: QWidget
    ) -> None:
        super().__init__(window)
        self._window, self._splitter, self._column, self._theme = window, splitter, column, theme
        self._status = status
        self._column_px = 0.0
        """Width that the user gave the column, before zoom."""
        self._size_before: QSize | None = None
        self._size_made = QSize()
        self._place_before: QPoint | None = None
        """Position of the window before it was moved into the screen."""
        self._place_made = QPoint()
        self._is_narrow = self._is_put_away = self._is_painted = False
        self._veil = ColumnVeil(window, self.put_away)
        self._veil.hide()
        splitter.splitterMoved.connect(self._on_column_moved)
        splitter.installEventFilter(self)
        window.installEventFilter(self)

    def restore(self, kept: WindowSettings) -> None:
        """Restore the stored geometry, or the default size if that is unusable."""
        geometry = QByteArray.fromBase64(kept.geometry.encode("ascii", "ignore"))
        if geometry.isEmpty() or not self._window.restoreGeometry(geometry):
            self._window.resize(QSize(*SIZE_PX).boundedTo(self._most_size()))
        self._column_px = kept.sidebar_width
        self._column.setHidden(kept.sidebar_hidden)
        self.fit_column()

    def describe(self) -> dict[str, object]:
        """Return the values for the settings; the column's width is stored without zoom."""
        return {
            "geometry": bytes(self._window.saveGeometry().toBase64().data()).decode("ascii"),
            # A drawer is closed at every start; kept is how the column was beside the content.
            "sidebar_hidden": not self._is_put_away if self._is_narrow else self._column.isHidden(),
            "sidebar_width": round(self._column_px),
        }

    def fit_zoom(self) -> None:
        """Adapt the least size to the zoom as far as the screen allows."""
        window, px = self._window, self._theme.px
        before = window.size()
        if self._size_before is not None and before != self._size_made:
            self._size_before = None  # the user resized it meanwhile
        least = QSize(px(SMALLEST_PX[0]), px(SMALLEST_PX[1])).boundedTo(self._most_size())
        # Qt itself enlarges a window that is smaller than this.
        window.setMinimumSize(least)
        place = window.pos()
        is_back = False
        if self._is_free and (self._size_before is not None or window.size() != before):
            self._size_before = self._size_before or before
            window.resize(self._size_before.expandedTo(least))
            is_back = window.size() == self._size_before
            if is_back:
                self._size_before = None
        self._size_made = window.size()
        self._fit_place(place, is_back=is_back)
        self.fit_column()
        self._fit_status()

    def _fit_place(self, place: QPoint, *, is_back: bool) -> None:
        """Move the window into the screen, or back to where it was before it grew unless the user moved it."""
        # Moved by the user meanwhile: there is nothing to go back to.
        if self._place_before is not None and place != self._place_made:
            self._place_before = None
        if is_back and self._place_before is not None:
            self._window.move(self._place_before)
            self._place_before = None
        self.fit_screen()
        if self._window.pos() != place and not is_back:
            self._place_before = self._place_before or place
        self._place_made = self._window.pos()

    def fit_screen(self) -> None:
        """Fit the window and its frame into the screen's available area."""
        if not self._is_free or not self._window.isVisible():
            return
        screen, frame = self._window.screen().availableGeometry(), self._window.frameGeometry()
        self._window.resize(self._window.size().boundedTo(self._most_size()))
        # A rectangle's right is its last pixel, hence the 1.
        left = max(screen.left(), min(frame.left(), screen.right() + 1 - self._outer_size.width()))
        top = max(screen.top(), min(frame.top(), screen.bottom() + 1 - self._outer_size.height()))
        if (left, top) != (frame.left(), frame.top()):
            self._window.move(left, top)

    def fit_column(self) -> None:
        """Set the column's width for the window's size and zoom."""
        px, window_px, least = self._theme.px, self._window.width(), self._column.minimumSizeHint().width()
        beside = self._beside_px
        self._fit_narrow(window_px < max(px(NARROW_PX), least + beside))
        if self._is_narrow:
            self._fit_drawer()
            return
        most = max(least, min(px(COLUMN_PX[1]), round(window_px * MOST_SHARE), window_px - beside))
        self._column.setMinimumWidth(max(least, min(px(COLUMN_PX[0]), most)))
        self._column.setMaximumWidth(most)
        width = max(least, min(px(self._column_px), most))
        # A column that its greatest width made narrower leaves a gap: the splitter still holds the former room for it.
        is_gap = not self._column.isHidden() and self._splitter.sizes()[0] != width
        if self._column.width() != width or is_gap:
            self._splitter.setSizes([width, max(1, window_px - width)])

    @property
    def _beside_px(self) -> int:
        content = self._splitter.widget(self._splitter.count() - 1)
        needed = 0 if content is None else content.minimumSizeHint().width()
        # Bounded, because some content asks for more whenever it gets more.
        return min(needed, self._theme.px(CONTENT_PX)) + self._splitter.handleWidth()

    def toggle_column(self) -> None:
        self.show_column(shown=self._column.isHidden())

    def show_column(self, *, shown: bool) -> None:
        """Show or hide the column, as a drawer in a narrow window."""
        self._column.setVisible(shown)
        self._veil.setVisible(shown and self._is_narrow)
        if self._is_narrow:
            self._fit_drawer()

    def put_away(self) -> None:
        """Close the drawer after a choice; a column next to the content stays."""
        if self._is_narrow and not self._column.isHidden():
            self.show_column(shown=False)

    def _fit_status(self) -> None:
        self._status.setVisible(self._window.height() >= self._theme.px(LOW_PX))

    def _fit_narrow(self, is_narrow: bool) -> None:
        """Turn the column into a closed drawer when the room is too small, and back again."""
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        if is_narrow:
            self._is_put_away = not self._column.isHidden()
            with _fonts_kept(self._column):
                self._column.setParent(self._window)
            self.show_column(shown=False)
        else:
            with _fonts_kept(self._column):
                self._splitter.insertWidget(0, self._column)
            self._splitter.setCollapsible(0, False)
            self.show_column(shown=self._is_put_away)
            self._is_put_away = False

    def _fit_drawer(self) -> None:
        px, place = self._theme.px, self._splitter.geometry()
        width = max(1, min(px(DRAWER_PX), place.width() - px(STRIP_PX)))
        self._column.setMinimumWidth(width)
        self._column.setMaximumWidth(width)
        x = place.right() + 1 - width if self._window.isRightToLeft() else place.x()
        self._veil.setGeometry(place)
        self._veil.raise_()
        self._column.setGeometry(x, place.y(), width, place.height())
        self._column.raise_()

    @property
    def _is_free(self) -> bool:
        """True if the window is neither maximized nor full screen, so that it may be resized."""
        return not self._window.isMaximized() and not self._window.isFullScreen()

    @property
    def _outer_size(self) -> QSize:
        return self._window.size().grownBy(self._frame_margins())

    def _frame_margins(self) -> QMargins:
        handle = self._window.windowHandle()
        # The system's frame is known only once the window is shown.
        known = handle.frameMargins() if handle is not None and self._window.isVisible() else QMargins()
        return USUAL_FRAME_PX if known.isNull() else known

    def _most_size(self) -> QSize:
        """Return the largest size of the window inside its frame."""
        return self._window.screen().availableGeometry().size().shrunkBy(self._frame_margins())

    def _on_column_moved(self) -> None:
        if not self._column.isHidden() and not self._is_narrow:
            # As pixels are rounded, the zoom is taken from a large number.
            self._column_px = self._column.width() / self._theme.px(1000) * 1000

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._splitter and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            # Before the splitter divides its new width.
            self.fit_column()
        elif event.type() == QEvent.Type.Resize:
            self._fit_status()
        elif event.type() == QEvent.Type.Paint and watched is self._window and not self._is_painted:
            self._is_painted = True
            # From the first paint on the frame around the window is known.
            QTimer.singleShot(0, self, self.fit_screen)
        return super().eventFilter(watched, event)


@contextmanager
def _fonts_kept(column: QWidget) -> Iterator[None]:
    """Restore fonts after reparenting. WORKAROUND: Qt's style sheets drop the fonts of reparented widgets when
    polishing them.
    """
    parts = [widget for widget in column.findChildren(QWidget) if widget.testAttribute(Qt.WidgetAttribute.WA_SetFont)]
    fonts = [part.font() for part in parts]
    yield
    for widget, font in zip(parts, fonts, strict=True):
        widget.ensurePolished()
        widget.setFont(font)
