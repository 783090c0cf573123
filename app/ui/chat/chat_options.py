"""Options of a single chat: system prompt, model, answer length, sampling, thinking. A new chat's are stored with its
first message.

The fields are shared by the chat's dialog and the assistant dialog. Opening a chat loads no model; its next answer
does. If that model is gone, the user is asked first; if another one is loaded, the composer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMargins, QObject, Qt, Signal
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app.core.errors.request_errors import ChatUnavailable
from app.core.visible import clean_text
from app.features.assistants import AssistantChoice, chosen_in, chosen_of, in_conversation, plan_conversation
from app.features.chat.chat_options import MOST_TOKENS, SWITCHES, known_sampling, will_think
from app.features.chat_services import Chats
from app.store.conversation_row import Conversation
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.thinking_choice import efforts
from app.ui.i18n import Translatable, tr, window_title
from app.ui.icons import icon
from app.ui.sampling_fields import Knob, KnobStepper, SamplingFields, add_knob
from app.ui.shared_labels import (
    CHAT_SETTINGS,
    DEFAULT,
    DEFAULT_NAMED,
    FIND_MORE_MODELS,
    MEMORIES_LABEL,
    MODEL,
    SAVE,
    SYSTEM_PROMPT,
    THINKING,
)
from app.ui.shell import tasks
from app.ui.shell.model_about import OtherModels
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify
from app.ui.shell.tool_scoring import TEST_CALLS, ToolScoring
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.dialogs import Dialog, QuestionDialog, ScrollBox, cancel_or
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.menus import Menu
from app.ui.widgets.setting_rows import SettingCard, description_label, group_title

if TYPE_CHECKING:
    from app.features.tools.tool_offer import ToolFacts
    from app.store.assistant_store import Assistant

CHAT_SETTINGS_ENTRY = "Chat settings…"
ANSWERS_HERE = "{name} answers here. It’s loaded when you send a message."
CHAT_MODEL_GONE = "This chat’s model, {name}, is missing"
CONTINUE_WITH_MODEL = "Continue with {name}"
LONGEST_ANSWER = "Answer limit"
THINK_AT_MOST = "Thinking limit"


class ChatOptions(QObject):
    """Holds and stores the options of the visible chat, and updates the composer's thinking switch."""

    changed = Signal()
    """The user changed an option of the visible chat."""
    model_changed = Signal()
    """The visible chat's own model changed, or another chat is shown."""
    assistant_changed = Signal()
    """The visible chat's assistant changed, or another chat is shown."""

    def __init__(
        self,
        composer: Composer,
        chat: OpenChat,
        chats: Chats,
        models: OtherModels,
        theme: Theme,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._composer, self._chat, self._chats, self._models = composer, chat, chats, models
        self._theme, self._notify, self._window = theme, notify, window
        self._conversation: Conversation | None = None
        self._chosen = self._usual()
        self._assistant_id: int | None = None
        self._facts_of: object = None
        """The model whose cost of tools is shown, and the servers that it was counted with."""
        self._counts = 0
        self._memory = ""
        """Use of memories in this chat, as in `Conversation.memory`."""
        self.sought_model = ""
        """File name of the model that an imported chat was made with; "" once a model was chosen."""
        composer.plus.add_entry(
            ComposerEntry.SETTINGS,
            lambda menu: composer.plus.add_action(
                menu, "sliders-horizontal", tr(CHAT_SETTINGS_ENTRY), self.show_dialog, command="chat_settings"
            ),
        )
        composer.thinking.chosen.connect(self._on_thinking)
        composer.tools.chosen.connect(self._on_tools)
        composer.tools.wanted.connect(self._find_tool_facts)
        # The settings may have changed meanwhile.
        composer.entered.connect(self.refresh)
        chat.live.ended.connect(self._on_answer_ended)

    @property
    def system_prompt(self) -> str:
        """System prompt of the visible chat, stored or still pending."""
        return self._chosen.system_prompt

    @property
    def model(self) -> Path | None:
        """The chat's own model, whose file may be gone; None for the common model."""
        return Path(self._chosen.model) if self._chosen.model else None

    def set_model(self, path: Path | None) -> None:
        """Set the chat's own model; None for the common model."""
        self._choose(model=str(path) if path is not None else "")

    @property
    def chosen(self) -> AssistantChoice:
        return self._chosen

    @property
    def assistant(self) -> Assistant | None:
        """Assistant that the options came from; None if it was deleted. It may have changed since."""
        found = None
        if self._assistant_id is not None:
            with self._notify.guard():
                found = self._chats.assistants().get(self._assistant_id)
        return found

    def take_assistant(self, assistant: Assistant | None) -> None:
        """Copy an assistant's options into this chat; None restores the defaults from the settings."""
        self._assistant_id = assistant.id if assistant is not None else None
        with self._notify.guard():
            if assistant is not None:
                self._chats.assistants().note_use(assistant.id)
            self._take_choice(chosen_of(assistant) if assistant is not None else self._usual())
        self.assistant_changed.emit()

    def show(self, conversation: Conversation | None) -> None:
        """Load the options of a chat; None is a new one, which starts with the defaults from the settings."""
        self._conversation = conversation
        self._chosen = chosen_in(conversation) if conversation is not None else self._usual()
        self._assistant_id = conversation.assistant_id if conversation is not None else None
        self._memory = conversation.memory if conversation is not None else ""
        # Chats from elsewhere name a model by its file; only a path is a model of this computer.
        name = conversation.model if conversation is not None and not self._chosen.model else ""
        self.sought_model = name if name.lower().endswith(".gguf") else ""
        self.refresh()
        self.model_changed.emit()
        self.assistant_changed.emit()

    def _usual(self) -> AssistantChoice:
        return AssistantChoice(self._chats.settings().chat.system_prompt)

    @property
    def planned(self) -> Conversation | None:
        """A new chat as its first message will store it; None for a stored chat."""
        if self._conversation is not None:
            return None
        return plan_conversation(self._chosen, memory=self._memory, project_id=self._chat.session.state.project_id)

    def create(self) -> Conversation:
        """Store the new chat with its options, before its first message. Raises storage errors."""
        conversation = self._chat.talk.conversations.create(
            system_prompt=self._chosen.system_prompt, project_id=self._chat.session.state.project_id
        )
        self._conversation = conversation
        self._save()
        # Stored with the chat itself, so that its first answer is written with these.
        return conversation

    def refresh(self) -> None:
        """Update the switches for thinking and tools after the model or a setting changed."""
        loaded = self._chats.loaded()
        if self._facts_key != self._facts_of:
            self._composer.tools.show_facts(None)
        self._composer.tools.show_choice(is_on=self._chosen.tools)
        kind = loaded.thinking if loaded is not None else "none"
        thinking = self._chosen.thinking
        if kind in SWITCHES:
            # A new chat has no row yet that could be asked.
            stand_in = None if self._conversation is None else replace(self._conversation, thinking=thinking)
            is_on = thinking != "off" if thinking else will_think(stand_in, self._chats.settings(), loaded)
            self._composer.thinking.show_choice("switch", "on" if is_on else "off")
        elif kind == "effort":
            self._composer.thinking.show_choice(
                "effort", thinking if thinking in ("low", "medium", "high") else "medium"
            )
        else:
            self._composer.thinking.show_choice("none", "")

    @property
    def _facts_key(self) -> object:
        return self._chats.loaded(), self._chats.settings().tools.servers

    def _find_tool_facts(self, *, connects: bool = False) -> None:
        """Look up what tools cost with a model that was not looked at yet; not before a person wants to know."""
        if self._facts_key == self._facts_of and not connects:
            return
        key, talk, number = self._facts_key, self._chat.talk, self._counts + 1
        self._facts_of, self._counts = key, number

        def show_facts(facts: ToolFacts | None) -> None:
            if number == self._counts and key == self._facts_key:
                self._composer.tools.show_facts(facts)

        # Without them the switch says less; what is wrong with the model is told elsewhere.
        tasks.ask(
            lambda token: self._chats.tool_facts(talk, token, connects=connects), self, show_facts, lambda _error: None
        )

    def _on_tools(self, is_on: bool) -> None:
        self._choose(tools=is_on)
        # Now somebody wants them, so that their servers may be started.
        if is_on and self._chats.settings().tools.servers:
            self._find_tool_facts(connects=True)

    def _on_answer_ended(self) -> None:
        facts = self._composer.tools.facts
        # The answer may have connected to servers whose tools were not known.
        if self._chosen.tools and facts is not None and facts.unknown:
            self._facts_of = None
            self._find_tool_facts()

    def offer_test(self, scoring: ToolScoring) -> None:
        """Let the composer's menu test the calls of a model that has no score yet."""

        def add_entry(menu: Menu) -> None:
            loaded = self._chats.loaded()
            path = Path(loaded.path) if loaded is not None else None
            if path is not None and scoring.can_test(path) and scoring.find_score(path) is None:
                words = scoring.words if scoring.model == path else tr(TEST_CALLS)
                menu.addAction(icon("exam", self._theme.tokens.muted), words, lambda: scoring.toggle(path))

        def show_score() -> None:
            if scoring.model is None:
                self._facts_of = None
                self.refresh()

        self._composer.tools.add_test = add_entry
        scoring.changed.connect(show_score)

    def show_dialog(self) -> None:
        dialog = ChatSettings(
            self._theme,
            self._chosen,
            self._window,
            models=model_choices(self._models.known(), self._chats.model_path()),
            in_settings=self.in_settings(),
        )
        is_temporary, is_on = self._chat.talk.is_temporary, self._chats.settings().chat.memory
        told = self._memory == "on" if is_temporary else self._memory != "off"
        dialog.offer_memories(told, is_on=is_on)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._take_all(dialog, is_temporary=is_temporary))
        dialog.open()

    def _take_all(self, dialog: ChatSettings, *, is_temporary: bool) -> None:
        # Only what differs from the usual is stored, so that a change in the settings reaches the chat.
        unusual = "on" if is_temporary else "off"
        self._memory = unusual if dialog.is_told == is_temporary else ""
        self._take_choice(dialog.chosen)

    def in_settings(self) -> list[str]:
        """Return the names of the numbers that the settings fix for all chats."""
        settings = self._chats.settings().chat
        return [name for name in ("temperature", "max_tokens", "thinking_budget") if getattr(settings, name) != -1]

    def _on_thinking(self, value: str) -> None:
        self._choose(thinking=value)
        self.refresh()

    def _choose(self, **values: Any) -> None:
        self._take_choice(replace(self._chosen, **values))

    def _take_choice(self, chosen: AssistantChoice) -> None:
        is_other_model, self._chosen = chosen.model != self._chosen.model, chosen
        self.sought_model = ""
        if self._conversation is not None:
            with self._notify.guard():
                self._save()
        self.refresh()
        self.changed.emit()
        if is_other_model:
            self.model_changed.emit()

    def _save(self) -> None:
        assert self._conversation is not None
        values = in_conversation(self._chosen) | {"memory": self._memory}
        # A temporary chat's store knows no assistants.
        if not self._chat.talk.is_temporary:
            values["assistant_id"] = self._assistant_id
        self._chat.talk.conversations.update(self._conversation.id, **values)


