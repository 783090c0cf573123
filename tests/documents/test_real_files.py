"""Documents that other programs made: nothing of them is lost, and no reader falls over any of them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentLocked, DocumentUnreadable
from app.documents.blocks import Block, BlockKind, rows_of
from app.features.error_messages import sentence_for
from tests.helpers.documents import Result, read
from tests.helpers.real_files import (
    FAQ,
    book,
    convert,
    fetched,
    folded,
    likeness,
    missing,
    of_poi,
    office_text,
    output_of,
    pandoc_text,
    pdftotext_pages,
    program,
    scanned,
    share_found,
    words_of,
)

pytestmark = [pytest.mark.documents, pytest.mark.timeout(600)]

FURNITURE = "lines that are the same on every page, and page numbers, are left out"
SPACING = "the producer placed letters one by one, and Poppler takes other gaps between them for spaces"
FEWER_WORDS = {
    "AutoCad_Diagram.pdf": (0.98, SPACING),
    "GeoBase_NHNC1_Data_Model_UML_EN.pdf": (0.90, FURNITURE),
    "Seige_of_Vicksburg_Sample_OCR.pdf": (0.985, FURNITURE),
    "Seige_of_Vicksburg_Sample_OCR-crazyones-merged.pdf": (0.985, FURNITURE),
    "indirect-rotation.pdf": (0.55, SPACING),
    "issue-301.pdf": (0.85, "a scan of a picture, recognized as stray letters, which are joined in another way"),
    "issue-604.pdf": (0.83, FURNITURE),
    "side-by-side-subfig.pdf": (0.98, FURNITURE),
    "superscript-pdftex.pdf": (0.8, "a superscript is a word of its own"),
    "toy.pdf": (0.2, SPACING),
    "metadata.pdf": (0.5, FURNITURE),
    "form.pdf": (0.5, FURNITURE),
    "pdflatex-forms.pdf": (0.75, FURNITURE),
}
"""What is not found of the words that another program reads, as a share, and why."""
USUAL_SHARE = 0.995
KNOWN_PASSWORDS = ("asdfzxcv", "openpassword", "foo", "bar")
"""As the tests of pypdf give them."""


def outcome(path: Path, folder: Path) -> Result | AppError:
    """What was read, or the situation it ended with, which has a sentence."""
    try:
        return read(path, folder)
    except AppError as error:
        assert sentence_for(error).text
        return error


def check_found(paths: Sequence[Path], reference: Callable[[Path], str], folder: Path) -> None:
    """All words of each file, as another program reads them, are found in it."""
    shares, problems = [], []
    for path in paths:
        result = outcome(path, folder)
        if isinstance(result, DocumentLocked):
            continue
        wanted = folded(reference(path))
        if isinstance(result, DocumentUnreadable):
            if wanted or result.reason != "no_text":
                problems.append(f"{path.name}: {result.reason}, though it has {len(wanted)} words")
            continue
        if isinstance(result, AppError):
            problems.append(f"{path.name}: {result!r}")
            continue
        found = words_of(result)
        share = share_found(wanted, found)
        shares += [share] if wanted else []
        if share < FEWER_WORDS.get(path.name, (USUAL_SHARE, ""))[0]:
            problems.append(f"{path.name}: {share:.3f} of {len(wanted)}, {missing(wanted, found).most_common(8)}")
    print(f"{len(paths)} files, {len(shares)} with words; found of them on average {statistics.mean(shares):.4f}")
    assert not problems, "\n".join(problems)


# The test files of libraries


def test_every_word_of_word_files_is_read(tmp_path: Path) -> None:
    check_found(fetched("python_docx", ".docx"), office_text, tmp_path)


def test_every_word_of_slides_is_read(tmp_path: Path) -> None:
    check_found(fetched("python_pptx", ".pptx", ".docx"), office_text, tmp_path)


def test_every_word_of_open_documents_is_read(tmp_path: Path) -> None:
    """nasty.odt names a file in an entity, which is refused; `emb_` and `ol` are slides, which pandoc does not read."""
    paths = [path for path in fetched("odfpy", ".odt") if path.name != "nasty.odt"]
    check_found(paths, pandoc_text, tmp_path)


def test_every_word_of_pdfs_is_read(tmp_path: Path) -> None:
    paths = [path for path in fetched("pypdf", ".pdf") if "form" not in path.name.lower()]
    check_found(paths, lambda path: "\n".join(pdftotext_pages(path)), tmp_path)


@pytest.mark.parametrize(
    ("name", "filled_in"),
    [
        ("libreoffice-form.pdf", ("alice", "bob")),
        ("form_evince.pdf", ("bar",)),
        ("form_acrobatReader.pdf", ("bar",)),
        ("SF424_page2.pdf", ("fish", "wildlife")),
        ("example.pdf", ("jpeg",)),
    ],
)
def test_what_was_filled_into_a_form_or_written_onto_a_page_is_read(
    name: str, filled_in: tuple[str, ...], tmp_path: Path
) -> None:
    (path,) = [path for path in fetched("pypdf", ".pdf") if path.name == name]
    assert set(filled_in) <= set(words_of(read(path, tmp_path)))


def test_a_page_that_has_nothing_but_a_number_keeps_it(tmp_path: Path) -> None:
    (path,) = [path for path in fetched("pypdf", ".pdf") if path.name == "two-different-pages.pdf"]
    assert words_of(read(path, tmp_path)) == ("1", "2")


def test_three_columns_of_names_are_read_one_after_the_other(tmp_path: Path) -> None:
    (path,) = [path for path in fetched("pypdf", ".pdf") if path.name == "issue-604.pdf"]
    text = " ".join(block.text for block in read(path, tmp_path, first_page=2, last_page=2).blocks)
    names = ["Haddad", "Bischoff", "Bernet", "Blomain", "Busaidy", "Iagaru", "Kandeel", "Lamonica", "Shah", "Sipos"]
    assert [name for _, name in sorted((text.index(name), name) for name in names)] == names


def test_encrypted_files_of_every_kind_open_with_their_password_and_no_other(tmp_path: Path) -> None:
    for path in fetched("pypdf", ".pdf"):
        if path.parent.name == "encryption" and ("user" in path.name or "both" in path.name):
            with pytest.raises(DocumentLocked) as caught:
                read(path, tmp_path)
            assert not caught.value.is_wrong
            with pytest.raises(DocumentLocked) as caught:
                read(path, tmp_path, password="no")
            assert caught.value.is_wrong
            assert any(_opens(path, each, tmp_path) for each in KNOWN_PASSWORDS), path.name


def _opens(path: Path, password: str, folder: Path) -> bool:
    try:
        return bool(read(path, folder, password=password).blocks)
    except DocumentLocked:
        return False


def test_sheets_and_slides_of_old_open_document_programs_are_read(tmp_path: Path) -> None:
    for path in fetched("odfpy", ".ods", ".odp"):
        result = outcome(path, tmp_path)
        if path.name == "empty.ods":
            assert isinstance(result, DocumentUnreadable)
            assert result.reason == "no_text"
        else:
            assert isinstance(result, Result), f"{path.name}: {result!r}"
            assert result.blocks, path.name


def test_an_entity_that_names_another_file_is_refused(tmp_path: Path) -> None:
    (path,) = [path for path in fetched("odfpy", ".odt") if path.name == "nasty.odt"]
    error = outcome(path, tmp_path)
    assert isinstance(error, DocumentUnreadable)
    assert error.reason == "entities"


# The test files of Apache POI


def test_a_workbook_whose_cells_all_name_one_string_is_refused(tmp_path: Path) -> None:
    """110 kB, 10,000 cells, a string of a megabyte: it once grew the parent past 7.9 GB."""
    error = outcome(of_poi("poc-shared-strings.xlsx"), tmp_path)
    assert isinstance(error, DocumentUnreadable)
    assert error.reason == "inflates"


def test_a_workbook_with_results_longer_than_a_record_is_read_to_their_end(tmp_path: Path) -> None:
    text = read(of_poi("StringContinueRecords.xls"), tmp_path).text
    cells = [cell for line in text.splitlines() for cell in line.split("\t")]
    assert sorted(map(len, cells))[-1] > 20_000  # of 24,732 characters, with fewer blanks
    assert "Bruno Lefebvre:" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("chinese-traditional.msg", "格式測試"), ("cyrillic_message.msg", "Автоматический ответ")],
)
def test_a_message_in_a_code_page_is_decoded(name: str, words: str, tmp_path: Path) -> None:
    assert words in read(of_poi(name), tmp_path).text


# Manuals that TeX and others printed

ENDS = (".", "!", "?", ":", ";", ")", "”")


def manual(package: str, name: str) -> Path:
    """A PDF out of a package of Debian."""
    (path,) = [path for path in fetched(package, ".pdf") if path.name == name]
    return path


def cut_sentences(blocks: Sequence[Block]) -> int:
    """How often a block goes on in the next one, in the middle of a sentence."""
    text = (BlockKind.PARAGRAPH, BlockKind.HEADING)
    return sum(
        one.kind in text and two.kind in text and not one.text.endswith(ENDS) and two.text[:1].islower()
        for one, two in pairwise(blocks)
    )


@pytest.mark.parametrize(
    ("package", "name", "most_cut", "most_headings"),
    [
        # With every font of a weight over 600 taken for bold it was 93 and 40, and 67 and 1,424.
        ("r-cran-rcpp", "Rcpp-introduction.pdf", 12, 20),
        ("xfig-doc", "xfig_ref_en.pdf", 90, 330),
    ],
)
def test_regular_fonts_with_wide_stems_cut_no_sentences_and_make_no_headings(
    package: str, name: str, most_cut: int, most_headings: int, tmp_path: Path
) -> None:
    blocks = read(manual(package, name), tmp_path).blocks
    headings = sum(block.kind is BlockKind.HEADING for block in blocks)
    assert cut_sentences(blocks) <= most_cut
    assert 8 <= headings <= most_headings


def test_accents_that_are_drawn_over_their_letters_are_joined_wherever_they_stand_in_the_file(tmp_path: Path) -> None:
    text = " ".join(
        block.text for block in read(manual("r-cran-coin", "LegoCondInf.pdf"), tmp_path, last_page=1).blocks
    )
    assert "Institut für Medizininformatik, Biometrie und Epidemiologie" in text
    assert "Friedrich-Alexander-Universität Erlangen-Nürnberg" in text
    assert "¨" not in text


def test_two_columns_with_display_formulas_are_read_one_after_the_other(tmp_path: Path) -> None:
    path = manual("r-cran-vegan", "diversity-vegan.pdf")
    blocks = read(path, tmp_path, first_page=3, last_page=3).blocks
    text = " ".join(block.text for block in blocks)
    left = ["Equation 8 actually is of the same form", "number of stems per hectare", "Moreover, the rarefied richness"]
    right = ["Simple diversity indices only consider species identity: all", "The two basic indices", "still need"]
    places = [text.index(part) for part in [*left, *right]]
    assert places == sorted(places)
    code = [block.text for block in blocks if block.kind is BlockKind.CODE]
    assert code[0].split("\n")[0] == "> quantile(rowSums(BCI))"


def test_what_a_program_printed_keeps_its_columns(tmp_path: Path) -> None:
    blocks = read(manual("r-cran-vegan", "intro-vegan.pdf"), tmp_path, first_page=2, last_page=2).blocks
    (printed,) = [block.text for block in blocks if block.kind is BlockKind.CODE and "Eigenvalues" in block.text]
    lines = printed.split("\n")[-5:]
    assert lines[1] == "Eigenvalues          0.5117 0.3036 0.12125 0.14267"
    assert len({len(line) for line in lines}) == 1


def test_a_table_without_rules_between_its_rows_is_read_row_by_row(tmp_path: Path) -> None:
    (path,) = [path for path in fetched("tabula_py", ".pdf") if path.name == "12s0324.pdf"]
    blocks = read(path, tmp_path).blocks
    sexes, races = [list(rows_of(block)) for block in blocks if block.kind is BlockKind.TABLE]
    assert (
        "\t".join(sexes[2]) == "Total\t11,062.6\t1,540.0\t9,522.6\t8,263.3\t1,071.6\t7,191.7\t2,799.2\t468.3\t2,330.9"
    )
    assert "\t".join(sexes[-1]) == "Runaways\t75.8\t75.8\t(X)\t34.0\t34.0\t(X)\t41.8\t41.8\t(X)"
    assert "\t".join(races[-1]) == "Runaways\t73,616\t48,343\t19,670\t1,653\t3,950"
    printed = " ".join(pdftotext_pages(path, "-layout")).splitlines()
    assert [row[1:] for row in sexes[2:]] == [found for line in printed if len(found := figures_at_the_end(line)) == 9]


def figures_at_the_end(line: str) -> list[str]:
    """What stands in the columns of a printed line."""
    found = re.search(r"(?:\s+(?:[\d,.]+\d|\d|–|\(X\)))+\s*$", line)
    return found[0].split() if found else []


# One book in several formats and languages

CONTENTS = re.compile(r"(\. ){4}")


def without_contents(blocks: Sequence[Block]) -> tuple[str, ...]:
    """The words, but for the table of contents, which the PDF has as a whole and HTML chapter by chapter."""
    kept = [
        f"{block.label if block.kind is BlockKind.LIST_ITEM else ''} {block.text}"
        for block in blocks
        if not CONTENTS.search(block.text)
        and (block.kind is BlockKind.HEADING or not re.match(r"\d+\.\d+(\.\d+)?\.\s", block.text))
    ]
    return folded("\n".join(kept))


LANGUAGES = ["en", "de", "fr", "ru", "ja"]
BODY = ("-x", "0", "-y", "70", "-W", "700", "-H", "690")
"""What is between the running headers and the page numbers."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_book_as_pdf_has_the_words_that_poppler_reads_page_by_page(language: str, tmp_path: Path) -> None:
    path = book(language, "pdf", tmp_path)
    result = read(path, tmp_path)
    pages = pdftotext_pages(path, *BODY)
    assert result.found.opened.pages == len(pages) == len(result.pages)
    if language == "ja":  # Poppler and we divide Japanese into words at other places
        found, wanted = "".join(words_of(result)), "".join(folded("\n".join(pages)))
    else:
        found, wanted = words_of(result), folded("\n".join(pages))  # type: ignore[assignment]
    assert share_found(wanted, found) > 0.993, missing(wanted, found).most_common(20)
    for number, page in enumerate(pages, 1):
        on_it = [one for one in result.blocks if any(box.page == number for box in one.place.boxes)]
        here = folded("\n".join(f"{one.label} {one.text}" for one in on_it))
        first = folded(page)[:8]
        assert share_found(first, (*here, *first[:2])) > 0.6, (number, first, here[:12])


