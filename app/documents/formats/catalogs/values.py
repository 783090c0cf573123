"""A string of a data file shown line by line, with tags of HTML in it as marks; what is a page is shown as one."""

from __future__ import annotations

import re

from app.documents.segments import TAG_LOOKS, SegmentKind, SegmentTag, Tagged, tagged_content
from app.documents.source import SegmentVisits

_NEW_LINE = re.compile(r"(\r\n|\r|\n)")
_WORD = re.compile(r"[^\W\d_]")


def shown_value(
    value: str, visits: SegmentVisits, context: str, kind: SegmentKind = SegmentKind.VALUE, *, key: str = ""
) -> str | None:
    """Return what a value becomes; None where it stays. White space at the ends of a line stays where it is."""
    # HTML over several lines has an order of its own and is read by the rewriter of pages.
    if is_page(value, key):
        from app.documents.formats.web.html_pages import shown_piece

        return shown_piece(value, visits, context)
    # Each line is a segment: white space and empty lines may be layout in the program that shows it.
    lines = _NEW_LINE.split(value)
    new = [_translate_line(line, visits, context, kind) for line in lines]
    return None if new == lines else "".join(new)


def _translate_line(line: str, visits: SegmentVisits, context: str, kind: SegmentKind) -> str:
    inner = line.strip()
    if not _WORD.search(inner):
        return line
    message = tagged(inner)
    content = visits(message.content, kind, context=context)
    if content is None:
        return line
    start = line.index(inner)
    # A line break within a line's translation would add a line.
    return line[:start] + _NEW_LINE.sub(" ", message.text_of(content)).strip() + line[start + len(inner) :]


_LETTER = re.compile(r"[^\W\d_]")
_PLACEHOLDERS = re.compile(
    # i18next, Angular, C, Python, Qt, Objective-C ("%@") and Rails ("$t(…)") mark values so.
    r"\{\{[^{}]*\}\}|[$%#]?\{[^{}]*\}|%\([\w.]+\)[a-z]|%(?:\d+\$)?[-+ 0#]*\d*(?:\.\d+)?[a-zA-Z@]|\$t\([^()]*\)|<[^<>]*>"
    r"|&\w+;|\[\[[^\[\]]*\]\]"
)
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|mailto:|tel:|data:|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
# Three parts at least, unless it begins as a path: "and/or" is language.
_PATH = re.compile(
    r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/][^\s]*|[\w.@-]+(?:[\\/][\w.@*-]+){2,}[\\/]?|[\w./\\@-]+\.[A-Za-z]\w{1,4}"
)
_MEDIA_TYPE = re.compile(r"(?:application|audio|font|image|message|model|multipart|text|video)/\S+")
_COLOUR = re.compile(r"#[0-9a-f]{3,8}|(?:rgb|hsl|hwb|lab|lch|var|calc|url)a?\(.*\)", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]?\d{1,2}:\d{2}\S*(?:\s*(?:UTC|GMT|Z|[AP]M))?)?")
# "yyyy-MM-dd": each group is one letter repeated.
_FORMAT = re.compile(r"(?:([yYMdDHhmsSaEeLz])\1{0,3}[-/.:,' ]+)+([yYMdDHhmsSaEeLz])\2{0,3}")
_LANGUAGE = re.compile(r"[a-z]{2,3}[-_][A-Z]{2}|[a-z]{2}[-_][A-Z][a-z]{3}")
# camelCase, CamelCaseOfThree, snake_case, dotted.names and kebab-case-of-three.
_CODE_WORD = re.compile(r"[a-z]+[A-Z]\w*|(?:[A-Z][a-z]+){3,}|\S*[\d_=@\\#$^]\S*|\S+[.:]\S+|[a-z]+(?:-[a-z]+){2,}")
_LONG_TOKEN = 40
# PHP, markup declarations, functions, SQL, JSON in a string, jQuery, decorators.
_CODE = re.compile(r"^\s*(?:<\?|<!|function\b|\(?\w*\)?\s*=>|SELECT\s|\{\s*\"|\$\(|@\w+\()")


