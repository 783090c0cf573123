"""Pages and EPUB books written in a test: some of random structure with words that must be read exactly once."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
_MARKER = re.compile(r"mark\d+end")


def markers_in(text: str) -> list[str]:
    """The planted words in a text, in order."""
    return _MARKER.findall(text)


class Page:
    """A page of random structure. `shown` are the words a reader must give, in order; `hidden` those it must not.

    A sloppy page leaves out the end tags that HTML lets one leave out; XHTML must not.
    """

    def __init__(self, random: Random, *, is_sloppy: bool = False) -> None:
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self._random = random
        self._is_sloppy = is_sloppy
        self.body = self._blocks(3)

    @property
    def xhtml(self) -> str:
        """As a chapter of a book."""
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" '
            'xmlns:epub="http://www.idpf.org/2007/ops"><head><title/><script src="a.js"/></head>\n'
            f"<body>{self.body}</body></html>"
        )

    def _word(self) -> str:
        word = f"mark{len(self.shown) + len(self.hidden)}end"
        self.shown.append(word)
        return word

    def _secret(self) -> str:
        word = f"mark{len(self.shown) + len(self.hidden)}end"
        self.hidden.append(word)
        return word

    def _end(self, name: str) -> str:
        return "" if self._is_sloppy and self._random.random() < 0.5 else f"</{name}>"

    def _blocks(self, depth: int) -> str:
        return self._random.choice(("", "\n", "  ")).join(self._block(depth) for _ in range(self._random.randint(1, 4)))

    def _block(self, depth: int) -> str:
        simple = (self._heading, self._paragraph, self._paragraph, self._code, self._note, self._unseen, self._terms)
        nested = (self._list, self._table, self._layout, self._container, self._drawing)
        return self._random.choice(simple + nested if depth else simple)(depth)

    def _heading(self, depth: int) -> str:
        level = self._random.randint(1, 6)
        return f"<h{level}>{self._inline()}</h{level}>"

    def _paragraph(self, depth: int) -> str:
        return f"<p class='x'>{self._inline()}{self._end('p')}"

    def _code(self, depth: int) -> str:
        return f'<pre class="language-c">\n{self._word()} &lt;\n  <b>{self._word()}</b>\n</pre>'

    def _note(self, depth: int) -> str:
        kind = self._random.choice(('role="doc-footnote"', 'epub:type="footnote"', 'class="a footnote"'))
        return f"<aside {kind}>{self._inline()}</aside>"

    def _unseen(self, depth: int) -> str:
        secret = self._secret()
        return self._random.choice(
            (
                f"<script>//<![CDATA[\nvar a = '&lt;p>{secret}';\n//]]></script>",
                f"<style>.{secret} {{ color: red }}</style>",
                f"<template><p>{secret}</p></template>",
                f"<div hidden=''><div>{secret}</div><p>{secret}</p></div>",
                f'<div style="color: red; display:none">{secret}<br/></div>',
                f"<!-- <p>{secret}</p> -->",
                f"<noscript><p>{secret}</p></noscript>",
                f"<ul><li hidden=''>{secret}</li></ul>",
                f"<table><tr><td hidden=''>{secret}</td></tr></table>",
                f"<p hidden=''><b>{secret}</b></p>",
                f"<svg><title>{secret}</title><path d=''/></svg>",
            )
        )

    def _terms(self, depth: int) -> str:
        return f"<dl><dt>{self._word()}{self._end('dt')}<dd>{self._inline()}{self._end('dd')}</dl>"

    def _list(self, depth: int) -> str:
        name = self._random.choice(("ul", "ol"))
        items = ""
        for _ in range(self._random.randint(1, 3)):
            items += f"<li>{self._inline()}"
            items += self._blocks(depth - 1) if self._random.random() < 0.4 else ""
            items += self._end("li")
        return f"<{name}>{items}</{name}>"

    def _table(self, depth: int) -> str:
        caption = f"<caption>{self._word()}</caption>" if self._random.random() < 0.5 else ""
        rows = f"<tr><th colspan='2'>{self._word()}</th><th>{self._word()}{self._end('th')}{self._end('tr')}"
        for _ in range(self._random.randint(1, 3)):
            rows += f"<tr><td rowspan='2'>{self._inline()}{self._end('td')}<td>"
            rows += self._blocks(depth - 1) if self._random.random() < 0.2 else self._inline()
            rows += f"{self._end('td')}{self._end('tr')}"
        return f"<table>{caption}<tbody>{rows}{self._end('tbody')}</table>"

    def _layout(self, depth: int) -> str:
        cells = "".join(f"<td>{self._blocks(depth - 1)}{self._end('td')}" for _ in range(self._random.randint(1, 3)))
        return f"<table><tr>{cells}{self._end('tr')}</table>"

    def _container(self, depth: int) -> str:
        name = self._random.choice(("div", "section", "blockquote", "article", "details", "main"))
        loose = self._inline() if self._random.random() < 0.5 else ""
        return f"<{name}>{loose}{self._blocks(depth - 1)}</{name}>"

    def _drawing(self, depth: int) -> str:
        return (
            f"<figure><svg><desc>{self._secret()}</desc><g><text x='1'>{self._word()}</text></g></svg>"
            f"<img src='http://127.0.0.1:9/a.png' alt=''/><figcaption>{self._inline()}</figcaption></figure>"
        )

    def _inline(self) -> str:
        return " ".join(self._phrase() for _ in range(self._random.randint(1, 4)))

    def _phrase(self) -> str:
        word, secret = self._word, self._secret
        phrases = (
            word,
            lambda: f"<b>{word()}</b>",
            lambda: f"<a href='javascript:void(0)'>{word()} <i>{word()}</i></a>",
            lambda: f"{word()}<br/>{word()}",
            lambda: f"<span hidden=''>{secret()}<span>{secret()}</span></span>",
            lambda: f"<!-- {secret()} -->",
            lambda: f"{word()} &amp; &#228;",
            lambda: f"<span><span>{word()}</span> {word()}</span>",
            lambda: f"<button type='button'>{word()}</button>",
            lambda: f"<math><mi>{word()}</mi><annotation>{secret()}</annotation></math>",
        )
        return self._random.choice(phrases)()


def write_epub(
    path: Path,
    chapters: Mapping[str, str],
    *,
    spine: Sequence[str] = (),
    navigation: str = "",
    ncx: str = "",
    others: Mapping[str, str | bytes] | None = None,
    package: str = "",
) -> Path:
    """A book. Chapters are by their (encoded) links in the package; `spine` are links, all chapters if it is empty."""
    links = list(dict.fromkeys([*chapters, *spine]))
    items = "".join(
        f'<item id="c{number}" href="{link}" media-type="application/xhtml+xml"/>' for number, link in enumerate(links)
    )
    nav_item = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    items += nav_item if navigation else ""
    items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>' if ncx else ""
    references = "".join(f'<itemref idref="c{links.index(link)}"/>' for link in spine or chapters)
    package = package or (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The book</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{references}</spine></package>"
    )
    members: dict[str, str | bytes] = {"META-INF/container.xml": CONTAINER, "OEBPS/content.opf": package}
    members |= {"OEBPS/nav.xhtml": navigation} if navigation else {}
    members |= {"OEBPS/toc.ncx": ncx} if ncx else {}
    members |= {f"OEBPS/{link.replace('%20', ' ').replace('%C3%A4', 'ä')}": text for link, text in chapters.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in (members | dict(others or {})).items():
            archive.writestr(name, content)
    return path


def long_chapter(random: Random, number: int, paragraphs: int) -> str:
    """A chapter of prose with a heading and a table, as the body of a page; some phrases are set off or linked."""
    body = [f"<h1>Chapter {number}</h1>"]
    for _ in range(paragraphs):
        words = [_prose_word(random) for _ in range(random.randint(30, 90))]
        words[3] = f"<em>{words[3]}</em>"
        if random.random() < 0.5:
            words[12] = f'<a href="chapter{number}.xhtml#there">{words[12]}</a>'
        if random.random() < 0.2:
            words[20] = f"{words[20]} &amp; <b>{words[21]}</b>"
        lines = [" ".join(words[start : start + 15]) for start in range(0, len(words), 15)]
        body.append(f'<p class="text">{chr(10).join(lines)}.</p>')
    rows = ["".join(f"<td>{_prose_word(random)}</td>" for _ in range(4)) for _ in range(5)]
    body.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    return "\n".join(body)


def _prose_word(random: Random) -> str:
    return "".join(random.choices("etaoinshrdlucmfwygpb", k=random.randint(1, 9)))
