"""Blind test: two models answer a question in turn; their names are shown after the vote, if wished."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, Finished, FinishReason, LoadProgress, PromptProgress, TextDelta
from app.core.visible import clean_text
from app.features.inside.model_comparison import ModelAsleep, Told, compare_answers, tally_of, with_vote, without_votes
from app.ui.i18n import InContext, Translatable, sentence_for, tr
from app.ui.locale_formats import format_decimal
from app.ui.model_texts import join
from app.ui.models.compare_choices import told_apart
from app.ui.models.models_page import NARROW_PX, ComparisonPage
from app.ui.shared_labels import (
    CHAT_MODEL_SLEEPS,
    FIND_MORE_MODELS,
    STOP,
    STOPPED_LABEL,
    TOKENS_PER_SECOND,
    WAITING,
    WRITING,
)
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.text.markdown import MarkdownStream
from app.ui.text.markdown_card import MarkdownCard
from app.ui.theme import CARD_INSET_PX, Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.input_fields import CheckRow, PlainEdit
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

VOTES_SO_FAR = "Your blind votes so far: {first} {a}, {second} {b}, the same {c}."

VOTES_KEPT_HERE = "Your votes are kept on this computer; the answers aren’t."

COULD_NOT_ANSWER = "It couldn’t answer."
CHOOSE_DIFFERENT_MODELS = "Choose two different models."
TWO_MODELS_NEEDED = "This needs two models. You have one."

LETTERS = ("A", "B")
QUESTION_PX = 84
RETURNS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
SAME = 2
"""A vote for a tie."""


class BlindPage(ComparisonPage):
    """A round: a question, two answers in random order, a vote, the names.

    Until the vote, no text, tooltip or spoken text gives a model away.
    """

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(app, ui, "blind")
        self._order: list[Path] = []
        self._names: dict[str, str] = {}
        self._is_blind = False
        self.show_text(
            self.lead,
            tr("Ask two models the same question. In blind mode, you judge the answers without seeing the names."),
        )
        self.choices = [ChoiceButton(ui.theme, name, [("", "–")], shows_change=False) for name in _choice_names()]
        self.blind = CheckRow(ui.theme, tr("Blind"), tr("Names are shown after your vote, in random order"))
        self.blind.setChecked(True)
        self.question = PlainEdit()
        self.question.setProperty("kind", "")
        self.question.setAccessibleName(tr("Question for both"))
        self.question.setPlaceholderText(tr("A question like those you’ll really ask"))
        self.question.installEventFilter(self)
        self.ask_button = text_button(tr("Ask both"), "primary", on_click=self._begin)
        self.cancel = text_button(tr(STOP), on_click=self.stop)
        self.more = text_button(tr(FIND_MORE_MODELS), "link", on_click=lambda _=False: ui.go.open_models())
        self.more.hide()
        self.status = plain_label(kind="muted", wraps=True)
        self.answers = [AnswerCard(ui.theme, letter) for letter in LETTERS]
        self.votes: list[QPushButton] = []
        self.tally = plain_label(kind="muted", wraps=True)
        self.clear = text_button(tr("Clear votes"), "link", on_click=self._clear_votes)
        self._lay_out()
        for choice in self.choices:
            choice.changed.connect(lambda _: self._on_chosen())
        self.question.textChanged.connect(self._show_state)
        self._show_state()

    def _lay_out(self) -> None:
        theme = self._theme
        models, doing, kept, vote = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), FlowLayout()
        for choice in self.choices:
            models.addWidget(choice)
        models.addStretch(1)
        for widget in (self.ask_button, self.cancel):
            doing.addWidget(widget)
        fill_layout(doing, (self.status, 1), self.more)
        self._side_by_side = theme.dress(QBoxLayout(QBoxLayout.Direction.LeftToRight), spacing=12)
        for card in self.answers:
            self._side_by_side.addWidget(card, 1, Qt.AlignmentFlag.AlignTop)
            card.hide()
        for number, words in ((0, tr("A is better")), (SAME, tr("About the same")), (1, tr("B is better"))):
            button = text_button(words, on_click=lambda _=False, number=number: self._vote(number))
            button.hide()
            self.votes.append(button)
            vote.addWidget(button)
        fill_layout(kept, (self.tally, 1), self.clear)
        fill_layout(self.rows, models, self.blind, self.question)
        for row in (doing, self._side_by_side, vote, kept):
            self.rows.addLayout(row)
        theme.dress(self.question, height=QUESTION_PX, text=("body", 6))
        theme.dress(self.ask_button, self.cancel, *self.votes, font="control")
        theme.dress(self.status, self.tally, font="small")
        theme.dress(self.clear, self.more, font="control")
        theme.dress(models, doing, vote, spacing=8)

    def reload(self) -> tasks.BackgroundTask:
        models = self._app.models
        return self.ask_anew(
            lambda _: told_apart(
                [row for row in (*models.list_installed(), *models.list_others()) if not row.model.missing]
            ),
            self._offer,
            self._ui.notify.error,
        )

    def _offer(self, names: Mapping[Path, Translatable]) -> None:
        self._names = {str(path): tr(name) for path, name in names.items()}
        here = list(self._names.items())
        for number, choice in enumerate(self.choices):
            before = choice.value
            choice.offer(here or [("", "–")])
            # A model that is still there stays chosen.
            if before not in self._names and len(here) > number:
                choice.show_value(here[number][0])
        first, second = self.choices
        if first.value == second.value and len(here) > 1:  # there was only one at first
            second.show_value(next(path for path, _ in here if path != first.value))
        self._show_state()
        self._show_tally()

    @property
    def _chosen(self) -> list[Path]:
        return [Path(choice.value) for choice in self.choices]

    def _on_chosen(self) -> None:
        self._show_state()
        self._show_tally()

    def _show_state(self) -> None:
        is_running = self.is_running
        same = self.choices[0].value == self.choices[1].value
        words = self.question.toPlainText().strip()
        self.ask_button.setVisible(not is_running)
        self.ask_button.setEnabled(not same and bool(words))
        self.cancel.setVisible(is_running)
        for widget in (*self.choices, self.blind, self.question):
            widget.setEnabled(not is_running)
        if not is_running:
            enough = len(self._names) > 1
            two = tr(CHOOSE_DIFFERENT_MODELS) if enough else tr(TWO_MODELS_NEEDED)
            self.status.setText(two if same else "")
            self.more.setVisible(not enough)

    def _begin(self) -> None:
        question = clean_text(self.question.toPlainText()).strip()
        if self.is_running or not self.ask_button.isEnabled():
            return
        self._is_blind = self.blind.isChecked()
        # At random, so that A isn't always the one that was chosen first.
        self._order = random.sample(self._chosen, 2) if self._is_blind else self._chosen
        self._run_models(partial(compare_answers, paths=self._order, question=question))
        for card in self.answers:
            card.begin()
            card.show()
        self._show_votes(is_shown=False)
        if not self._is_blind:
            self._show_names()
        # Asked before the button is hidden, which passes the focus on.
        had_focus = self.ask_button.hasFocus()
        self._show_state()
        self.status.setText("")
        if had_focus:
            self.cancel.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_event(self, event: tuple[int, Told]) -> None:
        place, told = event
        if isinstance(told, ModelAsleep):
            words = tr(CHAT_MODEL_SLEEPS, name=told.name)
            self.status.setText(words)
            self._ui.loader.sync_with_engine()
        else:
            self.answers[place].take_event(told, is_blind=self._is_blind)

    def _on_ended(self) -> None:
        had_focus = self.cancel.hasFocus()
        super()._on_ended()
        self._show_state()
        # One that was stopped or failed can't be judged.
        can_vote = self._is_blind and all(card.is_complete for card in self.answers)
        if can_vote:
            self._show_votes(is_shown=True)
            announce(self, tr("Both have answered. Which is better?"))
            if had_focus:
                self.votes[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._end_round()
        if had_focus:
            self.ask_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _vote(self, number: int) -> None:
        better = None if number == SAME else self._order[number]
        one, other = self._order
        lines = with_vote(self._app.settings.models.votes, one, other, better)
        with self._ui.notify.guard():
            self._app.change_settings("models", votes=lines)
        self._end_round()
        self.ask_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end_round(self) -> None:
        self._show_votes(is_shown=False)
        self._show_names()
        for card in self.answers:
            card.show_speed()
        self._show_tally()
        announce(self, " ".join(card.heading for card in self.answers))

    def _show_names(self) -> None:
        for card, path in zip(self.answers, self._order, strict=True):
            card.show_name(self._names.get(str(path), path.stem))

    def _show_votes(self, *, is_shown: bool) -> None:
        for button in self.votes:
            button.setVisible(is_shown)

    def _show_tally(self) -> None:
        one, other = self._chosen
        found = tally_of(self._app.settings.models.votes, one, other)
        count = found.for_first + found.for_second + found.same
        is_shown = bool(count) and one != other
        if is_shown:
            first, second = (self._names.get(str(path), path.stem) for path in (one, other))
            values = {"first": first, "a": found.for_first, "second": second, "b": found.for_second, "c": found.same}
            self.tally.setText(tr(VOTES_SO_FAR, **values))
        else:
            self.tally.setText(tr(VOTES_KEPT_HERE))
        self.clear.setVisible(is_shown)

    def _clear_votes(self) -> None:
        votes = self._app.settings.models.votes
        self._keep_votes(without_votes(votes, *self._chosen))
        self._ui.notify.undo(tr("Votes cleared."), lambda: self._keep_votes(votes))

    def _keep_votes(self, votes: tuple[str, ...]) -> None:
        with self._ui.notify.guard():
            self._app.change_settings("models", votes=votes)
        self._show_tally()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._side_by_side.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Return asks; Shift+Return breaks the line.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in RETURNS:
            is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            # While an input method composes, Return confirms its words.
            if not is_shifted and not self.question.is_composing:
                self._begin()
                return True
        return super().eventFilter(watched, event)


def _choice_names() -> tuple[str, str]:
    return tr("One model"), tr("The other model")


class AnswerCard(QFrame):
    """An answer under its letter; the model's name is shown later."""

    def __init__(self, theme: Theme, letter: str) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        self._letter = letter
        self._name = ""
        self._stats: AnswerStats | None = None
        self._stream = MarkdownStream()
        self._problem = ""
        self.is_complete = False
        """True once the whole answer has arrived."""
        self._head = theme.dress(plain_label(letter, wraps=True), font="section")
        self.state = theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self.body = AnswerBody(theme)
        column = theme.dress(QVBoxLayout(self), margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 16), spacing=6)
        for widget in (self._head, self.state, self.body):
            column.addWidget(widget)
        self._describe()

    @property
    def heading(self) -> str:
        """Letter, and the name if it is shown."""
        return self._head.text()

    def begin(self) -> None:
        """Empty the card for a new round."""
        self._name, self._stats, self._stream = "", None, MarkdownStream()
        self.is_complete, self._problem = False, ""
        self.body.clear()
        self._show_state(tr(WAITING))
        self._describe()

    def take_event(self, told: Told, *, is_blind: bool) -> None:
        """Update the answer. While blind, an error's own text is withheld, as it may name the file."""
        match told:
            case LoadProgress(fraction=fraction):
                self._show_state(tr("Loading, {percent} %", percent=int(100 * fraction)))
            case PromptProgress():
                self._show_state(tr("Reading the question"))
            case TextDelta(thinking=True):
                self._show_state(tr(InContext("in progress", "Thinking")))
            case TextDelta(text=text):
                self._show_state(tr(WRITING))
                self._stream.feed(text)
                self.body.show_stream(self._stream)
            case Finished(stats=stats):
                self._stats, self.is_complete = stats, stats.finish_reason != FinishReason.CANCELLED
                self._stream.finish()
                self.body.show_stream(self._stream)
                self._show_state("" if self._stream.closed else tr("It wrote nothing."))
            case AppError():
                self._problem = sentence_for(told).text
                self._show_state(tr(COULD_NOT_ANSWER) if is_blind else self._problem)

    def show_name(self, name: str) -> None:
        self._name = name
        self._describe()

    def show_speed(self) -> None:
        """Show speed or error, once they give nothing away."""
        if self._problem:
            self._show_state(self._problem)
        elif self._stats is not None:
            speed = tr(TOKENS_PER_SECOND, speed=format_decimal(self._stats.tokens_per_s, 1))
            first = tr("first word after {s} s", s=format_decimal(self._stats.time_to_first_token_s, 1))
            self._show_state(join(speed, first))
        else:
            self._show_state(tr(STOPPED_LABEL))

    def _show_state(self, words: str) -> None:
        self.state.setText(words)
        self.state.setVisible(bool(words))

    def _describe(self) -> None:
        words = f"{self._letter}: {self._name}" if self._name else self._letter
        self._head.setText(words)
        self.setAccessibleName(tr("Answer {letter}", letter=words))


class AnswerBody(MarkdownCard):
    """View of an answer as it is written, as high as its text."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._streams = 0

    def clear(self) -> None:
        self._streams += 1_000_000  # higher than any revision of the earlier answer
        self.body.set_blocks([], [], self._streams)
        self._arrange()

    def show_stream(self, stream: MarkdownStream) -> None:
        self.body.set_blocks(stream.closed, stream.open_blocks(), self._streams + stream.revision)
        self._arrange()
