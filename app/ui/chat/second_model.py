"""Comparing two models: asked together from the composer, or a second one from an existing answer.

The answers are versions of each other, shown as one turn until the user chooses. A message sent before that follows the
first. With enough memory for both models, the second runs at the same time in its own engine, else after the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.events import PromptProgress
from app.core.lazy_dataclasses import dataclass, field
from app.core.visible import visible_name
from app.features.chat.answer_service import AnswerStarted, answer_beside
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session_messages import ReloadBranch
from app.features.chat_services import Chats
from app.features.error_messages import model_words
from app.store.conversations import StoredMessage
from app.ui.chat.answering import LiveAnswer, Work
from app.ui.chat.chat_options import OwnModel
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.chat.open_chat import OpenChat
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import MODEL
from app.ui.shell.model_about import OtherModels
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import OptionChip
from app.ui.widgets.labels import announce, plain_caption
from app.ui.widgets.menus import Menu, new_menu

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.session_state import RunningAnswer
    from app.ui.chat.answer_view import AnswerView
    from app.ui.chat.pair import PairView
    from app.ui.chat.turn import TurnView

CHOOSE_AN_ANSWER = "Choose an answer. Your next message continues {name}’s."
VERSION_PLACE = "Version {place}"
VERSION_LINE = "Version {place}: {words}"
SECOND_MODEL = "Also asking: {name}"
ASK_TWO_MODELS = "Compare two models"
ONE_MODEL_ONLY = "Only this chat’s model"

MENU_LETTERS = 60


@dataclass
class AnswerPair:
    """Two answers being written, or complete and not chosen from. An id is 0 until its answer has begun."""

    talk: AnswerService
    conversation_id: int
    question_id: int
    names: list[str]
    models: list[Path | None]
    """Models of the two answers; None is the chat's."""
    ids: list[int] = field(default_factory=lambda: [0, 0])
    leads: int = 0
    """Index of the answer that the chat continues with until the user chooses."""
    is_second_begun: bool = False
    is_over: bool = False
    has_failed: bool = False
    is_of_versions: bool = False
    """True for two existing versions, compared only until something else is shown."""


