"""What a zoom has to reach: the sizes of all texts and icons that can be seen."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QLineEdit, QWidget


def sizes(root: QWidget) -> dict[str, int]:
    """Pixels of each font and icon that is shown in `root`, by where it stands."""
    found: dict[str, int] = {}

    def walk(parent: QWidget, path: str) -> None:
        numbers: dict[str, int] = {}
        for child in parent.children():
            if not isinstance(child, QWidget) or not child.isVisibleTo(root):
                continue
            name = f"{type(child).__name__}#{child.objectName()}"
            numbers[name] = numbers.get(name, 0) + 1
            place = f"{path}/{name}[{numbers[name]}]"
            if isinstance(child, QLabel | QAbstractButton | QLineEdit) and child.text():
                found[f"{place} {child.text()[:20]!r}"] = child.font().pixelSize()
            if isinstance(child, QAbstractScrollArea):
                found[f"{place} text"] = child.viewport().font().pixelSize()
            if isinstance(child, QAbstractButton) and not child.icon().isNull():
                found[f"{place} icon"] = child.iconSize().height()
            walk(child, place)

    walk(root, "")
    return found


def not_following(before: dict[str, int], after: dict[str, int], zoom: float) -> dict[str, tuple[int, int]]:
    """What is there both times and is not `zoom` times as large, but for rounding."""
    return {
        place: (size, after[place])
        for place, size in before.items()
        if place in after and abs(after[place] - size * zoom) > max(1.0, zoom)
    }
