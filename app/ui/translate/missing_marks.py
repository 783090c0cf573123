"""Marks in an edited translation: which are missing, and how to restore them."""

from __future__ import annotations

from app.documents.segments import Content, Mark, content_of, marks

LETTERS = {
    "bold": "B", "italic": "I", "underline": "U", "strike": "S", "code": "<>", "link": "link", "small": "small",
    "image": "image", "formula": "formula", "break": "↵", "tab": "⇥", "note": "note", "field": "field",
}  # fmt: skip
MOST_SHOWN = 24


def missing(source: Content, content: Content) -> tuple[Mark, ...]:
    """Return marks missing from a content, in the source's order."""
    there = {mark.key for mark in marks(content)}
    return tuple(mark for mark in marks(source) if mark.key not in there)


def put_back(source: Content, content: Content) -> Content:
    """Return the content with exactly the source's marks: words stay, missing marks go to the end.

    A close mark before its open one, or across another pair, moves to where its pair must end.
    """
    own = {mark.key: mark for mark in marks(source)}
    parts: list[str | Mark] = []
    waiting: list[int] = []
    seen: set[tuple[str, int]] = set()

    def close(number: int) -> None:
        parts.append(own[("close", number)])
        seen.add(("close", number))

    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif part.key not in own or part.key in seen:
            continue
        elif part.role == "close":
            # Pairs opened inside are closed first, so that pairs never cross.
            while part.number in waiting:
                close(waiting.pop())
        else:
            parts.append(own[part.key])
            seen.add(part.key)
            waiting += [part.number] if part.role == "open" else []
    while waiting:
        close(waiting.pop())
    for mark in marks(source):
        if mark.key not in seen and mark.role != "close":
            parts.append(mark)
            seen.add(mark.key)
            if mark.role == "open":
                close(mark.number)
    return content_of(parts)


def labels(source: Content) -> dict[tuple[str, int], str]:
    """Return chip labels such as "‹B" and "B›", numbered if they would be equal."""
    paired = [mark for mark in marks(source) if mark.role == "open"]
    names = {mark.number: _name(mark) for mark in paired}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    found: dict[tuple[str, int], str] = {}
    for mark in marks(source):
        if mark.role == "single":
            found[mark.key] = mark.shows[:MOST_SHOWN] or _name(mark)
        else:
            name = names[mark.number]
            name = f"{name}{mark.number}" if counts[name] > 1 else name
            found[mark.key] = f"‹{name}" if mark.role == "open" else f"{name}›"
    return found


def _name(mark: Mark) -> str:
    names = [LETTERS[look] for look in mark.look.split() if look in LETTERS]
    return " ".join(names) or str(mark.number)
