"""Large view of a chat's pictures: pan, zoom, copy, and save in the original format."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.paths import disk_problem
from app.features.media import ending_of
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr, window_title
from app.ui.locale_formats import format_number
from app.ui.screen_reader import read_as
from app.ui.shared_labels import COPY, LARGER, PICTURE_LABEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.dialogs import SAVED, Dialog, file_dialog
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import fill_layout, within_screen
from app.ui.widgets.picture_widgets import read_rows

if TYPE_CHECKING:
    from app.features.media import MediaLibrary
    from app.store.media_store import MediaUse

STEP = 1.25
MOST_ZOOM = 16.0
SIZE_PX = (920, 680)


class PictureCanvas(QWidget):
    """Zoomable picture. `zoom` is screen pixels per picture pixel; 0 fits the picture without enlarging it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, on_zoom: Callable[[], object]) -> None:
        super().__init__(parent)
        read_as(self, QAccessible.Role.Graphic)
        self.on_zoom, self._theme = on_zoom, theme
        self._image = QImage()
        self._zoom = 0.0
        self._middle = QPointF()
        """Point of the picture at the centre of the canvas."""
        self._held: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    @property
    def image(self) -> QImage:
        return self._image

    @property
    def zoom(self) -> float:
        return self._zoom or self._fit_zoom

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.fit_picture()

    def fit_picture(self) -> None:
        self._zoom, self._middle = 0.0, QPointF(self._image.width() / 2, self._image.height() / 2)
        self._notify_view()

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Set the zoom, keeping the canvas point `at` (default: the centre) in place."""
        if self._image.isNull():
            return
        least = min(self._fit_zoom, 1.0)
        place = at or QPointF(self.width() / 2, self.height() / 2)
        # The point under the pointer stays where it is.
        before = self._middle + (place - QPointF(self.width() / 2, self.height() / 2)) / self.zoom
        self._zoom = min(MOST_ZOOM, max(least, zoom))
        self._middle = before - (place - QPointF(self.width() / 2, self.height() / 2)) / self._zoom
        self._notify_view()

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        self.zoom_to(self.zoom * STEP**steps, at)

    def move_by(self, pixels: QPointF) -> None:
        self._middle -= pixels / self.zoom
        self._notify_view()

    @property
    def _fit_zoom(self) -> float:
        if self._image.isNull():
            return 1.0
        return min(1.0, self.width() / self._image.width(), self.height() / self._image.height())

    def _notify_view(self) -> None:
        wide, high = self._image.width(), self._image.height()
        room = QPointF(self.width(), self.height()) / (2 * self.zoom)
        # A picture smaller than the canvas is centred; of a larger one no empty edge is shown.
        x = wide / 2 if 2 * room.x() >= wide else min(max(self._middle.x(), room.x()), wide - room.x())
        y = high / 2 if 2 * room.y() >= high else min(max(self._middle.y(), room.y()), high - room.y())
        self._middle = QPointF(x, y)
        self.setAccessibleDescription(tr("{percent} %", percent=round(100 * self.zoom)))
        self.on_zoom()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        # Enlarged so far, single pixels are meant to be seen.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 4)
        size = QPointF(self._image.width(), self._image.height()) * self.zoom
        left = QPointF(self.width(), self.height()) / 2 - self._middle * self.zoom
        painter.drawImage(QRectF(left.x(), left.y(), size.x(), size.y()), self._image)
        if has_ring(self):
            painter.setPen(QPen(QColor(self._theme.tokens.focus), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, _event: object) -> None:
        self._notify_view()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(event.angleDelta().y() / 120, event.position())  # a notch of a wheel is 120
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self.move_by(event.position() - self._held)
            self._held = event.position()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._held = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._zoom:
            self.fit_picture()
        else:
            self.zoom_to(1.0, event.position())


class LargePicture(Dialog):
    """Dialog that shows one of several pictures; arrow keys and buttons switch between them."""

    def __init__(
        self,
        uses: Sequence[MediaUse],
        first: int,
        library: MediaLibrary,
        *,
        theme: Theme,
        notify: Notify,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._uses, self._at, self._library, self._notify = list(uses), first, library, notify
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("large_picture")
        self.canvas = PictureCanvas(theme, on_zoom=self._show_zoom)
        self._name = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self._about = plain_label(kind="muted")
        self._percent = plain_label(kind="muted")
        self.copy = text_button(tr(COPY), "plain", on_click=self._copy)
        self.save = text_button(tr("Save…"), "plain", on_click=self._ask_where)
        self._lay_out()
        self.resize(within_screen(self, self.size().expandedTo(self.minimumSize())))
        self._open()
        self.canvas.setFocus()

    def _lay_out(self) -> None:
        theme, canvas = self._theme, self.canvas
        row = QHBoxLayout()
        self._previous_button = self._button("caret-left", tr("Previous picture"), lambda: self._show_neighbour(-1))
        self._next_button = self._button("caret-right", tr("Next picture"), lambda: self._show_neighbour(1))
        for widget in (self._previous_button, self._next_button):
            widget.setVisible(len(self._uses) > 1)
            row.addWidget(widget)
        fill_layout(row, (self._name, 1), self._about, 0)
        for glyph, name, do in (
            ("magnifying-glass-minus", tr("Smaller"), lambda: canvas.zoom_by(-1)),
            ("magnifying-glass-plus", tr(LARGER), lambda: canvas.zoom_by(1)),
            ("corners-out", tr("Fit to window"), canvas.fit_picture),
        ):
            row.addWidget(self._button(glyph, name, do))
            if glyph == "magnifying-glass-minus":
                row.addWidget(self._percent)
        fill_layout(row, self.copy, self.save)
        column = fill_layout(QVBoxLayout(self), (canvas, 1), row)
        theme.dress(row, spacing=8)
        theme.dress(column, margins=(12, 12, 12, 12), spacing=10)
        theme.dress(self._name, font="control")
        theme.dress(self._about, self._percent, self.copy, self.save, font="small")
        self.setMinimumSize(theme.px(480), theme.px(320))
        self.resize(*map(theme.px, SIZE_PX))

    def _button(self, glyph: str, name: str, do: Callable[[], object]) -> IconButton:
        return IconButton(self._theme, glyph, name, on_click=lambda _=False: do())

    @property
    def use(self) -> MediaUse:
        return self._uses[self._at]

    def _show_neighbour(self, by: int) -> None:
        self._at = (self._at + by) % len(self._uses)
        self._open()

    def _open(self) -> None:
        use, library = self.use, self._library
        self.setWindowTitle(window_title(use.name))
        self.canvas.setAccessibleName(tr(PICTURE_LABEL, name=use.name))
        self._name.setText(use.name)
        self._about.setText(f"{format_number(use.media.width)} × {format_number(use.media.height)}")
        # The picture before must not stand under this name.
        self.canvas.show_image(QImage())
        tasks.ask(lambda _token: _read(library, use), self, lambda image: self._on_read(use, image), self._notify.error)

    def _on_read(self, use: MediaUse, image: QImage) -> None:
        # Another one may be shown by now.
        if use is self.use:
            self.canvas.show_image(image)

    def _show_zoom(self) -> None:
        self._percent.setText(tr("{percent} %", percent=round(100 * self.canvas.zoom)))

    def _copy(self) -> None:
        if not self.canvas.image.isNull():
            put_into_clipboard(self.canvas.image, self._notify)

    def _ask_where(self) -> None:
        ask_where_to_save(self.use, self._library, self._notify, self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
        turns = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if (key := Qt.Key(event.key())) in steps:
            self.canvas.zoom_by(steps[key])
        elif key == Qt.Key.Key_0:
            self.canvas.fit_picture()
        elif key == Qt.Key.Key_1:
            self.canvas.zoom_to(1.0)
        elif key in turns and len(self._uses) > 1:
            self._show_neighbour(turns[key])
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        else:
            super().keyPressEvent(event)


def _read(library: MediaLibrary, use: MediaUse) -> QImage:
    # Qt draws this format without conversion.
    return read_rows(Path(library.decode_media(use.media).path)).convertToFormat(QImage.Format.Format_RGB32)


def copy_picture(use: MediaUse, library: MediaLibrary, notify: Notify, parent: QWidget) -> None:
    """Copy a picture in full size without showing it large."""
    tasks.ask(lambda _token: _read(library, use), parent, lambda image: put_into_clipboard(image, notify), notify.error)


def put_into_clipboard(image: QImage, notify: Notify) -> None:
    QGuiApplication.clipboard().setImage(image)
    notify.mention(tr("Picture copied."))


def ask_where_to_save(use: MediaUse, library: MediaLibrary, notify: Notify, parent: QWidget) -> None:
    dialog = file_dialog(
        parent, tr("Save the picture"), SAVED, lambda paths: _save(use, paths[0], library, notify), name="save_picture"
    )
    dialog.setAcceptMode(dialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(ending_of(use.media)[1:])
    dialog.selectFile(str(Path(use.name).with_suffix(ending_of(use.media))))
    dialog.open()


def _save(use: MediaUse, path: Path, library: MediaLibrary, notify: Notify) -> None:
    with notify.guard():
        try:
            # Encoding it again would lose quality, and what the file says about itself.
            shutil.copyfile(library.original_path(use.media), path)
        except OSError as error:
            raise disk_problem(error, path.parent) from error
        notify.mention(tr("Saved {name}.", name=path.name))
