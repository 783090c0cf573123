"""Write the open branch of a chat as a Word document: headings, lists, tables, code, links, and formulas as Word's
own.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import IO, Any

from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
from docx.image.image import Image
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from markdown_it.token import Token

from app.core.catalogue import tr
from app.core.lazy_dataclasses import dataclass, field
from app.features.exchange import markup
from app.features.exchange.chat_pictures import IN_WORD, find_file
from app.features.exchange.office_math import office_math
from app.features.exchange.open_branch import INSTRUCTIONS, PICTURE, ExportedTurn, OpenBranch
from app.features.media import MediaLibrary
from app.features.work.docx_writer import GREY, DocxWriter
from app.language.scripts import is_right_to_left
from app.store.media_store import MediaUse

log = logging.getLogger(__name__)

CODE = "Chat Code"
MOST_WIDE_PT, MOST_HIGH_PT = 320.0, 320.0
"""Of a picture."""
MOST_LEVELS = 3
"""List levels that Word's template has styles for."""
MOST_CELLS = 20_000
"""Of one table; python-docx looks at all of them for each."""
_ALIGNED = {"left": None, "right": WD_ALIGN_PARAGRAPH.RIGHT, "center": WD_ALIGN_PARAGRAPH.CENTER}


def write_docx(branches: Iterable[OpenBranch], out: IO[bytes], media: MediaLibrary | None = None) -> Iterator[int]:
    """Write the document to a binary file; yields 1 after each turn. `media` has its pictures."""
    writing: _ChatDocxWriter | None = None
    for branch in branches:
        if writing is None:
            writing = _ChatDocxWriter(branch.title, media)
        writing.write_head(branch)
        for turn in branch.turns:
            writing.write_turn(turn)
            yield 1
    # A file without a chat is still one that Word opens.
    (writing or _ChatDocxWriter(tr("Chats"))).save(out)


@dataclass
class _RunLook:
    """Formatting of the next words."""

    bold: int = 0
    italic: int = 0
    strike: int = 0
    address: str = ""


@dataclass
class _InsertPlace:
    """Position of the next paragraph within an answer."""

    lists: list[str] = field(default_factory=list)
    quotes: int = 0
    is_new_item: bool = False
    prefix: str = ""


