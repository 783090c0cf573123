"""Pictures as people and strangers have them, made by Qt or byte by byte; and a decoded one, to be looked at."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QColor, QImage, QImageIOHandler, QImageWriter, QPainter

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (30, 60, 200), (255, 255, 255)
Colour = tuple[int, int, int]


def plain(width: int, height: int, colour: Colour = RED) -> QImage:
    """One colour."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(*colour))
    return image


def halves(width: int, height: int, left: Colour = RED, right: Colour = BLUE) -> QImage:
    """Two colours, so that a turned one can be told."""
    image = plain(width, height, left)
    painter = QPainter(image)
    painter.fillRect(width // 2, 0, width - width // 2, height, QColor(*right))
    painter.end()
    return image


def save(image: QImage, path: Path, *, turned: bool = False) -> Path:
    """In the format of its ending; `turned`: to be shown a quarter to the right, as a camera notes it."""
    writer = QImageWriter(str(path))
    if turned:
        writer.setTransformation(QImageIOHandler.Transformation.TransformationRotate90)
    writer.setQuality(95)
    if not writer.write(image):
        raise AssertionError(writer.errorString())
    return path


def picture(path: Path, colour: Colour = RED, size: tuple[int, int] = (64, 48)) -> Path:
    """A small picture of one colour."""
    return save(plain(*size, colour), path)


def bomb(path: Path, width: int = 30_000, height: int = 30_000) -> Path:
    """A PNG of a few kilobytes that says it is huge, and is."""
    row = b"\0" + bytes(width // 8)  # one bit a pixel
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    body = b"".join(_chunk(*part) for part in parts)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def animated(path: Path, colours: Sequence[Colour] = (GREEN, RED)) -> Path:
    """A GIF of one pixel, a frame for each colour."""
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frames = [
        b"\x21\xf9\x04\x00\x0a\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80)
        + bytes(colour) + bytes(3) + b"\x02\x02\x44\x01\x00"
        for colour in colours
    ]  # fmt: skip
    path.write_bytes(b"GIF89a" + screen + b"".join(frames) + b"\x3b")
    return path


def drawing(path: Path, size: str = 'width="40" height="20"') -> Path:
    """An SVG with a word in it."""
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 40 20">'
        '<rect width="40" height="20" fill="#1e3cc8"/><text x="2" y="12" fill="#fff">hello</text></svg>'
    )
    return path


def rows_of(path: Path) -> tuple[int, int, bytes]:
    """Width, height and rows of a binary PPM; raises AssertionError where it is none, or not whole."""
    data = path.read_bytes()
    kind, size, most, pixels = data.split(b"\n", 3)
    width, height = map(int, size.split())
    assert (kind, most, len(pixels)) == (b"P6", b"255", 3 * width * height)
    return width, height, pixels


def colour_at(path: Path, x: int, y: int) -> Colour:
    """Of a binary PPM."""
    width, _, pixels = rows_of(path)
    at = 3 * (y * width + x)
    return pixels[at], pixels[at + 1], pixels[at + 2]


def is_near(found: Colour, wanted: Colour, by: int = 12) -> bool:
    """JPEG loses a little."""
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
