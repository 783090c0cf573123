"""Pictures by strangers, made ready for an engine: decoded by Qt, turned, on white, shrunk, as plain rows of RGB.

Runs in the document child alone, which may end over a file. What a file is, its first bytes say: Qt is told, and
guesses nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QCoreApplication,
    QFile,
    QIODevice,
    QMessageLogContext,
    QSize,
    Qt,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QColorSpace, QImage, QImageIOHandler, QImageReader, QPainter, QTransform

from app.core.errors.document_errors import PictureUnreadable
from app.core.lazy_dataclasses import dataclass
from app.core.paths import disk_problem
from app.core.pyside import make_immortal
from app.documents.child_files import open_checked
from app.documents.limits import MOST_PICTURE_BYTES, fitted, sent_size
from app.documents.protocol import Decode, Decoded

# Before any Qt object: see `app/core/pyside.py` for what happens to None on Python 3.11 otherwise.
make_immortal()

MOST_DECODED_BYTES = 600_000_000
"""Limit of decoded pixels: 150 megapixels. JPEGs of any size are scaled down while reading."""
PREVIEW_PX = 512
DRAWN_PX = 1536
"""Longer side of drawings without a pixel size."""
HEAD_BYTES = 4096

OpenFile = Callable[[Path, str], IO[Any]]
"""Same signature as `open_checked`."""

_BEGINS = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "tiff": (b"II*\0", b"MM\0*"),
}
# File type brands of HEIF pictures (ISO/IEC 23008-12), which stand at byte 8.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# Sizes of all versions of the bitmap header: "BM" alone begins many a text.
_BITMAP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_SVG = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]")
_BEFORE_SVG = re.compile(rb"\s*(?:<\?xml|<!--|<!DOCTYPE|<(?:[A-Za-z_][\w.-]*:)?svg)")


def find_picture(head: bytes) -> str:
    """Return what the first bytes of a file say it is: png, jpeg, gif, tiff, webp, bmp, svg, heic; "" for no
    picture.
    """
    for name, begins in _BEGINS.items():
        if head.startswith(begins):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    # The header's size stands behind the 14 bytes of the file header.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS:
        return "bmp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "heic"
    # A drawing is text, and may have a byte order mark and an XML declaration before its root.
    text = head.removeprefix(b"\xef\xbb\xbf")
    return "svg" if _BEFORE_SVG.match(text) and _SVG.search(text) else ""


def decode(request: Decode, on_step: Callable[[], None] = lambda: None, open_file: OpenFile = open_checked) -> Decoded:
    """Write the decoded image and a thumbnail into existing empty files. Raises PictureUnreadable.

    `on_step` is called on progress, as a sign of life. `open_file` serves processes that may open no files themselves.
    """
    path = Path(request.path)
    with open_file(path, "rb") as file, _collect_warnings() as warnings:
        # Asked of the open file, not of the path, which may name another file by now.
        if os.fstat(file.fileno()).st_size > MOST_PICTURE_BYTES:
            raise PictureUnreadable(request.path, "too_large")
        reading = _ImageReading(path, file)
        read = reading.read(request.most_side)
    on_step()
    # Colours before the white paper: blending in a wide gamut would tint the edges.
    picture = _pad_image(_on_white(_shrink_image(_in_srgb(read.image), request.most_side)))
    on_step()
    write_rows(picture, Path(request.out), open_file)
    if request.preview:
        write_rows(_shrink_image(picture, PREVIEW_PX), Path(request.preview), open_file)
    # libjpeg fills the missing part with grey and only warns, so that Qt calls the picture whole.
    is_cut = any("premature end" in warning.lower() for warning in warnings)
    return Decoded(reading.format, *read.size, picture.width(), picture.height(), read.frames, is_cut=is_cut)


@dataclass(frozen=True)
class DecodedFrame:
    """An image as RGB rows without padding, its size in the file, and the number of images there."""

    width: int
    height: int
    pixels: bytes
    own_width: int
    own_height: int
    frames: int


def frame_of(path: Path, number: int, most_side: int, degrees: float = 0.0) -> DecodedFrame:
    """Return image `number` (from 1), rotated around its centre on white.

    Animations count as one image. Raises PictureUnreadable.
    """
    with path.open("rb") as file, _collect_warnings():
        reading = _ImageReading(path, file)
        read = reading.read(most_side, number)
    picture = _on_white(_shrink_image(_in_srgb(read.image), most_side))
    width, height, stride = picture.width(), picture.height(), 3 * picture.width()
    if degrees:
        # Smooth and grown: corners are cut off by the paper, so that the page keeps its size for the places found on
        # it.
        turned = picture.transformed(QTransform().rotate(degrees), Qt.TransformationMode.SmoothTransformation)
        paper = QImage(width, height, QImage.Format.Format_RGB888)
        paper.fill(Qt.GlobalColor.white)
        painter = QPainter(paper)
        painter.drawImage((width - turned.width()) // 2, (height - turned.height()) // 2, turned)
        painter.end()
        picture = paper
    rows, line = picture.constBits(), picture.bytesPerLine()
    # Rows are copied without padding, since what reads them counts 3 bytes a pixel.
    pixels = b"".join(bytes(rows[row * line : row * line + stride]) for row in range(height))
    return DecodedFrame(width, height, pixels, *read.size, read.frames if reading.format == "tiff" else 1)


def write_rows(picture: QImage, path: Path, open_file: OpenFile = open_checked) -> None:
    """Write a binary PPM, without Qt's padding of rows to four bytes.

    Raises DiskFull or FolderNotWritable: not the image's fault.
    """
    width, height, stride = picture.width(), picture.height(), picture.bytesPerLine()
    pixels = picture.constBits()
    try:
        with open_file(path, "wb") as file:
            file.write(b"P6\n%d %d\n255\n" % (width, height))
            if stride == 3 * width:
                file.write(pixels[: stride * height])
                return
            for row in range(height):
                file.write(pixels[row * stride : row * stride + 3 * width])
    except OSError as error:
        raise disk_problem(error, path.parent) from error


@dataclass(frozen=True)
class _Read:
    """A picture as it was read; `size` is what it has in the file, turned as it is seen."""

    image: QImage
    size: tuple[int, int]
    frames: int


class _ImageReading:
    """Read one open file with Qt, by its bytes and never by name: given a name, Qt opens other files next to it."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Raise PictureUnreadable; what the file is, `format` then says."""
        self._path = path
        self.format = find_picture(file.read(HEAD_BYTES))
        if not self.format:
            raise self._unreadable_picture("not_picture")
        if self.format == "heic" and QByteArray(b"heic") not in QImageReader.supportedImageFormats():
            raise self._unreadable_picture("heic")
        if self.format == "svg":
            _be_able_to_write()
        # Qt's own limit is 256 MB, which a photograph of 80 megapixels exceeds.
        QImageReader.setAllocationLimit(MOST_DECODED_BYTES // 1_048_576)
        file.seek(0)
        self._device = self._open_device(file)
        self._reader = QImageReader(self._device, QByteArray(self.format.encode()))
        # Otherwise Qt would try every plug-in on a stranger's bytes, SVG's and PDF's among them.
        self._reader.setDecideFormatFromContent(False)
        self._reader.setAutoDetectImageFormat(False)
        # A camera's picture is stored as the sensor lay; its Exif tag says how it was held.
        self._reader.setAutoTransform(True)

    def _open_device(self, file: IO[bytes]) -> QIODevice:
        if self.format == "svg":
            from app.documents.svg import SvgDamaged, make_self_contained  # lxml, which no bitmap needs

            buffer = QBuffer()
            try:
                # Qt's SVG reader opens any file that a drawing names, so a private picture could get into what a model
                # sees.
                buffer.setData(QByteArray(make_self_contained(file.read(), find_picture)))
            except SvgDamaged:
                raise self._unreadable_picture("damaged") from None
            buffer.open(QIODevice.OpenModeFlag.ReadOnly)
            return buffer
        # Python has read on into its buffer; Qt shares the descriptor's position.
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        device = QFile()
        device.open(file.fileno(), QIODevice.OpenModeFlag.ReadOnly)
        return device

    def read(self, most_side: int, frame: int = 1) -> _Read:
        """Return its first frame or another, no larger than it has to be where the format can do that while it reads.
        Once.
        """
        try:
            return self._read_frame(most_side, frame)
        finally:
            # The TIFF reader looks at its device once more when it is destroyed, which is gone by then.
            self._reader.setDevice(None)  # type: ignore[arg-type]

    def _read_frame(self, most_side: int, frame: int) -> _Read:
        frames = max(1, self._reader.imageCount()) if self.format in ("gif", "webp", "tiff") else 1  # before any size
        if frame > 1 and not self._reader.jumpToImage(frame - 1):
            raise self._unreadable_picture("damaged")
        size = self._reader.size()
        if not size.isValid() or size.isEmpty():
            raise self._unreadable_picture("damaged")
        wanted = self._wanted_size(size, most_side)
        if wanted != size:
            self._reader.setScaledSize(wanted)
        image = self._reader.read()
        if image.isNull():
            raise self._unreadable_picture("damaged")
        # An SVG's size is a wish in points; what was drawn is what can be told.
        seen = QSize(size) if self.format != "svg" else image.size()
        # Qt reports the size as it is stored and turns only the image itself.
        is_turned = bool(self._reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90)
        width, height = (seen.height(), seen.width()) if is_turned else (seen.width(), seen.height())
        return _Read(image, (width, height), frames)

    def _wanted_size(self, size: QSize, most_side: int) -> QSize:
        """Return the size to decode at. Raises PictureUnreadable if that takes too much memory."""
        longest = max(size.width(), size.height())
        if self.format == "svg":
            wanted = min(most_side, max(longest, DRAWN_PX))
            return _grow_size(size, wanted)
        # libjpeg scales while it decodes, so a huge photograph never exists at full size.
        if self.format == "jpeg" and longest > 2 * most_side:
            return _fit_size(size, most_side)
        deep = (QImage.Format.Format_RGBA64, QImage.Format.Format_RGBX64, QImage.Format.Format_RGBA64_Premultiplied)
        # Qt keeps 16-bit pictures as such, twice the memory of all others.
        pixel_bytes = 8 if self._reader.imageFormat() in deep else 4
        if size.width() * size.height() * pixel_bytes > MOST_DECODED_BYTES:
            raise PictureUnreadable(str(self._path), "too_many_pixels", size.width(), size.height())
        return size

    def _unreadable_picture(self, reason: str) -> PictureUnreadable:
        return PictureUnreadable(str(self._path), reason)


def _fit_size(size: QSize, longest: int) -> QSize:
    return QSize(*fitted(size.width(), size.height(), longest))


def _grow_size(size: QSize, longest: int) -> QSize:
    """Scale a drawing, which has no pixels of its own, to the size that is wanted."""
    scale = longest / max(size.width(), size.height())
    return QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))