@pytest.mark.parametrize("language", ["en", "de", "fr", "ru"])
def test_the_book_is_the_same_as_pdf_and_as_html(language: str, tmp_path: Path) -> None:
    pdf = read(book(language, "pdf", tmp_path), tmp_path)
    folder = FAQ if language == "en" else FAQ / language
    index = (folder / f"index.{language}.html").read_text("utf-8")
    chapters = dict.fromkeys(re.findall(r'class="chapter"><a href="([^"#]+)"', index))
    assert len(chapters) > 10
    html = [block for chapter in chapters for block in read(folder / chapter, tmp_path).blocks]
    ours, theirs = without_contents(pdf.blocks), without_contents(html)
    assert share_found(theirs, ours) > 0.97, missing(theirs, ours).most_common(20)
    assert likeness(ours, theirs) > 0.92  # the PDF has its notes below each page, and writes out addresses of links


@pytest.mark.parametrize("language", ["en", "de", "fr", "ru"])
def test_the_book_is_the_same_as_pdf_and_as_text(language: str, tmp_path: Path) -> None:
    pdf, text = (words_of(read(book(language, ending, tmp_path), tmp_path)) for ending in ("pdf", "txt"))
    assert share_found(text, pdf) > 0.97, missing(text, pdf).most_common(20)
    assert likeness(text, pdf) > 0.95