class AnswerPairs(QObject):
    """Pairs of this run of the program, by chat. `live` runs the second answer."""

    changed = Signal()
    """A pair appeared, disappeared, or became ready to choose from."""

    def __init__(
        self,
        chat: OpenChat,
        chats: Chats,
        own: OwnModel,
        models: OtherModels,
        *,
        theme: Theme,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(chat)
        self._chat, self._chats, self._own, self._models = chat, chats, own, models
        self._theme, self._notify, self._window = theme, notify, window
        self.live = LiveAnswer(
            chat.session, notify, is_loading=lambda: not self.live.is_reading, parent=window, is_read_out=False
        )
        self.second: SecondModel | None = None
        """The composer's choice of a second model for the next question."""
        self._pairs: dict[tuple[AnswerService, int], AnswerPair] = {}
        self._running: dict[int, tuple[AnswerPair, int]] = {}
        """Pairs with the index of their answer, by the key of each that is being written."""
        self._view: PairView | None = None
        chat.lives.append(self.live)
        chat.pairs = self
        chat.transcript.dropped.connect(lambda _: self._on_dropped())
        chat.live.grew.connect(self._on_first_begun)
        for live in chat.lives:
            live.happened.connect(self._on_happened)
            live.ended.connect(self._on_ended)

    @property
    def is_open(self) -> bool:
        """True if two compared answers are shown."""
        return self._view is not None

    def note(self) -> str:
        """Return a note for the composer while the user has not chosen."""
        if (pair := self._pair) is None or not pair.is_over:
            return ""
        return tr(CHOOSE_AN_ANSWER, name=pair.names[pair.leads])

    def ask(self, question_id: int) -> bool:
        """Answer the last question with both models, if the composer has a second one. Return whether it has."""
        first, second = self._own.path or self._models.path or self._chats.model_path(), None
        if self.second is not None:
            second = self.second.take_model()
        if second is None or second == first:
            # The same model would answer the same question twice.
            return False
        pair = self._begin(question_id, [None, second], [self._name_of(first), self._name_of(second)])
        self._run(pair, 0)
        return True

    def compare(self, answer: StoredMessage, second: Path) -> None:
        """Let another model answer the question of an existing answer, hiding the turns that followed it."""
        if answer.parent_id is None:
            return
        path = self._chat.branch
        # It may be on another branch by now.
        ids = [message.id for message in path]
        if answer.id in ids:
            # The answer becomes a side of the pair, so its turn goes.
            self._chat.transcript.update_to(path[: ids.index(answer.id)])
            names = [model_words(answer.model) or tr("Before"), self._name_of(second)]
            # Otherwise the turns that followed would stay below the answer.
            pair = self._begin(answer.parent_id, [None, second], names, leads=int(answer.id != ids[-1]))
            pair.ids[0] = answer.id
            if (side := self._side(pair, 0)) is not None:
                side.set_message(answer)
            self._begin_second(pair)

    def offer_versions(self, turn: TurnView) -> None:
        """Compare an answer with another of its versions; a menu asks which if there are several."""
        answer, row = turn.message, turn.toolbar.row
        if answer is None or row is None:
            return
        # Numbered as in the row of versions.
        places = {number: place for place, number in enumerate(answer.versions, 1) if number != answer.id}
        if len(places) == 1:
            self._show_version(answer, *places)
            return
        menu = new_menu(turn, "other_versions", tr("Choose a version to compare"))
        for number, place in places.items():
            if (version := self._chat.talk.conversations.get_message(number)) is not None:
                about = " ".join(part for part in (model_words(version.model), version.text) if part).split()
                words = tr(VERSION_LINE, place=place, words=visible_name(" ".join(about))[:MENU_LETTERS])
                menu.addAction(plain_caption(words), partial(self._show_version, answer, number))
        menu.popup_at(row.more)

    def _show_version(self, answer: StoredMessage, other_id: int) -> None:
        """Compare two stored versions. The one that was shown leads, and what follows it returns with it."""
        path, other = self._chat.branch, self._chat.talk.conversations.get_message(other_id)
        ids = [message.id for message in path]
        if other is None or answer.id not in ids or self._chat.is_busy:
            return
        # In the order of their numbers, whichever was asked from.
        sides = sorted((answer, other), key=lambda message: answer.versions.index(message.id))
        names = [model_words(side.model) or tr("Answer") for side in sides]
        # Two answers of one model need other names.
        if names[0] == names[1]:
            names = [tr(VERSION_PLACE, place=answer.versions.index(side.id) + 1) for side in sides]
        self._chat.transcript.update_to(path[: ids.index(answer.id)])
        pair = self._begin(answer.parent_id or 0, [None, None], names, leads=sides.index(answer))
        pair.ids, pair.is_over, pair.is_of_versions = [side.id for side in sides], True, True
        self._fill(pair)
        if self._view is not None:
            self._view.show_choice(is_over=True)
        self.changed.emit()
        announce(self._window, tr("Two versions. Choose the one to continue with."))

    def _name_of(self, path: Path | None) -> str:
        return self._own.name_of(path) if path is not None else tr(MODEL)

    def _begin(self, question_id: int, models: list[Path | None], names: list[str], *, leads: int = 0) -> AnswerPair:
        number = self._chat.conversation_id
        assert number is not None
        pair = AnswerPair(self._chat.talk, number, question_id, names, models, leads=leads)
        self._pairs[pair.talk, number] = pair
        self._show(pair)
        return pair

    def _begin_second(self, pair: AnswerPair) -> None:
        """Start the second answer: in parallel if memory allows, else after the first."""
        if pair.is_second_begun:
            return
        model, pool, is_first_over = pair.models[1], self._chats.pool(), self._chat.live.answer is None
        assert model is not None
        if pool.has_room(model):
            self._run(pair, 1, partial(answer_beside, pair.talk, pool, pair.question_id, model))
        elif is_first_over:
            # An engine of its own has no room: it waits for the chat's.
            self._run(pair, 1)
        elif (side := self._side(pair, 1)) is not None:
            side.show_state(tr("Waiting: both models don’t fit in memory at once"))

    def _run(self, pair: AnswerPair, place: int, work: Work | None = None) -> None:
        """Run one side's answer, by default in the chat's engine. The first uses the chat's stream, the second
        its own.
        """
        if work is None:
            work = partial(pair.talk.answer, pair.question_id, model=pair.models[place])
        pair.is_second_begun = pair.is_second_begun or place == 1
        live = self._chat.live if place == 0 else self.live
        key = self._chat.run(work, ChatPlace(pair.talk, pair.conversation_id), self._side(pair, place), live)
        # Looked up when it ends, which may be while another chat is shown.
        self._running[key] = pair, place

    def _on_happened(self, key: int, event: object) -> None:
        pair, place = self._running.get(key, (None, 0))
        if pair is not None and isinstance(event, AnswerStarted):
            pair.ids[place] = event.message_id
        elif isinstance(event, PromptProgress) and place == 0:
            self._on_first_begun()

    def _on_first_begun(self) -> None:
        """Start the second answer: the first one's model is in memory, so the room that is left is known."""
        answer = self._chat.live.answer
        pair, _ = self._running.get(answer.key, (None, 0)) if answer is not None else (None, 0)
        if pair is not None and answer is not None and not answer.is_stopped:
            self._begin_second(pair)

    def _on_ended(self, answer: RunningAnswer, error: BaseException | None) -> None:
        """Start the second answer when its turn has come; after both, settle the pair."""
        pair, _ = self._running.pop(answer.key, (None, 0))
        if pair is None:
            return
        pair.has_failed = pair.has_failed or error is not None
        # Whoever stopped the first wants no second.
        if not pair.is_second_begun and not answer.is_stopped:
            self._begin_second(pair)
        # One of the two is still writing.
        if self._chat.is_busy:
            return
        with self._notify.guard():
            # Until one is chosen, the chat continues with the leading one, also after a restart.
            if (leading := pair.ids[pair.leads]) and pair.talk.conversations.get_message(leading) is not None:
                pair.talk.conversations.choose_version(leading)
            if pair is self._pair:
                self._settle(pair)
        self.changed.emit()

    def _settle(self, pair: AnswerPair) -> None:
        """Offer the choice once both are over. If one never began, show the other as a normal answer."""
        view = self._view
        missing = [side for side in view.sides if side.answer.message is None] if view is not None else []
        # A side whose model failed stays: it says why.
        if view is None or len(missing) == len(view.sides) or (missing and not pair.has_failed):
            self._end_pair(pair)
            return
        pair.is_over = True
        view.show_choice(is_over=True)
        self._chat.session.dispatch(ReloadBranch())
        announce(self._window, tr("Both have answered. Choose the one to continue with."))

    def _end_pair(self, pair: AnswerPair) -> None:
        """Replace the pair by the stored answer. Raises storage errors."""
        self._forget(pair)
        path = self._chat.branch
        before = next((place for place, message in enumerate(path) if message.id in pair.ids), len(path))
        self._chat.transcript.update_to(path[:before])
        self._chat.session.dispatch(ReloadBranch())

    @property
    def _pair(self) -> AnswerPair | None:
        return self._pairs.get((self._chat.talk, self._chat.conversation_id or 0))

    def _side(self, pair: AnswerPair, place: int) -> AnswerView | None:
        return self._view.sides[place].answer if self._view is not None and pair is self._pair else None

    def _show(self, pair: AnswerPair) -> None:
        # Imported when there is an answer to draw.
        from app.ui.chat.pair import PairView

        transcript = self._chat.transcript
        self._view = transcript.add_turn(
            lambda parent: PairView(self._theme, pair.names, transcript.maker, parent, leads=pair.leads)
        )
        self._view.chosen.connect(lambda place: self._choose(pair, place))
        self._chat.shown.emit()
        transcript.jump_to_latest()
        self.changed.emit()

    def messages_before(self, messages: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
        """Return the messages to show before the pair; forgets a pair after which the chat was continued."""
        if (pair := self._pair) is None:
            return messages
        ids = [message.id for message in messages]
        end = ids.index(pair.question_id) + 1 if pair.question_id in ids else 0
        # The chat was continued after the pair, or another branch is shown.
        if pair.is_of_versions or not end or (pair.is_over and len(ids) > end + 1):
            self._forget(pair)
            return messages
        return messages[:end]

    def attach(self, where: ChatPlace) -> None:
        """Show the pair of the chat that was opened, if it has one."""
        self._view, pair, chat = None, self._pair, self._chat
        if pair is not None:
            self._show(pair)
            self._fill(pair)
        for place, live in enumerate(chat.lives):
            side = self._side(pair, place) if pair is not None else None
            # Bound now, since the loop makes another one.
            live.attach(where, (lambda side=side: side) if side is not None else chat.transcript.add_answer)  # type: ignore[misc]
        if pair is not None and self._view is not None:
            self._view.show_choice(is_over=pair.is_over)
            # Both have ended while another chat was shown.
            if not pair.is_over and not self._chat.session.state.answers_in(where):
                with self._notify.guard():
                    self._settle(pair)
                self.changed.emit()

    def _fill(self, pair: AnswerPair) -> None:
        """Show the stored answers of both sides, except one that is being written."""
        running = {answer.message_id for answer in self._chat.session.state.answers}
        for place, number in enumerate(pair.ids):
            side, stored = (
                self._side(pair, place),
                self._chat.talk.conversations.get_message(number) if number else None,
            )
            # The view of a running answer is ahead of the store.
            if side is not None and stored is not None and number not in running:
                side.set_message(stored)

    def _on_dropped(self) -> None:
        """Forget the pair after its turn was removed by another version or a new message."""
        view, pair = self._view, self._pair
        if view is not None and pair is not None and view not in self._chat.transcript.places.made:
            self._forget(pair)
            self.changed.emit()

    def _forget(self, pair: AnswerPair) -> None:
        self._view = None
        self._pairs.pop((pair.talk, pair.conversation_id), None)

    def _choose(self, pair: AnswerPair, place: int) -> None:
        """Continue the chat with one answer and its model; the other stays as a version."""
        if self._chat.is_busy:
            return
        with self._notify.guard():
            pair.talk.conversations.choose_version(pair.ids[place])
            model = pair.models[place]
            self._end_pair(pair)
            if model is not None:
                self._own.go_on_with(model)
        self._chat.touched.emit(pair.conversation_id)
        self.changed.emit()


class SecondModel(QObject):
    """Choice in the composer of another model for the next question."""

    def __init__(self, composer: Composer, models: OtherModels, own: OwnModel, theme: Theme) -> None:
        super().__init__(composer)
        self._models, self._own = models, own
        self.path: Path | None = None
        self.chip = OptionChip(
            theme,
            "second_model",
            "columns",
            about=lambda name: tr(SECOND_MODEL, name=name),
            words=lambda name: tr("and {name}", name=name),
            off=tr(ONE_MODEL_ONLY),
        )
        self._theme = theme
        read_as(self.chip.button, has_menu=True)
        self.chip.pressed.connect(lambda: self.menu().popup_at(self.chip))
        self.chip.removed.connect(lambda: self.choose(None))
        composer.add_chip(self.chip)
        composer.plus.add_entry(ComposerEntry.SECOND_MODEL, self._add_to_menu)

    def take_model(self) -> Path | None:
        """Return the second model for the question being sent, and reset the choice."""
        path = self.path
        self.choose(None)
        return path

    def choose(self, path: Path | None) -> None:
        self.path = path
        self.chip.show_name(self._own.name_of(path) if path is not None else "")

    def menu(self) -> Menu:
        """Return a menu of all models except the chat's."""
        menu = self._models.menu(tr("Also ask a second model"), self.choose, self.chip)
        here = self._own.path or self._models.path
        for action in menu.actions():
            if here is not None and action.toolTip() == str(here):
                menu.removeAction(action)
        if self.path is not None:
            first = menu.actions()[0]
            menu.insertAction(first, menu.addAction(tr(ONE_MODEL_ONLY), lambda: self.choose(None)))
            menu.insertSeparator(first)
        return menu

    def _add_to_menu(self, menu: Menu) -> None:
        submenu = self.menu()
        submenu.setTitle(tr(ASK_TWO_MODELS))
        submenu.setIcon(icon("columns", self._theme.tokens.muted))
        menu.addMenu(submenu)
