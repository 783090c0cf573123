"""Reading pictures with tesseract: what it is asked, what becomes of its answer, and what happens without it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats import pictures, tesseract
from app.documents.formats.pdf.pdf import read
from app.documents.formats.pdf.pdf_pages import draw
from app.documents.formats.tesseract import RgbPicture, find_tesseract
from app.documents.protocol import PutUpright, Recognize
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark
from app.features.error_messages import sentence_for
from tests.documents.formats.pdf.test_pages import pixels_of
from tests.helpers.documents import read as read_in_child
from tests.helpers.pdf_files import Page, write_pdf
from tests.helpers.picture_files import halves, rows_of, save
from tests.helpers.scans import LETTER, drawn, found_share, letter, skewed, words_of

ASKED, ALL = "asked.txt", "deu\\neng\\nosd"
FAKE = """#!{python}
import os
import sys
from pathlib import Path

if sys.argv[1:] == ["--list-langs"]:
    print("List of available languages in \\"/somewhere/\\" (4):\\n{languages}")
    sys.exit(0)
picture = sys.stdin.buffer.read()
header, size, most, pixels = picture.split(b"\\n", 3)
width, height = map(int, size.split())
assert (header, most, len(pixels)) == (b"P6", b"255", 3 * width * height), picture[:40]
Path({asked!r}).write_text(" ".join(sys.argv[1:]) + f" {{os.environ['OMP_THREAD_LIMIT']}} {{width}} {{height}}")
{then}
"""
ANSWER = r"""
rows = [
    "level page_num block_num par_num line_num word_num left top width height conf text",
    "1 1 0 0 0 0 0 0 {w} {h} -1 ",
    "5 1 1 1 1 1 100 200 50 20 96.5 Hello",
    "5 1 1 1 1 2 160 198 70 24 91 extra-",
    "5 1 1 1 2 1 100 230 80 20 88 ordinary",
    "5 1 1 1 2 2 190 230 10 20 12 ~",
    "5 1 2 1 1 1 100 300 60 20 90 Other.",
]
for row in rows:
    print(row.replace(" ", "\t"))
"""


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = ANSWER, languages: str = "deu\\neng\\nosd"
) -> Path:
    """Puts a program called tesseract on the PATH, and nothing else; returns where it writes what it was asked."""
    programs = folder / "programs"
    programs.mkdir()
    program, asked = programs / "tesseract", folder / ASKED
    program.write_text(FAKE.format(python=sys.executable, asked=str(asked), then=then, languages=languages))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return asked


def scan(folder: Path) -> Path:
    page = Page()
    page.picture(0, 0, 595, 842)
    return write_pdf(folder / "scan.pdf", [page])


def items_of(path: Path, recognize: bool = True) -> list[Item]:
    return list(read(FileSource(path, recognize=recognize)))


posix_only = pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")


@posix_only
def test_a_page_that_is_a_picture_is_read_with_the_places_of_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = install(tmp_path, monkeypatch)
    items = items_of(scan(tmp_path))
    first, second = (item for item in items if isinstance(item, BlockPiece))
    assert (first.text, second.text) == ("Hello extraordinary", "Other.")
    assert [first.text[box.start : box.end] for box in first.place.boxes] == ["Hello extra", "ordinary"]
    box = first.place.boxes[0]
    points = [round(edge * 150 / 72) for edge in (box.left, box.top, box.right, box.bottom)]
    assert points == pytest.approx([100, 198, 230, 222], abs=1)
    assert items[-2:] == [
        PageRead(1, is_picture=True, recognized=True),
        ReadingRemark("read_in", {"languages": "en+de"}),
    ]
    said = asked.read_text().split()
    assert said[:2] == ["stdin", "stdout"]
    assert said[-4:-2] == ["tsv", "1"]  # and one thread
    assert said[said.index("--dpi") + 1] == "150"  # the picture has fewer
    assert int(said[-2]) == pytest.approx(595 * 150 / 72, abs=2)


COLUMNS = """
print("level page_num block_num par_num line_num word_num left top width height conf text".replace(" ", "\\t"))
for line in range(4):
    for column in range(2):
        for word in range({words}):
            at = 700 * column + 80 * word
            left = 2000 - at if {is_rtl} else 100 + at
            text = "ab"[column] + str(word)
            print(f"5\\t1\\t1\\t1\\t{{line + 1}}\\t1\\t{{left}}\\t{{100 + 30 * line}}\\t70\\t20\\t90\\t{{text}}")
