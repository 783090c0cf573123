"""Tell prose from contents, index and bibliography.

Each is recognised by its heading together with the look of its lines, contents also by dotted lines alone; a heading
alone isn't enough. Blocks are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

from app.documents.blocks import Block, BlockKind

LEAST_ENTRIES = 3
MOST_BETWEEN = 2
"""Lines in a row that may interrupt entries, for a title that continues on a second line."""
LONGEST_ENTRY = 300
LONGEST_SOURCE = 600
LONGEST_NAMES = 200
LEAST_SOURCES = 0.5
"""Share of paragraphs below the heading that must look like a source."""
LONGEST_TITLE = 100


class ApartReason(StrEnum):
    """Reason why a block isn't condensed."""

    CONTENTS = "contents"
    INDEX = "index"
    SOURCES = "sources"


_NUMBERED = r"(?:(?:chapter|part|section|kapitel|teil|anhang|appendix)\s+)?(?:[\dIVXivx]+(?:\.\d+)*|[A-H])?[.):]?\s*"
_TITLES = {
    ApartReason.CONTENTS: r"(?:table of )?contents|list of (?:figures|tables|illustrations)|inhalt(?:sverzeichnis)?|"
    r"inhaltsübersicht|(?:abbildungs|tabellen)verzeichnis|(?:table|liste) des (?:matières|figures|tableaux)|sommaire|"
    r"índice(?: general)?|contenidos?|tabla de contenidos|sumário|conteúdo|indice(?: generale)?|sommario|"
    r"inhoud(?:sopgave)?|spis treści|"
    r"innehåll(?:sförteckning)?|içindekiler|содержание|оглавление|目次|目录|目錄|차례|목차",
    ApartReason.INDEX: r"(?:subject |general |name |author |keyword |alphabetical )?index"
    r"|(?:sach|stichwort|namens|personen)?"
    r"(?:register|verzeichnis)|index (?:des|général|alphabétique).{0,30}|índice (?:alfabético|analítico|remissivo)|"
    r"indice (?:analitico|dei nomi)|(?:предметный|алфавитный|именной) указатель|索引|찾아보기",
    ApartReason.SOURCES: r"references?(?: cited| list)?|bibliography|works cited|literature(?: cited)?|sources|"
    r"literatur(?:verzeichnis|angaben)?|quellen(?:verzeichnis|angaben)?|bibliographie|références(?: bibliographiques)?|"
    r"bibliografía|referencias(?: bibliográficas)?|bibliografia|referências(?: bibliográficas)?|riferimenti"
    r"(?: bibliografici)?|literatuur(?:lijst)?|piśmiennictwo|referenser|kaynak(?:ça|lar)|(?:список )?литератур[аы]|"
    r"参考文献|引用文献|參考文獻|참고 ?문헌",
}
_HEADINGS = {what: re.compile(rf"{_NUMBERED}(?:{titles})\s*:?", re.IGNORECASE) for what, titles in _TITLES.items()}
_LEADERS = re.compile(r"(?:\. ?){4,}|…{2,}|·{4,}|_{4,}")
_PAGE = r"(?:\d{1,4}|[ivxlc]{1,6})"
_ENTRY = re.compile(rf"^(?=.*[^\W\d_]).*(?:\s|{_LEADERS.pattern}){_PAGE}$")
_INDEXED = re.compile(r",\s*\d{1,4}(?:\s*[-–]\s*\d{1,4})?(?:\s*[,;]\s*\d{1,4}(?:\s*[-–]\s*\d{1,4})?)*,?(?=\s|$)")
_SEE = re.compile(r"\b(?:see(?: also)?|siehe(?: auch)?|voir|véase|vedi|см\.)\s")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d[a-z]?(?!\d)")
_SOURCE = re.compile(
    r"^\s*\[[\w+-]{1,12}\]|\bet al\b|https?://|\bdoi\b|\bISBN\b|\barXiv\b|\bpp?\. ?\d|\b[A-Z]\. ?(?:[A-Z]\.|and )"
)
_NAMES = re.compile(r"^[^.]*?(?:[A-ZÀ-Þ][\w'’-]+,? (?:and |und |et |y |e |& )?){3,}")


def find_apart_blocks(blocks: Sequence[Block]) -> dict[int, ApartReason]:
    """Return the ids of blocks that aren't prose, with the reason; empty if the document has nothing else."""
    found: dict[int, ApartReason] = {}
    shown = [block for block in blocks if block.text.strip()]
    titles = {_plain_title(block.text) for block in shown if block.kind is BlockKind.HEADING}
    place = 0
    while place < len(shown):
        what, end = _apart_stretch(shown, place, titles)
        if what is None:
            place += 1
            continue
        # A document that is nothing but a list of sources is itself the text.
        found |= {block.id: what for block in shown[place:end]}
        place = end
    return found if any(block.id not in found and block.kind is not BlockKind.HEADING for block in shown) else {}


