"""The marks of a translation that a person edits: which are missing, and how they are put back."""

from __future__ import annotations

from app.documents.segments import Content, Mark, content_of, marks, nests

LETTERS = {
    "bold": "B", "italic": "I", "underline": "U", "strike": "S", "code": "<>", "link": "link", "small": "small",
    "image": "image", "formula": "formula", "break": "↵", "tab": "⇥", "note": "note", "field": "field",
}  # fmt: skip
MOST_SHOWN = 24


def missing(source: Content, content: Content) -> tuple[Mark, ...]:
    """Marks of the source that are not there, in its order."""
    there = {mark.key for mark in marks(content)}
    return tuple(mark for mark in marks(source) if mark.key not in there)


def is_whole(source: Content, content: Content) -> bool:
    """Whether all marks are there, each once, and every pair encloses what it should."""
    return sorted(mark.key for mark in marks(source)) == sorted(mark.key for mark in marks(content)) and nests(content)


def put_back(source: Content, content: Content) -> Content:
    """The content with exactly the source's marks: words stay as they are, what is missing comes at the end.

    A close mark that stands before its open one, or across another pair, moves to where its pair must end.
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
    """What stands on the chip of each mark, such as "‹B" and "B›"; a number tells those that look alike apart."""
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
