"""Documents to look at without a file: blocks in memory, pages drawn with a painter, errors and delays on demand."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QTextLayout, QTextLine, QTextOption

from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, BlockPlace, LineBox
from app.documents.protocol import Drawn
from app.features.shown_document import TextHighlight

WIDTH_PT, HEIGHT_PT, MARGIN_PT = 420.0, 594.0, 36.0


class DocumentInMemory:
    """A `ShownDocument`. With `can_draw` its pages are set in a serif font and its blocks know where they stand."""

    def __init__(
        self,
        name: str,
        blocks: Sequence[Block],
        unit: str = "",
        pages: int = 0,
        *,
        can_draw: bool = False,
        note: str = "",
        address: str = "",
    ) -> None:
        self.name, self.unit, self.pages, self.note, self.can_draw = name, unit, pages, note, can_draw
        self.address = address
        self._blocks = _placed(blocks) if can_draw else list(blocks)
        self.errors: dict[int, Exception] = {}
        """What drawing a page raises."""
        self.gate = threading.Event()
        """Drawing waits until it is set, or until it is cancelled."""
        self.gate.set()
        self.draws: list[tuple[int, float]] = []
        self.cancelled: list[int] = []
        self.fetched = 0
        self.search_threads: list[str] = []
        self.draw_threads: list[str] = []

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        return tuple(page for page in range(1, self.pages + 1) if not self.blocks_of_page(page))

    @property
    def block_count(self) -> int:
        return len(self._blocks)

    def read_blocks(self, first_id: int, count: int) -> list[Block]:
        found = self._blocks[max(0, first_id - 1) : max(0, first_id - 1 + count)]
        self.fetched += len(found)
        return found

    def blocks_of_page(self, page: int) -> list[Block]:
        own = [block for block in self._blocks if block.page == page]
        first = self._blocks.index(own[0]) if own else 0
        before = self._blocks[first - 1 : first] if first else []
        return [block for block in before if any(box.page == page for box in block.place.boxes)] + own

    def search_text(self, text: str, limit: int = 1000) -> list[TextHighlight]:
        self.search_threads.append(threading.current_thread().name)
        found: list[TextHighlight] = []
        for block in self._blocks:
            low, at = block.text.lower(), 0
            while (at := low.find(text.lower(), at)) >= 0 and len(found) < limit:
                found.append(TextHighlight(block.id, at, at + len(text)))
                at += len(text)
        return found

    def draw_page(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        self.draws.append((page, scale))
        self.draw_threads.append(threading.current_thread().name)
        while not self.gate.is_set():
            if cancel.cancelled:
                self.cancelled.append(page)
                return
            self.gate.wait(0.005)
        if page in self.errors:
            raise self.errors[page]
        yield drawn(self._paint(page, scale), page)

    def _paint(self, page: int, scale: float) -> QImage:
        image = QImage(round(WIDTH_PT * scale), round(HEIGHT_PT * scale), QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.scale(scale, scale)
        painter.setPen(QColor("#232323"))
        for block in self.blocks_of_page(page):
            for box in block.place.boxes:
                if box.page == page:
                    layout, line = _line_of(block.text[box.start : box.end], _font(block), box.right - box.left + 1)
                    line.setPosition(QPointF(0, 0))
                    layout.draw(painter, QPointF(box.left, box.top))
        painter.end()
        return image


def drawn(image: QImage, page: int) -> Drawn:
    """A picture as the document child sends it."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    stride, width = rgb.bytesPerLine(), rgb.width() * 3
    every = bytes(rgb.constBits())
    rows = b"".join(every[y * stride : y * stride + width] for y in range(rgb.height()))
    return Drawn(page, rgb.width(), rgb.height(), WIDTH_PT, HEIGHT_PT, zlib.compress(rows))


def _font(block: Block) -> QFont:
    font = QFont("DejaVu Serif")
    font.setPixelSize(15 if block.kind is BlockKind.HEADING else 13)
    font.setBold(block.kind is BlockKind.HEADING)
    return font


def _line_of(text: str, font: QFont, width: float) -> tuple[QTextLayout, QTextLine]:
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(width)
    layout.endLayout()
    return layout, line