class _ChatDocxWriter:
    def __init__(self, title: str, media: MediaLibrary | None = None) -> None:
        self._media = media
        self._writer = DocxWriter(title, instead="\ufffd")
        code = self._writer.add_style(CODE, WD_STYLE_TYPE.PARAGRAPH)
        code.font.name, code.font.size = "JetBrains Mono", Pt(9)
        code.paragraph_format.space_after, code.paragraph_format.line_spacing = Pt(6), 1.0
        self._numbering = _ListNumbering(self._writer.document)
        self.save = self._writer.save

    def write_head(self, branch: OpenBranch) -> None:
        self._write_heading(branch.title, 1)
        for fact in branch.facts:
            self._write_grey(fact, is_ours=True)
        if branch.instructions:
            self._write_grey(tr(INSTRUCTIONS), is_ours=True)
            self._write_plain(branch.instructions, "Quote")

    def write_turn(self, turn: ExportedTurn) -> None:
        self._write_heading(f"{turn.name}, {turn.at}", 2)
        if turn.thinking.strip():
            self._write_grey(turn.thinking_words, is_ours=True)
            self._write_plain(turn.thinking, "Quote")
        for use in turn.pictures:
            self._write_picture(use)
        if turn.is_question:
            self._write_plain(turn.text)
        elif turn.text.strip():
            self._write_markdown(markup.tokens_of(turn.text))
        for fact in turn.facts:
            self._write_grey(fact)

    def _write_picture(self, use: MediaUse) -> None:
        """Insert a picture as large as fits; one that Word would show rotated is re-encoded upright."""
        found = find_file(self._media, use, IN_WORD) if self._media is not None else None
        try:
            # Word ignores the orientation that a camera notes; its width then differs from the decoded one.
            if found is not None and found[1] == "jpeg" and Image.from_blob(found[0]).px_width != use.media.width:
                found = find_file(self._media, use, ()) if self._media is not None else None
            if found is not None:
                # As large as on a screen of 96 dots an inch, at most the page's width.
                wide = min(MOST_WIDE_PT, use.media.width * 0.75, MOST_HIGH_PT * use.media.width / use.media.height)
                self._add_paragraph(None, "").add_run().add_picture(io.BytesIO(found[0]), width=Pt(max(8, wide)))
                return
        except (UnrecognizedImageError, InvalidImageStreamError, UnexpectedEndOfFileError) as error:
            log.info("a picture is not one to python-docx: %s", type(error).__name__)
        self._write_grey(tr(PICTURE, name=use.name))

    def _write_heading(self, text: str, level: int) -> None:
        self._add_run(self._add_paragraph(f"Heading {level}", text), text)

    def _write_grey(self, text: str, *, is_ours: bool = False) -> None:
        paragraph = self._add_paragraph(None, text)
        if is_ours:
            self._writer.add_program_words(paragraph, text)
        else:
            self._add_run(paragraph, text).font.color.rgb = GREY

    def _write_plain(self, text: str, style: str | None = None) -> None:
        for lines in re.split(r"\n\s*\n", text.strip("\n")):
            if lines.strip():
                self._add_run(self._add_paragraph(style, lines), lines)

    def _add_paragraph(self, style: str | None, text: str) -> Paragraph:
        """Add a paragraph in the direction of the text it is going to have."""
        return self._writer.add_paragraph(style, is_rtl=is_right_to_left(text[:2_000]))

    def _add_run(self, paragraph: Paragraph, text: str, look: _RunLook | None = None) -> Run:
        run = self._writer.add_run(paragraph, text, is_rtl=is_right_to_left(text[:2_000]))
        if look is not None:
            run.bold, run.italic = bool(look.bold) or None, bool(look.italic) or None
            run.font.strike = bool(look.strike) or None
            if look.address:
                self._writer.make_link(paragraph, run, address=look.address)
        return run

    def _write_markdown(self, tokens: Sequence[Token]) -> None:
        place, at = _InsertPlace(), 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(n for n in range(at, len(tokens)) if tokens[n].type == "table_close")
                self._write_table(tokens[at:end])
                at = end
            elif token.type == "inline":
                self._inline_block(token, tokens[at - 1], place)
            elif token.type in ("fence", "code_block"):
                self._write_code(token.content, place)
            elif markup.is_formula(token):
                self._write_formula(token, place)
            elif token.type == "hr":
                # Word has no rule; a gap stands for it.
                self._add_paragraph(None, "").paragraph_format.space_after = Pt(12)
            else:
                self._enter_or_leave(token, place)
            at += 1

    def _enter_or_leave(self, token: Token, place: _InsertPlace) -> None:
        """Update list, quote and note nesting."""
        match token.type:
            case "bullet_list_open":
                place.lists.append("List Bullet")
            case "ordered_list_open":
                start = token.attrGet("start")
                # Each list counts by itself; its number goes with the style's name.
                place.lists.append(f"List Number:{self._numbering.begin_list(start if isinstance(start, int) else 1)}")
            case "bullet_list_close" | "ordered_list_close":
                place.lists.pop()
            case "list_item_open":
                place.is_new_item = True
            case "blockquote_open":
                place.quotes += 1
            case "blockquote_close":
                place.quotes -= 1
            case "footnote_open":
                place.prefix = f"[{markup.note_number(token)}] "

    def _inline_block(self, token: Token, opening: Token, place: _InsertPlace) -> None:
        if opening.type == "heading_open":
            # The chat's own headings are two levels.
            paragraph = self._add_paragraph(f"Heading {min(9, int(opening.tag[1]) + 2)}", token.content)
        else:
            paragraph = self._placed_paragraph(token.content, place)
        if place.prefix:
            self._add_run(paragraph, place.prefix)
            place.prefix = ""
        self._write_inline(paragraph, token.children or [])

    def _placed_paragraph(self, text: str, place: _InsertPlace) -> Paragraph:
        """Add a paragraph in its list or quote."""
        if not (depth := min(len(place.lists), MOST_LEVELS)):
            # The template has three levels of styles.
            return self._add_paragraph("Quote" if place.quotes else None, text)
        style, _, number = place.lists[-1].partition(":")
        level = "" if depth == 1 else f" {depth}"
        # A second paragraph of an item has no number of its own.
        if not place.is_new_item:
            return self._add_paragraph(f"List Continue{level}", text)
        place.is_new_item = False
        paragraph = self._add_paragraph(f"{style}{level}", text)
        if number:
            self._numbering.number_paragraph(paragraph, int(number))
        return paragraph

    def _write_code(self, text: str, place: _InsertPlace) -> None:
        paragraph = self._add_paragraph(CODE, "")
        paragraph.paragraph_format.left_indent = Pt(18 * min(len(place.lists), MOST_LEVELS)) or None
        shade = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", "F1EDE8")):
            shade.set(qn(f"w:{name}"), value)
        paragraph._p.get_or_add_pPr().append(shade)
        self._writer.add_run(paragraph, text.rstrip("\n"))
        place.is_new_item = False

    def _write_formula(self, token: Token, place: _InsertPlace) -> None:
        """Write a formula on its own line; one that can't be typeset as its source."""
        if (math := office_math(token.content, is_block=True)) is None:
            self._write_code(markup.formula_source(token), place)
            return
        paragraph = self._add_paragraph(None, "")
        paragraph.paragraph_format.left_indent = Pt(18 * min(len(place.lists), MOST_LEVELS)) or None
        paragraph._p.append(math)
        place.is_new_item = False

    def _write_table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[tuple[Token, Token]]] = []
        for opening, token in pairwise(tokens):
            if opening.type == "tr_open":
                rows.append([])
            if token.type == "inline":
                rows[-1].append((opening, token))
        # python-docx looks at all cells for each, so a table takes the square of the time.
        if not (columns := max(map(len, rows), default=0)) or columns * len(rows) > MOST_CELLS:
            self._write_plain("\n".join(" | ".join(token.content for _, token in row) for row in rows))
            return
        table = self._writer.add_table(0, columns)
        for row in rows:
            cells = table.add_row().cells
            for cell, (opening, token) in zip(cells, row, strict=False):
                paragraph = cell.paragraphs[0]
                aligned = str(opening.attrGet("style") or "").partition("text-align:")[2]
                paragraph.alignment = _ALIGNED.get(aligned)
                self._write_inline(paragraph, token.children or [], _RunLook(bold=opening.type == "th_open"))
        # Word joins two tables that nothing separates.
        self._add_paragraph(None, "").paragraph_format.space_after = Pt(0)

    def _write_inline(self, paragraph: Paragraph, children: Sequence[Token], look: _RunLook | None = None) -> None:
        look = look or _RunLook()
        for token in children:
            match token.type:
                case "strong_open" | "strong_close":
                    look.bold += token.nesting
                case "em_open" | "em_close":
                    look.italic += token.nesting
                case "s_open" | "s_close":
                    look.strike += token.nesting
                case "link_open":
                    look.address = str(token.attrGet("href") or "")
                case "link_close":
                    look.address = ""
                case "softbreak":
                    self._add_run(paragraph, " ")
                case "hardbreak":
                    paragraph.add_run().add_break()
                case "footnote_ref":
                    self._add_run(paragraph, f"[{markup.note_number(token)}]").font.superscript = True
                case "image":
                    address = str(token.attrGet("src") or "")
                    self._add_run(paragraph, token.content or address, _RunLook(address=address))
                case _:
                    self._write_leaf(paragraph, token, look)

    def _write_leaf(self, paragraph: Paragraph, token: Token, look: _RunLook) -> None:
        if markup.is_formula(token) and (math := office_math(token.content, is_block=False)) is not None:
            paragraph._p.append(math)
            return
        text = markup.formula_source(token) if markup.is_formula(token) else token.content
        if text:
            run = self._add_run(paragraph, text, look)
            if token.type == "code_inline" or markup.is_formula(token):
                run.font.name = "JetBrains Mono"


class _ListNumbering:
    """Each numbered list begins by itself: Word counts on through all paragraphs of one style otherwise."""

    def __init__(self, document: Any) -> None:
        self._part = document.part.numbering_part.numbering_definitions._numbering
        style = document.styles["List Number"].element
        (number,) = style.xpath("w:pPr/w:numPr/w:numId/@w:val")
        # Word's numbering instances share a definition; a new instance counts from its own start.
        self._abstract = next(
            numbering for numbering in self._part.num_lst if str(numbering.numId) == number
        ).abstractNumId.val

    def begin_list(self, start: int) -> int:
        """Add a list's numbering; return its id."""
        number = self._part.add_num(self._abstract)
        # Word's numbers are 32 bits wide.
        number.add_lvlOverride(ilvl=0).add_startOverride(max(0, min(start, 2**31 - 1)))
        return int(number.numId)

    def number_paragraph(self, paragraph: Paragraph, number: int) -> None:
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = 0
        properties.get_or_add_numId().val = number
