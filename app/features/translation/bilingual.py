"""Source and translation side by side, with what was flagged: a table in HTML or CSV, or a translation memory (TMX)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import IO

from app.features.translation.flag_words import flag_words
from app.features.translation.kept_memory import own_entry
from app.features.translation.marked_text import marked_text
from app.features.translation.result import Origin
from app.features.translation.stored import Row
from app.features.translation.tmx_writing import write_tmx
from app.features.work.whole_file import written
from app.language.names import language
from app.store.translations import Entry, Pair

ENDINGS = (".html", ".csv", ".tmx")
COLUMNS = ("id", "page", "kind", "source", "target", "origin", "accepted", "flags")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = """
body { color: #23201D; font-family: Inter, system-ui, sans-serif; line-height: 1.5; margin: 2em auto; padding: 0 1em;
  max-width: 80em }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
td, th { border-bottom: 1px solid #E4DED7; padding: .4em .6em; vertical-align: top; text-align: start;
  white-space: pre-wrap; overflow-wrap: anywhere }
col.id { width: 4em }
.id, .origin { color: #6B645D; font-size: .85em }
.flag { color: #B23F12; font-size: .85em; margin: .3em 0 0 }
@media (prefers-color-scheme: dark) {
  body { color: #EDE9E4; background-color: #1B1917 }
  td, th { border-color: #3A3530 }
  .id, .origin { color: #A8A098 }
  .flag { color: #F08A5D }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def save_bilingual(rows: Iterable[Row], path: Path, *, title: str, source: str, target: str) -> None:
    """Writes the file in the form of its ending, one of `ENDINGS`; raises DiskFull or FolderNotWritable."""
    with written(path) as file:
        match path.suffix.lower():
            case ".tmx":
                write_tmx(_entries(rows, Pair(source, target)), file)
            case ".csv":
                _write_csv(rows, file, target)
            case _:
                for line in _html(rows, title, source, target):
                    file.write(f"{line}\n".encode("utf-8", "replace"))


def _entries(rows: Iterable[Row], pair: Pair) -> Iterator[Entry]:
    """What is translated; what could not be is left out."""
    for row in rows:
        done = row.translated
        if done is not None and done.origin not in (Origin.KEPT, Origin.SKIPPED):
            yield own_entry(pair, row.segment.content, done.content, row.segment.context)


def _write_csv(rows: Iterable[Row], file: IO[bytes], target: str) -> None:
    """With the mark by which spreadsheets know UTF-8. What they would take for a formula has an apostrophe in front."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        segment, done = row.segment, row.translated
        writer.writerow(
            (
                segment.id,
                segment.page or "",
                segment.kind.value,
                _cell(marked_text(segment.content)),
                _cell(marked_text(done.content)) if done is not None else "",
                done.origin.value if done is not None else "",
                "yes" if done is not None and done.accepted else "",
                " ".join(flag_words(segment, done, target)) if done is not None else "",
            )
        )
    text.detach()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _html(rows: Iterable[Row], title: str, source: str, target: str) -> Iterator[str]:
    heads = [language(code) for code in (source, target)]
    names = [one.own if one else code for one, code in zip(heads, (source, target), strict=True)]
    sides = [
        f'lang="{escape(code)}" dir="{"rtl" if one and one.is_rtl else "ltr"}"'
        for one, code in zip(heads, (source, target), strict=True)
    ]
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>"
    yield '<table>\n<colgroup><col class="id"><col><col></colgroup>'
    yield f'<tr><th></th><th lang="{escape(source)}">{escape(names[0])}</th>'
    yield f'<th lang="{escape(target)}">{escape(names[1])}</th></tr>'
    for row in rows:
        yield _html_row(row, sides, target)
    yield "</table>\n</body>\n</html>"


def _html_row(row: Row, sides: list[str], target: str) -> str:
    segment, done = row.segment, row.translated
    said = escape(marked_text(done.content)) if done is not None else ""
    flags = flag_words(segment, done, target) if done is not None and not done.accepted else []
    told = "".join(f'<p class="flag" lang="en" dir="ltr">{escape(words)}</p>' for words in flags)
    return (
        f'<tr id="segment-{segment.id}"><td class="id">{segment.id}</td>'
        f"<td {sides[0]}>{escape(marked_text(segment.content))}</td><td {sides[1]}>{said}{told}</td></tr>"
    )
