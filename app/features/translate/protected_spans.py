"""Spans of a text that must come back as they are: code, addresses, variables, formulas, markup, escapes.

Keyboard accelerators of menus (`_File`, `E_xit`, `&File`) stay text: the letter they mark is chosen anew in each
language. In the texts of programs a word is an identifier only with two underscores, therefore.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.core.lazy_dataclasses import dataclass
from app.documents.segments import SegmentKind

_PROGRAMS = frozenset((SegmentKind.MESSAGE, SegmentKind.VALUE))
"""Their texts are written for programs, so a percent sign before a letter is no prose."""
_ENDINGS = (
    "bash|bat|bin|bmp|bz2|c|cfg|conf|cpp|css|csv|dat|deb|desktop|dll|docx?|epub|exe|gguf|gif|gz|html?|ico|ini|ipynb|iso|jar|"
    "java|jpe?g|js|json|log|md|mkv|mo|mov|mp[34]|ods|odp|odt|ogg|pdf|php|png|po|pptx?|ps1|py|rb|rpm|rs|rtf|sh|so|sql|"
    "srt|svg|tar|tex|tiff?|toml|ts|tsv|ttf|txt|vtt|wav|webp|xlsx?|xml|xz|ya?ml|zip"
)
_CONVERSION = r"(?:\d+\$)?[-+\#0']*(?:\d+|\*(?:\d+\$)?)?(?:\.(?:\d+|\*(?:\d+\$)?)?)?(?:hh|h|ll|l|L|q|j|z|t|I64|I32)?"
_WITH_SIGNS = r"""
    (?P<own></?\s*[gGxXsS]\s*\d*\s*/?\s*>|[\[({⟦]\s*/?\s*[gGxX]\d+\s*/?\s*[\])}⟧]|<\s*s\s+n\s*=[^<>]*>)
  | (?P<control><\|[^<>|\s]{1,60}\|>|<｜[^<>｜\s]{1,60}｜>)
  | (?P<comment><!--.{0,500}?-->|<!\[CDATA\[.{0,500}?\]\]>)
  | (?P<tag></?(?:[A-Za-z][\w:.-]*|\d+)(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s<>"']+))*\s*/?>)
  | (?P<entity>&(?:[A-Za-z][A-Za-z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});)
  | (?P<code>``(?=\S)[^\n]{1,300}?(?<=\S)``|`(?=\S)[^`\n]*(?<=\S)`)
  | (?P<branches>\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,\s*(?:offset:\d+\s+)?[=\w]+\s*\{
        |\}\s*=?\w+\s*\{|\}\s*\})
  | (?P<variable>\{\{\{?[^{}\n]*\}\}\}?|[$%\#@]\{[^{}\n]*\}|\{%[^\n]{0,300}?%\})
  | (?P<place>\{\}|\{:[^{}\s]*\})
  | (?P<named>\{[\w.!:<>=+\#$@\[\]-]+(?:\s*,\s*(?:number|date|time)[^{}]*)?\})
  | (?P<reference>@(?:\.\w+)?:(?:\([^()\n]*\)|\w[\w.-]*)|\$t\([^()\n]*\))
  | (?P<formula>\$\$[^$]{1,500}\$\$|\\\(.{1,500}?\\\)|\\\[.{1,500}?\\\]
        |\\begin\{(?P<env>\w{1,30}\*?)\}.{0,500}?\\end\{(?P=env)\}
        |(?<![\w$\\])\$(?=[^\s$])(?:\\.|[^$\\\n])*?(?<=\S)\$(?![\w$]))
  | (?P<command>\\[A-Za-z]+\*?(?:\[[^\]\n]*\])?(?:\{(?:[^{}\n]|\{[^{}\n]*\})*\})+)
  | (?P<path>(?<!\S)\\\\[\w.-]+\\[^\s<>"|?*]*[\w\\]
        |(?<![\w/.<])(?:~|\.{1,2})/[\w.@+*/-]*[\w@+*/]|(?<![\w/.<])/[\w.@+-]+/[\w.@+*/-]*[\w@+*/])
  | (?P<option>(?<![\w-])--[A-Za-z][\w-]*(?:=[^\s,;)\]]+)?)
  | (?P<cite>\[\^?\d+(?:\s*[,;–-]\s*\d+)*\]|\[@[^\[\]\n]+\])
"""
_OF_PROGRAMS = rf"""
  | (?P<framed><%{_CONVERSION}[diouxXeEfFgGaAcCsSp]>)
  | (?P<escape>\\{{1,2}}(?:[nrtabfve0"'/]|u[0-9A-Fa-f]{{4}}|U[0-9A-Fa-f]{{8}}|x[0-9A-Fa-f]{{2}})|\\\\)
  | (?P<keyed>%\(\w[\w.]*\){_CONVERSION}[diouxXeEfFgGaAcCsSrp]|%<\w+>|%%)
  | (?P<numbered>%\d+\$[-+\#0']*(?:\d+)?(?:\.\d+)?(?:hh|h|ll|l|L|q|j|z|t)?[diouxXeEfFgGaAcCsSpn@])
  | (?P<sized>%[-+\#0']*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?(?:hh|h|ll|l|L|q|j|z|t)?<PRI\w+>|%<PRI\w+>)
  | (?P<shell>\$[A-Za-z_]\w*|%[A-Z_]{{2,}}%)
  | (?P<printed>%{_CONVERSION}[diouxXeEfFgGaAcCsSpn@])
  | (?P<counted>%L?[1-9]\d?)
  | (?P<clock>%[-_0^\#EO]?[YyHIMBbhkljZzDTRPmNPUVWwrtuv])
"""
_OF_PROSE = rf"""
  | (?P<name>\\[A-Za-z]{{2,}}\b)
  | (?P<escape>\\(?:[nrt0\\"']|u[0-9A-Fa-f]{{4}}))
  | (?P<keyed>%\(\w[\w.]*\){_CONVERSION}[diouxXeEfFgGcsSr](?!\w))
  | (?P<numbered>%\d+\$[-+\#0']*(?:\d+)?(?:\.\d+)?[diouxXeEfFgGcs@](?!\w))
  | (?P<printed>(?<![\d%])%{_CONVERSION}[diouxXeEfFgGcsS@](?!\w))
  | (?P<shell>(?<!\w)\$[A-Z_][A-Z_0-9]+\b|%[A-Z_]{{2,}}%)
"""
_WITH_LETTERS = rf"""
  | (?P<address>(?:https?://|\b(?:ftps?|sftp|file|ssh|git|irc|ldap|smb|wss?|magnet|data)://?|\bmailto:|\bwww\.)
        [^\s<>"'`{{}}|\\^]*[^\s<>"'`{{}}|\\^.,;:!?)\]»”’…。，、])
  | (?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<drive>(?<![\w\\])[A-Za-z]:\\[^\s<>"|?*]*[^\s<>"|?*.,;:!)])
  | (?P<file>(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:{_ENDINGS})(?![\w-]))
  | (?P<call>(?<![\w.])[A-Za-z_][\w.:]*\(\))
"""
_NAMES_OF_PROGRAMS = r"""
  | (?P<identifier>\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){2,}\b)
