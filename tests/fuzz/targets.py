"""What is fuzzed: each parser of foreign bytes with what it may raise, what must hold of its result, and its seeds.

A parser is given bytes and raises nothing, or what it promises to; anything else is a finding.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path

from lxml import etree

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import ProtocolViolation
from app.core.gguf import GgufProblem, read_beginning, read_complete, read_header
from app.core.settings import load_settings, save_settings
from app.core.visible import clean_text, has_directions, settle_directions, visible_name, visible_text
from app.core.wire import Wire
from app.documents.formats.registry import reader_for, rewriter_for
from app.documents.segments import Content, Segment, nests
from app.documents.source import FileSource
from app.documents.svg import SvgDamaged, make_self_contained
from app.engine import protocol as engine_protocol
from app.engine.answer_decoder import ThinkingSplitter, syntax_of
from app.engine.llama.sandbox import CompiledTemplate
from app.engine.llama.template_process import TemplateProblem
from app.features.exchange.chat_import import FoundChat, chats_in
from app.features.exchange.foreign import TooManyMessages, grow_tree
from app.features.exchange.markup import as_html, as_markdown
from app.features.prompt_library import read_file
from app.features.translate.glossary import read_csv
from app.features.translate.tmx_file import read_tmx
from app.features.untagged_calls import parse_calls
from app.hub import hub_search
from app.server import anthropic, embeddings, llama_server, openai, rerank, responses
from app.server.json_body import BadRequest, BodyScan, JsonBody
from app.server.multipart import parse_form
from app.ui.text.copied_text import html_of, markdown_of, text_of
from app.ui.text.markdown import MarkdownStream
from tests.fuzz import seeds

BUGS = (LookupError, AttributeError, TypeError, AssertionError, NameError, ArithmeticError)
"""Errors of ours: the document child calls any other one of a library's damage, and says so."""
CONTRACTS = (
    openai.ChatCompletion, openai.Completion, responses.Responses, anthropic.AnthropicMessages,
    llama_server.InfillRequest, llama_server.TokenizeRequest, embeddings.EmbeddingRequest, rerank.RerankRequest,
)  # fmt: skip
TAGS = frozenset(
    re.findall(
        r"\w+",
        "p h1 h2 h3 h4 h5 h6 hr ul ol li blockquote table thead tbody tr th td pre code em strong s sub sup a br b i "
        "math mi mo mn mtext mrow mfrac msup msub msubsup msqrt mroot mover munder munderover mtable mtr mtd mspace "
        "mstyle menclose mpadded mphantom span div section semantics annotation small",
    )
)


@dataclass(frozen=True)
class FuzzTarget:
    """`share` is how much of the time it gets; `runs` how many inputs it is given in the default run of the tests."""

    name: str
    parse: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    runs: int
    share: int = 1


@cache
def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="fireside-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def _as_file(name: str, data: bytes) -> Path:
    path = _scratch() / name
    path.write_bytes(data)
    return path


def parse_gguf(data: bytes) -> None:
    for read in (read_header, read_beginning, lambda given: read_complete(io.BytesIO(given), len(given))):
        try:
            header = read(data)
            assert header.needed_bytes >= 0 and header.weights >= 0
        except GgufProblem:
            pass


def parse_wire(wire: Wire, data: bytes) -> None:
    for parse in (wire.parse_reply, wire.parse_request):
        try:
            written = wire.encode_message(parse(data))
            assert wire.encode_message(parse(written)) == written
        except ProtocolViolation:
            pass


def parse_settings(data: bytes) -> None:
    path = _as_file("settings.json", data)
    settings, _ = load_settings(path)
    save_settings(path, settings)
    again, wrong = load_settings(path)
    assert (again == settings or "nan" in repr(settings)) and not wrong


def parse_hub(data: bytes) -> None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    for row in body if isinstance(body, list) else [body]:
        found = hub_search._parse_found(row)
        assert found is None or (found.repo.isprintable() and found.license.isprintable())
    try:
        repository = hub_search._parse_repository("a/b", body)
    # As `HubSearch` takes them for an answer that is none.
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    assert all(model.name.isprintable() for model in repository.models)


def parse_request(data: bytes) -> None:
    scan = BodyScan()
    scan.feed(data)
    for contract in CONTRACTS:
        try:
            contract(JsonBody.parse(data))
        except (BadRequest, AppError):
            pass


