"""XML of documents, read with lxml so that nothing in it can reach out: no DTD, no entity, no network.

lxml never sees a document type declaration: `CleanStream` takes it out of the stream on the way, refuses it where it
declares entities, and puts the characters of HTML's named entities in their places.
"""

from __future__ import annotations

import codecs
import html
import io
import re
from collections.abc import Iterator
from html.entities import html5
from typing import Any, BinaryIO, NamedTuple

from lxml import etree

from app.documents.blocks import BlockPlace
from app.documents.encoding import BOMS
from app.documents.source import FileSource

READ_BYTES = 128 * 1024
MOST_TAGS = 10_000_000
"""Limit: five million elements with an end tag each."""
MOST_TEXT_BYTES = 9_000_000
"""libxml2 refuses a text of 10,000,000 bytes."""
MOST_PROLOGUE_BYTES = 1_000_000

# The first characters of the root or of the declaration, without a mark (XML 1.0, appendix F).
_MARKS = (
    *BOMS,
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
# Atomic, as these patterns go over strangers' prologues of up to a megabyte.
_BEFORE_ROOT = re.compile(r"(?>\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(
    r"<!DOCTYPE(?>[^\[>\"']|\"[^\"]*\"|'[^']*')*+"
    r"(?:\[(?>[^\]\"'<]|\"[^\"]*\"|'[^']*'|<!--.*?-->|<\?.*?\?>|<(?>[^<>\"']|\"[^\"]*\"|'[^']*')*+>)*+\]\s*+)?>",
    re.DOTALL | re.IGNORECASE,
)
_REFERENCE = re.compile(rb"&(#?[A-Za-z0-9]+);")
_DECLARATION = re.compile(r"<\?xml\s.*?\?>", re.DOTALL)
# ISO 29500 Strict, which Office writes when asked: the same elements in other namespaces.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_XML_NAMES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_KEPT = "surrogateescape"  # bytes that are no text yet: the rest of a character may follow
_ASCII = bytes(range(32, 127))
_NO_CHARACTERS = bytes(code for code in range(32) if code not in (9, 10, 11, 12, 13))
_BREAKS = bytes.maketrans(b"\x0b\x0c", b"  ")
_NO_UNICODE = ("\ufffe", "\uffff")


class CleanStream:
    """Stream of UTF-8 without document type, forbidden characters and entities other than XML's own.

    Strict OOXML namespaces become the usual ones. Raises DocumentUnreadable: entities, if the document type declares
    any; inflates, for too many elements or too long a text; damaged.
    """

    def __init__(self, stream: BinaryIO, source: FileSource) -> None:
        self._stream = stream
        self._source = source
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_started = False
        self._is_ended = False
        self._held = b""
        self._ready = b""
        self._tags = 0
        self._in_cdata = False

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, or the next ones if negative; b"" at the end."""
        while not self._is_ended and not self._ready:
            self._ready = self._next_chunk()
        size = len(self._ready) if size < 0 else size
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def _next_chunk(self) -> bytes:
        raw = self._start() if not self._is_started else self._read_chunk()
        self._is_ended = not raw
        data = self._held + self._decode_bytes(raw)
        # Nothing that matters is cut before a tag: no character, no reference, no mark of a CDATA section.
        cut = len(data) if self._is_ended else max(0, data.rfind(b"<"))
        data, self._held = data[:cut], data[cut:]
        self._tags += data.count(b"<")
        if self._tags > MOST_TAGS or len(self._held) > MOST_TEXT_BYTES:
            raise self._source.unreadable("inflates")
        return self._clean_bytes(data)

    def _read_chunk(self) -> bytes:
        return self._stream.read(READ_BYTES)

    def _start(self) -> bytes:
        """Read up to the root and hold that without its declaration; return the bytes that follow."""
        self._is_started = True
        raw = self._read_chunk()
        encoding = encoding_of(raw)
        if encoding != "utf-8":
            # lxml gets UTF-8 in any case: it knows fewer encodings than Python, and a lie in the declaration is damage
            # to it.
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        data = self._decode_bytes(raw).removeprefix(codecs.BOM_UTF8)
        text = data.decode("utf-8", _KEPT)
        while _is_before_root(text) and (raw := self._read_chunk()):
            data += self._decode_bytes(raw)
            text = data.decode("utf-8", _KEPT)
            # A prologue of a megabyte is none.
            if len(text) > MOST_PROLOGUE_BYTES:
                raise self._source.unreadable("damaged")
        text = _DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text
        self._held = self._without_doctype(text).encode("utf-8", _KEPT)
        return self._read_chunk()

    def _without_doctype(self, text: str) -> str:
        before = _BEFORE_ROOT.match(text)
        at = before.end() if before else 0
        if not _is_doctype(text, at):
            return text
        doctype = _DOCTYPE.match(text, at)
        # Refused even where the pattern does not match, as for one that is never closed.
        if "<!ENTITY" in (text if doctype is None else doctype[0]):
            raise self._source.unreadable("entities")
        if doctype is None:
            raise self._source.unreadable("damaged")
        return text[:at] + text[doctype.end() :]

    def _decode_bytes(self, raw: bytes) -> bytes:
        if self._decoder is None:
            return raw
        # "replace" once more: UTF-16 may hold halves of characters, which UTF-8 cannot.
        return self._decoder.decode(raw, final=self._is_ended).encode("utf-8", "replace")

    def _clean_bytes(self, data: bytes) -> bytes:
        data = _valid_utf8(data).translate(_BREAKS, _NO_CHARACTERS)
        if b"purl.oclc.org/ooxml/" in data:
            # Only the transitional form has a year in its namespaces.
            data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", data)
        if self._in_cdata or b"<![CDATA[" in data:
            # A reference inside of CDATA is text.
            return b"".join(self._outside_cdata(part) for part in re.split(rb"(<!\[CDATA\[|\]\]>)", data))
        return _without_names(data)

    def _outside_cdata(self, part: bytes) -> bytes:
        if part == b"<![CDATA[":
            self._in_cdata = True
        elif part == b"]]>":
            self._in_cdata = False
        elif not self._in_cdata:
            return _without_names(part)
        return part


def encoding_of(raw: bytes) -> str:
    """Detect the encoding by the XML standard (appendix F); UTF-8 if the declared one is unknown."""
    # The longest marks first, see `BOMS`.
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding
    declared = _DECLARED.match(raw[:1000])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in ("utf8", "ascii", "us-ascii"):
        return "utf-8"
    try:
        # A declaration that could be read as ASCII is in no other encoding, whatever it says of itself.
        return name if _ASCII.decode(name) == _ASCII.decode("ascii") else "utf-8"
    except (LookupError, UnicodeError):
        return "utf-8"


def _valid_utf8(data: bytes) -> bytes:
    """Return valid UTF-8 without U+FFFE and U+FFFF, which XML does not allow."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        data = text.encode("utf-8")
    if any(code in text for code in _NO_UNICODE):
        data = text.translate(dict.fromkeys(map(ord, _NO_UNICODE))).encode("utf-8")
    return data


def _is_before_root(text: str) -> bool:
    """Return whether the document type may not be here as a whole yet."""
    before = _BEFORE_ROOT.match(text)
    rest = text[before.end() if before else 0 :]
    if _is_doctype(rest):
        return _DOCTYPE.match(rest) is None
    # A comment or a declaration that is not closed yet.
    return len(rest) < len("<!DOCTYPE") or rest.startswith(("<!--", "<?"))


def _is_doctype(text: str, at: int = 0) -> bool:
    return text[at : at + len("<!DOCTYPE")].upper() == "<!DOCTYPE"  # in lower case it is HTML's, in EPUBs too


def _without_names(data: bytes) -> bytes:
    """Resolve HTML's named characters; make a second document type the error that it is."""
    if b"<!DOCTYPE" in data:
        # lxml must see none at all, so that nothing depends on how it treats one.
        data = data.replace(b"<!DOCTYPE", b"<!-DOCTYPE")
    return _REFERENCE.sub(_resolve_reference, data) if b"&" in data else data


def _resolve_reference(reference: re.Match[bytes]) -> bytes:
    name = reference[1]
    if name in _XML_NAMES:
        return reference[0]
    # Numbers of characters that XML forbids end the parsing, though Word writes some.
    if name.startswith(b"#"):
        return reference[0] if _is_allowed(name[1:]) else b""
    found = html5.get(name.decode("ascii") + ";")
    # An unknown name stays readable, as in browsers.
    return b"&amp;" + name + b";" if found is None else html.escape(found).encode("utf-8")


def _is_allowed(number: bytes) -> bool:
    try:
        code = int(number[1:], 16) if number[:1] in b"xX" else int(number)
    except ValueError:
        return False
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


OPEN_DOCUMENT = (b"<office:binary-data>", b"</office:binary-data>")
"""Tags around embedded pictures, which are skipped; the first must be a complete tag."""
FICTION_BOOK = (b"<binary", b"</binary>")


class WithoutPictures(io.RawIOBase, BinaryIO):
    """Stream without the pictures between two `marks`; UTF-16 and UTF-32 become UTF-8."""

    def __init__(self, stream: BinaryIO, marks: tuple[bytes, bytes] = OPEN_DOCUMENT) -> None:
        self._stream = stream
        self._begin, self._end = marks
        self._keeps_marks = self._begin.endswith(b">")
        self._held = b""
        self._is_inside = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_begun = False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, about as many as asked for; b"" at the end."""
        while raw := self._stream.read(size):
            if data := self._outside_pictures(self._held + self._in_utf8(raw)):
                return data
        data, self._held = self._held, b""
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _in_utf8(self, raw: bytes) -> bytes:
        if not self._is_begun:
            self._is_begun = True
            encoding = encoding_of(raw)
            if encoding.startswith(("utf-16", "utf-32")):
                self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        return raw if self._decoder is None else self._decoder.decode(raw).encode("utf-8", "replace")

    def _outside_pictures(self, data: bytes) -> bytes:
        kept = []
        while data:
            # A mark is looked for in what is held as well, for it may lie across two reads.
            mark = self._end if self._is_inside else self._begin
            before, found, after = data.partition(mark)
            if not found:
                break
            found = found if self._keeps_marks else b""
            kept.append(found if self._is_inside else before + found)
            self._is_inside = not self._is_inside
            data = after
        # The next mark may have begun at the very end.
        cut = max(0, len(data) - len(self._end))
        if not self._is_inside:
            kept.append(data[:cut])
        self._held = data[cut:]
        return b"".join(kept)


Element = Any
"""An lxml element; lxml brings no types."""


class NumberedElement(NamedTuple):
    """An element with its place: `list(root.iter())[start:end]` is it with all below it."""

    start: int
    end: int
    element: Element


_SAFE = {
    # lxml's defaults change between versions (CVE-2026-41066: iterparse read local files), so all are said.
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    # libxml2's own limits stay: depth 256, texts of 10 MB.
    "huge_tree": False,
    "collect_ids": False,  # saves a dictionary of all ids, which a hostile file fills
    "encoding": "utf-8",
}
_TOO_DEEP = etree.ErrorTypes.ERR_RESOURCE_LIMIT
"""Only the depth is left of these limits: `CleanStream` has one for the length of a text."""


def tags(space: str, names: str) -> tuple[str, ...]:
    """Return names with their namespace, which is in braces, as lxml writes them."""
    return tuple(f"{space}{name}" for name in names.split())


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; "" for a comment or an instruction."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def words_in(element: Element | None) -> str:
    """Return all text below an element with single spaces; "" where there is none such."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def parse(stream: BinaryIO | bytes, source: FileSource) -> Element:
    """Return the root of a part; raises DocumentUnreadable: damaged, entities, too_deep or inflates."""
    try:
        return etree.parse(_open_clean(stream, source), etree.XMLParser(**_SAFE)).getroot()
    except etree.XMLSyntaxError as error:
        raise _unreadable_problem(error, source) from None


def iterate(stream: BinaryIO | bytes, source: FileSource, tags: tuple[str, ...]) -> Iterator[Element]:
    """Yield the elements of these tags that are in no other such element, each whole; emptied after its turn.

    What stands before it in its parent is gone then. Raises as `parse` does, and only when it comes to the place.
    """
    try:
        for _, element in etree.iterparse(_open_clean(stream, source), events=("end",), tag=tags, **_SAFE):
            # Tags may be nested in each other; only the outermost is given.
            if next(element.iterancestors(*tags), None) is None:
                yield element
                # Memory stays that of one element: it is emptied, and what stands before it removed.
                element.clear(keep_tail=True)
                while (before := element.getprevious()) is not None and element.getparent() is not None:
                    element.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        raise _unreadable_problem(error, source) from None


def stream_blocks(
    stream: BinaryIO | bytes, source: FileSource, containers: frozenset[str]
) -> Iterator[NumberedElement]:
    """Yield the outermost non-container elements, complete and with their places; each is freed after its turn.

    The root is a container too; text directly in a container is skipped. Raises as `parse` does, when it comes to the
    place.
    """
    parser = etree.XMLPullParser(events=("start",), tag=tuple(containers), **_SAFE)
    clean = _open_clean(stream, source)
    blocks = _OpenTree(containers)
    root = None
    # Fed by hand, so that blocks come while the file is still being read.
    try:
        while data := clean.read():
            parser.feed(data)
            for _, element in parser.read_events():
                root = element if root is None else root
            if root is not None:
                yield from blocks.inside(root, is_whole=False)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _unreadable_problem(error, source) from None
    if root is not None:
        yield from blocks.inside(root, is_whole=True)


class _OpenTree:
    """A tree being built: only the last child of an open element is incomplete."""

    def __init__(self, containers: frozenset[str]) -> None:
        self._containers = containers
        self._passed = 0
        self._open: set[Element] = set()

    def inside(self, container: Element, *, is_whole: bool) -> Iterator[NumberedElement]:
        """Yield what is whole in a container and was not given yet."""
        if container not in self._open:
            self._open.add(container)
            self._passed += 1
        children = list(container)
        last = None if is_whole or not children else children.pop()
        for child in children:
            if child.tag in self._containers:
                yield from self.inside(child, is_whole=True)
                continue
            start = self._passed
            nodes = list(child.iter())  # kept until its turn is over: lxml makes each only once then
            self._passed += len(nodes)
            yield NumberedElement(start, self._passed, child)
        # Freed in one go; the last child is still being built.
        del container[: len(children)]
        if last is not None and last.tag in self._containers:
            yield from self.inside(last, is_whole=False)
        if is_whole:
            self._open.discard(container)


class ElementPlaces:
    """The places of elements inside one element, whose own number is known; counted when they are first asked for."""

    def __init__(self, part: str, root: Element, start: int = 0, end: int = 0) -> None:
        self._part = part
        self._root = root
        self._start = start
        self._end = end
        self._numbers: dict[Element, int] = {}

    def place_of(self, element: Element) -> BlockPlace:
        if element is self._root and self._end:
            return BlockPlace(self._part, self._start, self._end)
        if not self._numbers:
            # All numbers at once: asking for each by walking would be quadratic.
            self._numbers = {element: number for number, element in enumerate(self._root.iter(), self._start)}
        start = self._numbers[element]
        return BlockPlace(self._part, start, start + sum(1 for _ in element.iter()))


def _open_clean(stream: BinaryIO | bytes, source: FileSource) -> CleanStream:
    return CleanStream(io.BytesIO(stream) if isinstance(stream, bytes) else stream, source)


def _unreadable_problem(error: etree.XMLSyntaxError, source: FileSource) -> Exception:
    return source.unreadable("too_deep" if error.code == _TOO_DEEP else "damaged")
