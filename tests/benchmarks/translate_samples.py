"""A file of each format that comes back translated, with words that must be translated and others that must stay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.office_files import (
    odf_part,
    paragraph,
    rels,
    shape,
    slide_part,
    word_part,
    write_docx,
    write_odf,
    write_pptx,
)
from tests.helpers.text_files import write_ods, write_xlsx
from tests.helpers.web_files import write_epub

PLANTED = re.compile(r"plant\d\dx")
REVERSED = re.compile(r"x\d\dtnalp")
KEPT = re.compile(r"stays\d\dx")
RUN = '<w:r><w:rPr>{0}</w:rPr><w:t xml:space="preserve">{1}</w:t></w:r>'


@dataclass(frozen=True)
class Sample:
    """A file; `planted` are the words that a reader sees and that are translated, `kept` those that are code."""

    path: Path
    planted: tuple[str, ...]
    kept: tuple[str, ...]


class Plan:
    """Makes words, each once."""

    def __init__(self) -> None:
        self.planted: list[str] = []
        self.kept: list[str] = []

    def word(self) -> str:
        """One that is to be translated."""
        self.planted.append(f"plant{len(self.planted) + 1:02}x")
        return self.planted[-1]

    def said(self, count: int = 3) -> str:
        """A few of them in a sentence."""
        return " ".join(["The", *(self.word() for _ in range(count))]) + " stands there."

    def code(self) -> str:
        """One that stays."""
        self.kept.append(f"stays{len(self.kept) + 1:02}x")
        return self.kept[-1]


def samples(folder: Path) -> dict[str, Sample]:
    """By format, as `app.documents.formats.registry` names them."""
    made = {}
    for format_, (name, write) in WRITERS.items():
        plan = Plan()
        path = folder / name
        write(path, plan)
        made[format_] = Sample(path, tuple(plan.planted), tuple(plan.kept))
    return made


def _docx(path: Path, plan: Plan) -> None:
    half = plan.word()
    split = RUN.format("", "The ") + RUN.format("", half[:4]) + RUN.format('<w:lang w:val="en-GB"/>', half[4:])
    split += RUN.format("", f" and {plan.word()} ") + RUN.format("<w:i/>", plan.word()) + RUN.format("", " stand.")
    link = f'<w:hyperlink r:id="rId9">{RUN.format("", plan.said())}</w:hyperlink>'
    note = f'{RUN.format("", plan.said())}<w:r><w:footnoteReference w:id="2"/></w:r>{RUN.format("", " " + plan.word())}'
    cells = "".join(f"<w:tc><w:tcPr/>{paragraph(plan.said(2))}</w:tc>" for _ in range(4))
    box = f"<w:txbxContent>{paragraph(plan.said())}</w:txbxContent>"
    drawn = f"<w:r><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></w:r>"
    body = [
        paragraph(plan.said(), "Heading1"),
        f"<w:p>{split}</w:p><w:p>{link}</w:p><w:p>{note}</w:p>",
        f"<w:tbl><w:tblPr/><w:tr>{cells}</w:tr></w:tbl>",
        f"<w:p>{drawn}</w:p>",
        paragraph(plan.said(), properties='<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'),
    ]
    parts = {
        "footnotes.xml": word_part("footnotes", f'<w:footnote w:id="2">{paragraph(plan.said())}</w:footnote>'),
        "comments.xml": word_part("comments", f'<w:comment w:id="1">{paragraph(plan.said())}</w:comment>'),
        "header1.xml": word_part("hdr", paragraph(plan.said())),
        "footer1.xml": word_part("ftr", paragraph(plan.said())),
    }
    write_docx(path, "".join(body), parts)


def _pptx(path: Path, plan: Plan) -> None:
    cells = "".join(
        f"<a:tc><a:txBody><a:p><a:r><a:t>{plan.said(2)}</a:t></a:r></a:p></a:txBody></a:tc>" for _ in range(3)
    )
    table = (
        "<p:graphicFrame><a:graphic><a:graphicData>"
        f"<a:tbl><a:tr>{cells}</a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    bold = f'<a:r><a:rPr b="1"/><a:t>{plan.word()}</a:t></a:r>'
    mixed = f"<p:sp><p:txBody><a:p><a:r><a:t>The {plan.word()} </a:t></a:r>{bold}<a:br/>"
    mixed += f"<a:r><a:t>{plan.word()}</a:t></a:r></a:p></p:txBody></p:sp>"
    slides = {
        "slide1.xml": slide_part(shape(plan.said(), placeholder="title") + shape(plan.said(), plan.said())),
        "slide2.xml": slide_part(mixed + table),
    }
    notes = shape(plan.said(), placeholder="body")
    parts = {
        "ppt/notesSlides/notesSlide1.xml": slide_part(notes),
        "ppt/slides/_rels/slide1.xml.rels": rels({"n": ("notesSlide", "../notesSlides/notesSlide1.xml")}),
    }
    write_pptx(path, slides, parts)


def _xlsx(path: Path, plan: Plan) -> None:
    rich = f"<si><r><rPr><b/></rPr><t>{plan.word()}</t></r><r><t xml:space='preserve'> {plan.said()}</t></r></si>"
    strings = "".join(f"<si><t>{plan.said()}</t></si>" for _ in range(3)) + rich
    shared = "".join(f'<c r="A{number}" t="s"><v>{number - 1}</v></c>' for number in range(1, 5))
    rows = f'<row r="1">{shared}<c r="B1"><v>1240</v></c></row>'
    rows += f'<row r="2"><c r="A2" t="inlineStr"><is><t>{plan.said()}</t></is></c></row>'
    write_xlsx(path, {"Rent": rows}, strings=strings)


def _odt(path: Path, plan: Plan) -> None:
    parts = [
        f'<text:h text:outline-level="1">{plan.said()}</text:h>',
        f'<text:p>The {plan.word()} <text:span text:style-name="B">{plan.word()}</text:span>{plan.word()}.</text:p>',
        f'<text:p><text:a xlink:href="https://example.org/">{plan.said()}</text:a><text:line-break/>{plan.word()}</text:p>',
        f"<text:list><text:list-item><text:p>{plan.said()}</text:p><text:list><text:list-item>"
        f"<text:p>{plan.said()}</text:p></text:list-item></text:list></text:list-item></text:list>",
        '<text:p>Here<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
        f"<text:p>{plan.said()}</text:p></text:note-body></text:note> {plan.word()}</text:p>",
        _odf_table(plan),
    ]
    master = f"<style:master-page><style:header><text:p>{plan.said()}</text:p></style:header></style:master-page>"
    styles = odf_part("document-styles", f"<office:master-styles>{master}</office:master-styles>")
    write_odf(path, "".join(parts), {"styles.xml": styles})


def _odp(path: Path, plan: Plan) -> None:
    box = "<draw:frame><draw:text-box>{}</draw:text-box></draw:frame>"
    pages = [
        f'<draw:page draw:name="p{number}">{box.format(_odf_paragraph(plan) + _odf_paragraph(plan))}'
        f"<presentation:notes>{box.format(_odf_paragraph(plan))}</presentation:notes></draw:page>"
        for number in (1, 2)
    ]
    write_odf(path, "".join(pages), kind="presentation")


def _odf_paragraph(plan: Plan) -> str:
    return f"<text:p>{plan.said()}</text:p>"


def _ods(path: Path, plan: Plan) -> None:
    write_ods(path, _odf_table(plan).replace("<table:table>", '<table:table table:name="Rent">'))


def _odf_table(plan: Plan) -> str:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = [f"<table:table-row>{''.join(cell.format(plan.said()) for _ in range(2))}</table:table-row>" for _ in (1, 2)]
    return f"<table:table>{''.join(rows)}</table:table>"


def _epub(path: Path, plan: Plan) -> None:
    chapters = {
        f"chapter{number}.xhtml": f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">'
        f"<head><title>{plan.said()}</title></head><body>{_elements(plan)}</body></html>"
        for number in (1, 2)
    }
    links = "".join(f'<li><a href="{name}">{plan.said()}</a></li>' for name in chapters)
    navigation = (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head/><body>'
        f'<nav epub:type="toc"><ol>{links}</ol></nav></body></html>'
    )
    write_epub(path, chapters, navigation=navigation)


def _html(path: Path, plan: Plan) -> None:
    head = f"<title>{plan.said()}</title><style>.{plan.code()}{{}}</style><script>{plan.code()}</script>"
    image = f'<p>Look: <img src="{plan.code()}.png" alt="{plan.said()}"> {plan.word()}'
    body = f"{_elements(plan)}{image}<!-- {plan.code()} -->"
    path.write_text(f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>", "utf-8")


def _elements(plan: Plan) -> str:
    return (
        f"<h1>{plan.said()}</h1>\n<p>The {plan.word()} <b>{plan.word()} <i>{plan.word()}</i></b>, {plan.word()}<br/>"
        f'{plan.word()} <a href="https://example.org/{plan.code()}">{plan.word()}</a> &amp; '
        f"<code>{plan.code()}</code>.</p>"
        f"<ul><li>{plan.said()}<ul><li>{plan.said()}</li></ul></li></ul><blockquote><p>{plan.said()}</p></blockquote>"
        f"<table><tr><th>{plan.said()}</th><td>{plan.said()}</td></tr></table><pre>{plan.code()}</pre>"
    )


def _markdown(path: Path, plan: Plan) -> None:
    link = f"[{plan.word()}](https://example.org/{plan.code()})"
    parts = [
        f"# {plan.said()}",
        f"The **{plan.word()}** and *{plan.word()}* stand {link} with `{plan.code()}`\nnear {plan.word()}.",
        f"- {plan.said()}\n  - {plan.said()}\n- {plan.said()}",
        f"1. {plan.said()}",
        f"> {plan.said()}",
        f"| {plan.said()} | {plan.said()} |\n|---|---|\n| {plan.said()} | 12 |",
        f"```python\nprint('{plan.code()}')\n```",
        f"{plan.said()}[^1]",
        f"[^1]: {plan.said()}",
        f"{plan.said()}\n---",
    ]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _text(path: Path, plan: Plan) -> None:
    path.write_text(f"{plan.said()}\n\n{plan.said()}\n{plan.said()}\n\n- {plan.said()}\n- {plan.said()}\n", "utf-8")


def _subtitles(path: Path, plan: Plan) -> None:
    cues = [f"{plan.said()}\n{plan.said()}", f"<i>{plan.said()}</i>", f"- {plan.said()}\n- {plan.said()}"]
    lines = (f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{cue}\n" for n, cue in enumerate(cues, 1))
    path.write_text("\n".join(lines), "utf-8")


def _csv(path: Path, plan: Plan) -> None:
    rows = [f'"{plan.said()}",{plan.said()},{number * 1240}' for number in range(1, 5)]
    path.write_text("\n".join([f"{plan.said()},{plan.said()},Euros a month", *rows]) + "\n", "utf-8")


def _po(path: Path, plan: Plan) -> None:
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    header += '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"'
    plain = "".join(f'\n#: {plan.code()}.c:1\nmsgid "{plan.said()}"\nmsgstr ""\n' for _ in range(4))
    long = f'\nmsgid ""\n"{plan.said()} "\n"{plan.said()}"\nmsgstr ""\n'
    plural = f'\nmsgid "%d {plan.word()}"\nmsgid_plural "%d {plan.word()}"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    path.write_text(f"{header}\n{plain}{long}{plural}", "utf-8")


def _json(path: Path, plan: Plan) -> None:
    inner = {plan.code(): plan.said(), "list": [plan.said(), 12, True, None, {"deep": plan.said()}]}
    path.write_text(json.dumps({plan.code(): plan.said(), "inner": inner, "quoted": f'“{plan.said()}” \\ "'}), "utf-8")


def _yaml(path: Path, plan: Plan) -> None:
    lines = [
        f"# {plan.code()}",
        f"{plan.code()}: {plan.said()}",
        f'quoted: "{plan.said()}"',
        f"single: '{plan.said()}'",
        f"list:\n  - {plan.said()}\n  - 12",
        f"folded: >\n  {plan.said()}\n  {plan.said()}",
        f"literal: |\n  {plan.said()}\n  {plan.said()}",
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


Write = Callable[[Path, Plan], None]
WRITERS: dict[str, tuple[str, Write]] = {
    "docx": ("lease.docx", _docx), "pptx": ("lease.pptx", _pptx), "xlsx": ("lease.xlsx", _xlsx),
    "odt": ("lease.odt", _odt), "odp": ("lease.odp", _odp), "ods": ("lease.ods", _ods),
    "epub": ("lease.epub", _epub), "html": ("lease.html", _html), "markdown": ("lease.md", _markdown),
    "text": ("lease.txt", _text), "subtitles": ("lease.srt", _subtitles), "csv": ("lease.csv", _csv),
    "po": ("lease.po", _po), "json": ("lease.json", _json), "yaml": ("lease.yaml", _yaml),
}  # fmt: skip