def test_the_headings_of_the_book_are_those_of_its_table_of_contents(tmp_path: Path) -> None:
    """As PDF: Poppler's outline of it; each is on its page."""
    result = read(book("en", "pdf", tmp_path), tmp_path)
    found = {" ".join(folded(block.text)) for block in result.blocks if block.kind is BlockKind.HEADING}
    contents = re.findall(r"^ *(\d+\.\d+(?:\.\d+)?\.? .+?)\s*[. ]{4,}\s*\d+$", "\n".join(pdftotext_pages(
        tmp_path / "faq-en.pdf", "-layout", "-l", "6")), re.MULTILINE)  # fmt: skip
    assert len(contents) > 100
    lost = [line for line in contents if not any(" ".join(folded(line)) in heading for heading in found)]
    assert not lost


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_of_the_book_is_read_to_the_last_word(language: str, tmp_path: Path) -> None:
    path = book(language, "txt", tmp_path)
    assert words_of(read(path, tmp_path)) == folded(path.read_text("utf-8"))


# Columns, and pictures of pages


def columns_source() -> list[str]:
    """Numbered sentences, so that their order can be told."""
    return [
        f"Sentence {number} of the column test says nothing but its own number {number}." for number in range(1, 241)
    ]


def check_columns(result: Result) -> None:
    """All sentences in their order."""
    text = " ".join(block.text for block in result.blocks)
    numbers = [int(number) for number in re.findall(r"Sentence (\d+) of the column test", text)]
    assert numbers == list(range(1, 241))


