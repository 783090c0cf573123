"""Remembers how texts on the screen were made, so that a change of language writes them anew where they are."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.core.lazy_dataclasses import dataclass, field

MOST_KEPT, MOST_OF_TEMPLATE, MOST_JOINED = 10_000, 500, 2_000
"""More than a window shows at once; what was shown first is forgotten first, and of each template for itself: the
thousands of texts of a progress push out none but their own.
"""


@dataclass(frozen=True)
class TextOrigin:
    """The function that made a text, the templates it was made of, and values that may be such texts themselves."""

    make: Callable[..., str]
    templates: tuple[object, ...]
    values: dict[str, object] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


_plain: OrderedDict[str, TextOrigin] = OrderedDict()
_filled: OrderedDict[str, TextOrigin] = OrderedDict()
"""Apart from the others: progress writes thousands of them."""
_by_template: dict[tuple[object, ...], deque[str]] = {}
"""The filled ones of each template in the order they came."""


def remember_text(shown: str, make: Callable[..., str], /, *templates: object, **values: object) -> str:
    """Note that `make` returned this text for these templates and values; return it."""
    origins = _filled if values else _plain
    # Most are asked for again and again, as with each row that is painted.
    return shown if shown in origins else _remember(origins, shown, TextOrigin(make, templates, values))


def remember_joined(shown: str, make: Callable[[Iterable[str]], str], parts: Sequence[str]) -> str:
    """Note that `make` joined this text of these parts; return it."""
    return shown if shown in _filled else _remember(_filled, shown, TextOrigin(make, (), parts=tuple(parts)))


def _remember(origins: OrderedDict[str, TextOrigin], shown: str, origin: TextOrigin) -> str:
    # Nothing is made of an empty list, and of one entry the entry, which has an origin of its own.
    if not shown or shown in origin.parts or shown in origin.values.values():
        return shown
    origins[shown] = origin
    if origins is _filled:
        of_template = _by_template.setdefault((origin.make, *origin.templates), deque())
        of_template.append(shown)
        if len(of_template) > (MOST_OF_TEMPLATE if origin.templates else MOST_JOINED):
            origins.pop(of_template.popleft(), None)
    if len(origins) > MOST_KEPT:
        origins.popitem(last=False)
    return shown


_OWN_WORDS = "own_words"
_WORDS = ("windowTitle", "text", "toolTip", "accessibleName", "accessibleDescription")
_NAMES = ("name", "title")
"""Values that come from people or other programs, whatever they say."""
_Kept = TypeVar("_Kept", bound=QWidget)


def keep_words(widget: _Kept, *names: str) -> _Kept:
    """Leave a widget's words as they are in every language: titles and names that people gave; return it.

    `names` are its properties with such words; without any, all that a widget has.
    """
    widget.setProperty(_OWN_WORDS, names or _WORDS)
    return widget


def rewrite_text(shown: str) -> str:
    """Return a text as it would be made now; one that was not made here, such as a name, as it is."""
    origin = _plain.get(shown) or _filled.get(shown)
    if origin is None:
        return shown
    if origin.parts:
        return origin.make([rewrite_text(part) for part in origin.parts])
    values = {
        key: rewrite_text(value) if isinstance(value, str) and key not in _NAMES else value
        for key, value in origin.values.items()
    }
    return remember_text(origin.make(*origin.templates, **values), origin.make, *origin.templates, **values)


def rewrite_window() -> None:
    """Write all texts of all windows anew that were made here; what people wrote stays."""
    for window in QApplication.topLevelWidgets():
        # Qt hands it on to all that is in the window: what puts its words together itself does so anew.
        QApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))
    for widget in QApplication.allWidgets():
        _rewrite(widget, "windowTitle", "toolTip", "accessibleName", "accessibleDescription")
        if isinstance(widget, QLabel | QAbstractButton):
            _rewrite(widget, "text")
        elif isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
            _rewrite(widget, "placeholderText")
        elif isinstance(widget, QAbstractSpinBox):
            _rewrite(widget, "specialValueText", "suffix", "prefix")
        elif isinstance(widget, QGroupBox):
            _rewrite(widget, "title")
        elif isinstance(widget, QComboBox):
            for number in range(widget.count()):
                widget.setItemText(number, rewrite_text(widget.itemText(number)))
        for action in widget.actions():
            _rewrite(action, "text", "toolTip")


def _rewrite(owner: QWidget | QAction, *names: str) -> None:
    kept = owner.property(_OWN_WORDS) or ()
    for name in names:
        shown = owner.property(name)
        if name in kept or not isinstance(shown, str) or (rewritten := rewrite_text(shown)) == shown:
            continue
        # Python's own setters, as some labels do more with a new text.
        getattr(owner, f"set{name[0].upper()}{name[1:]}")(rewritten)
