"""What is open in a chat as Markdown, HTML and Word, each read again by another reader than what wrote it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import docx
import pytest
from docx.document import Document
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree
from markdown_it import MarkdownIt

from app.core import catalogue
from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.events import CancelToken, Role
from app.core.visible import Moment
from app.features.exchange import markup
from app.features.exchange.chat_export import ENDINGS, ExportFinished, export_chats
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.office_math import office_math
from app.features.exchange.open_branch import ExportedTurn, OpenBranch
from app.features.exchange.word_document import write_docx
from app.features.retrieval.support import NOT_FOUND
from app.features.retrieval.support_messages import unsupported_words
from app.features.survey.wanted import SurveyCoverage, made_to_fields
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, TreeMessage
from app.ui.pseudo_language import PseudoEntries

HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/x onerror=a()> & \u202e [x](javascript:a) ![p](data:x)"
)
RICH = """# Rent

It is **high**, *very* ~~low~~, see `x < y` and [the page](https://example.org/?a=1&b=2).
Then $E = mc^2$ and \\(a < b\\), but $5 and $6.

3. three
4. four
   - inner
   - [x] done

| city | rent |
|:-----|-----:|
| Köln | **9** |

$$
\\int_0^1 x
$$

```python
if a < b:
    print("<b>")
```

> quoted

![a map](https://example.org/map.png) and [^1].

[^1]: A note.
"""


def node(number: int, parent: int | None, role: Role, text: str) -> TreeMessage:
    return TreeMessage(number, parent, role, text, MessageState.COMPLETE, "tiny.gguf", 1_700_000_000.0 + number)


CHAT = Conversation(0, "Rent <1>", "Be *brief*.", None, "m", "", 1_700_000_000.0, 1_700_000_100.0, None, False)
TREE = [
    node(1, None, Role.USER, f"1. How high?\n  {HOSTILE}"),
    replace(node(2, 1, Role.ASSISTANT, RICH), thinking="I *wonder* <i>", thinking_s=2.5, chosen=1),
    node(3, 1, Role.ASSISTANT, "another branch"),
    node(4, 2, Role.USER, "كم الإيجار؟"),
    replace(node(5, 4, Role.ASSISTANT, "مرتفع\n\n```\nnot closed"), state=MessageState.STOPPED),
    node(6, 5, Role.USER, "End?"),
    node(7, 6, Role.ASSISTANT, "<!-- a comment that never ends\n\nEnd."),
]


def lease(shelf: ChatArchive) -> int:
    number = shelf.documents.begin_document(Path("/lease.pdf"), 1, 1)
    return shelf.documents.finish_document(number, format_="pdf", unit="page", pages=9, sha256="aa", info={}).id


@pytest.fixture
def chat(shelf: ChatArchive, conversations: Conversations) -> Conversation:
    source = {"answer_start": 0, "answer_end": 4, "document_id": lease(shelf), "block_id": 3, "start": 1, "end": 9}
    tree = [replace(one, sources=(source | {"page": 2},)) if one.id == 2 else one for one in TREE]
    number = shelf.whole.add_tree(CHAT, tree, {1: [(source["document_id"], DocumentUse.WHOLE)]})
    found = conversations.get(number)
    assert found is not None
    return found


def written(path: Path, chats: list[Conversation], shelf: ChatArchive, *, with_thinking: bool = False) -> bytes:
    *_, last = export_chats(path, chats, shelf, CancelToken(), with_thinking=with_thinking)
    assert isinstance(last, ExportFinished)
    assert last.chats == len(chats)
    return path.read_bytes()


class Reader(HTMLParser):
    """Tags, attributes and words of a page, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.depth = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.depth += tag not in ("br", "hr", "meta")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.words += data


ALLOWED = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th",
    "td", "strong", "em", "s", "a", "br", "hr", "code", "pre", "div", "span", "sup",
}  # fmt: skip
ATTRIBUTES = {"dir", "href", "rel", "start", "style", "class"}


def check_harmless(page: Reader, extra: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    assert set(page.tags) <= ALLOWED | extra
    assert page.depth == 0
    for name, value in page.attributes:
        if name == "href":
            assert re.match(r"https?://|mailto:", value, re.IGNORECASE)
        if name == "style":
            assert re.fullmatch(r"text-align: (left|right|center)", value)


DOUBT = {"unsupported": [[0, 4]], "checker": "c"}


def test_marks_of_an_answer_that_name_no_place_are_no_sources(
    tmp_path: Path, shelf: ChatArchive, conversations: Conversations
) -> None:
    tree = [
        TREE[0],
        replace(node(2, 1, Role.ASSISTANT, "High."), sources=(made_to_fields(SurveyCoverage()), NOT_FOUND, DOUBT)),
    ]
    chat = shelf.whole.add_tree(CHAT, tree, {})
    found = conversations.get(chat)
    assert found is not None
    page = written(tmp_path / "chat.md", [found], shelf).decode()
    assert "Not found in the document" in page
    assert unsupported_words(["High"]) in page
    assert "Sources" not in page


def test_html_is_one_harmless_page_with_everything_that_is_open(
    tmp_path: Path, shelf: ChatArchive, chat: Conversation
) -> None:
    page = written(tmp_path / "chat.html", [chat], shelf).decode()
    read = Reader(page)
    check_harmless(read, {"html", "head", "meta", "title", "style", "body"})
    assert "default-src 'none'" in page
    for words in (
        HOSTILE,
        "Rent <1>",
        "x < y",
        "$E = mc^2$",
        "\\(a < b\\)",
        "$5 and $6",
        'print("<b>")',
        "\\int_0^1 x",
    ):
        assert words in read.words, words
    for words in (
        "Attached: lease.pdf",
        "Sources: lease.pdf, p. 2",
        "Stopped before the end.",
        "Be *brief*.",
        "☑ done",
    ):
        assert words in read.words, words
    assert "another branch" not in read.words
    assert "wonder" not in read.words
    assert "a comment that never ends" in read.words
    assert read.tags.count("h2") == 6
    assert {"table", "pre", "ol", "strong", "s", "details"} - set(read.tags) == {"details"}
    assert ("href", "https://example.org/?a=1&b=2") in read.attributes
    assert ("start", "3") in read.attributes


def test_thinking_is_there_where_it_is_wanted(tmp_path: Path, shelf: ChatArchive, chat: Conversation) -> None:
    page = Reader(written(tmp_path / "chat.html", [chat], shelf, with_thinking=True).decode())
    assert "Thinking (2.5 s)" in page.words
    assert "I *wonder* <i>" in page.words
    text = written(tmp_path / "chat.md", [chat], shelf, with_thinking=True).decode()
    assert "> **Thinking (2.5 s)**\n>\n> I \\*wonder\\* \\<i\\>" in text
    words = [
        one.text for one in read_docx(written(tmp_path / "chat.docx", [chat], shelf, with_thinking=True)).paragraphs
    ]
    assert "I *wonder* <i>" in words


def test_markdown_keeps_what_models_wrote_and_no_turn_swallows_the_next(
    tmp_path: Path, shelf: ChatArchive, chat: Conversation
) -> None:
    text = written(tmp_path / "chat.md", [chat, chat], shelf).decode()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)  # with HTML, as other programs read it
    headings = [after.content for before, after in pairwise(tokens) if before.tag == "h2"]
    assert [one.split(",")[0] for one in headings if "," in one] == ["You", "tiny"] * 6
    assert not [one for one in tokens if one.type == "html_block"]
    assert "| Köln | **9** |" in text
    assert "*Attached: lease.pdf*" in text
    shown = MarkdownIt("commonmark").render(text)
    assert "&lt;script&gt;alert(1)" in shown
    assert "1. How high?" in Reader(shown).words


def test_footnotes_of_several_answers_keep_their_own_words() -> None:
    text = "See [^1] and `[^2]`.\n\n```\n[^1]: code\n```\n\n[^1]: Note."
    wanted = "See [^3-1] and `[^2]`.\n\n```\n[^1]: code\n```\n\n[^3-1]: Note."
    assert markup.as_markdown(text, 3) == wanted
    assert markup.as_markdown(text) == text


def test_formulas_in_brackets_are_their_source_wherever_they_stand() -> None:
    page = Reader(markup.as_html("Text \\[ q \\] and \\(a\nb\\), \\( alone.\n\n\\[\nx\n+ y\n\\]\n"))
    assert " ".join(page.words.split()) == "Text \\[ q \\] and \\(a b\\), ( alone. \\[ x + y \\]"
    assert (page.tags.count("code"), page.tags.count("pre"), page.tags.count("li")) == (3, 1, 0)


def read_docx(data: bytes) -> Document:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))
    return docx.Document(io.BytesIO(data))


MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def shape(element: etree._Element) -> str:
    """An equation in one line: each part's name and what is in it."""
    if element.tag == f"{MATH}t":
        return element.text or ""
    inside = "".join(shape(one) for one in element if str(one.tag).startswith(MATH) and not one.tag.endswith("Pr"))
    name = str(element.tag).removeprefix(MATH)
    return inside if name in ("r", "e", "oMath") else f"{name}({inside})"


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        ("E=mc^2", "E=msSup(csup(2))"),
        (r"\frac{a_1+b}{\sqrt{x}}", "f(num(sSub(asub(1))+b)den(rad(deg()x)))"),
        (r"\sum_{i=0}^{n} i^2 = \int_0^1 f\,dx", "nary(sub(i=0)sup(n)sSup(isup(2)))=nary(sub(0)sup(1)f\u2009dx)"),
        (r"\left(\frac{a}{b}\right)^2", "sSup(d(f(num(a)den(b)))sup(2))"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "d(m(mr(ab)mr(cd)))"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "m(mr(a=b)mr(c=d))"),
        (r"\begin{cases} 1 & x>0 \\ 0 & \text{else}\end{cases}", "d(m(mr(1x>0)mr(0else)))"),
        (r"\hat{x} + \overline{ab} + \underbrace{c}_{d}", "acc(x)+bar(ab)+limLow(groupChr(c)lim(d))"),
        (r"\lim_{x\to 0} \sin x + \sqrt[3]{y} \binom{n}{k}", "limLow(limlim(x→0))sinx+rad(deg(3)y)d(f(num(n)den(k)))"),
        (r"\unknown{x}", None),
        ("\\frac{a", None),
        ("x_{", None),
        (r"\frac{1}{" * 60 + "x" + "}" * 60, None),
        ("x" * 3_000, None),
    ],
)
def test_a_formula_is_one_of_words_own_or_stays_its_source(latex: str, wanted: str | None) -> None:
    math = office_math(latex, is_block=False)
    assert (None if math is None else shape(math)) == wanted