def test_two_columns_of_troff_are_read_one_after_the_other(tmp_path: Path) -> None:
    paragraphs = [".PP\n" + "\n".join(columns_source()[n : n + 8]) for n in range(0, 240, 8)]
    source = ".TL\nOf columns\n.AU\nNobody\n.2C\n" + "\n".join(paragraphs) + "\n"
    path = tmp_path / "columns.pdf"
    path.write_bytes(output_of([program("groff"), "-ms", "-Tpdf"], source.encode()))
    check_columns(read(path, tmp_path))


@pytest.mark.parametrize("count", [2, 3])
def test_columns_of_libreoffice_are_read_one_after_the_other(count: int, tmp_path: Path) -> None:
    paragraphs = (" ".join(columns_source()[n : n + 6]) for n in range(0, 240, 6))
    body = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    source = tmp_path / "columns.fodt"
    source.write_text(
        f'<office:document xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0" xmlns:style="{names}style:1.0"'
        f' xmlns:fo="{names}xsl-fo-compatible:1.0" office:version="1.2"'
        ' office:mimetype="application/vnd.oasis.opendocument.text"><office:automatic-styles>'
        '<style:style style:name="S" style:family="section"><style:section-properties>'
        f'<style:columns fo:column-count="{count}" fo:column-gap="0.8cm"/></style:section-properties></style:style>'
        "</office:automatic-styles><office:body><office:text>"
        f'<text:section text:style-name="S" text:name="s">{body}</text:section>'
        "</office:text></office:body></office:document>",
        "utf-8",
    )
    check_columns(read(convert(source, "pdf", tmp_path), tmp_path))


def test_a_scanned_page_is_read_by_tesseract(tmp_path: Path) -> None:
    original = book("en", "pdf", tmp_path)
    path = scanned(original, 10, tmp_path / "scan.pdf")
    assert pdftotext_pages(path)[0].strip() == ""
    result = read(path, tmp_path)
    assert [(page.is_picture, page.recognized) for page in result.pages] == [(True, True)]
    wanted = folded(pdftotext_pages(original, "-f", "10", "-l", "10", *BODY)[0])
    assert len(wanted) > 300
    assert share_found(wanted, words_of(result)) > 0.97


def test_a_scanned_page_is_reported_where_recognition_is_not_wanted(tmp_path: Path) -> None:
    path = scanned(book("en", "pdf", tmp_path), 10, tmp_path / "scan.pdf", 100)
    result = read(path, tmp_path, recognize=False)
    assert result.blocks == []
    assert result.done.pages_without_text == (1,)
    assert result.pages[0].is_picture
