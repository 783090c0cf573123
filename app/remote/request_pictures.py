"""Pictures of messages as servers take them: PNG in base64, made smaller where that loses nothing they look at.

How many tokens a model then takes for one, no server says before it has read it: that is estimated.
"""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import Any

from app.core.errors.document_errors import PictureUnreadable
from app.core.events import Media, Message
from app.engine.protocol import MediaCount

MOST_SIDE = 1536
"""Longest side in pixels. Today's models use 0.2 to 2.4 million pixels; more only takes time to send."""
PIXELS_A_TOKEN = 28 * 28
"""Pixels per token of Qwen's models, which take the most; others use 64 to 1,600 tokens per image."""
AROUND = 4
COMPRESSION = 4
"""zlib level: 6 takes twice the time for 3 percent less."""


def count_of(media: Media) -> MediaCount:
    """Return the estimated tokens of an image and the size at which it is sent."""
    width, height = sent_size(media)
    tokens = _picture_tokens(width, height)
    return MediaCount(tokens, tokens, 1, width, height)


def sent_size(media: Media) -> tuple[int, int]:
    """Return the image's size divided by a whole number, to stay within `MOST_SIDE` and the request's `most_tokens`."""
    factor = _shrink_factor(media)
    return max(1, media.width // factor), max(1, media.height // factor)


def content_of(message: Message, *, sees: bool) -> str | list[dict[str, Any]]:
    """Return the text, or its parts with the pictures at their places. Raises PictureUnreadable."""
    pictures = sorted((medium for medium in message.media if medium.kind == "picture"), key=lambda medium: medium.at)
    if not sees or not pictures:
        return without_surrogates(message.text)
    parts: list[dict[str, Any]] = []
    at = 0
    for picture in pictures:
        parts += _text_part(message.text[at : picture.at])
        at = max(at, picture.at)
        data = base64.b64encode(as_png(picture)).decode("ascii")
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
    return [*parts, *_text_part(message.text[at:])]


def as_png(media: Media) -> bytes:
    """Return the decoded file of a picture, as it is sent. Raises PictureUnreadable."""
    import numpy as np  # who has no server does without

    try:
        _kind, size, _depth, rows = Path(media.path).read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        pixels = np.frombuffer(rows, np.uint8).reshape(height, width, 3)
    except (OSError, ValueError) as error:
        raise PictureUnreadable(media.path, "damaged") from error
    factor = _shrink_factor(media)
    if factor > 1:
        height, width = max(1, height // factor), max(1, width // factor)
        down, across = min(factor, pixels.shape[0]), min(factor, pixels.shape[1])
        blocks = pixels[: height * down, : width * across].reshape(height, down, width, across, 3)
        pixels = blocks.mean(axis=(1, 3), dtype=np.float32).round().astype(np.uint8)
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    lines[:, 0] = 2  # each line is written as its difference to the one above
    lines[:, 1:] = pixels.reshape(height, -1)
    lines[1:, 1:] -= pixels.reshape(height, -1)[:-1]
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), COMPRESSION)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", head) + _png_chunk(b"IDAT", body) + _png_chunk(b"IEND", b"")


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _shrink_factor(media: Media) -> int:
    factor = max(1, -(-max(media.width, media.height) // MOST_SIDE))
    while media.most_tokens and _picture_tokens(media.width // factor, media.height // factor) > media.most_tokens:
        if factor >= max(media.width, media.height):
            break
        factor += 1
    return factor


def _picture_tokens(width: int, height: int) -> int:
    return AROUND + max(1, -(-width * height // PIXELS_A_TOKEN))


def _text_part(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": without_surrogates(text)}] if text else []


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 can't encode, by "?"."""
    # JSON on the wire can't hold them.
    return text.encode("utf-8", "replace").decode()