# The fields and the dialog of one chat. Unset fields follow the settings or the model.


Choices = Sequence[tuple[str, str]]


def model_choices(known: Sequence[tuple[Path, Translatable]], usual: Path | None) -> list[tuple[str, str]]:
    """Return the choices of a model field: the common model first, then all known models."""
    names = {str(path): tr(name) for path, name in known}
    name = names.get(str(usual)) or (model_name(usual) if usual is not None else "")
    return [("", tr(DEFAULT_NAMED, name=name) if name else tr(DEFAULT)), *names.items()]


def longest_answer() -> Knob:
    meaning = tr("A token is about three quarters of a word.")
    return Knob("max_tokens", tr(LONGEST_ANSWER), meaning, 16, MOST_TOKENS, 256, 0, 1024, "No limit")


def thinking_budget() -> Knob:
    meaning = tr("In tokens. Then the model is asked to answer.")
    return Knob("thinking_budget", tr(THINK_AT_MOST), meaning, 16, MOST_TOKENS, 256, 0, 1024, "No limit")


class ChatFields(QWidget):
    """Form for an `AssistantChoice`. `in_settings` names the numbers that the settings fix for all chats."""

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        chosen: AssistantChoice,
        *,
        models: Choices,
        in_settings: Collection[str] = (),
        is_assistant: bool = False,
    ) -> None:
        super().__init__()
        px = theme.px
        prompt = tr("Instructions") if is_assistant else tr(SYSTEM_PROMPT)
        how = tr("How the model should answer in this chat, such as: Answer in one sentence.")
        self._prompt = QPlainTextEdit(chosen.system_prompt)
        self._prompt.setAccessibleName(prompt)
        self._prompt.setPlaceholderText(tr("Who it is and how it answers") if is_assistant else how)
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(px(100))
        self._model = ChoiceButton(theme, tr(MODEL), with_missing(models, chosen.model))
        self._model.show_value(chosen.model)
        self._thinking = ChoiceButton(theme, tr(THINKING), thinking_choices())
        self._thinking.show_value(chosen.thinking)
        longest, budget = longest_answer(), thinking_budget()
        self._longest = KnobStepper(theme, longest, chosen.max_tokens, is_in_settings="max_tokens" in in_settings)
        self._budget = KnobStepper(
            theme, budget, chosen.thinking_budget, is_in_settings="thinking_budget" in in_settings
        )
        self._sampling = SamplingFields(theme, chosen.sampling, in_settings=in_settings)
        for signal in (self._prompt.textChanged, self._sampling.changed):
            signal.connect(self.changed)
        for field in (self._model, self._thinking, self._longest, self._budget):
            field.changed.connect(lambda _: self.changed.emit())
        card = SettingCard(theme)
        card.add_row(tr(MODEL), "", self._model, buddy=self._model.button)
        add_knob(card, longest, self._longest)
        about = tr("For models that can think before they answer.")
        card.add_row(tr(THINKING), about, self._thinking, buddy=self._thinking.button)
        add_knob(card, budget, self._budget)
        column = theme.dress(drop_margins(QVBoxLayout(self)), spacing=8)
        fill_layout(column, group_title(theme, prompt), self._prompt)
        column.addSpacing(px(8))
        column.addWidget(card)
        column.addSpacing(px(8))
        column.addWidget(self._sampling)

    @property
    def chosen(self) -> AssistantChoice:
        longest, budget = self._longest.chosen, self._budget.chosen
        return AssistantChoice(
            clean_text(self._prompt.toPlainText()).strip(),
            known_sampling(self._sampling.chosen),
            None if longest is None else int(longest),
            self._thinking.value,
            None if budget is None else int(budget),
            self._model.value,
        )


