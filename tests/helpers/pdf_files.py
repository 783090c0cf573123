"""PDF files of our own making, object by object: text at given places, drawings, outlines, passwords, broken ones.

Passwords follow ISO 32000-2, 7.6: RC4 with 128 bits (revision 3) and AES-256 (revision 6).
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

A4 = (595.0, 842.0)
FONTS = {
    "F1": "Helvetica",
    "F2": "Helvetica-Bold",
    "F3": "Courier",
    "F4": "Times-Roman",
}
_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
# Widths of Helvetica for the characters from the space on, in thousandths of the size (Adobe's core font metrics).
_WIDTHS = [
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *([556] * 10),
    *(278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500),
    *(722, 500, 500, 500, 334, 260, 334, 584),
]


def width(text: str, size: float = 10, font: str = "F1") -> float:
    """How wide a text is, in points."""
    if font == "F3":
        return 0.6 * size * len(text)
    return sum(_WIDTHS[ord(char) - 32] if 32 <= ord(char) < 127 else 556 for char in text) * size / 1000


@dataclass
class Page:
    """A page that is drawn on: places are points from its left upper corner before it is turned."""

    size: tuple[float, float] = A4
    rotate: int = 0
    crop: tuple[float, float, float, float] | None = None
    stream: list[str] = field(default_factory=list)
    images: int = 0
    annotations: list[tuple[str, str]] = field(default_factory=list)

    def annotate(self, box: tuple[float, float, float, float], entries: str, drawn: str = "") -> None:
        """An annotation with the dictionary's `entries`; `drawn` is a text that only its appearance has."""
        left, top, right, bottom = box
        edges = f"{left:g} {self.size[1] - bottom:g} {right:g} {self.size[1] - top:g}"
        self.annotations.append((f"/Type/Annot/F 4/Rect[{edges}]{entries}", drawn))

    def text(self, x: float, y: float, text: str, size: float = 10, font: str = "F1") -> None:
        """A piece of text with its base at `y`."""
        written = text.encode("cp1252").decode("latin-1")
        escaped = written.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.stream.append(f"BT /{font} {size:g} Tf {x:.2f} {self.size[1] - y:.2f} Td ({escaped}) Tj ET")

    def rule(self, left: float, top: float, right: float, bottom: float) -> None:
        """A straight line."""
        height = self.size[1]
        self.stream.append(f"0.5 w {left:.2f} {height - top:.2f} m {right:.2f} {height - bottom:.2f} l S")

    def picture(self, left: float, top: float, width_pt: float, height_pt: float) -> None:
        """A grey picture, which stands for a scan."""
        self.images = 1
        bottom = self.size[1] - top - height_pt
        self.stream.append(f"q {width_pt:.2f} 0 0 {height_pt:.2f} {left:.2f} {bottom:.2f} cm /Im0 Do Q")


@dataclass
class Bookmark:
    """An entry of the outline; `y` from the page's upper edge."""

    title: str
    page: int
    y: float = 0.0
    level: int = 1


def column(
    page: Page, x: float, y: float, lines: list[str], *, size: float = 10, pitch: float = 12, font: str = "F1"
) -> float:
    """Lines below each other; returns where the next one would stand."""
    for line in lines:
        page.text(x, y, line, size, font)
        y += pitch
    return y


