"""A picture, or a file of several (TIFF), as a document whose pages are pictures."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockPiece, LineBox
from app.documents.formats.tesseract import RgbPicture, find_tesseract, skew_of
from app.documents.protocol import NO_VIEW, Arrange, Drawn, PutUpright, Recognize, View
from app.documents.source import FileSource, Item, Opened, PageRead

if TYPE_CHECKING:
    from app.documents.decoding import DecodedFrame

MOST_BYTES = 200_000_000
DPI = 150.0
"""Assumed resolution: few files state the right one, and a page needs a size."""
MOST_SIDE = 4096


def read(source: FileSource) -> Iterator[Item]:
    """Yield the paragraphs of each picture as tesseract reads them, or that there are pages to be read.

    Raises DocumentUnreadable (picture, where nothing can read it) or PictureUnreadable.
    """
    if source.path.stat().st_size > MOST_BYTES:
        raise source.unreadable("picture")
    if not source.recognize:
        yield from _unread_pages(source)
        return
    tesseract = find_tesseract()
    # Only a person who wants it to be read gets an error about a missing program.
    if tesseract is None:
        raise source.unreadable("picture")
    found = tesseract.pages(source.path.read_bytes())
    if not found:
        raise source.unreadable("no_text")
    pages = max(found)
    yield Opened("page", pages)
    for page in filter(source.wants, range(1, pages + 1)):
        yield from found.get(page, ())
        yield PageRead(page, has_text=page in found, is_picture=True, recognized=page in found)
    yield tesseract.remark


def _unread_pages(source: FileSource) -> Iterator[Item]:
    """Yield the pages without text, which a job may have read later. Raises PictureUnreadable."""
    from app.documents.decoding import frame_of  # Qt, which no document needs

    # 64 pixels: only the number of pages is wanted, and a TIFF page may have 100 megapixels.
    pages = frame_of(source.path, 1, 64).frames
    yield Opened("page", pages)
    for page in filter(source.wants, range(1, pages + 1)):
        yield PageRead(page, has_text=False, is_picture=True)


def draw(path: Path, page: int, scale: float, _password: str = "", most_pixels: int = 16_000_000) -> Drawn:
    """Return a picture of the file as a page; raises PictureUnreadable."""
    from app.documents.decoding import frame_of

    own = frame_of(path, page, 64)
    # The page's size in points assumes `DPI`, so a scale of DPI / 72 is a pixel for a pixel.
    share = min(1.0, scale * 72 / DPI, (most_pixels / (own.own_width * own.own_height)) ** 0.5)
    frame = frame_of(path, page, max(64, round(max(own.own_width, own.own_height) * share)))
    width_pt, height_pt = (round(side * 72 / DPI, 2) for side in (frame.own_width, frame.own_height))
    # Level 1: the pipe is faster than a better compression.
    return Drawn(page, frame.width, frame.height, width_pt, height_pt, zlib.compress(frame.pixels, 1))


def recognize(request: Recognize) -> tuple[list[BlockPiece], tuple[str, ...]]:
    """Return the paragraphs of a picture with their places, and the languages used.

    Raises DocumentUnreadable ("picture") without tesseract.
    """
    tesseract = find_tesseract()
    if tesseract is None:
        raise DocumentUnreadable(request.path, "picture")
    frame, view = _turn_upright(request.path, request.page, MOST_SIDE)
    picture = RgbPicture(frame.width, frame.height, frame.pixels, view.scale)
    return [on_page(piece, view) for piece in tesseract.pieces(picture, request.page)], tesseract.languages


def put_upright(request: PutUpright) -> Drawn:
    """Draw a picture into a file for a vision model."""
    frame, view = _turn_upright(request.path, request.page, request.most_side)
    Path(request.out).write_bytes(b"P6\n%d %d\n255\n" % (frame.width, frame.height) + frame.pixels)
    return Drawn(request.page, frame.width, frame.height, view.right, view.bottom, b"", view)


def lines_of(request: Arrange) -> tuple[View, list[tuple[LineBox, str]]]:
    """Return what was seen, and where its lines are and about what they say, as far as tesseract is there to find
    them.
    """
    tesseract = find_tesseract()
    # The full picture: tesseract wants letters of some 30 pixels, and a model was shown less.
    frame, view = _turn_upright(request.path, request.page, MOST_SIDE)
    picture = RgbPicture(frame.width, frame.height, frame.pixels, view.scale)
    pieces = [on_page(piece, view) for piece in tesseract.pieces(picture, request.page)] if tesseract else []
    # Without a view all of the page is meant, as it lies.
    seen = view._replace(degrees=0.0) if request.view == NO_VIEW else request.view
    return seen, [(box, piece.text[box.start : box.end]) for piece in pieces for box in piece.place.boxes]


def _turn_upright(path: str, page: int, most_side: int) -> tuple[DecodedFrame, View]:
    """Return a picture rotated so that its lines are horizontal."""
    from app.documents.decoding import frame_of

    # 640 pixels are enough for an angle; turning the full picture comes after.
    small = frame_of(Path(path), page, 640)
    degrees = skew_of(small.width, small.height, small.pixels)
    frame = frame_of(Path(path), page, most_side, degrees)
    width, height = frame.own_width * 72 / DPI, frame.own_height * 72 / DPI
    return frame, View(0, 0, round(width, 2), round(height, 2), frame.width / width, degrees)


def on_page(piece: BlockPiece, view: View) -> BlockPiece:
    """Return a piece whose boxes are points of a view that may be turned, with its boxes on the page."""
    boxes = []
    for box in piece.place.boxes:
        edges = view.on_page(*(edge * view.scale for edge in box[1:5]))
        boxes.append(LineBox(box.page, *edges, box.start, box.end))
    return piece._replace(place=piece.place._replace(boxes=tuple(boxes)))
