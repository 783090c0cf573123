"""Markdown written back: the words of its paragraphs, headings, items, cells and notes; all markup stays.

Left as they are: code, formulas, definitions of links, HTML in quotes, and front matter but for titles and
descriptions.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.formats.catalogs.values import is_locale, renamed_locale
from app.documents.formats.catalogs.yaml_file import YamlScalar, places, put_value, written_scalar
from app.documents.formats.markdown.inline import ImageMark, InlineText, inline_of
from app.documents.formats.markdown.inline_tokens import new_parser
from app.documents.formats.markdown.markdown_passages import MarkdownPassage, ParsedPortion
from app.documents.formats.markdown.markdown_text import MarkdownText, TextFrame
from app.documents.formats.markdown.read_markdown import portions
from app.documents.formats.plain.line_wrapping import width_of
from app.documents.formats.web.html_pages import shown_piece
from app.documents.segments import SegmentKind
from app.documents.source import FileSource, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

# A definition may go on in the next line.
_DEFINITION = re.compile(r"^[ \t>]{0,12}\[[^\]\n]{1,999}\]:.*(?:\n[ \t>]+\S.*)?", re.MULTILINE)
_SIGNS = re.compile(r"[^\s>]")
_WORD = re.compile(r"[^\W\d_]{2}")
_HTML_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a Markdown file. Never refuses: any text is Markdown. See `app.documents.source`."""
    file = TextFile(source)
    _MarkdownWriter(source, file, SegmentVisits(visit), target).run()
    if out is not None:
        file.write(out)


class _MarkdownWriter:
    def __init__(
        self, source: FileSource, file: TextFile, visits: SegmentVisits, target: TargetLanguage | None
    ) -> None:
        self._source, self._file, self._visits, self._target = source, file, visits, target
        self._text = file.text
        self._env: dict[str, Any] = {}
        self._parser = new_parser(has_front_matter=False)
        self._written = MarkdownText(self._parser, self._env)

    def run(self) -> None:
        stretches = list(portions(self._text))
        # Portions are parsed apart, so they know of each other's definitions only if these are read first.
        if len(stretches) > 1:  # a link may be defined in another portion
            definitions = "\n\n".join(found[0] for found in _DEFINITION.finditer(self._text))
            self._parser.parse(definitions, self._env)
        left = lost = 0
        # HTML between quote marks has no lines of its own that could be replaced.
        for start, end in stretches:
            portion = ParsedPortion(self._text, start, end)
            for text in portion.texts(new_parser() if start == 0 else self._parser, self._env):
                if text.type == "html_block":
                    self._put_html(text.lines[0].start, text.lines[0].end)
                elif text.type == "html_lines":
                    left += _WORD.search(_HTML_MARKUP.sub(" ", text.source(self._text))) is not None
                elif text.type == "front_matter":
                    put_front_matter(self._file, text.lines[0].start, text.lines[0].end, self._visits, self._target)
                else:
                    self._write_passage(text)
            lost += portion.lost
        self._source.remark("left_markup", count=left)
        self._source.remark("left_blocks", count=lost)

    def _put_html(self, start: int, end: int) -> None:
        new = shown_piece(self._text[start:end], self._visits)
        if new is not None:
            self._file.replace(start, end, new)

    def _write_passage(self, text: MarkdownPassage) -> None:
        """Visit a text with its images and write the translations."""
        words = text.source(self._text)
        # A bar in a cell is escaped in the file, and not for the parser of its words.
        old = inline_of(self._parser, words.replace("\\|", "|") if text.type == "cell" else words, self._env)
        images = {image: put for image in old.images if (put := self._translate_image(old, image)) is not None}
        has_words = any(isinstance(part, str) and not part.isspace() for part in old.content)
        new = self._visits(old.content, text.kind, level=text.level) if has_words else None
        if new is None and not images:
            return
        for image, written in images.items():
            old.written["single", image.number] = written
        # Only words of pictures changed: the rest of the text stays byte for byte.
        if new is None:
            written = _with_images(old.source, images)
            written = re.sub(r"(?<!\\)\|", r"\\|", written) if text.type == "cell" else written
        else:
            written = self._written.write_content(new, old, self._text_frame(text))
        self._replace(text, written)

    def _translate_image(self, old: InlineText, image: ImageMark) -> str | None:
        """Return an image's source with its alternative text translated; None where it stays."""
        words = old.source[image.first : image.last]
        inner = inline_of(self._parser, words, self._env)
        if not any(isinstance(part, str) and not part.isspace() for part in inner.content):
            return None
        new = self._visits(inner.content, SegmentKind.LABEL)
        if new is None:
            return None
        text = self._written.write_content(new, inner, TextFrame(SegmentKind.LABEL)).replace("\n", " ")
        # Without markup of its own a bracket would end the label.
        if not inner.written:
            text = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", text)
        return image.written(old.source, text)

    def _text_frame(self, text: MarkdownPassage) -> TextFrame:
        first, next_ = text.lines[0], _next_prefix(text)
        # A heading is one line; what was one line stays one, however long.
        most = text.width(self._text) if len(text.lines) > 1 and text.kind is not SegmentKind.HEADING else 0
        return TextFrame(text.kind, width_of(first.prefix.expandtabs(4)), next_, most, text.type == "cell")

    def _replace(self, text: MarkdownPassage, written: str) -> None:
        lines = written.split("\n")
        between = self._file.newline + _next_prefix(text)
        self._file.replace(text.lines[0].start, text.lines[-1].end, between.join(lines))


def _next_prefix(text: MarkdownPassage) -> str:
    """Return what further lines begin with: as the second line does, or blanks below a list's mark."""
    return text.lines[1].prefix if len(text.lines) > 1 else _SIGNS.sub(" ", text.lines[0].prefix)


def _with_images(source: str, images: dict[ImageMark, str]) -> str:
    parts, at = list[str](), 0
    for image, written in images.items():
        parts += [source[at : image.start], written]
        at = image.end
    return "".join(parts) + source[at:]


_TITLES = frozenset(
    "title subtitle description summary abstract excerpt lead linktitle sidebar_label caption".split()  # noqa: SIM905
)
_LANGUAGES = ("lang", "language", "locale")
# Three dashes or more, as the plug-in for front matter takes them.
_INNER = re.compile(r"-{3,}[ \t]*(?:\r\n|\r|\n)(.*?)(?:\r\n|\r|\n)?-{3,}\s*\Z", re.DOTALL)


def put_front_matter(
    file: TextFile, start: int, end: int, visits: SegmentVisits, target: TargetLanguage | None
) -> None:
    """Rewrite front matter; `start` to `end` are its lines with the delimiters. Invalid YAML is left."""
    inner = _INNER.match(file.text[start:end])
    if inner is None:
        return
    try:
        found = list(places(inner[1], ""))
    except DocumentUnreadable:
        return
    offset = start + inner.start(1)
    for place in found:
        # Keys at the top only: what is nested is a theme's settings.
        if place.is_key or len(place.path) != 1:
            continue
        key = place.path[0].lower()
        if key in _TITLES:
            put_value(file, offset, place, visits)
        elif key in _LANGUAGES and target is not None and is_locale(place.value):
            _set_scalar(file, offset, place, renamed_locale(place.value, target.language))
        elif key == "dir" and target is not None and place.value in ("ltr", "rtl"):
            _set_scalar(file, offset, place, "rtl" if target.is_rtl else "ltr")


def _set_scalar(file: TextFile, offset: int, place: YamlScalar, new: str) -> None:
    start, end = place.start + offset, place.end + offset
    if new != place.value:
        file.replace(start, end, written_scalar(file.text[start:end], place, new))