def wrapped(text: str, wide: float, size: float = 10, font: str = "F1", hyphens: bool = False) -> list[str]:
    """A text in lines of at most `wide` points; with `hyphens` long words are divided where they do not fit."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        rest = word
        if line and width(f"{line} {rest}", size, font) > wide:
            if hyphens and len(rest) > 7 and rest.isalpha():
                room = next((n for n in range(len(rest) - 3, 2, -1) if _fits(line, rest[:n], wide, size, font)), 0)
                if room:
                    line, rest = f"{line} {rest[:room]}-", rest[room:]
            lines.append(line)
            line = ""
        line = f"{line} {rest}" if line else rest
    return [*lines, line] if line else lines


def ruled(
    page: Page,
    x: float,
    y: float,
    rows: list[list[str]],
    widths: list[float],
    *,
    style: str = "lines",
    by_rows: bool = False,
    size: float = 10,
    padding: float = 5,
) -> float:
    """A table with lines around its cells, whose text is wrapped; returns its lower edge.

    `style` is how the lines are drawn: "lines" over the whole table, "boxes" around each cell, "thin" filled
    rectangles, or one "path". With `by_rows` the text is drawn line by line over all cells.
    """
    lefts = [x + sum(widths[:number]) for number in range(len(widths) + 1)]
    tops = [y]
    placed: list[tuple[float, float, str]] = []
    for row in rows:
        cells = [wrapped(cell, wide - 2 * padding, size) for cell, wide in zip(row, widths, strict=True)]
        placed += [
            (left + padding, tops[-1] + padding + (number + 0.8) * size * 1.2, line)
            for left, lines in zip(lefts, cells, strict=False)
            for number, line in enumerate(lines)
        ]
        tops.append(tops[-1] + 2 * padding + max(map(len, cells)) * size * 1.2)
    for place in sorted(placed, key=lambda place: (place[1], place[0])) if by_rows else placed:
        page.text(*place, size)
    sides = [(lefts[0], top, lefts[-1], top) for top in tops] + [(left, y, left, tops[-1]) for left in lefts]
    height = page.size[1]
    if style == "boxes":
        for top, bottom in pairwise(tops):
            for left, right in pairwise(lefts):
                page.stream.append(f"0.5 w {left:.2f} {height - bottom:.2f} {right - left:.2f} {bottom - top:.2f} re S")
    elif style == "thin":
        for left, top, right, bottom in sides:
            high = max(bottom - top, 0.6)
            page.stream.append(f"{left:.2f} {height - top - high:.2f} {max(right - left, 0.6):.2f} {high:.2f} re f")
    elif style == "path":
        parts = [f"{a:.2f} {height - b:.2f} m {c:.2f} {height - d:.2f} l" for a, b, c, d in sides]
        page.stream.append(f"0.5 w {' '.join(parts)} S")
    else:
        for side in sides:
            page.rule(*side)
    return tops[-1]


def _fits(line: str, part: str, wide: float, size: float, font: str) -> bool:
    return width(f"{line} {part}-", size, font) <= wide


def write_pdf(
    path: Path,
    pages: list[Page],
    *,
    title: str = "",
    bookmarks: list[Bookmark] | None = None,
    compressed: bool = False,
    lock: Lock | None = None,
    faces: dict[str, tuple[str, int]] | None = None,
) -> Path:
    """A whole PDF; the same arguments always give the same bytes.

    `faces` are further fonts that look like Helvetica: the name that pages call them by, that of the font, and the
    width of its stems, which PDFium makes a weight of.
    """
    objects: dict[int, bytes] = {}
    fonts = {name: 4 + number for number, name in enumerate(FONTS)}
    first = 4 + len(FONTS) + 1
    image = 4 + len(FONTS)
    kids = [first + 2 * number for number in range(len(pages))]
    outline = first + 2 * len(pages)
    at = outline + (len(bookmarks) + 1 if bookmarks else 0)
    annotated: list[range] = []
    for page in pages:
        annotated.append(range(at, at + 2 * len(page.annotations), 2))
        at += 2 * len(page.annotations)
    for each, (base, stem) in (faces or {}).items():
        fonts[each] = at
        objects[at] = _face(base, at + 1)
        objects[at + 1] = (
            f"<</Type/FontDescriptor/FontName/{base}/Flags 32/StemV {stem}/ItalicAngle 0/Ascent 718/Descent -207"
            "/CapHeight 718/FontBBox[-166 -225 1000 931]>>"
        ).encode()
        at += 2
    fields = [each for numbers in annotated for each in numbers]
    form = f"/AcroForm<</Fields[{' '.join(f'{each} 0 R' for each in fields)}]>>" if fields else ""
    objects[1] = b"<</Type/Catalog/Pages 2 0 R" + (b"/Outlines %d 0 R" % outline if bookmarks else b"")
    objects[1] += form.encode() + b">>"
    objects[2] = f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>".encode()
    objects[3] = b"<</Title " + _string(title, lock, 3) + b">>" if title else b"<<>>"
    for name, base in FONTS.items():
        objects[fonts[name]] = f"<</Type/Font/Subtype/Type1/BaseFont/{base}/Encoding/WinAnsiEncoding>>".encode()
    grey = b"\x80" * 64
    objects[image] = _stream(
        b"/Type/XObject/Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray/BitsPerComponent 8", grey, lock, image
    )
    named = "".join(f"/{name} {number} 0 R" for name, number in fonts.items())
    for number, page in enumerate(pages):
        kid = kids[number]
        resources = f"/Resources<</Font<<{named}>>" + (f"/XObject<</Im0 {image} 0 R>>" if page.images else "") + ">>"
        box = f"/MediaBox[0 0 {page.size[0]:g} {page.size[1]:g}]"
        if page.crop:
            box += "/CropBox[" + " ".join(f"{edge:g}" for edge in page.crop) + "]"
        turn = f"/Rotate {page.rotate}" if page.rotate else ""
        if page.annotations:
            turn += f"/Annots[{' '.join(f'{each} 0 R' for each in annotated[number])}]"
        objects[kid] = f"<</Type/Page/Parent 2 0 R{box}{turn}{resources}/Contents {kid + 1} 0 R>>".encode()
        content = "\n".join(page.stream).encode("latin-1")
        if compressed:
            objects[kid + 1] = _stream(b"/Filter/FlateDecode", zlib.compress(content, 6), lock, kid + 1)
        else:
            objects[kid + 1] = _stream(b"", content, lock, kid + 1)
    if bookmarks:
        objects |= _outline(bookmarks, outline, kids, pages, lock)
    for numbers, page in zip(annotated, pages, strict=True):
        objects |= _annotations(page, numbers, fonts["F1"])
    extra = b""
    if lock:
        number = max(objects) + 1
        objects[number] = lock.dictionary()
        extra = b"/Encrypt %d 0 R/ID[<%s><%s>]" % (number, lock.id.hex().encode(), lock.id.hex().encode())
    path.write_bytes(_file(objects, extra))
    return path


def _face(base: str, descriptor: int) -> bytes:
    widths = f"/FirstChar 32/LastChar {31 + len(_WIDTHS)}/Widths[{' '.join(map(str, _WIDTHS))}]"
    kind = f"/Type/Font/Subtype/Type1/BaseFont/{base}/Encoding/WinAnsiEncoding"
    return f"<<{kind}{widths}/FontDescriptor {descriptor} 0 R>>".encode()


def _annotations(page: Page, numbers: range, font: int) -> dict[int, bytes]:
    """The objects of a page's annotations, each followed by its appearance."""
    objects: dict[int, bytes] = {}
    for number, (entries, drawn) in zip(numbers, page.annotations, strict=True):
        shown = f"/AP<</N {number + 1} 0 R>>" if drawn else ""
        objects[number] = f"<<{entries}{shown}>>".encode("latin-1")
        stream = f"BT /F1 8 Tf 2 4 Td ({drawn}) Tj ET" if drawn else ""
        head = f"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F1 {font} 0 R>>>>"
        objects[number + 1] = _stream(head.encode(), stream.encode(), None, number + 1)
    return objects