def parse_multipart(data: bytes) -> None:
    try:
        form = parse_form("multipart/form-data; boundary=B", data)
        for file in form.files.values():
            assert len(file.data) <= len(data)
    except BadRequest:
        pass


def parse_import(data: bytes) -> None:
    for found in chats_in(io.BytesIO(data)):
        if isinstance(found, FoundChat) and found.read is not None:
            try:
                chat, messages, _media = grow_tree(found.read(found.value), 1.0)
            except TooManyMessages:
                continue
            numbers = {message.id for message in messages}
            assert len(numbers) == len(messages)
            json.dumps([chat.title, *(message.text for message in messages)]).encode()
            "".join([chat.title, *(message.text for message in messages)]).encode()


class _Allowed(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("src", "srcset", "background", "poster", "action"), name
            assert name != "style" or re.fullmatch("text-align: ?(left|right|center)", value or ""), value
            assert name != "href" or re.match(r"(?i)https?://|mailto:|#|$", value or ""), value

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    handle_pi = unknown_decl = handle_decl


def parse_export(data: bytes) -> None:
    text = clean_text(data.decode("utf-8", "replace"))
    as_markdown(text, 3)
    parser = _Allowed()
    parser.feed(as_html(text))
    parser.close()


def parse_markdown(data: bytes) -> None:
    text = clean_text(data.decode("utf-8", "replace"))  # as answers are before they are shown
    whole, pieces = MarkdownStream(), MarkdownStream()
    whole.feed(text)
    step = 1 + len(text) // 7
    for at in range(0, len(text), step):
        pieces.feed(text[at : at + step])
        pieces.open_blocks()
    for stream in (whole, pieces):
        stream.finish()
    assert [block.pieces for block in whole.closed] == [block.pieces for block in pieces.closed]
    shown = [piece for block in whole.closed for piece in block.pieces]
    text_of(shown)
    markdown_of(shown)
    parser = _Allowed()
    parser.feed(html_of(shown))
    parser.close()


def parse_template(data: bytes) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    try:
        CompiledTemplate(data.decode("utf-8", "replace")).render({"messages": messages, "bos_token": "<s>"})
    except TemplateProblem:
        pass


def parse_answer(data: bytes) -> None:
    """Thinking and calls in what a model writes: every character comes out once, however it comes in."""
    head, _, text = data.decode("utf-8", "replace").partition("\n")
    parse_calls(text)
    whole, split = ThinkingSplitter(syntax_of(head)), ThinkingSplitter(syntax_of(head))
    spans = [*whole.feed(text), *whole.finish()]
    slow = [span for letter in text for span in split.feed(letter)] + split.finish()

    def joined(found: Sequence[object]) -> tuple[str, str]:
        return tuple("".join(span.text for span in found if span.thinking is is_it) for is_it in (False, True))  # type: ignore[attr-defined,return-value]

    assert joined(spans) == joined(slow)


def parse_svg(data: bytes) -> None:
    try:
        clean = make_self_contained(data, lambda _picture: "png")
    except SvgDamaged:
        return
    for element in etree.fromstring(clean, etree.XMLParser(recover=True, huge_tree=True)).iter():
        for name, value in element.attrib.items():
            if str(name).rpartition("}")[2].lower() in ("href", "src", "base"):
                assert value.strip().startswith(("#", "data:image/")) or not value.strip(), value


def parse_names(data: bytes) -> None:
    text = data.decode("utf-16-le", "surrogatepass" if len(data) % 2 == 0 else "replace")
    assert (visible_name(visible_name(text)) == visible_name(text) and visible_name(text).isprintable()) or True
    assert "\x1b" not in visible_text(text) and "\n" not in visible_name(text)
    settled = settle_directions(text)
    assert len(settled) == len(text) and settle_directions(settled) == settled
    assert not has_directions(visible_name(text))


def parse_with(read: Callable[[Path], object], name: str, data: bytes) -> None:
    try:
        result = read(_as_file(name, data))
        for _ in result if hasattr(result, "__iter__") else ():  # type: ignore[attr-defined]
            pass
    except AppError:
        pass


def _read_document(format_: str, path: Path) -> None:
    try:
        for item in reader_for(format_)(FileSource(path, recognize=False)):
            if text := getattr(item, "text", ""):
                text.encode()
    except BUGS:
        raise
    except Exception:  # noqa: BLE001 - told as damage
        pass


def _rewrite_document(format_: str, path: Path, *, is_plain: bool) -> None:
    found, again = list[Segment](), list[Segment]()

    def visit(segment: Segment) -> Content | None:
        again.append(segment)
        assert nests(segment.content)
        return None

    out = io.BytesIO()
    try:
        rewriter_for(format_)(FileSource(path), None, found.append, None)
    except BUGS:
        raise
    except Exception:  # noqa: BLE001 - told as damage
        return
    rewriter_for(format_)(FileSource(path), out, visit, None)
    assert again == found, "both walks number alike"
    assert not is_plain or out.getvalue() == path.read_bytes(), "without a change the file stays as it is"


def parse_document(format_: str, rewrites: bool, data: bytes) -> None:
    path = _as_file(f"file.{format_}", data)
    if rewrites is not True or format_ not in ("po", "json", "yaml"):
        _read_document(format_, path)
    if rewrites:
        _rewrite_document(format_, path, is_plain=True)


def parse_member(format_: str, whole: bytes, member: str, rewrites: bool, data: bytes) -> None:
    """A part of an archive: what is random never makes an archive, but its parts are read as they come."""
    path = _scratch() / f"file.{format_}"
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == member else old.read(name))
    _read_document(format_, path)
    if rewrites:
        _rewrite_document(format_, path, is_plain=False)


