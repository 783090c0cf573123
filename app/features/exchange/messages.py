"""What there is to tell of imported chats, in the person's words: whose they are, what was left out, what failed."""

from __future__ import annotations

from collections.abc import Mapping

from app import APP_NAME
from app.features.exchange.recognition import CHATGPT, CLAUDE, FIRESIDE, JAN, LM_STUDIO, OPEN_WEBUI

KINDS = {
    FIRESIDE: APP_NAME,
    CHATGPT: "ChatGPT",
    CLAUDE: "Claude",
    LM_STUDIO: "LM Studio",
    JAN: "Jan",
    OPEN_WEBUI: "Open WebUI",
}
"""Whose chats they are."""

_LEFT_OUT = {
    "file": ("1 file is only named", "{} files are only named"),
    "picture": ("1 picture did not come along", "{} pictures did not come along"),
    "voice": ("1 recording did not come along", "{} recordings did not come along"),
    "tool": ("1 use of a tool was left out", "{} uses of tools were left out"),
    "system": ("1 hidden instruction was left out", "{} hidden instructions were left out"),
    "reference": ("1 reference was left out", "{} references were left out"),
    "error": ("1 answer is only an error", "{} answers are only errors"),
    "unknown": ("1 part of an unknown kind was left out", "{} parts of an unknown kind were left out"),
    "damaged": ("1 damaged message was left out", "{} damaged messages were left out"),
    "circle": ("1 message that leads in a circle was left out", "{} messages that lead in circles were left out"),
    "parent": ("1 message has lost what came before it", "{} messages have lost what came before them"),
    "title": ("its title could not be read", "its title could not be read"),
}
"""For every name in `left_out`: of one, of {}."""

_NOT_READ = {
    "denied": "it may not be read",
    "not_json": "it is not a file of chats",
    "unknown": "it is of a kind that is not known here",
    "newer": f"it was written by a newer version of {APP_NAME}",
    "damaged": "it is damaged",
    "cut_off": "the file ends in the middle of it",
    "too_deep": "it is too deeply nested",
    "too_large": "it is too large",
    "too_many": "it has too many messages",
    "empty": "there is no message in it",
}


def left_out_words(left_out: Mapping[str, int]) -> str:
    """Such as "2 pictures did not come along, 1 use of a tool was left out"; "" where all is here."""
    parts = []
    for name, count in left_out.items():
        one, many = _LEFT_OUT[name]
        parts.append(one if count == 1 else many.format(f"{count:,}"))
    return ", ".join(parts)


def not_read_words(reason: str) -> str:
    """Why a chat was not read, to stand behind its name."""
    return _NOT_READ[reason]
