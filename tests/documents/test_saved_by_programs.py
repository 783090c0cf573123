"""Our own text, saved by other programs: every word once, in order, and in a block of the right kind."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import Block, BlockKind
from tests.helpers.documents import read
from tests.helpers.real_files import convert, folded, pandoc, words_of

pytestmark = [pytest.mark.documents, pytest.mark.timeout(600)]

SOURCE = """
    # Qmark01 heading one

    Paragraph qmark02 with *emphasis qmark03*, **strong qmark04** and a [link qmark05](https://example.org).
    Half a **wo**rd: un**qmark06**able.

    ## Qmark07 heading two

    - item qmark08
    - item qmark09
        - nested qmark10
        - nested qmark11
    - item qmark12

    1. first qmark13
    2. second qmark14

    | Name    | Value   |
    |---------|---------|
    | qmark15 | qmark16 |
    | qmark17 | qmark18 |

    > A quotation qmark19.

    ```python
    print("qmark20")
        indented = "qmark21"
    ```

    ### Qmark22 heading three

    Text with a note.[^1] And after it qmark23. Umlauts äöü ß, 漢字, Ελληνικά, עברית, emoji 🎉 qmark24.

    [^1]: The footnote qmarknote.

    ## Qmark25 last heading

    The end qmark26.
"""
MARK = re.compile(r"qmark(\d\d|note)", re.IGNORECASE)
IN_ORDER = [f"{number:02}" for number in range(1, 27)]


def our_text(folder: Path) -> Path:
    """The source with markers in everything that a text may have."""
    path = folder / "source.md"
    path.write_text(textwrap.dedent(SOURCE), "utf-8")
    return path


def check_order(blocks: Sequence[Block]) -> None:
    """Every marker once and in order; the footnote anywhere."""
    marks = [mark for block in blocks for mark in MARK.findall(block.text)]
    assert [mark for mark in marks if mark != "note"] == IN_ORDER
    assert marks.count("note") == 1


def check_marks(blocks: Sequence[Block], *, has_levels: bool = True) -> None:
    """Every marker once and in order, in blocks of the right kinds."""
    check_order(blocks)
    kinds = {mark: block for block in blocks for mark in MARK.findall(block.text)}
    for mark in ("01", "07", "22", "25"):
        assert kinds[mark].kind is BlockKind.HEADING, kinds[mark]
    if has_levels:
        levels = [kinds[mark].level for mark in ("01", "07", "22", "25")]
        assert [level - levels[0] for level in levels] == [0, 1, 2, 1]
    assert [kinds[mark].kind for mark in ("02", "23")] == [BlockKind.PARAGRAPH] * 2
    assert kinds["26"].heading_path[-1].endswith("last heading")
    assert "unqmark06able" in kinds["06"].text.replace("*", "")  # Markdown keeps its marks


def check_lists_and_tables(blocks: Sequence[Block]) -> None:
    """List items by themselves with their depth, a table with its rows."""
    kinds = {mark: block for block in blocks for mark in MARK.findall(block.text)}
    items = [kinds[mark] for mark in ("08", "09", "10", "11", "12", "13", "14")]
    assert [item.kind for item in items] == [BlockKind.LIST_ITEM] * 7, [(item.kind, item.text) for item in items]
    assert [item.level for item in items] == [1, 1, 2, 2, 1, 1, 1]
    table = kinds["15"]
    assert table.kind is BlockKind.TABLE
    assert table.text.split("\n")[-2:] == ["qmark15\tqmark16", "qmark17\tqmark18"]


@pytest.mark.parametrize("ending", ["docx", "odt", "epub", "html", "rtf", "ipynb", "md"])
def test_our_text_as_pandoc_saves_it(ending: str, tmp_path: Path) -> None:
    options = {"epub": ["--epub-title-page=false"], "md": ["--to=gfm"]}.get(ending, [])
    blocks = read(
        pandoc(our_text(tmp_path), tmp_path / f"made.{ending}", "--metadata=title=T", *options), tmp_path
    ).blocks
    check_marks(blocks, has_levels=ending != "rtf")
    if ending != "rtf":
        check_lists_and_tables(blocks)
        code = [block for block in blocks if "qmark20" in block.text]
        assert code[0].text.split("\n")[:2] == ['print("qmark20")', '    indented = "qmark21"']


def test_our_text_as_slides_of_pandoc(tmp_path: Path) -> None:
    """Each heading of the second level is a slide; the note and the rest are on it."""
    result = read(pandoc(our_text(tmp_path), tmp_path / "made.pptx"), tmp_path)
    marks = [mark for block in result.blocks for mark in MARK.findall(block.text)]
    assert sorted(mark for mark in marks if mark != "note") == IN_ORDER
    assert result.found.opened.unit == "slide"


FILTERS = {
    "html": "html:HTML (StarWriter)",
    "docm": "docm:MS Word 2007 XML VBA",
    "dotx": "dotx:MS Word 2007 XML Template",
    "xhtml": "xhtml:XHTML Writer File",
}


@pytest.mark.parametrize(
    "ending", ["odt", "fodt", "docx", "rtf", "html", "pdf", "epub", "docm", "ott", "dotx", "xhtml"]
)
def test_our_text_as_libreoffice_saves_it(ending: str, tmp_path: Path) -> None:
    """From pandoc's Word file; a PDF has no lists and tables by name."""
    word = pandoc(our_text(tmp_path), tmp_path / "source.docx")
    result = read(convert(word, FILTERS.get(ending, ending), tmp_path), tmp_path)
    if ending == "epub":  # LibreOffice writes every paragraph as <p> there, headings too
        check_order(result.blocks)
        return
    check_marks(result.blocks, has_levels=ending != "pdf")
    if ending != "pdf":
        check_lists_and_tables(result.blocks)


def test_a_text_that_went_through_four_programs_is_still_whole(tmp_path: Path) -> None:
    word = pandoc(our_text(tmp_path), tmp_path / "source.docx")
    odt = convert(word, "odt", tmp_path)
    again = convert(odt, "docx", tmp_path / "again")
    blocks = read(pandoc(again, tmp_path / "again.html"), tmp_path).blocks
    check_marks(blocks)


@pytest.mark.parametrize("ending", ["doc", "ppt"])
def test_formats_that_are_no_longer_made_have_their_sentence(ending: str, tmp_path: Path) -> None:
    source = pandoc(our_text(tmp_path), tmp_path / ("source.docx" if ending == "doc" else "source.pptx"))
    with pytest.raises(DocumentUnreadable) as caught:
        read(convert(source, ending, tmp_path), tmp_path)
    assert caught.value.reason == "old_format"


@pytest.mark.parametrize("ending", ["xlsx", "ods", "xls", "fods", "csv", "html", "pdf"])
def test_a_table_as_calc_saves_it(ending: str, tmp_path: Path) -> None:
    rows = [["Name", "Amount", "Date"], ["qmark01 Café", "1234.5", "2026-11-25"], ["qmark02", "-7", "1999-01-31"]]
    source = tmp_path / "table.csv"
    source.write_text("\n".join(",".join(row) for row in rows), "utf-8")
    made = convert(source, "ods", tmp_path, "CSV:44,34,76,1")
    result = read(made if ending == "ods" else convert(made, ending, tmp_path), tmp_path)
    assert set(folded(" ".join(map(" ".join, rows[:2])))) <= set(words_of(result))
    if ending in ("fods", "pdf"):  # a flat sheet is read as XML; a PDF of numbers side by side shows no columns
        return
    table = next(block for block in result.blocks if "qmark01" in block.text)
    assert table.kind is BlockKind.TABLE
    cells = [line.split("\t") for line in table.text.split("\n")]
    assert [row[0] for row in cells] == ["Name", "qmark01 Café", "qmark02"]
    assert [row[1] for row in cells[1:]] == ["1234.5", "-7"]
    if ending in ("xlsx", "ods", "xls"):
        assert [row[2] for row in cells[1:]] == ["2026-11-25", "1999-01-31"]


@pytest.mark.parametrize("ending", ["odp", "pptx", "pdf", "fodp"])
def test_slides_as_impress_saves_them(ending: str, tmp_path: Path) -> None:
    text = "".join(f"## Slide {n} qmark{2 * n - 1:02}\n\n- point qmark{2 * n:02}\n\n" for n in range(1, 6))
    (tmp_path / "source.md").write_text(text + "::: notes\nA speaker's qmarknote.\n:::\n", "utf-8")
    slides = pandoc(tmp_path / "source.md", tmp_path / "source.pptx")
    result = read(convert(slides, ending, tmp_path / "other"), tmp_path)
    marks = [mark for block in result.blocks for mark in MARK.findall(block.text)]
    assert [mark for mark in marks if mark != "note"] == [f"{n:02}" for n in range(1, 11)]
    assert [block.page for block in result.blocks if "qmark1" in block.text or "qmark09" in block.text] == [5, 5]
    if ending != "pdf":
        assert marks.count("note") == 1
