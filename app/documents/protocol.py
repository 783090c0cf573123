"""The wire of the document child; see `app.core.wire`.

One child serves one file at a time, request after request. The password travels here and never on a command line.
"""

from __future__ import annotations

import math
from typing import NamedTuple, get_args

from app.core.lazy_dataclasses import dataclass
from app.core.wire import Caged, Failed, Wire
from app.documents.blocks import Block
from app.documents.limits import MOST_SIDE
from app.documents.segments import Segment
from app.documents.source import Opened, PageRead, ReadingRemark

# Raised whenever a field of a message changes: parent and child come from one build, recorded lines in tests do not.
VERSION = 9


class View(NamedTuple):
    """View that turned a page or region into a picture: edges in points of the page, pixels per point, and its rotation
    in degrees.
    """

    left: float
    top: float
    right: float
    bottom: float
    scale: float
    degrees: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        return (
            max(1, int((self.right - self.left) * self.scale)),
            max(1, int((self.bottom - self.top) * self.scale)),
        )

    def on_page(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """Return the same edges in points of the page, of a rectangle in pixels of the picture."""
        turn, size = math.radians(-self.degrees), self.size
        # About the middle: what was drawn was turned around its own centre.
        middle = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        points = [
            ((x - size[0] / 2) / self.scale, (y - size[1] / 2) / self.scale)
            for x in (left, right)
            for y in (top, bottom)
        ]
        xs = [middle[0] + math.cos(turn) * x - math.sin(turn) * y for x, y in points]
        ys = [middle[1] + math.sin(turn) * x + math.cos(turn) * y for x, y in points]
        return (round(min(xs), 2), round(min(ys), 2), round(max(xs), 2), round(max(ys), 2))


NO_VIEW = View(0, 0, 0, 0, 1)


@dataclass(frozen=True)
class Read:
    """Read a file into blocks; see `Source` for the fields. `memory_bytes` is the most the child may take."""

    path: str
    password: str = ""
    encoding: str = ""
    first_page: int = 0
    last_page: int = 0
    recognize: bool = True
    # The child's own limit of address space; the parent watches resident memory beside it, see `limits.py`.
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Draw:
    """Draw a page of a PDF, `scale` pixels for a point, at most `most_pixels` in all. Several may follow each other."""

    path: str
    page: int
    scale: float
    password: str = ""
    most_pixels: int = 16_000_000
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Decode:
    """Decode a picture into `out` (binary PPM), and a thumbnail into `preview` unless that is "".

    Both must exist and be empty. No side is longer than `most_side`. May be sent repeatedly to one child.
    """

    path: str
    out: str
    preview: str = ""
    most_side: int = MOST_SIDE
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class PutUpright:
    """Draw an image page into `out` (binary PPM) with horizontal lines, for a vision model.

    `region` is a part of it in points; () is all. Answered by `Drawn`, without pixels.
    """

    path: str
    page: int
    out: str
    region: tuple[float, ...] = ()
    most_side: int = 2048
    password: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Recognize:
    """Read an image page or region by tesseract. Answered by `PageBlocks`."""

    path: str
    page: int
    region: tuple[float, ...] = ()
    password: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Arrange:
    """Turn a model's or the user's transcript of a page (Markdown, HTML, or JSON layout) into blocks.

    `view` is what the model saw, `NO_VIEW` all of the page. Places are found by tesseract if installed, else they are
    the whole view. Answered by `PageBlocks`.
    """

    path: str
    page: int
    text: str
    view: View
    origin: str
    password: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Listen:
    """Cut a recording into pieces that a model can hear, as 16-bit mono WAV in `folder`, which is there.

    None is longer than `longest_s`. Answered by `SoundOpened`, `SoundPiece`s in order, and `SoundHeard`.
    """

    path: str
    folder: str
    rate_hz: int = 16_000
    longest_s: float = 28.0
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Segments:
    """Find what there is to translate in a file; `encoding` is the person's choice for a text file."""

    path: str
    password: str = ""
    encoding: str = ""
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Rewrite:
    """Write a file with its segments' translations to `out`, a different file that exists and is empty.

    `translations` is a file of JSON lines, {"id": 3, "content": [...]}, see `Content`; segments without one stay.
    `language` is declared in the result, "" to leave it. `sha256` is the file's when segments were found.
    `counts_generated`: descriptions written by libraries were segments then.
    """

    path: str
    out: str
    translations: str
    language: str
    is_rtl: bool
    sha256: str
    password: str = ""
    encoding: str = ""
    memory_bytes: int = 2_000_000_000
    counts_generated: bool = False


@dataclass(frozen=True)
class Found:
    """The file is open; `format` is what its content is, as `app.documents.formats.registry` calls it."""

    format: str
    opened: Opened


@dataclass(frozen=True)
class BlocksRead:
    """Batch of blocks in document order; an empty one is only a sign of life."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Done:
    """All is read. `pages_without_text` have neither text nor a recognized picture.

    `language` is a code such as "en", "" where there is too little text to tell.
    """

    pages: int
    pages_without_text: tuple[int, ...]
    blocks: int
    language: str = ""
    sha256: str = ""
    remarks: tuple[ReadingRemark, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A page as a picture: rows of RGB bytes without padding, compressed by zlib.

    `width_pt` and `height_pt` are the page's own size in points, `view` what was drawn of it into a file.
    """

    page: int
    width: int
    height: int
    width_pt: float
    height_pt: float
    pixels: bytes
    view: View = NO_VIEW


@dataclass(frozen=True)
class PageBlocks:
    """Blocks read from an image page, numbered from 1, with headings of this page alone.

    `languages` are those given to tesseract; () for a transcript.
    """

    page: int
    blocks: tuple[Block, ...]
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decoded:
    """A picture is decoded. `format` is what its content is: png, jpeg, gif, webp, bmp, tiff, svg or heic.

    `width` and `height` are its own, turned as it is seen; the others those of what was written. Of several `frames`
    it is the first. `is_cut`: the file ends in the middle, and the rest of the picture is missing.
    """

    format: str
    width: int
    height: int
    out_width: int
    out_height: int
    frames: int = 1
    is_cut: bool = False


@dataclass(frozen=True)
class SoundOpened:
    """The file is a recording: wav, flac, ogg or mp3."""

    format: str


@dataclass(frozen=True)
class SoundPiece:
    """Piece of a recording between two times; `path` is its WAV file, "" if silent."""

    start_s: float
    end_s: float
    path: str = ""


@dataclass(frozen=True)
class SoundHeard:
    """All of it is cut: so many seconds, and pieces in which something is to be heard."""

    seconds: float
    pieces: int
    sha256: str = ""


@dataclass(frozen=True)
class SegmentsRead:
    """Batch of segments, in order; an empty one is a sign of life."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class SegmentsDone:
    """All segments are found; `segments` counts them. `format` is a name of `app.documents.formats.registry`.

    `language` is a code such as "en", "" where there is too little text to tell.
    """

    format: str
    segments: int
    language: str = ""
    sha256: str = ""
    remarks: tuple[ReadingRemark, ...] = ()


@dataclass(frozen=True)
class SegmentsWritten:
    """Number of segments passed so far while rewriting; also the sign of life."""

    segments: int


@dataclass(frozen=True)
class Rewritten:
    """The file is written. `replaced` of `segments` have their translation.

    `refused` are the ids of those that have none because it does not have exactly the marks of the source.
    """

    segments: int
    replaced: int
    refused: tuple[int, ...] = ()
    remarks: tuple[ReadingRemark, ...] = ()


Request = Read | Draw | Decode | PutUpright | Recognize | Arrange | Listen | Segments | Rewrite
Event = (
    Found
    | BlocksRead
    | PageRead
    | Done
    | Drawn
    | Decoded
    | PageBlocks
    | SoundOpened
    | SoundPiece
    | SoundHeard
    | SegmentsRead
    | SegmentsDone
    | SegmentsWritten
    | Rewritten
    | Failed
)

WIRE = Wire(VERSION, get_args(Request), (Caged, *get_args(Event)))