def test_word_has_headings_lists_tables_code_and_links(tmp_path: Path, shelf: ChatArchive, chat: Conversation) -> None:
    document = read_docx(written(tmp_path / "chat.docx", [chat], shelf))
    assert document.core_properties.title == "Rent <1>"
    paragraphs = [(one.style.name, one.text) for one in document.paragraphs if one.style is not None]
    assert paragraphs[0] == ("Heading 1", "Rent <1>")
    assert len([name for name, _ in paragraphs if name == "Heading 2"]) == 6
    assert ("Heading 3", "Rent") in paragraphs
    assert ("List Number", "three") in paragraphs
    assert ("List Bullet 2", "☑ done") in paragraphs
    assert ("Chat Code", 'if a < b:\n    print("<b>")') in paragraphs
    assert ("Quote", "quoted") in paragraphs
    (formula,) = document.element.body.iter(f"{MATH}oMathPara")
    assert shape(formula) == "oMathPara(nary(sub(0)sup(1)x))"
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["city", "rent"], ["Köln", "9"]]
    assert table.rows[1].cells[1].paragraphs[0].runs[0].bold
    text = "\n".join(text for _, text in paragraphs)
    assert HOSTILE in text
    assert "[1] A note." in text
    assert "a comment that never ends" in text
    assert "another branch" not in text
    links = [one.address for paragraph in document.paragraphs for one in paragraph.hyperlinks]
    assert links == ["https://example.org/?a=1&b=2", "https://example.org/map.png"]
    arabic = next(one for one in document.paragraphs if one.text == "مرتفع")
    assert arabic._p.xpath("w:pPr/w:bidi")


