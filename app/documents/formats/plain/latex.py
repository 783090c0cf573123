r"""LaTeX sources: sections, paragraphs, items and listings, with what is set around words taken off.

Formulas stay as they are written, between dollars; so do commands that are not known, with their words. Definitions
before \begin{document} are no text. Places are in characters of the decoded text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import after_the_text, decode
from app.documents.source import FileSource, Item, Opened

MOST_DEPTH = 20
"""Limit of nested commands; deeper ones stay as written."""
MOST_HEADING_CHARACTERS = 2000
_LEVELS = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 6,
}  # fmt: skip
# A comment takes its line end and the next line's indent with it, as TeX does.
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*\n?[ \t]*")
_BODY = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)
_TITLE = re.compile(r"\\title\s*(?:\[[^\]\n]{0,200}\]\s*)?(?=\{)")
_LISTINGS = ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted")
_WHOLE = re.compile(
    r"\\begin\{((?:equation|align|gather|multline|eqnarray|displaymath|math|verbatim)\*?|Verbatim|lstlisting|minted)\}"
    r"|\\\[|\$\$"
)
"""Start of a listing or displayed formula."""
_BREAK = re.compile(
    r"(?P<gap>\n[ \t]*\n\s*)"
    r"|\\(?P<section>part|chapter|(?:sub){0,2}section|(?:sub)?paragraph|caption)\*?\s*(?:\[[^\]\n]{0,200}\]\s*)?(?=\{)"
    r"|\\(?P<item>item)\b\s*(?:\[(?P<mark>[^\]\n]{0,200})\])?"
    r"|\\(?P<ends>begin|end)\s*\{(?P<name>[^}\n]{0,60})\}[ \t]*(?:\[[^\]\n]{0,200}\])?(?:\{[lcrp|@{}. \d]*\})?"
    r"|\\(?P<par>par|maketitle|tableofcontents|newpage|clearpage|hline|centering|bigskip|medskip|smallskip)\b"
)
_GONE = re.compile(
    r"\\(?:label|vspace|hspace|includegraphics|bibliographystyle|bibliography|input|include|usepackage|pagestyle"
    r"|thispagestyle|setlength|setcounter|index|noindent|ldots\b(?!\{)|date|author|title)\*?\s*(?:\[[^\]\n]{0,200}\])?\s*(?:\{[^{}]*\})*"
)
_AROUND = re.compile(r"\\(?:[a-zA-Z]+)\*?(?:\[[^\]\n]{0,200}\])?\{([^{}]*)\}")
# References are shown by their keys, since numbers come only from a run of LaTeX.
_SHOWN = re.compile(r"\\(?:cite[a-z]*|ref|eqref|autoref|pageref|cref)\*?(?:\[[^\]\n]{0,200}\])*\{([^{}]*)\}")
_NOTE = re.compile(r"\\footnote(?:\[[^\]\n]{0,200}\])?\{([^{}]*)\}")
_LINK = re.compile(r"\\href\{([^{}]*)\}\{([^{}]*)\}")
_SWITCH = re.compile(
    r"\\(?:bf|it|em|sc|tt|rm|sf|small|large|Large|LARGE|huge|Huge|tiny|footnotesize|normalsize|bfseries|itshape|ttfamily|item)\b\s*"
)
# \"{a}, \'e, \c{c}: an accent before its letter, in braces or not.
_ACCENT = re.compile(r"\\(?:([`'^\"~=.])|([cvuHkr])(?![A-Za-z]))\s*(?:\{\s*(\\?[A-Za-z])\s*\}|(\\?[ijA-Za-z]))")
_MARKS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
          '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327", "k": "\u0328"}  # fmt: skip
_LETTERS = {r"\ss": "ß", r"\ae": "æ", r"\AE": "Æ", r"\oe": "œ", r"\OE": "Œ", r"\o": "ø", r"\O": "Ø", r"\aa": "å",
            r"\AA": "Å", r"\l": "ł", r"\L": "Ł", r"\ldots": "…", r"\dots": "…", r"\LaTeX": "LaTeX", r"\TeX": "TeX",
            r"\S": "§", r"\copyright": "©", r"\textbackslash": "\\", r"\quad": " ", r"\qquad": " "}  # fmt: skip
_LETTER = re.compile("|".join(rf"{re.escape(name)}(?![A-Za-z])(?:\s*\{{\}}|\s)?" for name in _LETTERS))
_ESCAPED = re.compile(r"\\([%&$#_{} ,;!])")
# Formulas stay as they are written.
_KEPT = re.compile(r"\$[^$]*\$|\\\(.*?\\\)", re.DOTALL)


def read(source: FileSource) -> Iterator[Item]:
    """Yield all that a reader of the document would see, but for its pictures."""
    decoded = decode(source.path.read_bytes(), source.encoding)
    whole = decoded.text
    title = _TITLE.search(whole)
    words = _readable_text(_read_braced(whole, title.end(), len(whole))[0]) if title else ""
    yield Opened(title=words, encoding=decoded.encoding)
    if title and words:
        yield BlockPiece(BlockKind.HEADING, words, place=BlockPlace("", title.start(), title.end()), level=1)
    body = _BODY.search(whole)
    start, end = body.span(1) if body else (0, len(whole))
    yield from _iterate_parts(whole, start, end)
    yield from after_the_text(decoded.encoding, decoded.odd_bytes)


def _iterate_parts(text: str, start: int, end: int) -> Iterator[BlockPiece]:
    """Yield listings and displayed formulas whole, and blocks of text between them."""
    at, missing = start, set[str]()
    found = _WHOLE.search(text, at, end)
    while found is not None:
        mark = f"\\end{{{found[1]}}}" if found[1] else {"\\[": "\\]", "$$": "$$"}[found[0]]
        # A listing without an end is looked for once: otherwise each of a thousand would search to the end of the file.
        last = -1 if mark in missing else text.find(mark, found.end(), end)
        if last < 0:
            missing.add(mark)
            found = _WHOLE.search(text, found.end(), end)
            continue
        yield from _iterate_blocks(text, at, found.start())
        is_listing, at = found[1] in _LISTINGS, last + len(mark)
        words = (text[found.end() : last] if is_listing else text[found.start() : at]).strip("\r\n")
        if words.strip():
            yield BlockPiece(
                BlockKind.CODE if is_listing else BlockKind.PARAGRAPH, words, place=BlockPlace("", found.start(), at)
            )
        found = _WHOLE.search(text, at, end)
    yield from _iterate_blocks(text, at, end)


def _iterate_blocks(text: str, start: int, end: int) -> Iterator[BlockPiece]:
    """Yield headings, captions, items and paragraphs of a stretch without listings and displayed formulas."""
    at, kind, label, depth = start, BlockKind.PARAGRAPH, "", 0

    def piece(to: int) -> Iterator[BlockPiece]:
        if words := _readable_text(text[at:to]):
            yield BlockPiece(
                kind,
                words,
                place=BlockPlace("", at, to),
                level=max(depth, 1) if kind is BlockKind.LIST_ITEM else 0,
                label=label,
            )

    found = _BREAK.search(text, start, end)
    while found is not None:
        yield from piece(found.start())
        at, kind, label = found.end(), BlockKind.PARAGRAPH, ""
        if found["section"]:
            # An optional short title in brackets is passed over: it is for the table of contents.
            heading, at = _read_braced(text, at, end)
            if words := _readable_text(heading):
                level = _LEVELS.get(found["section"], 0)
                yield BlockPiece(
                    BlockKind.HEADING if level else BlockKind.CAPTION,
                    words,
                    None,
                    BlockPlace("", found.start(), at),
                    level,
                )
        elif found["item"]:
            kind, label = BlockKind.LIST_ITEM, _readable_text(found["mark"] or "") or "•"
        elif found["ends"] and found["name"] in ("itemize", "enumerate", "description"):
            depth += 1 if found["ends"] == "begin" else -1
        found = _BREAK.search(text, at, end)
    yield from piece(end)


def _read_braced(text: str, at: int, end: int) -> tuple[str, int]:
    """Return what is between the brace at `at` and its partner, and where that ends; to the end of a line without
    one.
    """
    depth = 0
    # Bounded: a brace that is never closed would swallow the document.
    for place in range(at, min(end, at + MOST_HEADING_CHARACTERS)):
        if text[place] == "\\":
            continue
        is_escaped = place > 0 and text[place - 1] == "\\"
        depth += 0 if is_escaped else {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[at + 1 : place], place + 1
    line = text.find("\n", at, end)
    return text[at + 1 : line if line >= 0 else end], line if line >= 0 else end


def _readable_text(source: str) -> str:
    """Return a stretch as it is read: without comments, labels and what only sets its looks; formulas as they are."""
    # Formulas and escaped signs are set aside under control characters, which a source loses, and put back at the end.
    kept: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    text = _COMMENT.sub(r"\1", source.translate({0: None, 1: None}))
    text = _ESCAPED.sub(lambda found: f"\x01{ord(found[1])}\x01", text)
    text = _KEPT.sub(set_aside, text)
    text = _ACCENT.sub(lambda found: f"{(found[3] or found[4])[-1]}{_MARKS[found[1] or found[2]]}", text)
    text = _LETTER.sub(lambda found: _LETTERS[found[0].rstrip("{}").rstrip()], text)
    # From the inside out: links, notes and references have words of their own before the rest goes.
    text = _SWITCH.sub("", _GONE.sub("", _NOTE.sub(r" (\1)", _LINK.sub(r"\2 (\1)", _SHOWN.sub(r"[\1]", text)))))
    # Commands may be nested in each other's braces, and each round takes off the innermost.
    for _ in range(MOST_DEPTH):
        shorter = _AROUND.sub(r"\1", text)
        if shorter == text:
            break
        text = shorter
    text = text.replace("\\\\", "\n").replace("~", " ").replace("---", "—").replace("--", "–")
    text = text.replace("``", "“").replace("''", "”").replace("&", "\t")
    text = re.sub(r"[{}]", "", text)
    text = re.sub("\x01(\\d+)\x01", lambda found: chr(int(found[1])), text)
    text = re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], text)
    lines = (" ".join(line.split(" ")).strip() for line in text.split("\n"))
    # An accent and its letter become one character.
    return unicodedata.normalize("NFC", re.sub(r"[ \t]*\n[ \t]*", " ", "\n".join(lines)).strip())