"""
_NAMES_OF_PROSE = r"""
  | (?P<identifier>\b[A-Za-z][A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b)
"""
_FIRST_SIGN = r"(?=[<&`{}$%#@\\~./\[({⟦-])(?:"
"""With what all but addresses, file names and identifiers begin: so ordinary prose is passed over quickly."""


def _compile_patterns(rules: str, names: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile a pattern for texts that may have addresses and names, and a faster one for the rest."""
    # The second begins with a sign, so ordinary prose is passed over letter by letter without trying every rule.
    flags = re.VERBOSE | re.DOTALL
    both = re.compile(f"{_WITH_SIGNS}{_WITH_LETTERS}{rules}{names}", flags)
    return both, re.compile(f"{_FIRST_SIGN}{_WITH_SIGNS}{rules})", flags)


_IN_PROGRAMS = _compile_patterns(_OF_PROGRAMS, _NAMES_OF_PROGRAMS)
_IN_PROSE = _compile_patterns(_OF_PROSE, _NAMES_OF_PROSE)
_SIGNS_OF_NAMES = (":/", "www.", "mailto:", "@", "()", ":\\", "_")
_FILE_ENDING = re.compile(rf"\.(?:{_ENDINGS})(?![\w-])")
_ORDERED = frozenset(("printed", "framed", "sized", "place", "branches"))
"""Looks of marks whose order decides which value they stand for."""
_PLACEHOLDERS = frozenset(
    (
        "variable",
        "place",
        "named",
        "reference",
        "keyed",
        "numbered",
        "sized",
        "printed",
        "framed",
        "counted",
        "branches",
        "shell",
    )
)
_TAG_NAME = re.compile(r"<(/?)\s*([\w:.-]+)")


@dataclass(frozen=True)
class ProtectedSpan:
    """A stretch of a text that must stay. `tag` is the name of an element that it begins, "/name" that it ends."""

    start: int
    end: int
    is_ordered: bool = False
    tag: str = ""
    is_placeholder: bool = False


def find_spans(text: str, kind: SegmentKind = SegmentKind.PARAGRAPH) -> list[ProtectedSpan]:
    """Return all spans in order, without nested ones."""
    return list(_iterate_spans(text, kind))


def find_placeholders(text: str, kind: SegmentKind = SegmentKind.MESSAGE) -> list[str]:
    """Return the placeholders in order: {name}, %s, ${x}."""
    return [text[span.start : span.end] for span in _iterate_spans(text, kind) if span.is_placeholder]


def _iterate_spans(text: str, kind: SegmentKind) -> Iterator[ProtectedSpan]:
    # A percent sign before a letter is a placeholder in a program's text, and prose elsewhere.
    slow, quick = _IN_PROGRAMS if kind in _PROGRAMS else _IN_PROSE
    # Addresses and file names begin with letters; their signs tell cheaply whether there may be any.
    may_have_names = any(name in text for name in _SIGNS_OF_NAMES) or _FILE_ENDING.search(text)
    for match in (slow if may_have_names else quick).finditer(text):
        group = match.lastgroup or ""
        yield ProtectedSpan(
            match.start(), match.end(), group in _ORDERED, _tag_name(match, group), group in _PLACEHOLDERS
        )


def _tag_name(match: re.Match[str], group: str) -> str:
    if group not in ("tag", "own") or match[0].endswith("/>"):
        return ""
    name = _TAG_NAME.match(match[0])
    return f"{name[1]}{name[2]}" if name else ""
