"""A chat on paper, read again by PDFium: every word, whole lines of code, rows of tables, heads that stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QPyTextObject, QTextFormat
from PySide6.QtWidgets import QApplication
from shiboken6 import createdByPython, isValid

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken, Role
from app.core.installed_languages import load_texts
from app.features.exchange.chat_export import ExportFinished, ExportProgress
from app.features.exchange.chat_file import ChatArchive, build_shelf
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, TreeMessage
from app.store.database import Database
from app.ui.paper.page_breaks import LaidOutText
from app.ui.paper.pdf_file import pdf_file
from app.ui.paper.printed_chats import export_pdf
from app.ui.paper.sheets import Sheets
from app.ui.theme import Theme
from tests.helpers.disks import small_disk

CHAT = Conversation(0, "Rent", "Be brief.", None, "m", "", 1_700_000_000.0, 1_700_000_100.0, None, False)
CODE = [f"def rent_{number}(area: float) -> float:\n\treturn area * {number}" for number in range(40)]
RICH = """# How it is counted

It is **high**, see `x < y` and [the page](https://example.org/?a=1). Then $E = mc^2$, but $5 and $6.

- [x] done
- <script>alert(1)</script>

| city | rent |
|:-----|-----:|
| Köln | 9,50 |

$$
\\int_0^1 x
$$

```python
{code}
```

> quoted
"""


@pytest.fixture(autouse=True)
def look(qapp: QApplication) -> Theme:
    """Which knows the program's fonts."""
    return Theme("light")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "home" / "fireside.db")
    yield opened
    opened.close()


@pytest.fixture
def shelf(database: Database) -> ChatArchive:
    return build_shelf(database)


def chat_with(shelf: ChatArchive, database: Database, *texts: str, **more: object) -> Conversation:
    """Questions and answers in turns."""
    tree, roles = [], (Role.USER, Role.ASSISTANT)
    for number, text in enumerate(texts):
        one = TreeMessage(
            number + 1, number or None, roles[number % 2], text, MessageState.COMPLETE, "tiny.gguf", 1.7e9
        )
        tree.append(replace(one, **more) if number % 2 else one)  # type: ignore[arg-type]
    found = Conversations(database).get(shelf.whole.add_tree(CHAT, tree))
    assert found is not None
    return found


def printed(path: Path, chats: list[Conversation], shelf: ChatArchive, *, with_thinking: bool = False) -> list[str]:
    """The text of each page."""
    *_, last = export_pdf(path, chats, shelf, CancelToken(), with_thinking=with_thinking)
    assert isinstance(last, ExportFinished)
    assert not last.is_cancelled
    with pdfium.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n").replace("\ufffe", "-") for page in document]


def test_everything_is_there_as_it_was_written(tmp_path: Path, shelf: ChatArchive, database: Database) -> None:
    question = "1. How high?\n   <b>Now</b>"
    answer = RICH.format(code="\n".join(CODE[:4]))
    chat = chat_with(shelf, database, question, answer, "كم الإيجار؟", "مرتفع", thinking="I *wonder*", thinking_s=2.5)
    pages = printed(tmp_path / "rent.pdf", [chat], shelf)
    text = "\n".join(pages)
    lines = [line.strip() for line in text.split("\n")]
    for line in ("Rent", "1. How high?", "<b>Now</b>", "How it is counted"):
        assert line in lines, line
    assert re.search(r"You +[^\n]*2023[^\n]*\d\d:\d\d", text)
    for words in (
        "Be brief.",
        "quoted",
        "It is high, see x < y and the page. Then",
        "but $5 and $6.",
        "<script>alert(1)</script>",
        "☑",
    ):
        assert words in text, words
    assert "city rent" in lines
    assert "Köln 9,50" in lines
    for code in "\n".join(CODE[:4]).split("\n"):
        assert code.strip() in lines, "with the signs that it has, not with ligatures"
    assert "E = mc^2" not in text, "formulas are typeset"
    assert "wonder" not in text
    assert b"https://example.org/?a=1" in (tmp_path / "rent.pdf").read_bytes()
    assert "I *wonder*" in "".join(printed(tmp_path / "with.pdf", [chat], shelf, with_thinking=True))