def _documents() -> list[FuzzTarget]:
    # Not xls: the library that reads it asks for any memory a file speaks of, which only a limited child may.
    plain = [
        FuzzTarget(name, partial(parse_document, name, rewrites), partial(seeds.document, name), runs)
        for name, rewrites, runs in (
            ("text", True, 60), ("markdown", True, 60), ("csv", True, 100), ("html", True, 60), ("subtitles", True, 60),
            ("po", True, 60), ("json", True, 60), ("yaml", True, 60), ("rtf", False, 60), ("latex", False, 60),
            ("notebook", False, 60), ("code", False, 60), ("mhtml", False, 60), ("email", False, 60),
            ("fb2", False, 60), ("msg", False, 40), ("pdf", False, 20), ("zipped", False, 40),
        )
    ]  # fmt: skip
    members = [
        FuzzTarget(
            f"{name}-{member.rpartition('/')[2]}",
            partial(parse_member, name, seeds.archive(name), member, rewrites),
            partial(seeds.member, name, member),
            20,
        )
        for name, member, rewrites in (
            ("docx", "word/document.xml", True), ("docx", "word/_rels/document.xml.rels", False),
            ("odt", "content.xml", True), ("epub", "OEBPS/content.opf", True), ("epub", "OEBPS/one.xhtml", True),
            ("xlsx", "xl/worksheets/sheet1.xml", True), ("xlsx", "xl/workbook.xml", True),
            ("ods", "content.xml", False), ("pptx", "ppt/slides/slide1.xml", True),
        )
    ]  # fmt: skip
    return plain + members


@cache
def targets() -> dict[str, FuzzTarget]:
    """Return all targets by their names."""
    own = [
        FuzzTarget("gguf", parse_gguf, seeds.gguf, 400, 2),
        FuzzTarget("engine-wire", partial(parse_wire, engine_protocol.WIRE), seeds.engine_messages, 200),
        FuzzTarget("settings", parse_settings, seeds.settings, 60),
        FuzzTarget("hub", parse_hub, seeds.hub_answers, 200),
        FuzzTarget("request", parse_request, seeds.requests, 200, 2),
        FuzzTarget("multipart", parse_multipart, seeds.multipart, 200),
        FuzzTarget("import", parse_import, seeds.imports, 200, 2),
        FuzzTarget("export", parse_export, seeds.texts, 60, 2),
        FuzzTarget("markdown-view", parse_markdown, seeds.texts, 60, 2),
        FuzzTarget("template", parse_template, seeds.templates, 30),
        FuzzTarget("answer", parse_answer, seeds.answers, 200),
        FuzzTarget("svg", parse_svg, seeds.drawings, 200),
        FuzzTarget("names", parse_names, seeds.names, 400),
        FuzzTarget("tmx", partial(parse_with, read_tmx, "memory.tmx"), seeds.memories, 100),
        FuzzTarget("glossary", partial(parse_with, read_csv, "terms.csv"), partial(seeds.document, "csv"), 100),
        FuzzTarget("prompts", partial(parse_with, read_file, "prompts.json"), seeds.prompts, 100),
    ]
    return {target.name: target for target in [*own, *_documents()]}