def _shrink_image(image: QImage, most_side: int) -> QImage:
    if max(image.width(), image.height()) <= most_side:
        return image
    return image.scaled(
        _fit_size(image.size(), most_side),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def _in_srgb(image: QImage) -> QImage:
    """Convert to sRGB: wide gamuts and CMYK shown unconverted are pale or wrong."""
    # Most pictures: no profile means sRGB, and a conversion would copy all of it for nothing.
    if image.format() in (QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32) and not image.colorSpace().isValid():
        return image
    has_alpha = image.hasAlphaChannel()
    plain = QImage.Format.Format_ARGB32_Premultiplied if has_alpha else QImage.Format.Format_RGB32
    space = image.colorSpace()
    if space.isValid() and space != QColorSpace(QColorSpace.NamedColorSpace.SRgb):
        converted = image.convertedToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb), plain)
        if not converted.isNull():
            return converted
    return image.convertToFormat(plain)


def _on_white(image: QImage) -> QImage:
    """Put transparent images on white: hidden pixels may have any colour."""
    if image.hasAlphaChannel():
        paper = QImage(image.size(), QImage.Format.Format_RGB32)
        paper.fill(Qt.GlobalColor.white)
        painter = QPainter(paper)
        painter.drawImage(0, 0, image)
        painter.end()
        image = paper
    return image.convertToFormat(QImage.Format.Format_RGB888)


def _pad_image(image: QImage) -> QImage:
    width, height = image.width(), image.height()
    wanted = sent_size(width, height)
    if wanted == (width, height):
        return image
    paper = QImage(*wanted, QImage.Format.Format_RGB888)
    paper.fill(Qt.GlobalColor.white)
    # In the middle, so that a narrow strip keeps its place when a model is asked where something is.
    painter = QPainter(paper)
    painter.drawImage((paper.width() - width) // 2, (paper.height() - height) // 2, image)
    painter.end()
    return paper


def _be_able_to_write() -> None:
    """Drawings have letters, and Qt's fonts want an application."""
    if QCoreApplication.instance() is None:
        from PySide6.QtGui import QGuiApplication

        # There is no display in the child; the platform has to be set before the application is made.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        # Kept for the life of the process: fonts need an application, and Qt allows one.
        _applications.append(QGuiApplication(["fireside"]))


_applications: list[QCoreApplication] = []


@contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    """Collect warnings of Qt's readers: a truncated JPEG is only a warning to them."""
    heard: list[str] = []

    def hear(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        heard.append(text)

    before = qInstallMessageHandler(hear)
    try:
        yield heard
    finally:
        qInstallMessageHandler(before)
