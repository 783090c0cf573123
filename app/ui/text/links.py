"""Links: addresses and drawings, shown in full before they open, and pages named in an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import quote, unquote, urlsplit

from PySide6.QtCore import QCoreApplication, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from app.core.visible import visible_name
from app.features.drawings import KEPT_S, DrawingWords, page_of, remove_page, write_page
from app.features.retrieval.source_places import named_pages
from app.language.sentences import split_sentences
from app.ui.i18n import breakable, tr, window_title
from app.ui.shared_labels import CANCEL, OPEN
from app.ui.text.pieces import MarkdownTable, Piece, Prose, Spans, StyledSpan, safe_href

Opener = Callable[[QUrl], bool]
FOREIGN_LETTERS = "This site’s name has letters that can look like others. Its technical name is {site}."
REAL_SITE = "This link leads to {site}."
NO_SITE = "This address has no valid site name."


def ask_to_open(href: str, parent: QWidget, opener: Opener = QDesktopServices.openUrl) -> QMessageBox | None:
    """Ask before opening, showing the whole address, or the file to be made for a drawing."""
    if (drawing := drawing_of_link(href)) is not None:
        return _ask_to_draw(*drawing, parent, opener)
    # A model may also write file: or javascript: addresses; nothing is asked about those.
    if not safe_href(href):
        return None
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(window_title(tr("Open a link")))
    # Otherwise Qt guesses, and an address that looks like HTML would be rendered.
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("Open this link in your browser?"))
    # An address may have thousands of characters, and would push the buttons off the screen.
    shown = visible_name(href if len(href) <= 500 else href[:500] + "…")
    box.setInformativeText("\n\n".join(part for part in (shown, _site_words(href)) if part))
    open_button = box.addButton(tr(OPEN), QMessageBox.ButtonRole.AcceptRole)
    copy_button = box.addButton(tr("Copy address"), QMessageBox.ButtonRole.ActionRole)
    cancel = box.addButton(tr(CANCEL), QMessageBox.ButtonRole.RejectRole)
    # Enter must not open what nobody has read.
    box.setDefaultButton(cancel)
    open_button.clicked.connect(lambda: opener(QUrl(href)))
    copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(href))
    # `open`, not `exec`: a nested event loop would let the chat that asks be closed while it waits.
    box.open()
    return box


def _site_words(href: str) -> str:
    """Return the real name of a site whose address may look like that of another; "" for a plain one."""
    try:
        parts = urlsplit(href)
        name = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:  # no such name can be
        return tr(NO_SITE)
    if "xn--" in name:
        return tr(FOREIGN_LETTERS, site=name)
    # Before an @ stands a user, which may be called like a site.
    return tr(REAL_SITE, site=name) if "@" in parts.netloc else ""


DRAWING = "fireside-drawing:"


def drawing_link(kind: str, source: str) -> str:
    """Return the internal address of a drawing. Text by a model can't become such an address."""
    return f"{DRAWING}{kind}:{quote(source)}"


def drawing_of_link(href: str) -> tuple[str, str] | None:
    """Return kind and source of a drawing's address; None for other addresses."""
    if not href.startswith(DRAWING):
        return None
    kind, _, source = href.removeprefix(DRAWING).partition(":")
    return kind, unquote(source)


def _ask_to_draw(kind: str, source: str, parent: QWidget, opener: Opener) -> QMessageBox | None:
    path = write_page(page_of(kind, source, _drawing_words()))
    application = QCoreApplication.instance()
    assert application is not None
    # The page is private, so it goes at the end of the program, after a while, or at once if it isn't opened.
    application.aboutToQuit.connect(partial(remove_page, path))
    QTimer.singleShot(KEPT_S * 1000, application, partial(remove_page, path))
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(window_title(tr("Open a drawing")))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("Open this drawing in the browser?"))
    made = tr("This page shows what the model wrote. It loads nothing and is deleted when Fireside closes.")
    box.setInformativeText(f"{breakable(str(path))}\n\n{made}")
    open_button = box.addButton(tr(OPEN), QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton(tr(CANCEL), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    open_button.clicked.connect(lambda: opener(QUrl.fromLocalFile(str(path))))
    box.rejected.connect(partial(remove_page, path))
    box.open()
    return box


def _drawing_words() -> DrawingWords:
    return DrawingWords(
        title=tr("A drawing"),
        source=tr("Source"),
        about=tr("Made by Fireside from a model’s answer. This page loads nothing from the network."),
        undrawable=tr("Couldn’t draw this: its source has an error."),
        no_library=tr("This build can’t draw Mermaid diagrams. Open the source in any Mermaid editor."),
    )


SCHEME = "fireside-page:"
MOST_SENTENCE = 500
THIN_SPACE = "\u202f"
"""Narrow no-break space inside the chip, so that a full stop stays on its line."""

HasPage = Callable[[int], bool]


def page_of_link(href: str) -> tuple[int, str] | None:
    """Return the page, as in `named_pages`, and the sentence of a page link; None for other addresses.

    A link carries the page and the sentence that names it, so that the matching text can be highlighted there.
    """
    if not href.startswith(SCHEME):
        return None
    page, _, sentence = href.removeprefix(SCHEME).partition(":")
    return (int(page), unquote(sentence)) if page.removeprefix("-").isdecimal() else None


def with_page_links(piece: Piece, has_page: HasPage) -> Piece:
    """Return a piece with named pages as links where such a page exists; code stays as it is."""
    if isinstance(piece, Prose):
        lines = tuple(replace(line, spans=_linked(line.spans, has_page)) for line in piece.lines)
        # The same object if nothing was linked: views compare lines by identity first.
        return piece if lines == piece.lines else Prose(lines)
    if isinstance(piece, MarkdownTable):
        rows = tuple(tuple(_linked(cell, has_page) for cell in row) for row in piece.rows)
        return piece if rows == piece.rows else replace(piece, rows=rows)
    return piece


def sentence_with(text: str, at: int) -> str:
    """Return the sentence that names a page; the one before if it says nothing else."""
    before = ""
    for start, end in split_sentences(text):
        if start <= at < end:
            bare = text[start:end]
            for first, last, _ in reversed(named_pages(bare)):
                bare = bare[:first] + bare[last:]
            return text[start:end] if bare.strip(" .,;:!?") else before
        before = text[start:end]
    return before


def _linked(spans: Spans, has_page: HasPage) -> Spans:
    # Most runs name no page; sentences are split only where a bracket is.
    if not any(span.text for span in spans if _may_name(span)):
        return spans
    text = "".join(span.text for span in spans)
    found: list[StyledSpan] = []
    begin = 0
    for span in spans:
        end = 0
        for first, last, page in named_pages(span.text) if _may_name(span) else ():
            if has_page(page):
                found.append(replace(span, text=span.text[end:first]))
                sentence = quote(sentence_with(text, begin + first)[:MOST_SENTENCE])
                # No-break spaces, since the background of a chip would be torn apart by a line break.
                words = THIN_SPACE + span.text[first + 1 : last - 1].replace(" ", "\u00a0") + THIN_SPACE
                found.append(replace(span, text=words, href=f"{SCHEME}{page}:{sentence}"))
                end = last
        found.append(replace(span, text=span.text[end:]) if end else span)
        begin += len(span.text)
    return tuple(span for span in found if span.text)


def _may_name(span: StyledSpan) -> bool:
    return not span.code and not span.href and ("[" in span.text or "(" in span.text)
