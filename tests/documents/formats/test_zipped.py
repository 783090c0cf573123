"""Archives of documents, by the real child: each is a page, what cannot be read is told, nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.child import CHECKOUT
from app.core.errors.document_errors import DocumentPagesMissing, DocumentUnreadable
from app.documents.blocks import BlockKind
from tests.helpers.documents import WORDS, Readings, good_pdf, long_text, read
from tests.helpers.office_files import paragraph, write_docx, write_zip
from tests.helpers.program import is_gone, wait_until


def archive(folder: Path) -> Path:
    """Two documents, one that is none, a picture, an archive, and what a Mac leaves behind."""
    inside = write_docx(folder / "in.docx", paragraph("In Word.")).read_bytes()
    members = {
        "notes/one.txt": WORDS,
        "two.docx": inside,
        "broken.docx": inside[:300],
        "picture.png": b"\x89PNG\r\n\x1a\n",
        "more.zip": b"PK\x03\x04",
        "__MACOSX/._one.txt": b"\0\5\x16\7",
        "three.pdf": good_pdf(folder / "in.pdf").read_bytes(),
    }
    return write_zip(folder / "a.zip", members)


def test_the_documents_of_an_archive_are_read_one_after_the_other(tmp_path: Path) -> None:
    work = tmp_path / "work"
    result = read(archive(tmp_path), work)
    assert (result.found.format, result.found.opened.unit, result.found.opened.pages) == ("zipped", "file", 4)
    assert result.found.opened.names == ("notes/one.txt", "two.docx", "broken.docx", "three.pdf")
    headings = [
        (block.page, block.text) for block in result.blocks if block.kind is BlockKind.HEADING and block.level == 1
    ]
    assert headings == [(1, "notes/one.txt"), (2, "two.docx"), (4, "three.pdf")]
    assert {block.page for block in result.blocks if block.heading_path[:1] == ("three.pdf",)} == {4}
    assert result.blocks[1].text == WORDS
    assert result.done.pages_without_text == (3,)
    assert result.remarks["not_read_inside"] == {"name": "broken.docx"}
    assert result.remarks["others_inside"] == {"count": 3}
    assert list(work.iterdir()) == []


def test_one_document_of_an_archive_is_chosen_by_its_number(tmp_path: Path) -> None:
    path = archive(tmp_path)
    assert read(path, tmp_path / "work", first_page=2, last_page=2).text == "two.docx\nIn Word."
    with pytest.raises(DocumentPagesMissing) as caught:
        read(path, tmp_path / "work", first_page=40, last_page=50)
    assert (caught.value.unit, caught.value.pages, caught.value.first_page) == ("file", 4, 40)


def test_the_encoding_that_a_person_chooses_is_that_of_the_documents(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.txt": "§ 5: Привет".encode("cp866", "replace")})
    assert read(path, tmp_path / "work", encoding="cp866").blocks[1].text == "? 5: Привет"
    path = write_zip(tmp_path / "b.zip", {"b.txt": "§ ö".encode("cp850")})
    assert read(path, tmp_path / "work", encoding="cp850").blocks[1].text == "§ ö"


def test_an_archive_without_documents_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        read(write_zip(tmp_path / "a.zip", {"song.mp3": "x", "b.zip": "y"}), tmp_path / "work")
    assert caught.value.reason == "not_text"


@pytest.mark.slow
def test_documents_that_unpack_to_an_unreasonable_size_together_are_refused(tmp_path: Path) -> None:
    bomb = write_docx(tmp_path / "in.docx", paragraph(" " * 8_000_000)).read_bytes()
    path = write_zip(tmp_path / "a.zip", {f"{number}.docx": bomb for number in range(15)})
    with pytest.raises(DocumentUnreadable) as caught:
        read(path, tmp_path / "work")
    assert caught.value.reason == "inflates"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An archive whose one document takes seconds to read."""
    content = long_text(tmp_path / "long.txt", 30_000_000).read_bytes()
    return write_zip(tmp_path / "a.zip", {"long.txt": content})


def test_what_a_killed_child_unpacked_is_removed(tmp_path: Path, large: Path) -> None:
    work = tmp_path / "work"
    readings = Readings(work)
    _, pid = readings.wait_for_first(large)
    unpacked = work / f"unpacked-{pid}" / "long.txt"
    assert (unpacked.stat().st_mode & 0o777, unpacked.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    os.kill(pid, 9)
    readings.close()
    assert list(work.iterdir()) == []


def test_what_both_left_is_removed_by_the_next_reading(tmp_path: Path, large: Path) -> None:
    work = tmp_path / "work"
    program = (
        "import os\nfrom pathlib import Path\nfrom tests.helpers.documents import Readings\n"
        f"readings = Readings(Path({str(work)!r}))\nevents, pid = readings.wait_for_first(Path({str(large)!r}))\n"
        "os.kill(pid, 19)\nprint(pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    assert (work / f"unpacked-{pid}").is_dir()
    os.kill(pid, 9)
    wait_until(lambda: is_gone(pid), "the child did not end")
    assert read(archive(tmp_path), work).blocks
    assert list(work.iterdir()) == []