def _file(objects: dict[int, bytes], extra: bytes) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    count = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count
    for number in range(1, count):
        out += b"%010d 00000 n \n" % places[number]
    out += b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (count, extra, start)
    return bytes(out)


def _stream(entries: bytes, content: bytes, lock: Lock | None, number: int) -> bytes:
    if lock:
        content = lock.encrypted(content, number)
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def _string(text: str, lock: Lock | None, number: int) -> bytes:
    raw = b"\xfe\xff" + text.encode("utf-16-be")
    return b"<%s>" % (lock.encrypted(raw, number) if lock else raw).hex().encode()


def _outline(
    bookmarks: list[Bookmark], root: int, kids: list[int], pages: list[Page], lock: Lock | None
) -> dict[int, bytes]:
    """The bookmarks' objects: a tree by their levels."""
    numbers = [root + 1 + n for n in range(len(bookmarks))]
    parents: list[int] = []
    above: list[tuple[int, int]] = [(0, root)]
    for number, mark in zip(numbers, bookmarks, strict=True):
        while above[-1][0] >= mark.level:
            above.pop()
        parents.append(above[-1][1])
        above.append((mark.level, number))
    objects: dict[int, bytes] = {}
    for number in [root, *numbers]:
        children = [each for each, parent in zip(numbers, parents, strict=True) if parent == number]
        inside = f"/First {children[0]} 0 R/Last {children[-1]} 0 R/Count {len(children)}" if children else ""
        if number == root:
            objects[number] = f"<</Type/Outlines{inside}>>".encode()
            continue
        at = numbers.index(number)
        mark, parent = bookmarks[at], parents[at]
        siblings = [each for each, other in zip(numbers, parents, strict=True) if other == parent]
        place = siblings.index(number)
        inside += f"/Prev {siblings[place - 1]} 0 R" if place else ""
        inside += f"/Next {siblings[place + 1]} 0 R" if place + 1 < len(siblings) else ""
        y = pages[mark.page - 1].size[1] - mark.y
        dest = f"/Parent {parent} 0 R/Dest[{kids[mark.page - 1]} 0 R/XYZ 0 {y:g} 0]"
        objects[number] = b"<</Title " + _string(mark.title, lock, number) + (dest + inside).encode() + b">>"
    return objects


