"""Languages as Office names them."""

from __future__ import annotations

_EAST_ASIAN = frozenset(("zh", "ja", "ko", "yue"))
_SCRIPTS = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}


def office_language(language: str) -> str:
    """A code of BCP 47 with a region in place of a script, where Office wants one: zh-TW for zh-Hant."""
    return _SCRIPTS.get(language.lower(), language)


def is_east_asian(language: str) -> bool:
    """Whether a language is written in the signs for which Office has a font and a language of their own."""
    return language.partition("-")[0].lower() in _EAST_ASIAN