"""


@posix_only
@pytest.mark.parametrize(("words", "kind"), [(2, BlockKind.TABLE), (7, BlockKind.PARAGRAPH)])
@pytest.mark.parametrize("is_rtl", [False, True])
def test_short_words_in_columns_are_a_table_and_sentences_beside_each_other_are_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: int, kind: BlockKind, is_rtl: bool
) -> None:
    install(tmp_path, monkeypatch, COLUMNS.format(words=words, is_rtl=is_rtl))
    found = find_tesseract()
    assert found is not None
    (piece,) = found.pieces(RgbPicture(2, 1, bytes(6), 1.0), 1)
    assert piece.kind is kind
    assert len(piece.place.boxes) == 4
    if kind is BlockKind.TABLE:
        assert piece.text.splitlines()[0] == "a0 a1\tb0 b1", "as it is read"


@posix_only
@pytest.mark.parametrize(
    ("installed", "wanted"),
    [
        ("deu eng osd", "deu+eng"),
        ("ara deu eng equ osd script/Latin jpn_vert", "deu+eng+ara"),
        ("osd fra ita", "fra+ita"),
        ("ara bul deu eng fra ita osd spa", "deu+eng"),
        ("ara bul cat fra ita por spa", "ara"),
        ("osd script/Latin", "script/Latin"),
    ],
)
def test_the_languages_are_the_systems_english_and_others_that_are_there_unless_these_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str, wanted: str
) -> None:
    monkeypatch.setattr(tesseract.locale, "getlocale", lambda: ("de_DE", "UTF-8"))
    asked = install(tmp_path, monkeypatch, languages=installed.replace(" ", "\\n"))
    found = find_tesseract()
    assert found is not None
    found.pieces(RgbPicture(2, 1, bytes(6), 1.0), 1)
    said = asked.read_text().split()
    assert said[said.index("-l") + 1] == wanted


@posix_only
@pytest.mark.parametrize("then", ["sys.exit(1)", "print('no table at all')", "print('5\\t1')"])
def test_a_tesseract_that_fails_leaves_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    install(tmp_path, monkeypatch, then)
    items = items_of(scan(tmp_path))
    assert items[1:] == [PageRead(1, has_text=False, is_picture=True)]


@posix_only
def test_a_tesseract_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "import threading; threading.Event().wait()")
    monkeypatch.setattr(tesseract, "MOST_S", 0.5)
    items = items_of(scan(tmp_path))
    assert items[1:] == [PageRead(1, has_text=False, is_picture=True)]


@posix_only
def test_a_huge_page_is_drawn_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = install(tmp_path, monkeypatch)
    page = Page(size=(200_000, 200_000))
    page.picture(0, 0, 200_000, 200_000)
    items_of(write_pdf(tmp_path / "scan.pdf", [page]))
    width, height = map(int, asked.read_text().split()[-2:])
    assert width * height <= 16_000_000


@posix_only
def test_nobody_is_asked_where_it_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = install(tmp_path, monkeypatch)
    items = items_of(scan(tmp_path), recognize=False)
    assert items[1:] == [PageRead(1, has_text=False, is_picture=True)]
    assert not asked.exists()


def test_without_tesseract_the_pages_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tesseract() is None
    items = items_of(scan(tmp_path))
    assert items[1:] == [
        PageRead(1, has_text=False, is_picture=True),
        ReadingRemark("no_recognition", {"count": 1}),
    ]


TWO_PAGES = r"""
rows = ["level page_num block_num par_num line_num word_num left top width height conf text"]
rows += ["5 1 1 1 1 1 100 200 50 20 96.5 First"]
rows += ["5 1 1 1 1 2 160 200 50 20 96.5 page.", "5 3 1 1 1 1 9 9 50 20 90 Third."]
for row in rows:
    print(row.replace(" ", "\t"))
