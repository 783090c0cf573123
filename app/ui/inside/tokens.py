"""Tokens: what a text, or the prompt that a model was shown, is cut into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from app.core.events import CancelToken, Role
from app.features.inside.looks import PlacedToken, Share, shares_of, tokens_of
from app.ui.i18n import tr
from app.ui.inside.flow import Piece, TokenDetail, TokenText, hex_of, tint, visible
from app.ui.inside.look import LookPage, Subject
from app.ui.shell.desktop import copy_text
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import name_widgets

if TYPE_CHECKING:
    from app.engine.contract import Engine

MOST_CHARACTERS = 400_000
"""Of a text, so that a book does not fill the wire to the engine."""
ROLES = {Role.SYSTEM: "Instructions", Role.USER: "You", Role.ASSISTANT: "Answer", None: "Template"}


@dataclass(frozen=True)
class _Cut:
    """A text in tokens; `text` is all that they say, `shares` what each message of a prompt takes."""

    text: str = ""
    tokens: tuple[PlacedToken, ...] = ()
    shares: tuple[Share, ...] = ()
    whole_characters: int = 0
    """Of the text, where that is longer."""


class TokensPage(LookPage):
    """The tokens in alternating tints, how many there are, and below them the one that is pointed at."""

    def __init__(self, ui: UiContext, engine: Callable[[], Engine]) -> None:
        super().__init__(ui, engine)
        self._cut = _Cut()
        self._counts = plain_label(kind="muted", wraps=True)
        self._copy = IconButton(ui.theme, "copy", tr("Copy the text"), size_px=17)
        self._copy.clicked.connect(self._on_copy)
        self._text = TokenText(
            ui.theme, tr("Tokens"), piece_of=self._piece, data_of=lambda number: self._cut.tokens[number].data
        )
        self._text.flow.pointed.connect(self._on_pointed)
        self._detail = TokenDetail(ui.theme, tr("Point at a token, or go from one to the next with the arrow keys."))
        row = QHBoxLayout()
        row.addWidget(self._counts, 1)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignTop)
        self.body.insertLayout(0, row)
        self.body.addWidget(self._text, 1)
        self.body.addWidget(self._detail)
        ui.theme.dress(self._counts, margins=(0, 4, 0, 4), font=(13.5, 400))
        name_widgets(token_counts=self._counts, copy_tokens=self._copy)
        self._show(self._cut)

    def look_at(self, text: str) -> None:
        """The tokens of a text by itself."""
        if not text:
            self.clear()
            return
        head, whole = text[:MOST_CHARACTERS], len(text) if len(text) > MOST_CHARACTERS else 0
        self._begin(lambda engine, token: _Cut(head, tuple(tokens_of(engine, head, cancel=token)), (), whole))

    def look_at_subject(self, subject: Subject) -> None:
        """As `look_at`, or the prompt as the template makes it."""
        prompt = subject.prompt
        if prompt is None:
            self.look_at(subject.text)
            return

        def cut(engine: Engine, token: CancelToken) -> _Cut:
            ask = prompt()
            found = tokens_of(engine, messages=ask.messages, variables=ask.template_variables, cancel=token)
            text = b"".join(one.data for one in found).decode("utf-8", "replace")
            return _Cut(text, tuple(found), tuple(shares_of(found, text, ask.messages)))

        self._begin(cut)

    def clear(self) -> None:
        super().clear()
        self._show(_Cut())

    def _begin(self, cut: Callable[[Engine, CancelToken], _Cut]) -> None:
        def work(engine: Engine, token: CancelToken) -> Iterator[_Cut]:
            yield cut(engine, token)

        self.begin(work, self._on_event, lambda: None)

    def _on_event(self, event: object) -> None:
        if isinstance(event, _Cut):
            self._show(event)

    def _show(self, cut: _Cut) -> None:
        self._cut = cut
        self._text.show_count(len(cut.tokens))
        self._copy.setEnabled(bool(cut.tokens))
        self._detail.setVisible(bool(cut.tokens))
        self._counts.setText("\n".join(self._words()))
        self._on_pointed(-1)

    def _words(self) -> list[str]:
        cut = self._cut
        if not cut.tokens:
            return [""]
        tokens, characters = f"{len(cut.tokens):,}", f"{len(cut.text):,}"
        words = [tr("{tokens} tokens, {characters} characters", tokens=tokens, characters=characters)]
        if cut.whole_characters:
            words.append(
                tr("The text has {whole} characters; these are its first ones.", whole=f"{cut.whole_characters:,}")
            )
        shares = [f"{tr(ROLES[one.role])} {one.tokens:,}" for one in cut.shares]
        return [*words, *([" · ".join(shares)] if shares else [])]

    def _piece(self, number: int) -> Piece:
        """In the tint of its place; control tokens are outlines."""
        token, theme = self._cut.tokens[number], self.theme
        text = visible(token.data, is_control=token.is_control)
        ground = "" if token.is_control else tint(theme.tokens, number, is_dark=theme.is_dark)
        return Piece(text, ground, token.data.endswith(b"\n"))

    def _on_pointed(self, number: int) -> None:
        if not 0 <= number < len(self._cut.tokens):
            self._detail.clear()
            return
        token = self._cut.tokens[number]
        words = [tr("Token {id}", id=token.id), byte_words(token.data)]
        if token.is_control:
            words.insert(1, tr("a control token"))
        words.append(tr("characters {start} to {end}", start=f"{token.start:,}", end=f"{token.end:,}"))
        self._detail.show_token(visible(token.data, is_control=token.is_control), " · ".join(words))
        if number == self._text.flow.current:
            self._text.flow.say(self._detail.text)

    def _on_copy(self) -> None:
        copy_text(self._cut.text)
        self._copy.show_done(tr("Copied"))


def byte_words(data: bytes) -> str:
    """The bytes of a token, in words for people."""
    if len(data) == 1:
        return tr("1 byte: {bytes}", bytes=hex_of(data))
    return tr("{count} bytes: {bytes}", count=len(data), bytes=hex_of(data))
