"""Pictures decoded elsewhere: read as pixel rows, shown as thumbnails, or taken from the clipboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.ui.focus_ring import has_ring
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.buttons import ArrowPassing

RADIUS_PX = 8
GLYPH_PX = 22
_CLIPBOARD = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/svg+xml": ".svg",
}


def read_rows(path: Path) -> QImage:
    """Read a binary PPM of the document child, on any thread; returns a null image if it is none.

    Nothing is decoded here, as Qt's decoders are used for our own files only.
    """
    try:
        data = path.read_bytes()
        # The child writes the header as three lines; PPM in general allows other blanks, and comments.
        kind, size, most, pixels = data.split(b"\n", 3)
        width, height = map(int, size.split())
    except (OSError, ValueError):
        return QImage()
    # A shorter buffer would be read beyond its end.
    if (kind, most) != (b"P6", b"255") or len(pixels) != 3 * width * height:
        return QImage()
    # A QImage only points into these bytes, which go when this function returns.
    return QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def picture_in(data: QMimeData) -> tuple[bytes | QImage, str] | None:
    """Return the picture of a clipboard or drop with a file ending: its original bytes for known formats, else pixels.

    None if there is none.
    """
    for kind, ending in _CLIPBOARD.items():
        if data.hasFormat(kind) and (found := bytes(data.data(kind).data())):
            return found, ending
    image = data.imageData() if data.hasImage() else None
    if isinstance(image, QPixmap):
        image = image.toImage()
    return (image, ".png") if isinstance(image, QImage) and not image.isNull() else None


def as_png(image: QImage) -> bytes:
    """Encode an image as PNG; slow for large ones, so call it on a thread."""
    packed = QByteArray()
    buffer = QBuffer(packed)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    # For PNG the quality picks zlib's effort: 80 is quick for a slightly larger file.
    image.save(buffer, "PNG", 80)  # type: ignore[call-overload] # a buffer is a device
    return bytes(packed.data())


class Thumbnail(ArrowPassing, QAbstractButton):
    """Clickable thumbnail; an icon takes its place until it is loaded."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture = QPixmap()
        self._glyph = "image"
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def has_picture(self) -> bool:
        return not self._picture.isNull()

    def show_picture(self, picture: QImage) -> None:
        """Show a picture; a null one shows that it isn't available."""
        self._picture = QPixmap.fromImage(picture)
        self._glyph = "warning-circle" if picture.isNull() else "image"
        self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, box = self._theme.tokens, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        radius = min(self._theme.px(RADIUS_PX), box.height() / 5)
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(box, radius, radius)
        painter.fillPath(outline, QColor(tokens.raised))
        if self.has_picture:
            painter.save()
            painter.setClipPath(outline)
            painter.drawPixmap(box, self._picture, self._seen_part(box))
            painter.restore()
        else:
            edge = self._theme.px(GLYPH_PX)
            drawn = icon(self._glyph, tokens.muted, edge).pixmap(QSize(edge, edge), self.devicePixelRatio())
            painter.drawPixmap((self.width() - edge) // 2, (self.height() - edge) // 2, drawn)
        painter.setPen(QPen(QColor(tokens.text if has_ring(self) else tokens.line), 2 if has_ring(self) else 1))
        painter.drawPath(outline)

    def _seen_part(self, box: QRectF) -> QRectF:
        """Return the centre of the picture in the box's proportions."""
        width, height = self._picture.width(), self._picture.height()
        scale = max(box.width() / width, box.height() / height)
        part = QSize(round(box.width() / scale), round(box.height() / scale))
        return QRectF((width - part.width()) / 2, (height - part.height()) / 2, part.width(), part.height())
