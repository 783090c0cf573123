"""What one chat sets itself: prompt, longest answer, sampling, thinking; in a new chat they wait for its message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QMargins, QObject, Qt
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.visible import clean_text
from app.features.chat.options import MOST_TOKENS, SWITCHES, known_sampling, own_max_tokens, will_think
from app.features.chats import Chats
from app.store.conversations import Conversation
from app.ui.chat.composer import Composer
from app.ui.chat.open_chat import OpenChat
from app.ui.i18n import tr, window_title
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import ScrollBox, cancel_or
from app.ui.widgets.fields import Stepper
from app.ui.widgets.labels import plain_label

HEADING, MUTED = (14.0, 600), (13.0, 400)
"""Size and weight."""


@dataclass(frozen=True)
class Chosen:
    """The values; `sampling` has the temperature among its fields. `max_tokens` None: as the settings say."""

    system_prompt: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    thinking: str = ""


class ChatOptions(QObject):
    """Keeps them in the store, and the composer's thinking control in step with chat and model."""

    def __init__(
        self,
        composer: Composer,
        chat: OpenChat,
        chats: Chats,
        theme: Theme,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._composer, self._chat, self._chats = composer, chat, chats
        self._theme, self._notify, self._window = theme, notify, window
        self._conversation: Conversation | None = None
        self._chosen = Chosen(chats.settings().chat.system_prompt)
        composer.settings.clicked.connect(self.show_dialog)
        composer.thinking.chosen.connect(self._on_thinking)
        composer.entered.connect(self.refresh)  # the settings may have changed meanwhile

    @property
    def system_prompt(self) -> str:
        """The prompt of the chat that is shown, or the one that waits."""
        return self._chosen.system_prompt

    def show(self, conversation: Conversation | None) -> None:
        """Another chat is shown; None is a new one, which begins with the settings' system prompt."""
        self._conversation = conversation
        if conversation is None:
            self._chosen = Chosen(self._chats.settings().chat.system_prompt)
        else:
            temperature = {} if conversation.temperature is None else {"temperature": conversation.temperature}
            sampling = temperature | known_sampling(conversation.sampling)
            longest = own_max_tokens(conversation.sampling)
            self._chosen = Chosen(conversation.system_prompt, sampling, longest, conversation.thinking)
        self.refresh()

    def create(self) -> Conversation:
        """Makes the conversation that a new chat's first message needs, with what was chosen for it. May raise."""
        conversation = self._chat.talk.conversations.create(system_prompt=self._chosen.system_prompt)
        self._conversation = conversation
        self._save()
        return conversation

    def refresh(self) -> None:
        """After the model or a setting changed: the composer offers what can be chosen now."""
        loaded = self._chats.loaded()
        kind = loaded.thinking if loaded is not None else "none"
        thinking = self._chosen.thinking
        if kind in SWITCHES:
            stand_in = None if self._conversation is None else replace(self._conversation, thinking=thinking)
            is_on = thinking != "off" if thinking else will_think(stand_in, self._chats.settings(), loaded)
            self._composer.thinking.show_choice("switch", "on" if is_on else "off")
        elif kind == "effort":
            self._composer.thinking.show_choice(
                "effort", thinking if thinking in ("low", "medium", "high") else "medium"
            )
        else:
            self._composer.thinking.show_choice("none", "")

    def show_dialog(self) -> None:
        chosen, settings = self._chosen, self._chats.settings().chat
        dialog = ChatSettings(
            self._theme,
            chosen.system_prompt,
            chosen.sampling,
            self._window,
            max_tokens=chosen.max_tokens,
            in_settings=[name for name in ("temperature", "max_tokens") if getattr(settings, name) != -1],
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self._choose(
                system_prompt=dialog.system_prompt,
                sampling=known_sampling(dialog.sampling),
                max_tokens=dialog.max_tokens,
            )
        )
        dialog.open()

    def _on_thinking(self, value: str) -> None:
        self._choose(thinking=value)
        self.refresh()

    def _choose(self, **values: Any) -> None:
        self._chosen = replace(self._chosen, **values)
        if self._conversation is not None:
            with self._notify.guard():
                self._save()

    def _save(self) -> None:
        assert self._conversation is not None
        sampling = dict(self._chosen.sampling)
        if self._chosen.max_tokens is not None:
            sampling["max_tokens"] = self._chosen.max_tokens
        self._chat.talk.conversations.update(
            self._conversation.id,
            system_prompt=self._chosen.system_prompt,
            temperature=sampling.pop("temperature", None),
            sampling=sampling,
            thinking=self._chosen.thinking,
        )


# System prompt, longest answer and sampling of one chat: what is not set here is as Settings or the model have it.


@dataclass(frozen=True)
class Knob:
    """One number. `start` is where the first step up from `unset` leads, the word for "nothing of its own"."""

    name: str
    label: str
    meaning: str
    least: float
    most: float
    step: float
    decimals: int
    start: float
    unset: str = "Model’s own"


def longest_answer() -> Knob:
    meaning = tr("In tokens; a token is about three quarters of a word.")
    return Knob("max_tokens", tr("Longest answer"), meaning, 16, MOST_TOKENS, 256, 0, 1024, "No limit")


def knobs() -> tuple[Knob, ...]:
    """All that can be set, the temperature first."""
    return (
        Knob("temperature", tr("Temperature"), tr("Low keeps to the point, high surprises."), 0, 2, 0.05, 2, 0.7),
        Knob("top_k", tr("Top-k"), tr("How many of the likeliest tokens count; 0 is all."), 0, 1000, 1, 0, 40),
        Knob("top_p", tr("Top-p"), tr("The likeliest tokens up to this share."), 0, 1, 0.01, 2, 0.95),
        Knob("min_p", tr("Min-p"), tr("Drops what is this much less likely than the likeliest."), 0, 1, 0.01, 2, 0.05),
        Knob("repeat_penalty", tr("Repeat penalty"), tr("Above 1, repeats become less likely."), 1, 2, 0.05, 2, 1.1),
        Knob("presence_penalty", tr("Presence penalty"), tr("Favours words that are new."), 0, 2, 0.1, 1, 0.5),
        Knob("dry_multiplier", tr("DRY"), tr("Keeps whole phrases from coming again; 0 is off."), 0, 5, 0.1, 1, 0.8),
        Knob("seed", tr("Seed"), tr("The same seed gives the same answer."), 0, 2**32 - 1, 1, 0, 1, "Random"),
    )


class KnobStepper(Stepper):
    """A number, or a word one step below the least: `is_in_settings` says that Settings have a number for it."""

    def __init__(self, theme: Theme, knob: Knob, value: float | None, *, is_in_settings: bool) -> None:
        # Two steps below the least: the one between says which way somebody is going.
        self._unset = knob.least - 2 * knob.step
        self._knob = knob
        self._before = value if value is not None else self._unset
        super().__init__(
            theme,
            knob.label,
            self._before,
            lowest=self._unset,
            highest=knob.most,
            step=knob.step,
            decimals=knob.decimals,
            word_for_lowest=tr("As in Settings") if is_in_settings else tr(knob.unset),
        )
        self.number.setAccessibleDescription(knob.meaning)
        self.number.setToolTip(knob.meaning)
        self.changed.connect(self._on_changed)

    @property
    def chosen(self) -> float | None:
        """None leaves it to the model."""
        value = round(self.number.value(), self._knob.decimals)
        return None if value < self._knob.least else value

    def _on_changed(self, value: float) -> None:
        if self._unset < value < self._knob.least - self._knob.step / 2:
            value = self._knob.start if self._before == self._unset else self._unset
        self._before = value
        self.number.setValue(value)


class ChatSettings(QDialog):
    """Asks; `system_prompt`, `max_tokens` and `sampling` are what was chosen once it is accepted.

    `in_settings` names the numbers that Settings have for every chat.
    """

    def __init__(
        self,
        theme: Theme,
        system_prompt: str,
        sampling: Mapping[str, Any],
        parent: QWidget | None = None,
        *,
        max_tokens: int | None = None,
        in_settings: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self.setWindowTitle(window_title(tr("Chat settings")))
        self.setAccessibleName(tr("Chat settings"))
        self._prompt = QPlainTextEdit(system_prompt)
        self._prompt.setAccessibleName(tr("System prompt"))
        self._prompt.setPlaceholderText(
            tr("How the model should answer in this chat, such as: Answer in one sentence.")
        )
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(px(100))
        first, *rest = knobs()
        longest, values = longest_answer(), {**sampling, "max_tokens": max_tokens}
        self._steppers = {
            knob.name: KnobStepper(theme, knob, values.get(knob.name), is_in_settings=knob.name in in_settings)
            for knob in (longest, first, *rest)
        }
        self._more: QPushButton = text_button(tr("More"), "quiet")
        self._more.setObjectName("more_sampling")
        self._more.setCheckable(True)
        self._more.toggled.connect(self._on_more)
        self._rest = self._grid(rest)
        inside = QWidget()
        inside.setMinimumWidth(px(472))
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(8))
        column.addWidget(_label(theme, tr("System prompt"), HEADING, self._prompt))
        column.addWidget(self._prompt)
        column.addSpacing(px(8))
        column.addLayout(self._row(longest, is_heading=True))
        column.addSpacing(px(8))
        column.addWidget(_label(theme, tr("Sampling"), HEADING, self._steppers[first.name].number))
        column.addWidget(_label(theme, tr("How the next word is chosen. Model’s own: as its makers recommend."), MUTED))
        column.addLayout(self._row(first))
        column.addWidget(self._rest)
        more = QHBoxLayout()
        more.addWidget(self._more)
        more.addStretch(1)
        column.addLayout(more)
        around = QVBoxLayout(self)
        around.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        around.setContentsMargins(px(24), px(20), px(24), px(20))
        around.setSpacing(px(16))
        around.addWidget(ScrollBox(inside, around.contentsMargins() + QMargins(0, 0, 0, px(16 + 40))))
        around.addLayout(cancel_or(self, tr("Save")))
        self._more.setChecked(any(sampling.get(knob.name) is not None for knob in rest))
        self._on_more(self._more.isChecked())

    @property
    def system_prompt(self) -> str:
        return clean_text(self._prompt.toPlainText()).strip()

    @property
    def sampling(self) -> dict[str, float]:
        """The fields of `protocol.Sampling` that are set; the others are left to the model."""
        chosen = {name: stepper.chosen for name, stepper in self._steppers.items() if name != "max_tokens"}
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def max_tokens(self) -> int | None:
        """The longest answer; None leaves it to Settings, which by default set no limit."""
        chosen = self._steppers["max_tokens"].chosen
        return None if chosen is None else int(chosen)

    def _row(self, knob: Knob, *, is_heading: bool = False) -> QHBoxLayout:
        words = QVBoxLayout()
        words.setSpacing(0)
        stepper = self._steppers[knob.name]
        words.addWidget(_label(self._theme, knob.label, HEADING, stepper.number) if is_heading else self._name(knob))
        words.addWidget(_label(self._theme, knob.meaning, MUTED))
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(stepper)
        return row

    def _grid(self, some: list[Knob]) -> QWidget:
        """Two beside each other, so that the dialog stays lower than a small screen."""
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, self._theme.px(4), 0, 0)
        grid.setHorizontalSpacing(self._theme.px(12))
        grid.setVerticalSpacing(self._theme.px(6))
        for number, knob in enumerate(some):
            row, column = divmod(number, 2)
            grid.addWidget(self._name(knob), row, 3 * column)
            grid.addWidget(self._steppers[knob.name], row, 3 * column + 1)
        grid.setColumnMinimumWidth(2, self._theme.px(8))
        grid.setColumnStretch(2, 1)
        return box

    def _name(self, knob: Knob) -> QLabel:
        name = _label(self._theme, knob.label, (14, 400), self._steppers[knob.name].number)
        name.setToolTip(knob.meaning)
        return name

    def _on_more(self, is_open: bool) -> None:
        self._rest.setVisible(is_open)
        self._more.setText(tr("Less") if is_open else tr("More"))
        self._more.setAccessibleName(tr("Less sampling settings") if is_open else tr("More sampling settings"))
        self._theme.dress(self._more, glyph=("caret-up" if is_open else "caret-down", "muted", 14))


def _label(theme: Theme, text: str, font: tuple[float, int], buddy: QWidget | None = None) -> QLabel:
    """Muted, where it belongs to no field."""
    label = plain_label(text, kind="" if buddy is not None else "muted")
    theme.dress(label, font=font)
    if buddy is not None:
        label.setBuddy(buddy)
    return label
