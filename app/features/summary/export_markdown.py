"""A summary as Markdown (CommonMark with footnotes), and as plain text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.features.summary.laid_out import LaidOut, Line, Part, lay_out
from app.features.summary.result import Summary
from app.features.summary.words import nothing_words

SOURCES = "Sources"
_MEANT = re.compile(r"[\\`*_\[\]<>&~$|]|(?<!\S)#|^[+=-]|^:(?=\s|-)")
"""What would be read as Markdown: marks anywhere, and those that count only where a line or a word begins."""
_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")


def as_markdown(summary: Summary) -> str:
    """Title, what was read, the statements with their pages as footnotes, and the sources."""
    laid_out = lay_out(summary)
    blocks = [f"# {escaped(laid_out.title)}", *(f"*{escaped(fact)}*" for fact in laid_out.facts)]
    for part in laid_out.parts:
        blocks += [f"## {escaped(part.heading)}"] if part.heading else []
        blocks += _paragraphs(part)
    if laid_out.sources:
        blocks.append(f"## {SOURCES}")
        blocks += (
            f"[^{source.number}]: {escaped(source.label)}: “{escaped(source.text)}”" for source in laid_out.sources
        )
    return "\n\n".join(blocks) + "\n"


def as_text(summary: Summary) -> str:
    """The statements for a terminal, with their pages and what differs in brackets, or that there are none."""
    return _plain(lay_out(summary), with_references=True) or nothing_words(summary)


def statements_text(summary: Summary) -> str:
    """The statements in their form and nothing else."""
    return _plain(lay_out(summary), with_references=False)


def escaped(text: str) -> str:
    """One line of text that Markdown shows as it is."""
    return _NUMBER.sub(r"\1\\\2", _MEANT.sub(lambda match: f"\\{match[0]}", text))


def _paragraphs(part: Part) -> Iterator[str]:
    written = [" ".join(map(_written, lines)) for lines in part.paragraphs]
    if part.is_list:
        yield "\n".join(f"- {text}" for text in written)
    else:
        yield from written


def _written(line: Line) -> str:
    text = escaped(line.text)
    if line.references:
        pages = "; ".join(dict.fromkeys(escaped(reference.label) for reference in line.references))
        notes = "".join(dict.fromkeys(f"[^{reference.source}]" for reference in line.references))
        text += f" ({pages}){notes}"
    return f"{text} **{escaped(line.mark)}**" if line.mark else text


def _plain(laid_out: LaidOut, *, with_references: bool) -> str:
    blocks: list[str] = []
    for part in laid_out.parts:
        written = [" ".join(_shown(line) if with_references else line.text for line in one) for one in part.paragraphs]
        text = "\n".join(f"- {one}" for one in written) if part.is_list else "\n\n".join(written)
        blocks.append(f"{part.heading}\n{text}" if part.heading else text)
    return "\n\n".join(blocks)


def _shown(line: Line) -> str:
    pages = "; ".join(dict.fromkeys(reference.label for reference in line.references))
    text = f"{line.text} [{pages}]" if pages else line.text
    return f"{text} ({line.mark})" if line.mark else text
