"""Settings that new chats begin with, of long chats, of writing, and of the voice that reads aloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QPlainTextEdit

from app import APP_NAME
from app.features.chat.chat_options import MOST_TOKENS
from app.features.reading_aloud.sentence_reading import SPEEDS
from app.features.reading_aloud.voice_messages import NoVoice, VoiceEvent, VoiceLost, VoiceName, VoiceReady
from app.language.language_names import LANGUAGES, base_code, english_name
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.sampling_fields import TEMPERATURE_WORDS, KnobStepper, knobs
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.shared_labels import DEFAULT, DROP_OLDEST
from app.ui.shell import tasks
from app.ui.shell.keyboard import keys_of
from app.ui.shell.reading_bar import speed_words
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import SegmentedControl, Stepper
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NO_LIMIT = "No limit"
AS_SPOKEN = "As spoken"
ASK_ME = "Ask me"
PROMPT_DELAY_MS = 400
WHEN_FULL = {
    "compact": "Leaves out old turns until a quarter is free.",
    "rolling": "Leaves out as few old turns as possible.",
    "ask": "Leaves nothing out without asking you.",
}
BY_LANGUAGE = "The system’s"
LOOKING_FOR_VOICES = "Looking for voices…"
NO_VOICES_FOUND = "No voices found"


class VoiceChoice(ChoiceButton):
    """Voices in the window's language and in English, looked for when the menu is wanted: that takes up to a second."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        self._app = app
        self._task: tasks.BackgroundTask | None = None
        self._is_complete = False
        name = app.settings.voice.reading_voice
        super().__init__(
            theme,
            label_of("reading_voice"),
            [("", tr(BY_LANGUAGE)), *([(name, name)] if name else [])],
            shows_change=False,
            on_change=lambda voice: save("voice", reading_voice=voice),
        )
        self.show_value(name)

    def show_menu(self) -> None:
        """Open the menu, once the voices of this computer are known."""
        if self._is_complete:
            super().show_menu()
        elif self._task is None:
            self.button.setText(tr(LOOKING_FOR_VOICES))
            self._task = tasks.run(
                lambda cancel: self._app.begin_voice().run("", cancel),
                self,
                on_event=self._on_event,
                on_failed=lambda _error: self._offer(()),
            )

    def _on_event(self, event: VoiceEvent) -> None:
        if isinstance(event, VoiceReady):
            self._offer(event.voices)
        elif isinstance(event, NoVoice | VoiceLost):
            self._offer(())

    def _offer(self, voices: tuple[VoiceName, ...]) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._is_complete = bool(voices)
        languages = {base_code(QLocale().name()), "en"}
        found = sorted({(voice.name, base_code(voice.language)) for voice in voices})
        kept = [(self.value, self.value)] if self.value else []
        named = {name: _named(name, code) for name, code in found if code in languages}
        self.offer([("", tr(BY_LANGUAGE)), *(dict(kept) | named).items()])
        if voices and self.isVisible():
            super().show_menu()
        elif not voices:
            self.button.setText(tr(NO_VOICES_FOUND))


def _named(voice: str, language: str) -> str:
    """Return a voice with its language, unless its name says that already, as eSpeak's do."""
    spoken = english_name(language)
    return voice if voice.startswith(str(spoken)) else tr("{voice} ({language})", voice=voice, language=tr(spoken))