def test_pages_are_numbered_and_a_head_is_never_left_behind(
    tmp_path: Path, shelf: ChatArchive, database: Database
) -> None:
    heads = [f"## Head {number}\n\n" + f"Words that follow head {number}. " * (3 + number % 9) for number in range(70)]
    pages = printed(tmp_path / "heads.pdf", [chat_with(shelf, database, "Well?", "\n\n".join(heads))], shelf)
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        body, _, foot = page.strip().rpartition("Rent")
        assert foot.strip() == str(number)
        assert not re.search(r"Head \d+\s*\Z", body), page
    told = [int(number) for page in pages for number in re.findall(r"Head (\d+)", page)]
    assert told == list(range(70)), "each once"


def test_a_long_table_shows_its_head_on_each_page_and_loses_no_row(
    tmp_path: Path, shelf: ChatArchive, database: Database
) -> None:
    rows = "\n".join(f"| {number} | row {number} {'more ' * (number % 30)}| {number * 7} |" for number in range(150))
    table = f"| no | name | value |\n|---|---|---:|\n{rows}"
    pages = printed(tmp_path / "table.pdf", [chat_with(shelf, database, "Well?", table)], shelf)
    assert len(pages) > 3
    assert all(page.count("no name value") == 1 for page in pages)
    found = [int(number) for page in pages for number in re.findall(r"^(\d+) row \1 ", page, re.MULTILINE)]
    assert found == list(range(150))


def test_each_chat_begins_on_a_page_and_is_named_at_its_foot(
    tmp_path: Path, shelf: ChatArchive, database: Database
) -> None:
    chat_with(shelf, database, "One?", "1")
    two = chat_with(shelf, database, "Two?", "2")
    Conversations(database).update(two.id, title="Other")
    found = sorted(Conversations(database).find(), key=lambda chat: chat.id)
    pages = printed(tmp_path / "two.pdf", found, shelf)
    assert [page.split()[-2:] for page in pages] == [["Rent", "1"], ["Other", "2"]]


def test_one_turn_at_a_time_is_laid_out_and_told(
    tmp_path: Path, shelf: ChatArchive, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, documents = [0], []
    plain = Sheets.new_document

    def counted(sheets: Sheets) -> object:
        most[0] = max([most[0], *(document.characterCount() for document in documents)])
        document = plain(sheets)
        documents[:] = [document]
        return document

    monkeypatch.setattr(Sheets, "new_document", counted)
    chat = chat_with(shelf, database, *["Why?", "Because. " * 80] * 60)
    events = list(export_pdf(tmp_path / "many.pdf", [chat], shelf, CancelToken()))
    told = [event.done for event in events if isinstance(event, ExportProgress)]
    assert told == [0, *range(1, 121), 120]
    assert 500 < most[0] < 2_000


def test_the_title_of_several_chats_is_in_the_language(tmp_path: Path, shelf: ChatArchive, database: Database) -> None:
    chats = [chat_with(shelf, database, "Why?", "Because.") for _ in range(2)]
    use_catalogue(load_texts("pl"))
    try:
        printed(tmp_path / "two.pdf", chats, shelf)
    finally:
        use_catalogue(TextCatalogue())
    with pdfium.PdfDocument(tmp_path / "two.pdf") as document:
        assert document.get_metadata_value("Title") == "2 czaty"


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, shelf: ChatArchive, database: Database) -> None:
    chat = chat_with(shelf, database, "Why?", "Because. " * 4000)
    with small_disk(tmp_path / "small", 32_768) as folder:
        with pytest.raises(DiskFull):
            list(export_pdf(folder / "rent.pdf", [chat], shelf, CancelToken()))
        assert not list(folder.iterdir())


class Nothing(QPyTextObject):
    """Paints nothing."""


def test_all_texts_take_the_same_document_with_which_python_has_nothing_to_do(tmp_path: Path) -> None:
    """To connect one and to destroy it may wait for the window for ever, so that is not done for each of them."""
    made = list[QObject]()

    def make() -> QObject:
        made.append(Nothing())
        return made[-1]

    with pdf_file(tmp_path / "a.pdf", "A") as writer:
        sheets = Sheets(writer, "A")
        for words in ("All of it", "and more"):
            document = sheets.new_document()
            assert not createdByPython(document)
            assert document.isEmpty()
            assert sheets.painter(QTextFormat.ObjectTypes.UserObject.value, make) is made[0]
            document.setPlainText(words)
            sheets.add(LaidOutText(document))
        assert sheets.new_document() is document
        sheets.end()
        assert not isValid(document)
        assert [isValid(one) for one in made] == [False]
    with pdfium.PdfDocument(tmp_path / "a.pdf") as written:
        text = written[0].get_textpage().get_text_range()
    assert text.index("All of it") < text.index("and more")