def _placed(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with their boxes: each page is set from its top, as long as it may become."""
    found, page, y = [], 0, MARGIN_PT
    for block in blocks:
        if block.page != page:
            page, y = block.page or 0, MARGIN_PT
        boxes, start, font, width = [], 0, _font(block), WIDTH_PT - 2 * MARGIN_PT
        while start < len(block.text):
            _, line = _line_of(block.text[start:], font, width)
            length, natural = line.textLength(), line.naturalTextWidth()
            is_rtl = any("\u0590" <= character <= "\u08ff" for character in block.text)
            left = MARGIN_PT + width - natural if is_rtl else MARGIN_PT
            boxes.append(LineBox(page, left, y, left + natural, y + line.height(), start, start + length))
            start += length
            y += line.height() + 7
        found.append(replace(block, place=BlockPlace(boxes=tuple(boxes))))
        y += 12
    return found


ABOUT_LAWSUITS = (
    "During the year the group was party to two proceedings, both begun before 2023. Both were settled in October for "
    "a total of 3.7 million, of which 2.9 million had been provided for in earlier years."
)
SETTLED = "Both were settled in October for a total of 3.7 million"


def annual_report(pages: int = 48) -> DocumentInMemory:
    """Page 27 holds the marked sentence, as in the drawing; page 31 is a picture."""
    blocks: list[Block] = []

    def add(kind: BlockKind, text: str, page: int, **more: object) -> None:
        blocks.append(Block(len(blocks) + 1, kind, text, page, **more))  # type: ignore[arg-type]

    for page in range(1, pages + 1):
        if page == 27:
            add(BlockKind.HEADING, "4.3  Legal matters", page, level=2)
            add(BlockKind.PARAGRAPH, ABOUT_LAWSUITS, page)
            more = "No further claims of this kind are known to the board. The costs of the proceedings are shown under"
            add(BlockKind.PARAGRAPH, f"{more} other expenses in note 14.", page)
            add(BlockKind.HEADING, "4.4  Pensions", page, level=2)
            gap = "The gap between obligations and plan assets widened to 11.2 million as rates fell in the last"
            add(BlockKind.PARAGRAPH, f"{gap} quarter …", page)
        elif page != 31:
            add(BlockKind.HEADING, f"Page {page}", page, level=1)
            add(
                BlockKind.PARAGRAPH,
                f"This is what page {page} of the report says. Revenue rose by {page} percent.",
                page,
            )
    return DocumentInMemory("annual-report-2025.pdf", blocks, "page", pages, can_draw=True)


def settled_mark(document: DocumentInMemory) -> TextHighlight:
    """The sentence of the drawing."""
    block = next(block for block in document.read_blocks(1, document.block_count) if SETTLED in block.text)
    start = block.text.index(SETTLED)
    return TextHighlight(block.id, start, start + len(SETTLED))


def many_blocks(count: int) -> DocumentInMemory:
    """A document without pages; each paragraph says its number."""
    words = "The kiln is fired slowly, so that the clay can give off its water. "
    blocks = [
        Block(n, BlockKind.PARAGRAPH, f"Paragraph {n}. {words * (1 + n % 4)}".strip()) for n in range(1, count + 1)
    ]
    return DocumentInMemory("long.txt", blocks)


def every_kind() -> DocumentInMemory:
    """One page of everything a block can be."""
    table = "Year\tRevenue\tMargin\n2023\t381 million\t11.2 %\n2024\t396 million\t11.9 %\n2025\t412 million\t12.4 %"
    rows: list[tuple[BlockKind, str, int, str]] = [
        (BlockKind.HEADING, "Manual of the kiln", 1, ""),
        (
            BlockKind.PARAGRAPH,
            "A kiln is an oven for clay. It is fired slowly, and it cools even more slowly. " * 2,
            0,
            "",
        ),
        (BlockKind.HEADING, "Before the first firing", 2, ""),
        (BlockKind.LIST_ITEM, "Let the bricks dry for two days.", 1, "1."),
        (
            BlockKind.LIST_ITEM,
            "Look at the elements, each of them, with a lamp, and write down what you find there.",
            1,
            "2.",
        ),
        (BlockKind.LIST_ITEM, "the lower ones first", 2, "•"),
        (BlockKind.LIST_ITEM, "ثم العناصر العليا بالترتيب", 2, "•"),
        (BlockKind.TABLE, table, 0, "Revenue"),
        (BlockKind.CAPTION, "Table 1: Revenue and margin by year", 0, ""),
        (
            BlockKind.CODE,
            "def fire(kiln, degrees):\n    for step in range(0, degrees, 50):\n        kiln.heat(step)",
            0,
            "python",
        ),
        (BlockKind.PARAGRAPH, "الفرن هو موقد للطين، ويُحمى ببطء شديد ويبرد أبطأ من ذلك.", 0, ""),
        (BlockKind.NOTE, "Temperatures are in degrees Celsius unless something else is said.", 0, "footnote"),
        (BlockKind.NOTE, "Ask Maria whether this is still right.", 0, "comment"),
    ]
    blocks = [
        Block(n, kind, text, 1, (), BlockPlace(), level, label) for n, (kind, text, level, label) in enumerate(rows, 1)
    ]
    return DocumentInMemory("manual.docx", blocks, "chapter", 3)