def test_numbered_lists_of_a_document_begin_by_themselves(tmp_path: Path) -> None:
    out = io.BytesIO()
    answers = ["1. a\n2. b", "5. c"]
    turns = (ExportedTurn(False, "m", "", text, "", "", ()) for text in answers)
    list(write_docx([OpenBranch("t", (), "", turns)], out))
    found = [one for one in read_docx(out.getvalue()).paragraphs if one.style and one.style.name == "List Number"]
    numbers = [one._p.xpath("w:pPr/w:numPr/w:numId/@w:val")[0] for one in found]
    assert numbers[0] == numbers[1] != numbers[2]


OURS = ("You", "Instructions", "Thinking (2.5 s)", "Attached: ", "Sources: ", "p. 2", "Stopped before", "Started on")


@pytest.mark.parametrize("ending", ENDINGS)
def test_our_words_are_in_the_language_and_json_is_not(
    ending: str, tmp_path: Path, shelf: ChatArchive, chat: Conversation
) -> None:
    def words() -> str:
        data = written(tmp_path / f"chat{ending}", [chat], shelf, with_thinking=True)
        if ending == ".docx":
            return "\n".join(paragraph.text for paragraph in read_docx(data).paragraphs)
        return data.decode("utf-8")

    english = words()
    use_catalogue(TextCatalogue("en", PseudoEntries()))
    try:
        pseudo = words()
    finally:
        use_catalogue(TextCatalogue())
    if ending == ".json":
        assert re.sub(r'"exported_at": [^,]*', "", pseudo) == re.sub(r'"exported_at": [^,]*', "", english)
        return
    for word in OURS:
        assert word in english and word not in pseudo, word
    assert "How high?" in pseudo


@pytest.mark.parametrize("ending", ENDINGS)
def test_days_are_in_the_language_and_seconds_in_json(
    ending: str, tmp_path: Path, shelf: ChatArchive, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_language = lambda value, spec: "Thursday" if isinstance(value, Moment) else format(value, spec)  # noqa: E731
    monkeypatch.setattr(catalogue._in_use, "format_value", by_language)
    data = written(tmp_path / f"chat{ending}", [chat], shelf)
    text = "\n".join(one.text for one in read_docx(data).paragraphs) if ending == ".docx" else data.decode("utf-8")
    assert ("Started on Thursday. Exported from Fireside on Thursday." in text) is (ending != ".json")
    assert text.count("Thursday") == (0 if ending == ".json" else 2 + len(list(shelf.whole.iterate_branch(chat.id))))
    assert not re.search(r"\d{4}-\d\d-\d\d", text)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_chat_without_a_message_and_several_at_once(
    tmp_path: Path, shelf: ChatArchive, chat: Conversation, conversations: Conversations, ending: str
) -> None:
    empty = conversations.create(title="Nothing yet")
    data = written(tmp_path / f"chats{ending}", [empty, chat], shelf)
    text = "\n".join(one.text for one in read_docx(data).paragraphs) if ending == ".docx" else data.decode()
    assert text.index("Nothing yet") < text.index("How high")
    written(tmp_path / f"none{ending}", [], shelf)


MARKDOWN = st.text(alphabet=st.sampled_from(list("ab12 \n\r\t*_`~#>|-[]()!<>/&$\\:\"'=^.+{}é\0\u202e")), max_size=80)


@given(MARKDOWN | st.text(max_size=60))
def test_no_text_becomes_markup_that_does_anything(text: str) -> None:
    check_harmless(Reader(markup.as_html(text)))


@given(st.lists(MARKDOWN | st.text(max_size=60), max_size=4))
def test_any_answer_becomes_a_word_document_that_can_be_read(texts: list[str]) -> None:
    out = io.BytesIO()
    turns = (ExportedTurn(bool(place % 2), text, "", text, text, "", (text,)) for place, text in enumerate(texts))
    assert len(list(write_docx([OpenBranch("t", (), "", turns)], out))) == len(texts)
    read_docx(out.getvalue())


@given(MARKDOWN)
@example("```python\nprint(1)\n```\r\r\r\r\n\n~~~\nx\n")  # a carriage return ends a line, too
@example("a\r<div>")
def test_no_answer_reaches_beyond_its_end_in_markdown(text: str) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"{markup.as_markdown(text)}\n\n## Next\n")
    assert [one.type for one in tokens[-3:]] == ["heading_open", "inline", "heading_close"]
    assert tokens[-2].content == "Next"
    assert tokens[-3].level == 0