_NAMES = (
    "action align charset class classname code color colour command css date encoding endpoint env event file "
    "filename font format height href icon id image key lang language layout locale method mime mode path "
    "permalink pattern regex role route size slug src state style theme time timezone type unit uri url uuid "
    "variant version width $ref $schema"
)
_KEYS = frozenset(_NAMES.split())
"""A single word under such a key is for programs."""
_CODE_KEYS = frozenset(("command", "css", "query", "regex", "pattern", "run", "script", "sql", "style"))

_ANY_TAG = re.compile(r"<[A-Za-z][^<>]*>")
# Elements that a line of text does not have; <b> and <a> are marks in a line.
_BLOCK_TAG = re.compile(
    r"<(?:article|blockquote|body|dd|div|dl|dt|figure|footer|h[1-6]|head|header|html|li|main|nav|ol|p|pre|section"
    r"|table|ul)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)


def key_of(path: tuple[str, ...]) -> str:
    """Return the name of a value with these keys above it: of the list, for one in a list."""
    # A list's index tells nothing; its list does.
    return next((name for name in reversed(path) if not name.isdecimal()), "")


def is_page(value: str, key: str = "") -> bool:
    """Return whether a value is HTML of more than a line: what its key says, or elements that lines do not have."""
    return (_ANY_TAG if key.lower().endswith("html") else _BLOCK_TAG).search(value) is not None


def is_prose(value: str, key: str = "") -> bool:
    """Return whether to translate a value; doubtful single words are, but under keys that programs read."""
    text = value.strip()
    if is_page(value, key):
        return key.lower() not in _CODE_KEYS
    # One word under "type" or "name" is read by a program; a sentence under "title" is not.
    if key.lower() in _CODE_KEYS or (key.lower() in _KEYS and not re.search(r"\s", text)):
        return False
    # Placeholders alone, and code.
    if not _LETTER.search(_PLACEHOLDERS.sub(" ", text)) or _CODE.match(text):
        return False
    if any(form.fullmatch(text) for form in (_ADDRESS, _COLOUR, _DATE, _FORMAT, _MEDIA_TYPE, _LANGUAGE)):
        return False
    # Spaces between words, or letters beyond ASCII: identifiers have neither.
    if re.search(r"\s", text) or not text.isascii():
        return True
    bare = _PLACEHOLDERS.sub("", text).strip(".,:;!?()[]\"'…")
    is_word = bool(bare) and not _CODE_WORD.fullmatch(bare) and len(bare) <= _LONG_TOKEN
    return is_word and _PATH.fullmatch(text) is None


_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)(?:\s[^<>]*)?(/?)>")
_ALONE = ("br", "img", "hr", "wbr", "input")


def tagged(message: str, *, has_breaks: bool = False) -> Tagged:
    """Return the content of a message; `has_breaks`: a line feed is a mark, so that it stays."""
    pattern = re.compile(f"{_TAG.pattern}|\n") if has_breaks else _TAG
    return tagged_content(message, [_make_tag(found) for found in pattern.finditer(message)])


def _make_tag(found: re.Match[str]) -> SegmentTag:
    name = (found[2] or "br").lower()
    is_alone = name in _ALONE
    # A tag that closes itself (<x/>) has no partner either.
    partner = "" if is_alone or (found[3] and not found[1]) else name
    return SegmentTag(*found.span(), partner, bool(found[1]), TAG_LOOKS.get(name, "other"), is_alone)


_CODES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    "en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it "
    "iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt "
    "my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl "
    "sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo "
    "za zh zu fil"
)
"""ISO 639-1, and Filipino."""
_LANGUAGES = frozenset(_CODES.split())
# Script and region as BCP 47, with the separator of the file.
_LOCALE = re.compile(r"([a-z]{2,3})(?:([-_])([A-Za-z]{4}|[A-Za-z]{2}|\d{3}))?(?:([-_])([A-Za-z]{2}|\d{3}))?")


def is_locale(code: str) -> bool:
    """Return whether it is the code of a language, with or without a script and a country."""
    found = _LOCALE.fullmatch(code)
    return found is not None and found[1] in _LANGUAGES


def renamed_locale(code: str, target: str) -> str:
    """Return the target in the code's style ("pt_BR" if that has an underscore); "" if it isn't a locale."""
    if not is_locale(code):
        return ""
    return with_underscore(target) if "_" in code else target


def with_underscore(code: str) -> str:
    """Return a code as POSIX and gettext write it."""
    return code.replace("-", "_")