"""


@posix_only
def test_a_file_of_pictures_is_read_and_marked_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, TWO_PAGES)
    path = tmp_path / "a.tif"
    path.write_bytes(b"P6\n1 1\n255\nRGB")
    assert list(pictures.read(FileSource(path))) == [
        Opened("page", 3),
        BlockPiece(BlockKind.PARAGRAPH, "First page.", 1, origin="tesseract"),
        PageRead(1, is_picture=True, recognized=True),
        PageRead(2, has_text=False, is_picture=True),
        BlockPiece(BlockKind.PARAGRAPH, "Third.", 3, origin="tesseract"),
        PageRead(3, is_picture=True, recognized=True),
        ReadingRemark("read_in", {"languages": "en+de"}),
    ]


def test_a_picture_that_is_left_is_a_page_which_can_be_drawn(tmp_path: Path) -> None:
    path = save(halves(300, 150), tmp_path / "a.png")
    assert list(pictures.read(FileSource(path, recognize=False))) == [
        Opened("page", 1),
        PageRead(1, has_text=False, is_picture=True),
    ]
    drawn = pictures.draw(path, 1, 1.0)
    assert (drawn.width, drawn.height, drawn.width_pt, drawn.height_pt) == (144, 72, 144, 72)
    out = tmp_path / "page.ppm"
    shown = pictures.put_upright(PutUpright(str(path), 1, str(out), most_side=100))
    assert (shown.width, shown.height, shown.view.degrees) == (100, 50, 0)
    assert rows_of(out)[:2] == (100, 50)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="make test-documents installs it")
def test_an_askew_picture_is_read_with_the_places_of_its_lines(tmp_path: Path) -> None:
    page = letter(paragraphs=LETTER[:2])
    pixels = skewed(drawn([page], tmp_path, 150)[0], 3)
    rows, columns = pixels.shape
    path = save(QImage(pixels.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8), tmp_path / "a.png")
    pieces, _ = pictures.recognize(Recognize(str(path), 1))
    assert found_share(words_of(page), " ".join(piece.text for piece in pieces)) > 0.97
    box = next(box for piece in pieces for box in piece.place.boxes if "deposit" in piece.text[box.start : box.end])
    assert (box.left, box.top) == pytest.approx((90, 115), abs=15)


@posix_only
@pytest.mark.parametrize("then", ["sys.exit(1)", "print('no table at all')"])
def test_a_picture_in_which_nothing_is_found_has_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    install(tmp_path, monkeypatch, then)
    path = tmp_path / "a.png"
    path.write_bytes(b"P6\n1 1\n255\nRGB")
    with pytest.raises(DocumentUnreadable) as caught:
        list(pictures.read(FileSource(path)))
    assert caught.value.reason == "no_text"


def test_without_tesseract_a_picture_says_what_would_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(DocumentUnreadable) as caught:
        read_in_child(path, tmp_path / "work")
    assert caught.value.reason == "picture"
    assert "tesseract" in sentence_for(caught.value).text


@pytest.mark.documents
def test_the_real_tesseract_reads_a_drawn_page(tmp_path: Path) -> None:
    assert shutil.which("tesseract"), "make test-documents installs it"
    page = Page()
    said = ["The quick brown fox jumps", "over the lazy dog, and nobody", "has seen it coming."]
    for number, line in enumerate(said):
        page.text(72, 100 + 20 * number, line, 14)
    drawn = draw(write_pdf(tmp_path / "a.pdf", [page]), 1, 300 / 72)
    found = find_tesseract()
    assert found is not None
    (piece,) = found.pieces(RgbPicture(drawn.width, drawn.height, pixels_of(drawn), 300 / 72), 1)
    assert piece.text == " ".join(said)
    tops = [round(box.bottom) for box in piece.place.boxes]
    assert tops == pytest.approx([103, 123, 140], abs=4)
