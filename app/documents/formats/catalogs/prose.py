"""Whether a value of a data file is language that people read, or something for programs."""

from __future__ import annotations

import re

_LETTER = re.compile(r"[^\W\d_]")
_PLACEHOLDERS = re.compile(
    r"\{\{[^{}]*\}\}|[$%#]?\{[^{}]*\}|%\([\w.]+\)[a-z]|%(?:\d+\$)?[-+ 0#]*\d*(?:\.\d+)?[a-zA-Z@]|\$t\([^()]*\)|<[^<>]*>"
    r"|&\w+;|\[\[[^\[\]]*\]\]"
)
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|mailto:|tel:|data:|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_PATH = re.compile(
    r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/][^\s]*|[\w.@-]+(?:[\\/][\w.@*-]+){2,}[\\/]?|[\w./\\@-]+\.[A-Za-z]\w{1,4}"
)
_MEDIA_TYPE = re.compile(r"(?:application|audio|font|image|message|model|multipart|text|video)/\S+")
_COLOUR = re.compile(r"#[0-9a-f]{3,8}|(?:rgb|hsl|hwb|lab|lch|var|calc|url)a?\(.*\)", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]?\d{1,2}:\d{2}\S*(?:\s*(?:UTC|GMT|Z|[AP]M))?)?")
_FORMAT = re.compile(r"(?:([yYMdDHhmsSaEeLz])\1{0,3}[-/.:,' ]+)+([yYMdDHhmsSaEeLz])\2{0,3}")
_LANGUAGE = re.compile(r"[a-z]{2,3}[-_][A-Z]{2}|[a-z]{2}[-_][A-Z][a-z]{3}")
_CODE_WORD = re.compile(r"[a-z]+[A-Z]\w*|(?:[A-Z][a-z]+){3,}|\S*[\d_=@\\#$^]\S*|\S+[.:]\S+|[a-z]+(?:-[a-z]+){2,}")
_LONG_TOKEN = 40
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

_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_BLOCK_TAG = re.compile(
    r"<(?:article|blockquote|body|dd|div|dl|dt|figure|footer|h[1-6]|head|header|html|li|main|nav|ol|p|pre|section"
    r"|table|ul)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)


def is_page(value: str, key: str = "") -> bool:
    """Whether a value is HTML of more than a line: what its key says, or elements that lines do not have."""
    return (_TAG if key.lower().endswith("html") else _BLOCK_TAG).search(value) is not None


def is_prose(value: str, key: str = "") -> bool:
    """Whether to translate a value; doubtful single words are, but under keys that programs read."""
    text = value.strip()
    if is_page(value, key):
        return key.lower() not in _CODE_KEYS
    if key.lower() in _CODE_KEYS or (key.lower() in _KEYS and not re.search(r"\s", text)):
        return False
    if not _LETTER.search(_PLACEHOLDERS.sub(" ", text)) or _CODE.match(text):
        return False
    if any(form.fullmatch(text) for form in (_ADDRESS, _COLOUR, _DATE, _FORMAT, _MEDIA_TYPE, _LANGUAGE)):
        return False
    if re.search(r"\s", text) or not text.isascii():
        return True
    bare = _PLACEHOLDERS.sub("", text).strip(".,:;!?()[]\"'…")
    is_word = bool(bare) and not _CODE_WORD.fullmatch(bare) and len(bare) <= _LONG_TOKEN
    return is_word and _PATH.fullmatch(text) is None
