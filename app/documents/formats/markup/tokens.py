"""HTML cut into tags and the text between them, each with its place; nothing is too broken for it.

The rules are those of the HTML standard's tokenizer (https://html.spec.whatwg.org/multipage/parsing.html), with two
exceptions, both so that no word is lost: an end tag without a name, and a tag that the file ends in, are text.
Every search goes forward only, so the time grows with the text and with nothing else.
"""

from __future__ import annotations

import html
import re

TAG = re.compile(
    r"<(?:(/?)([a-zA-Z][^\s/>]*+)([^>\"'=]*+(?:=\s*+(?:\"[^\"]*+\"|'[^']*+')?+[^>\"'=]*+|[\"'][^>\"'=]*+)*+)(?:>|\Z)"
    r"|!--|!\[CDATA\[|[!?])"
)
"""Groups: the slash of an end tag, the name (None in a comment or declaration), and the attributes as they stand.

A tag that the file ends in is matched, too: were it not, each one before it would be searched to the end again.
A quote counts only behind "=", as in a browser: the apostrophe of `<p title=it's>` begins nothing.
"""
ATTRIBUTE = re.compile(r"([^\s=/>][^\s=/>]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++)))?")
"""Groups: the name, and the value between double quotes, single ones, or none."""
_ROOT = re.compile("<[a-zA-Z]")
_COMMENT = re.compile("<!--.*?-->", re.DOTALL)


def unescaped(text: str) -> str:
    """Text with its character references resolved."""
    if "&" not in text:
        return text
    if text.count("&") == text.count("&amp;"):
        return text.replace("&amp;", "&")  # by far the most frequent, and ten times as fast this way
    return html.unescape(text)


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag by their names in lower case; of two with one name, the first."""
    found: dict[str, str] = {}
    for name, double, single, bare in ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescaped(value))
    return found


def end_of_other(text: str, start: int, opener: str) -> tuple[int, int, int]:
    """Where a comment, a declaration or a CDATA section at `start` ends, and the text in it: (start, end, go on at).

    Only CDATA has text. What is not closed goes on to the end of the file.
    """
    if opener == "<!--":
        match = re.compile(r"-?>|(?=--!?>)").match(text, start + 4)
        if match and match.end() > start + 4:
            return start, start, match.end()
        return start, start, _behind(text, "-->", start + 4)
    if opener == "<![CDATA[":
        end = text.find("]]>", start)
        return (start + 9, end, end + 3) if end >= 0 else (start + 9, len(text), len(text))
    if text[start : start + 9].lower() == "<!doctype":
        return start, start, _end_of_doctype(text, start)
    return start, start, _behind(text, ">", start)


def end_of_raw(text: str, name: str, start: int) -> int:
    """Where the content of a script, a style or another element without tags inside ends: at its end tag."""
    match = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, start)
    return match.start() if match else len(text)


def declares_entities(text: str) -> bool:
    """Whether the document type declaration of an XHTML file has entities of its own."""
    root = _ROOT.search(text)
    prolog = text[: root.start() if root else len(text)]
    return "<!entity" in _COMMENT.sub("", prolog).lower()


def _behind(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return end + len(mark) if end >= 0 else len(text)


def _end_of_doctype(text: str, start: int) -> int:
    """Behind its ">", or behind "]>" where it has a part in brackets."""
    end = _behind(text, ">", start)
    return _behind(text, "]>", start) if "[" in text[start:end] else end
