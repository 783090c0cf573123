"""The window's size and its left column's width: never more than the screen has, and as they were after a restart."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMargins, QSize
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from app.core.settings import Window
from app.ui.theme import Theme

SIZE_PX, SMALLEST_PX = (1280, 800), (640, 480)
COLUMN_PX = (200, 420)
"""The least and the most of the left column, as drawn."""
MOST_SHARE = 0.4
"""Of the window that the column may take, whatever the zoom."""
NARROW_PX = 560
"""A window with less room, as drawn, than it has at its smallest, has none for the column."""
USUAL_FRAME_PX = QMargins(8, 40, 8, 8)
"""What most systems put around a window; the real frame is known only when the window is there."""


def within_screen(window: QWidget, wanted: QSize) -> QSize:
    """As much of a size as the screen has inside of what most systems put around a window."""
    return wanted.boundedTo(window.screen().availableGeometry().size().shrunkBy(USUAL_FRAME_PX))


class WindowGeometry:
    """Zoom makes a window larger where it must be, and back as it was before; a person's own size ends that."""

    def __init__(self, window: QMainWindow, splitter: QSplitter, column: QWidget, theme: Theme) -> None:
        self._window, self._splitter, self._column, self._theme = window, splitter, column, theme
        self._column_px = 0.0
        """What the person gave the column, as drawn."""
        self._size_before: QSize | None = None
        self._size_made = QSize()
        self._is_narrow = self._is_put_away = False
        splitter.splitterMoved.connect(self._on_column_moved)

    def restore(self, kept: Window) -> None:
        """As it was when it was closed; what cannot be used any more falls back to the size as drawn."""
        geometry = QByteArray.fromBase64(kept.geometry.encode("ascii", "ignore"))
        if geometry.isEmpty() or not self._window.restoreGeometry(geometry):
            self._window.resize(QSize(*SIZE_PX).boundedTo(self._room()))
        self._column_px = kept.sidebar_width
        self._column.setHidden(kept.sidebar_hidden)
        self.fit_column()

    def describe(self) -> dict[str, object]:
        """Values for the settings; the column's width is kept as it is without zoom."""
        return {
            "geometry": bytes(self._window.saveGeometry().toBase64().data()).decode("ascii"),
            "sidebar_hidden": self._column.isHidden() and not self._is_put_away,
            "sidebar_width": round(self._column_px),
        }

    def fit_zoom(self) -> None:
        """The least size follows the zoom as far as the screen allows."""
        window, px = self._window, self._theme.px
        before = window.size()
        if self._size_before is not None and before != self._size_made:
            self._size_before = None  # the person gave it another size meanwhile
        least = QSize(px(SMALLEST_PX[0]), px(SMALLEST_PX[1])).boundedTo(self._room())
        window.setMinimumSize(least)
        if self._is_free and (self._size_before is not None or window.size() != before):
            self._size_before = self._size_before or before
            window.resize(self._size_before.expandedTo(least))
            if window.size() == self._size_before:
                self._size_before = None
        self._size_made = window.size()
        self.fit_screen()
        self.fit_column()

    def fit_screen(self) -> None:
        """The window with its frame into what the screen has for windows."""
        if not self._is_free or not self._window.isVisible():
            return
        screen, frame = self._window.screen().availableGeometry(), self._window.frameGeometry()
        self._window.resize(self._window.size().boundedTo(self._room()))
        left = max(screen.left(), min(frame.left(), screen.right() + 1 - self._outer.width()))
        top = max(screen.top(), min(frame.top(), screen.bottom() + 1 - self._outer.height()))
        if (left, top) != (frame.left(), frame.top()):
            self._window.move(left, top)

    def fit_column(self) -> None:
        """The column's width in a window of this size at this zoom."""
        px, window_px = self._theme.px, self._window.width()
        self._put_away(window_px < px(NARROW_PX))
        most = min(px(COLUMN_PX[1]), round(window_px * MOST_SHARE))
        self._column.setMinimumWidth(min(px(COLUMN_PX[0]), most))
        self._column.setMaximumWidth(most)
        width = min(px(self._column_px), most)
        if self._column.width() != width:
            self._splitter.setSizes([width, max(1, window_px - width)])

    def _put_away(self, is_narrow: bool) -> None:
        """Where there is no room for the column it goes by itself, and comes back with the room."""
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        if is_narrow and not self._column.isHidden():
            self._is_put_away = True
            self._column.hide()
        elif not is_narrow and self._is_put_away:
            self._is_put_away = False
            self._column.show()

    @property
    def _is_free(self) -> bool:
        """Whether the size is the window's own, and not the screen's."""
        return not self._window.isMaximized() and not self._window.isFullScreen()

    @property
    def _outer(self) -> QSize:
        return self._window.size().grownBy(self._frame())

    def _frame(self) -> QMargins:
        handle = self._window.windowHandle()
        known = handle.frameMargins() if handle is not None and self._window.isVisible() else QMargins()
        return USUAL_FRAME_PX if known.isNull() else known

    def _room(self) -> QSize:
        """The most that the window may have inside its frame."""
        return self._window.screen().availableGeometry().size().shrunkBy(self._frame())

    def _on_column_moved(self) -> None:
        if not self._column.isHidden():
            self._column_px = self._column.width() / self._theme.px(1000) * 1000
