"""A summary as a file that other programs open: Markdown, HTML, a Word document or JSON, written in one step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import IO, Any

from app.core.catalogue import tr, use_english
from app.core.joined_texts import join_clauses
from app.features.summarize.laid_out import SOURCES, LaidOut, StatementLine, StatementSource, SummaryPart, lay_out
from app.features.summarize.summary_messages import digest_words, not_given_words, nothing_words, unknown_words
from app.features.summarize.summary_result import ClaimAnchor, Statement, Summary
from app.features.work.saved_file import write_file
from app.features.work.web_page import language_attributes, page_style, web_page

__all__ = ["ENDINGS", "as_html", "as_json", "as_markdown", "as_text", "save_file", "write_docx"]

ENDINGS = (".md", ".json", ".docx", ".html")
"""Suffixes `save_file` can write."""


def as_json(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> str:
    """Return the JSON that `summarize --json` prints, with the sources of each claim; see `report_fields`."""
    return json.dumps(with_anchors(summary, errors), ensure_ascii=False, indent=1) + "\n"


def write_docx(summary: Summary, out: IO[bytes]) -> None:
    """Write a Word document to a binary file; loads python-docx (0.1 s)."""
    from app.features.summarize import export_docx

    export_docx.write_docx(summary, out)


def save_file(
    summary: Summary, path: Path, paths: Sequence[Path | None] = (), errors: Sequence[dict[str, str]] = ()
) -> None:
    """Write the file in the format of its suffix, one of `ENDINGS`, replacing it at the end.

    `paths` are the documents' files, for links to pages; `errors` go into JSON. Raises DiskFull or FolderNotWritable.
    """
    with write_file(path) as file:
        _write_format(summary, file, path.suffix.lower(), paths, errors)


def _write_format(
    summary: Summary, file: IO[bytes], ending: str, paths: Sequence[Path | None], errors: Sequence[dict[str, str]]
) -> None:
    match ending:
        case ".docx":
            write_docx(summary, file)
            return
        case ".html":
            text = as_html(summary, paths)
        case ".json":
            text = as_json(summary, errors)
        case _:
            text = as_markdown(summary)
    # Lone surrogates come from broken PDFs; UTF-8 can't write them.
    file.write(text.encode("utf-8", "backslashreplace"))


_STYLE = page_style(
    """a { color: #B23F12; text-decoration: none }
a:hover { text-decoration: underline }
.fact { color: #6B645D; margin: 0 }
.mark { color: #B23F12; font-weight: bold }
""",
    """  a, .mark { color: #F08A5D }
  .fact { color: #A8A098 }
""",
    is_tinted=True,
)


def as_html(summary: Summary, paths: Sequence[Path | None] = ()) -> str:
    """Return HTML whose references link to the sources, and a PDF's sources to its pages;

    `paths` are the documents' files.
    """
    laid_out = lay_out(summary)
    body = [f"<h1>{escape(laid_out.title)}</h1>"]
    body += [f'<p class="fact" {language_attributes()}>{escape(fact)}</p>' for fact in laid_out.facts]
    for part in laid_out.parts:
        body += _html_part(part)
    if laid_out.sources:
        body += [
            f"<h2 {language_attributes()}>{escape(tr(SOURCES))}</h2>",
            "<ol>",
            *(_html_source(source, paths) for source in laid_out.sources),
            "</ol>",
        ]
    # Facts are in the user's language whatever the summary's, so they carry their own.
    page = web_page(body, laid_out.title, _STYLE, language=laid_out.language, direction=laid_out.direction)
    return "\n".join((*page, ""))


def _html_part(part: SummaryPart) -> Iterator[str]:
    if part.heading:
        yield f"<h2>{escape(part.heading)}</h2>"
    tag = "li" if part.is_list else "p"
    yield from ["<ul>"] if part.is_list else []
    for lines in part.paragraphs:
        yield f"<{tag}>{' '.join(map(_html_line, lines))}</{tag}>"
    yield from ["</ul>"] if part.is_list else []


def _html_line(line: StatementLine) -> str:
    links = (f'<a href="#source-{reference.source}">[{escape(reference.label)}]</a>' for reference in line.references)
    mark = f'<span class="mark" {language_attributes()}>{escape(line.mark)}</span>' if line.mark else ""
    return " ".join(filter(None, (escape(line.text), *links, mark)))


def _html_source(source: StatementSource, paths: Sequence[Path | None]) -> str:
    label = escape(source.label)
    path = paths[source.document] if source.document < len(paths) else None
    # Only viewers of PDFs know `#page=`.
    if path is not None and path.suffix.lower() == ".pdf" and source.page is not None:
        label = f'<a href="{escape(path.absolute().as_uri())}#page={source.page}">{label}</a>'
    return f'<li id="source-{source.number}" dir="{source.direction}">{label}: “{escape(source.text)}”</li>'


_MEANT = re.compile(r"[\\`*_\[\]<>&~$|]|(?<!\S)#|^[+=-]|^:(?=\s|-)")
"""Markdown syntax to escape: marks anywhere, and those that count only at the start of a line or word."""
_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")


def as_markdown(summary: Summary) -> str:
    """Title, what was read, the statements with their pages as footnotes, and the sources."""
    laid_out = lay_out(summary)
    blocks = [f"# {escape_markdown(laid_out.title)}", *(f"*{escape_markdown(fact)}*" for fact in laid_out.facts)]
    for part in laid_out.parts:
        blocks += [f"## {escape_markdown(part.heading)}"] if part.heading else []
        blocks += _markdown_paragraphs(part)
    if laid_out.sources:
        blocks.append(f"## {escape_markdown(tr(SOURCES))}")
        blocks += (
            f"[^{source.number}]: {escape_markdown(source.label)}: “{escape_markdown(source.text)}”"
            for source in laid_out.sources
        )
    return "\n\n".join(blocks) + "\n"


def as_text(summary: Summary) -> str:
    """Format the statements for a terminal, with pages and differences in brackets, or say that there are none."""
    return _plain_text(lay_out(summary), with_references=True) or nothing_words(summary)


def statements_text(summary: Summary) -> str:
    """Return the statements in their form, without references."""
    return _plain_text(lay_out(summary), with_references=False)


def escape_markdown(text: str) -> str:
    """Escape a line so that Markdown shows it verbatim."""
    return _NUMBER.sub(r"\1\\\2", _MEANT.sub(lambda match: f"\\{match[0]}", text))


def _markdown_paragraphs(part: SummaryPart) -> Iterator[str]:
    written = [" ".join(map(_markdown_line, lines)) for lines in part.paragraphs]
    if part.is_list:
        yield "\n".join(f"- {text}" for text in written)
    else:
        # Blank lines between list items would make a loose list, which renders with gaps.
        yield from written


def _markdown_line(line: StatementLine) -> str:
    text = escape_markdown(line.text)
    if line.references:
        # Several sources of one page show that page once, but keep their notes.
        pages = join_clauses(dict.fromkeys(escape_markdown(reference.label) for reference in line.references))
        notes = "".join(dict.fromkeys(f"[^{reference.source}]" for reference in line.references))
        text += f" ({pages}){notes}"
    return f"{text} **{escape_markdown(line.mark)}**" if line.mark else text


def _plain_text(laid_out: LaidOut, *, with_references: bool) -> str:
    blocks: list[str] = []
    for part in laid_out.parts:
        written = [
            " ".join(_plain_line(line) if with_references else line.text for line in paragraph)
            for paragraph in part.paragraphs
        ]
        text = "\n".join(f"- {text}" for text in written) if part.is_list else "\n\n".join(written)
        blocks.append(f"{part.heading}\n{text}" if part.heading else text)
    return "\n\n".join(blocks)


def _plain_line(line: StatementLine) -> str:
    pages = join_clauses(dict.fromkeys(reference.label for reference in line.references))
    text = f"{line.text} [{pages}]" if pages else line.text
    return f"{text} ({line.mark})" if line.mark else text


def with_anchors(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """Return the report's fields plus, per claim, all its sources with their text and what differs."""
    body = report_fields(summary, errors)
    for claim, statement in zip(body["claims"], summary.statements, strict=True):
        claim |= {"said": statement.check.said, "page_says": statement.check.page_says}
        claim["anchors"] = [_anchor_fields(anchor, summary) for anchor in statement.anchors]
    return body


def report_fields(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """Return the fields that terminal.md fixes; `errors` are unreadable files, {file, reason}.

    A claim with sources in several files has the `file`, `pages` and `block_ids` of the first. `pages_without_text`
    are numbers for one document, and {file, page} for several.
    """
    with use_english():  # programs read it
        # What was set aside comes with the reason in words.
        set_aside = digest_words(summary) if summary.set_aside else ""
        warnings = [words for words in (unknown_words(summary), not_given_words(summary), set_aside) if words]
    return {
        "summary": statements_text(summary),
        "claims": [_claim_fields(statement, summary) for statement in summary.statements],
        "coverage": _coverage_fields(summary),
        "sections": summary.sections,
        "seconds": round(summary.seconds, 3),
        "model": summary.model,
        "method": summary.method.value,
        "warnings": warnings,
        "errors": list(errors),
        "set_aside": [_claim_fields(statement, summary) for statement in summary.set_aside],
    }


def _claim_fields(statement: Statement, summary: Summary) -> dict[str, Any]:
    documents, anchors = summary.documents, statement.anchors
    # Pages of several files can't be told apart by number; the first file's are given.
    first = anchors[0].document if anchors else 0
    here = [anchor for anchor in anchors if anchor.document == first]
    doubted = {"unsupported": [statement.text[start:end] for start, end in statement.unsupported]}
    # Absent without a checker: an empty list would say that everything was found supported.
    return (doubted if summary.checker else {}) | {
        "text": statement.text,
        "file": documents[first].name if anchors or len(documents) == 1 else None,
        "pages": sorted({anchor.page for anchor in here if anchor.page is not None}),
        "block_ids": sorted({anchor.block_id for anchor in here}),
        "found": statement.check.found,
        "reason": statement.check.reason.value if statement.check.reason else None,
    }


def _anchor_fields(anchor: ClaimAnchor, summary: Summary) -> dict[str, Any]:
    """`start` and `end` are in the text of the block; both 0: all of it."""
    fields = asdict(anchor)
    return {"file": summary.documents[fields.pop("document")].name, "page": fields.pop("page")} | fields


def _coverage_fields(summary: Summary) -> dict[str, Any]:
    """Return the coverage summed over the documents."""
    coverages = [document.coverage for document in summary.documents]
    apart = [
        ({"file": document.name} if len(coverages) > 1 else {}) | asdict(left_apart)
        for document in summary.documents
        for left_apart in document.coverage.apart
    ]
    sums = {
        name: sum(getattr(coverage, name) for coverage in coverages)
        for name in ("blocks", "blocks_read", "pages", "pages_read")
    }
    if len(summary.documents) == 1:
        return sums | {"pages_without_text": list(coverages[0].pages_without_text), "left_apart": apart}
    missing = [
        {"file": document.name, "page": page}
        for document in summary.documents
        for page in document.coverage.pages_without_text
    ]
    return sums | {"pages_without_text": missing, "left_apart": apart}
