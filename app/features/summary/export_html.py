"""A summary as one HTML file without script or network; its markup is also what QTextDocument prints as PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from app.features.summary.laid_out import Line, Part, Source, lay_out
from app.features.summary.result import Summary

# Rules for the screen's scheme come last: QTextDocument stops reading there, so that what is printed is dark on white.
_STYLE = """
body { color: #23201D; font-family: Inter, system-ui, sans-serif; line-height: 1.5;
  max-width: 44em; margin: 2em auto; padding: 0 1em }
a { color: #B23F12; text-decoration: none }
a:hover { text-decoration: underline }
.fact { color: #6B645D; margin: 0 }
.mark { color: #B23F12; font-weight: bold }
@media (prefers-color-scheme: light) {
  body { background-color: #FBFAF8 }
}
@media (prefers-color-scheme: dark) {
  body { color: #EDE9E4; background-color: #1B1917 }
  a, .mark { color: #F08A5D }
  .fact { color: #A8A098 }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(summary: Summary, paths: Sequence[Path | None] = ()) -> str:
    """References lead to the sources, and the sources of a PDF to its page; `paths` are the documents' files."""
    laid_out = lay_out(summary)
    language = escape(laid_out.language)
    body = [f"<h1>{escape(laid_out.title)}</h1>"]
    body += [f'<p class="fact" lang="en" dir="ltr">{escape(fact)}</p>' for fact in laid_out.facts]
    for part in laid_out.parts:
        body += _part(part)
    if laid_out.sources:
        body += ['<h2 lang="en">Sources</h2>', "<ol>", *(_source(one, paths) for one in laid_out.sources), "</ol>"]
    return "\n".join(
        (
            "<!DOCTYPE html>",
            f'<html lang="{language}" dir="{laid_out.direction}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(laid_out.title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        )
    )


def _part(part: Part) -> Iterator[str]:
    if part.heading:
        yield f"<h2>{escape(part.heading)}</h2>"
    tag = "li" if part.is_list else "p"
    yield from ["<ul>"] if part.is_list else []
    for lines in part.paragraphs:
        yield f"<{tag}>{' '.join(map(_line, lines))}</{tag}>"
    yield from ["</ul>"] if part.is_list else []


def _line(line: Line) -> str:
    links = (f'<a href="#source-{one.source}">[{escape(one.label)}]</a>' for one in line.references)
    mark = f'<span class="mark" lang="en">{escape(line.mark)}</span>' if line.mark else ""
    return " ".join(filter(None, (escape(line.text), *links, mark)))


def _source(source: Source, paths: Sequence[Path | None]) -> str:
    label = escape(source.label)
    path = paths[source.document] if source.document < len(paths) else None
    if path is not None and path.suffix.lower() == ".pdf" and source.page is not None:
        label = f'<a href="{escape(path.absolute().as_uri())}#page={source.page}">{label}</a>'
    return f'<li id="source-{source.number}" dir="{source.direction}">{label}: “{escape(source.text)}”</li>'
