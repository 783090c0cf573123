"""A content as text with its marks, as XLIFF-like tags: <g1>…</g1> around, <x2/> alone."""

from __future__ import annotations

from app.documents.segments import Content, Mark


def marked_text(content: Content) -> str:
    """For people: what a mark stands for is shown where it is text, a line break is one."""
    return "".join(part if isinstance(part, str) else _tag(part) for part in content)


def shown_text(content: Content) -> str:
    """As it is read: no tags, single marks as what they stand for where that is text, line breaks as such."""
    return "".join(part if isinstance(part, str) else "\n" if part.look == "break" else part.shows for part in content)


def _tag(mark: Mark) -> str:
    if mark.role == "open":
        return f"<g{mark.number}>"
    if mark.role == "close":
        return f"</g{mark.number}>"
    if mark.look == "break":
        return "\n"
    return mark.shows or f"<x{mark.number}/>"
