"""Documents with good summaries, one JSON object a line: what `evaluate` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import DocumentUnreadable

_PARAGRAPHS = re.compile(r"\n\s*\n")
_FORM = 'it should have a "document" and a "summary", each a text or a list of texts'


@dataclass(frozen=True)
class Example:
    """One document: its paragraphs as (whether it is a heading, text), and a good summary of it. `line` counts from 1.

    A line break in the summary ends a sentence. `language` is a code, "" where the data does not say. `sentences` are
    those of the document where the data divides it itself.
    """

    line: int
    id: str
    title: str
    paragraphs: tuple[tuple[bool, str], ...]
    summary: str
    language: str = ""
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A line, or its document, that is left out of the figures, and why."""

    line: int
    reason: str


def examples_in(path: Path) -> Iterator[Example | Skipped]:
    """Every line that is not empty: {"document": ..., "summary": ...}, and "id", "title" and "language" where known.

    Also ACLSum's own lines, with "sentences" by section and a "summary" by aspect. Raises DocumentUnreadable.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    yield _example(number, text)
    except FileNotFoundError as error:
        raise DocumentUnreadable(str(path), "missing") from error
    except IsADirectoryError as error:
        raise DocumentUnreadable(str(path), "not_a_file") from error
    except OSError as error:
        raise DocumentUnreadable(str(path), "denied") from error


def _example(line: int, text: str) -> Example | Skipped:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return Skipped(line, "it is not JSON")
    if not isinstance(fields, dict):
        return Skipped(line, _FORM)
    sections = fields.get("sentences")
    divided = sections if isinstance(sections, dict) else {}
    paragraphs = _sections(divided) if divided else _paragraphs(fields.get("document"))
    summary = "\n".join(_texts(fields.get("summary")))
    if not any(not is_heading for is_heading, _ in paragraphs) or not summary:
        return Skipped(line, _FORM)
    name, title, language = (str(fields.get(key) or "") for key in ("id", "title", "language"))
    sentences = tuple(one for section in divided.values() for one in _texts(section))
    return Example(line, name or f"line {line}", title, tuple(paragraphs), summary, language, sentences)


def _sections(sections: dict[str, Any]) -> list[tuple[bool, str]]:
    """ACLSum: the sentences of a section are a paragraph."""
    found: list[tuple[bool, str]] = []
    for name, sentences in sections.items():
        text = " ".join(_texts(sentences))
        found += [(True, name.capitalize()), (False, text)] if text else []
    return found


def _paragraphs(document: Any) -> list[tuple[bool, str]]:
    texts = _PARAGRAPHS.split(document) if isinstance(document, str) else _texts(document)
    return [(False, text.strip()) for text in texts if text.strip()]


def _texts(value: Any) -> list[str]:
    """The texts of a text, a list or an object; nothing where it is anything else."""
    each = [value] if isinstance(value, str) else list(value.values()) if isinstance(value, dict) else value
    if not isinstance(each, list) or not all(isinstance(one, str) for one in each):
        return []
    return [one.strip() for one in each if one.strip()]