class Lock:
    """How a file is encrypted: with RC4 (128 bits) or, with `aes`, AES-256."""

    def __init__(self, user: str, owner: str, aes: bool = False) -> None:
        self.user, self.owner, self.aes = user.encode(), owner.encode(), aes
        self.id = hashlib.md5(b"fireside" + self.user + self.owner, usedforsecurity=False).digest()
        self._permissions = -3904
        if aes:
            self._key = hashlib.sha256(b"file key" + self.user).digest()
            self._prepare_aes()
        else:
            self._prepare_rc4()

    def _prepare_rc4(self) -> None:
        key = (self.owner + _PAD)[:32]
        for _ in range(51):
            key = _md5(key)
        entry = (self.user + _PAD)[:32]
        for turn in range(20):
            entry = _rc4(bytes(byte ^ turn for byte in key), entry)
        self._o = entry
        permissions = self._permissions.to_bytes(4, "little", signed=True)
        key = _md5((self.user + _PAD)[:32] + self._o + permissions + self.id)
        for _ in range(50):
            key = _md5(key)
        self._key = key
        check = _md5(_PAD + self.id)
        for turn in range(20):
            check = _rc4(bytes(byte ^ turn for byte in key), check)
        self._u = check + bytes(16)

    def _prepare_aes(self) -> None:
        salts = [hashlib.sha256(b"salt %d" % n).digest()[:8] for n in range(4)]
        self._u = _hash_r6(self.user, salts[0], b"") + salts[0] + salts[1]
        self._ue = _aes(_hash_r6(self.user, salts[1], b""), self._key, bytes(16))
        self._o = _hash_r6(self.owner, salts[2], self._u) + salts[2] + salts[3]
        self._oe = _aes(_hash_r6(self.owner, salts[3], self._u), self._key, bytes(16))
        plain = self._permissions.to_bytes(4, "little", signed=True) + b"\xff\xff\xff\xffTadb" + b"four"
        # With a vector of zeros, one block of CBC is one of ECB, which the format asks for here.
        self._perms = _aes(self._key, plain, bytes(16))

    def encrypted(self, content: bytes, number: int) -> bytes:
        """A string or a stream of the object `number`."""
        if self.aes:
            fill = 16 - len(content) % 16
            vector = hashlib.md5(b"%d" % number, usedforsecurity=False).digest()
            return vector + _aes(self._key, content + bytes([fill]) * fill, vector)
        return _rc4(_md5(self._key + number.to_bytes(3, "little") + bytes(2)), content)

    def dictionary(self) -> bytes:
        """The encryption dictionary."""
        head = f"/Filter/Standard/P {self._permissions}/O<{self._o.hex()}>/U<{self._u.hex()}>"
        if not self.aes:
            return f"<<{head}/V 2/R 3/Length 128>>".encode()
        filters = "/CF<</StdCF<</AuthEvent/DocOpen/CFM/AESV3/Length 32>>>>/StmF/StdCF/StrF/StdCF"
        keys = f"/OE<{self._oe.hex()}>/UE<{self._ue.hex()}>/Perms<{self._perms.hex()}>"
        return f"<<{head}{keys}/V 5/R 6/Length 256{filters}>>".encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    other = 0
    for at in range(256):
        other = (other + state[at] + key[at % len(key)]) % 256
        state[at], state[other] = state[other], state[at]
    out = bytearray()
    at = other = 0
    for byte in data:
        at = (at + 1) % 256
        other = (other + state[at]) % 256
        state[at], state[other] = state[other], state[at]
        out.append(byte ^ state[(state[at] + state[other]) % 256])
    return bytes(out)


def _aes(key: bytes, data: bytes, vector: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # comes with the keyring on Linux

    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _hash_r6(password: bytes, salt: bytes, more: bytes) -> bytes:
    """Algorithm 2.B of ISO 32000-2."""
    key = hashlib.sha256(password + salt + more).digest()
    turn = 0
    while True:
        block = _aes(key[:16], (password + key + more) * 64, key[16:32])
        kind = sum(block[:16]) % 3
        key = (hashlib.sha256, hashlib.sha384, hashlib.sha512)[kind](block).digest()
        turn += 1
        if turn >= 64 and block[-1] <= turn - 32:
            return key[:32]