class ChatPage(SettingsPage):
    """Page of chats. What is typed is kept a moment later, or by `save_typed`."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, page_label("chat"))
        self._app, self._save = app, save
        self._prompt_later = new_timer(self, PROMPT_DELAY_MS, self._save_prompt)
        self._add_answers()
        self._add_thinking()
        self._add_when_full()
        self._add_spelling()
        self._add_dictation()
        self._add_reading()
        self.finish()

    def save_typed(self) -> None:
        """Keep typed instructions now, as the page is about to go."""
        if self._prompt_later.isActive():
            self._prompt_later.stop()
            self._save_prompt()

    def _add_answers(self) -> None:
        theme, chat = self._theme, self._app.settings.chat
        self._prompt = QPlainTextEdit(chat.system_prompt, placeholderText=tr("Instructions for every answer"))
        self._prompt.setAccessibleName(label_of("system_prompt"))
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(theme.px(96))
        self._prompt.textChanged.connect(self._prompt_later.start)
        self.add_block("system_prompt", tr("For new chats. Each chat can have its own, too."), self._prompt)
        self.add_heading(tr("Answers"))
        # The model's own temperature is stored as -1, and some settings files hold more than the slider goes to.
        knob = replace(knobs()[0], most=5, unset=DEFAULT)
        temperature = KnobStepper(
            theme, knob, chat.temperature if chat.temperature >= 0 else None, is_in_settings=False
        )
        temperature.changed.connect(
            lambda _: self._save("chat", temperature=-1.0 if temperature.chosen is None else temperature.chosen)
        )
        self.add_setting("temperature", tr(TEMPERATURE_WORDS), temperature)
        longest = Stepper(
            theme, label_of("max_tokens"), max(0, chat.max_tokens),
            lowest=0, highest=MOST_TOKENS, step=256, word_for_lowest=tr(NO_LIMIT),
            # 0 is shown as "No limit", which is stored as -1.
            on_change=lambda value: self._save("chat", max_tokens=int(value) or -1),
        )  # fmt: skip
        explanation = tr("A token is about three quarters of a word.")
        self.add_setting("max_tokens", explanation, longest, tr("No limit means as much as the context allows."))

    def _save_prompt(self) -> None:
        self._save("chat", system_prompt=self._prompt.toPlainText())

    def _add_thinking(self) -> None:
        chat = self._app.settings.chat
        choices = [("auto", tr(DEFAULT)), ("on", tr("On")), ("off", tr("Off"))]
        name = label_of("thinking")
        field = SegmentedControl(
            self._theme, name, choices, chat.thinking, lambda key: self._save("chat", thinking=key)
        )
        self.add_setting("thinking", tr("For models that can think before they answer."), field)
        budget = Stepper(
            self._theme, label_of("thinking_budget"), max(0, chat.thinking_budget),
            lowest=0, highest=MOST_TOKENS, step=256, word_for_lowest=tr(NO_LIMIT),
            on_change=lambda value: self._save("chat", thinking_budget=int(value) or -1),
        )  # fmt: skip
        self.add_setting("thinking_budget", tr("In tokens. Then the model is asked to answer."), budget)

    def _add_when_full(self) -> None:
        self.add_heading(tr("Long chats"))
        choices = [("compact", tr(DROP_OLDEST)), ("rolling", tr("Slide")), ("ask", tr(ASK_ME))]
        name = label_of("when_full")
        self._when_full_note = self.muted("")
        field = SegmentedControl(self._theme, name, choices, self._app.settings.chat.when_full, self._on_when_full)
        self.add_setting("when_full", self._when_full_note, field)
        self._when_full_note.setText(tr(WHEN_FULL[self._app.settings.chat.when_full]))
        explanation = tr("Shows the model old messages when you ask about them.")
        more = tr("If you ask about messages that no longer fit, Fireside shows them to the model again.")
        self._add_kept("recall", explanation, more)
        self.add_heading(tr("Writing"))
        self._add_kept(
            "titles", tr("While the model is idle. Your own titles are kept."), tr("Small models are skipped.")
        )

    def _add_kept(self, key: str, explanation: str, more: str) -> None:
        is_on = getattr(self._app.settings.chat, key)
        self.add_switch(key, explanation, lambda wanted: self._save("chat", **{key: wanted}), is_on=is_on, more=more)

    def _add_spelling(self) -> None:
        codes = self._app.spelling.languages
        names = join_list(tr(english_name(code)) for code in codes)
        explanation = tr("In chats and in pages of prose.")
        more = tr("Dictionaries on this computer: {names}.", names=names)
        if not codes:
            explanation = tr("No dictionary found on this computer.")
            more = tr(
                "Install Hunspell and a dictionary for your language, such as hunspell-en-us, then restart {program}.",
                program=APP_NAME,
            )
        field = self.add_switch(
            "check_spelling",
            explanation,
            lambda wanted: self._save("composer", check_spelling=wanted),
            is_on=self._app.settings.composer.check_spelling and bool(codes),
            more=more,
        )
        field.setEnabled(bool(codes))

    def _add_dictation(self) -> None:
        names = sorted(((language.code, language.own) for language in LANGUAGES), key=lambda row: row[1].casefold())
        field = ChoiceButton(
            self._theme,
            label_of("dictation_language"),
            [("", tr(AS_SPOKEN)), *names],
            shows_change=False,
            on_change=lambda code: self._save("voice", dictation_language=code),
        )
        field.show_value(self._app.settings.voice.dictation_language)
        self.add_setting("dictation_language", tr("Press {key} in any text field.", key=keys_of("dictate")), field)

    def _add_reading(self) -> None:
        voice = self._app.settings.voice
        speed = ChoiceButton(
            self._theme,
            label_of("reading_speed"),
            [(str(speed), speed_words(speed)) for speed in SPEEDS],
            shows_change=False,
            on_change=lambda speed: self._save("voice", reading_speed=float(speed)),
        )
        speed.show_value(str(min(SPEEDS, key=lambda known: abs(known - voice.reading_speed))))
        explanation = tr("Press {key} to read a text or an answer aloud.", key=keys_of("read_aloud"))
        self.add_setting("reading_speed", explanation, speed)
        field = VoiceChoice(self._app, self._theme, self._save)
        self.add_setting("reading_voice", tr("For texts in its language; others get the system’s."), field)

    def _on_when_full(self, choice: str) -> None:
        self._save("chat", when_full=choice)
        self._when_full_note.setText(tr(WHEN_FULL[choice]))
