"""Links: asked about with the whole address, opened by the system, other kinds never."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.features.drawings import remove_page
from app.ui.i18n import tr
from app.ui.shared_labels import CANCEL, OPEN
from app.ui.text.links import (
    FOREIGN_LETTERS,
    NO_SITE,
    REAL_SITE,
    ask_to_open,
    drawing_link,
    drawing_of_link,
)
from app.ui.text.pieces import safe_href


def test_open_is_asked_first(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    opened: list[QUrl] = []
    box = ask_to_open("https://x.org/a", parent, lambda url: opened.append(url) is None)
    assert box is not None
    assert box.informativeText() == "https://x.org/a"
    assert opened == []
    button = next(b for b in box.findChildren(QPushButton) if b.text() == OPEN)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened == [QUrl("https://x.org/a")]


@pytest.mark.parametrize("href", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://x", ""])
def test_other_addresses_do_nothing(qtbot: QtBot, href: str) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    assert ask_to_open(href, parent, lambda url: True) is None


@pytest.mark.parametrize(
    ("href", "shown", "told", "site"),
    [
        ("https://p\u0430ypal.com/a", "https://p\u0430ypal.com/a", FOREIGN_LETTERS, "xn--pypal-4ve.com"),
        ("https://xn--pypal-4ve.com/", "https://xn--pypal-4ve.com/", FOREIGN_LETTERS, "xn--pypal-4ve.com"),
        ("https://x.org@evil.example/", "https://x.org@evil.example/", REAL_SITE, "evil.example"),
        ("https://x.org/\u202ecod.exe", "https://x.org/\\u202ecod.exe", "", ""),
        ("https://[x", "https://[x", NO_SITE, ""),
        ("mailto:a@x.org", "mailto:a@x.org", "", ""),
    ],
)
def test_the_real_site_is_told_where_an_address_could_mislead(
    qtbot: QtBot, href: str, shown: str, told: str, site: str
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    box = ask_to_open(href, parent, lambda _url: True)
    assert box is not None
    assert box.informativeText() == "\n\n".join(filter(None, (shown, tr(told, site=site))))
    box.close()


def test_a_drawing_opens_after_its_file_was_shown_and_goes_when_nobody_wants_it(qtbot: QtBot) -> None:
    parent, opened = QWidget(), list[QUrl]()
    qtbot.addWidget(parent)
    href = drawing_link("svg", "<svg>%:é</svg>")
    assert drawing_of_link(href) == ("svg", "<svg>%:é</svg>")
    assert safe_href(href) == "", "no answer can name one"
    for label in (CANCEL, OPEN):
        box = ask_to_open(href, parent, lambda url: opened.append(url) is None)
        assert box is not None
        path = Path(box.informativeText().partition("\n")[0].replace("\u200b", ""))
        assert path.is_file()
        qtbot.mouseClick(next(one for one in box.buttons() if one.text() == label), Qt.MouseButton.LeftButton)
        assert path.is_file() == (label == OPEN)
    assert opened == [QUrl.fromLocalFile(str(path))]
    remove_page(path)
