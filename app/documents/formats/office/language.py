"""Languages as Office names them."""

from __future__ import annotations

_SCRIPTS = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}


def office_language(language: str) -> str:
    """A code of BCP 47 with a region in place of a script, where Office wants one: zh-TW for zh-Hant."""
    return _SCRIPTS.get(language.lower(), language)