def thinking_choices() -> list[tuple[str, str]]:
    """Return every value of `Conversation.thinking` with its label."""
    efforts_in_words = [(value, tr("On: {how}", how=word.lower())) for value, word in efforts().items()]
    return [("", tr(DEFAULT)), ("on", tr("On")), ("off", tr("Off")), *efforts_in_words]


def with_missing(models: Choices, path: str) -> list[tuple[str, str]]:
    """Return the choices, with the chosen model added if its file is missing."""
    if path in dict(models):
        return list(models)
    missing = [(path, tr("{name} (missing)", name=model_name(Path(path))))] if path else []
    return [*(models or [("", tr(DEFAULT))]), *missing]


class ChatSettings(Dialog):
    """Dialog of a chat's options; read `chosen` after it was accepted."""

    def __init__(
        self,
        theme: Theme,
        chosen: AssistantChoice,
        parent: QWidget | None = None,
        *,
        models: Choices = (),
        in_settings: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._is_told = self._is_on = True
        px = theme.px
        self.setWindowTitle(window_title(tr(CHAT_SETTINGS)))
        self.setAccessibleName(tr(CHAT_SETTINGS))
        self.fields = ChatFields(theme, chosen, models=models, in_settings=in_settings)
        self.fields.setMinimumWidth(px(472))
        around = QVBoxLayout(self)
        # The dialog grows with fields that are opened, and shrinks again.
        around.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        around.setContentsMargins(px(24), px(20), px(24), px(20))
        around.setSpacing(px(16))
        # Besides the margins: the rows of memories and buttons, and the gaps above them.
        box = ScrollBox(self.fields, around.contentsMargins() + QMargins(0, 0, 0, px(16 + 56 + 16 + 40)))
        fade_ends(box, theme)
        around.addWidget(box)
        self._memories = Switch(theme, tr(MEMORIES_LABEL), on=True)
        self._about_memories = description_label(theme, "")
        self._memories_row = SettingCard(theme)
        self._memories_row.add_row(tr(MEMORIES_LABEL), self._about_memories, self._memories)
        around.addWidget(self._memories_row)
        self._memories_row.hide()
        around.addLayout(cancel_or(self, tr(SAVE)))

    def offer_memories(self, is_told: bool, *, is_on: bool) -> None:
        """Show the choice to use memories in this chat; disabled unless `is_on`, their switch in the settings."""
        about = tr("Show your memories to the model when this chat starts.")
        self._about_memories.setText(about if is_on else tr("Off for all chats in Settings."))
        self._memories.setChecked(is_told and is_on)
        self._memories.setEnabled(is_on)
        self._is_told, self._is_on = is_told, is_on
        self._memories_row.show()

    @property
    def is_told(self) -> bool:
        """True if the chat uses memories, as ticked, or as before while memories are off for all chats."""
        # While memories are off for all, the switch shows that; the chat keeps its own choice.
        return self._memories.isChecked() if self._is_on else self._is_told

    @property
    def chosen(self) -> AssistantChoice:
        return self.fields.chosen


class OwnModel(QObject):
    """Which model answers in the visible chat: its own, its project's, or the common one.

    `name_of` returns a model's display name and is set by the window.
    """

    changed = Signal()
    """The model that should answer changed, or another one is loaded."""

    def __init__(
        self, options: ChatOptions, models: OtherModels, chats: Chats, theme: Theme, *, notify: Notify, window: QWidget
    ) -> None:
        super().__init__(window)
        self._options, self._models, self._chats = options, models, chats
        self._theme, self._notify, self._window = theme, notify, window
        self.name_of: Callable[[Path], str] = model_name
        self.of_project: Path | None = None
        """Model of the chat's project."""
        self.path_in: Path | None = None
        """The model that is loaded, loading, or asleep."""
        options.model_changed.connect(self._on_model_changed)

    @property
    def path(self) -> Path | None:
        """Model that should answer in this chat; None means whichever is loaded."""
        # In this order: what was chosen for the chat, then for its project, then for all.
        return self._options.model or self.of_project or self._chats.usual_model()

    @property
    def is_elsewhere(self) -> bool:
        """True if a different model is loaded, loading, or asleep."""
        return self.path not in (None, self.path_in)

    @property
    def is_own(self) -> bool:
        """True if the chat or its project overrides the common model."""
        return self._options.model is not None or self.of_project is not None

    def choose(self, path: Path | None) -> None:
        """Set the chat's own model; None, or the project's model, removes the override."""
        self._options.set_model(None if path == self.of_project else path)

    def take_project(self, path: Path | None) -> None:
        """Set the project's model after the chat or the project changed."""
        if path != self.of_project:
            self.of_project = path
            self.changed.emit()

    def update_model(self, path: Path | None) -> None:
        """Set the model that is loaded, loading, or asleep."""
        self.path_in = path
        self.changed.emit()

    def go_on_with(self, path: Path) -> None:
        """Make a model the chat's own from now on; no override is stored if it is the common one anyway."""
        usual = self.of_project or self._chats.model_path()
        self._options.set_model(None if path == usual else path)

    def note(self) -> str:
        """Return a short note for the composer if another model is loaded or the chat's is missing; "" otherwise."""
        if (own := self._options.model) is not None and not own.is_file():
            return tr(CHAT_MODEL_GONE, name=self.name_of(own))
        if self.path is None or not self.is_elsewhere or self.path_in is None:
            return ""
        return tr(ANSWERS_HERE, name=self.name_of(self.path))

    def may_answer(self, then: Callable[[], object], *, can_chat: bool = True) -> bool:
        """Return whether a model can answer. If not, tell or ask the user, and run `then` once that helped."""
        if (own := self._options.model) is not None and not own.is_file():
            self._ask(own, then)
            return False
        if not can_chat:
            self._notify.error(ChatUnavailable(str(self.path or self._chats.model_path())))
        return can_chat

    def _ask(self, own: Path, then: Callable[[], object]) -> None:
        def agree() -> None:
            self._options.set_model(None)
            then()

        usual = self._chats.model_path()
        words = tr("This chat’s model file was moved or deleted. Your message is kept.")
        title = tr("{name} is missing.", name=self.name_of(own))
        dialog = QuestionDialog(self._theme, title, words, self._window)
        dialog.setObjectName("model_gone")
        if usual is not None:
            dialog.add_choice(tr(CONTINUE_WITH_MODEL, name=self.name_of(usual)), agree, "primary")
        else:
            dialog.add_choice(tr(FIND_MORE_MODELS), self._models.more_wanted.emit, "primary")
        dialog.open()

    def _on_model_changed(self) -> None:
        own, sought = self._options.model, self._options.sought_model
        if own is not None and not own.is_file():
            sought = own.name
        if sought:
            moved = next((path for path, _ in self._models.known() if path.name == sought), None)
            if moved is not None:
                # This comes back here, with a model that is there.
                self._options.set_model(moved)
                return
        self.changed.emit()