def _apart_stretch(shown: Sequence[Block], place: int, titles: set[str]) -> tuple[ApartReason | None, int]:
    """Return what kind of list starts at a block, and where it ends."""
    block = shown[place]
    text = " ".join(block.text.split())
    # Dotted lines are contents even without a heading, as scans have it.
    if _is_contents_line(block) or _HEADINGS[ApartReason.CONTENTS].fullmatch(text):
        end = _entries_end(shown, place, lambda one: _is_entry(one, titles))
        if end:
            return ApartReason.CONTENTS, end
    if block.kind is not BlockKind.HEADING:
        return None, 0
    if _HEADINGS[ApartReason.INDEX].fullmatch(text) and (end := _entries_end(shown, place, _is_indexed)):
        return ApartReason.INDEX, end
    if _HEADINGS[ApartReason.SOURCES].fullmatch(text) and (end := _sources_end(shown, place)):
        return ApartReason.SOURCES, end
    return None, 0


def _entries_end(shown: Sequence[Block], place: int, is_entry: Callable[[Block], bool]) -> int:
    """Return where a run of entries starting at a block ends; 0 if there are too few."""
    last, count, between = 0, 0, 0
    for at in range(place, len(shown)):
        if is_entry(shown[at]):
            last, between = at + 1, 0
            count += sum(1 for line in shown[at].text.splitlines() if line.strip())
        # A title may go on in a second line, which has no number.
        elif at > place and (between := between + 1) > MOST_BETWEEN:
            break
    return last if count >= LEAST_ENTRIES else 0


def _is_contents_line(block: Block) -> bool:
    return bool(_LEADERS.search(block.text)) and _is_entry(block, set())


def _is_entry(block: Block, titles: set[str]) -> bool:
    """Return whether every line of a block ends with a page number, or is a title in the document."""
    lines = [line for line in block.text.splitlines() if line.strip()]
    if re.fullmatch(_NUMBERED, " ".join(block.text.split()), re.IGNORECASE):
        return block.kind is not BlockKind.HEADING  # "Chapter 1", with which the text begins, or a number alone
    if len(_LEADERS.findall(block.text)) > 1:  # several that were joined to one
        return True
    if block.kind is not BlockKind.HEADING and _plain_title(block.text) in titles:
        return True
    others = titles - {_plain_title(block.text)}
    return all(
        len(line) <= LONGEST_ENTRY and (_ENTRY.match(line.strip()) or _plain_title(line) in others) for line in lines
    )


def _is_indexed(block: Block) -> bool:
    """Return whether a block has words with page numbers, or a letter between them."""
    # The single letters between the entries of an index.
    text = block.text.strip()
    if len(text) <= MOST_BETWEEN and text.isalpha():
        return True
    counted = sum(len(match[0]) for match in _INDEXED.finditer(text))
    words = len(re.findall(r"[^\W\d_]{2,}", text))
    # An index has few words for each page number.
    return bool(counted or _SEE.search(text)) and words <= 6 * max(1, len(_INDEXED.findall(text)))


def _sources_end(shown: Sequence[Block], place: int) -> int:
    """Return where a bibliography ends: at the next heading that isn't a source itself."""
    end, sources = place + 1, 0
    level = shown[place].level
    for block in shown[place + 1 :]:
        is_source = _is_source(block)
        # Sources may be parted by headings such as "Books"; a longer one is none.
        is_title = block.kind is BlockKind.HEADING and (block.level <= level or len(block.text) < LONGEST_TITLE)
        if not is_source and (is_title or len(block.text) > LONGEST_SOURCE):
            break
        end += 1
        sources += is_source
    # A heading called "Sources" above plain text is a chapter.
    return end if sources and sources >= LEAST_SOURCES * (end - place - 1) else 0


def _is_source(block: Block) -> bool:
    text = block.text
    return (
        bool(_YEAR.search(text))
        or bool(_SOURCE.search(text))
        or (len(text) < LONGEST_NAMES and bool(_NAMES.match(text)))
    )


def _plain_title(text: str) -> str:
    """Strip a title's number, for comparisons."""
    return re.sub(r"^(?:[\dA-Z]{1,3}(?:\.\d+)*[.):]?\s+)?", "", " ".join(text.split())).casefold()
