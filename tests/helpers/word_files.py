"""Pieces of WordprocessingML as lxml writes them, and small DOCX files after they were rewritten."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from app.documents.segments import Content, Mark, Segment
from app.documents.source import TargetLanguage
from tests.helpers import rewriting
from tests.helpers.office_files import word_part, write_docx
from tests.helpers.rewriting import reversed_words

BOLD = "<w:b/>"
UNDERLINED = '<w:u w:val="single"/>'
STYLES = (
    '<w:style w:type="paragraph" w:default="1" w:styleId="Standard"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/><w:basedOn w:val="Standard"/>'
    '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="My own"/><w:basedOn w:val="berschrift2"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Beschriftung"><w:name w:val="caption"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="SourceCode"><w:name w:val="Source Code"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>'
    '<w:style w:type="character" w:styleId="Secret"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="ListNumber"><w:name w:val="List Number"/><w:pPr><w:numPr>'
    '<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
)


def run(text: str, properties: str = "") -> str:
    """A run of text, as lxml writes it."""
    named = f"<w:rPr>{properties}</w:rPr>" if properties else "<w:rPr/>"
    return f"<w:r>{named}<w:t>{text}</w:t></w:r>"


def mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def complex_field(instruction: str, result: str) -> str:
    told = f'<w:r><w:instrText xml:space="preserve"> {instruction} </w:instrText></w:r>'
    return f"{mark('begin')}{told}{mark('separate')}{result}{mark('end')}"


def member(data: bytes, name: str = "word/document.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def body(data: bytes, name: str = "word/document.xml") -> str:
    """What is in the root of a part."""
    return re.sub(r"^<\?xml[^>]*\?>\s*<[^>]+>(<w:body>)?|(</w:body>)?</[^>]+>$", "", member(data, name))


def rewritten(
    tmp_path: Path,
    inner: str,
    change: Callable[[Segment], Content | None] | None = reversed_words,
    target: TargetLanguage | None = None,
    **parts: str,
) -> rewriting.Result:
    """A document of this body after it was rewritten."""
    path = tmp_path / "a.docx"
    named = {f"{name}.xml": content for name, content in parts.items()}
    write_docx(path, inner, {"styles.xml": word_part("styles", STYLES)} | named)
    return rewriting.run("docx", path, change, target)


def only(result: rewriting.Result) -> Content:
    """The content of the only segment."""
    (segment,) = result.segments
    return segment.content


def opened(number: int, look: str) -> Mark:
    return Mark("open", number, look)


def closed(number: int) -> Mark:
    return Mark("close", number)


def single(number: int, look: str, shows: str = "") -> Mark:
    return Mark("single", number, look, shows)
