"""The session of a chat is played with its answers: asked, stopped, retried, edited, in branches and deleted chats.

What holds of drafts and queues is in `played_drafts`. Here, no message is lost or deleted by itself, one answer runs at
a time, for a question that is there, and the branch is what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from app.core.errors.model_errors import NoModel
from app.core.events import CANCELLED, AnswerStats, CancelToken, Finished, FinishReason, TextDelta
from app.features.chat import session_messages as m
from app.features.chat.answer_draft import AnswerDraft
from app.features.chat.answer_service import AnswerStarted, ContextIsFull
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session_state import QueueState
from app.store.conversations import MessageState, StoredMessage
from app.store.database import Database
from app.store.projects import Projects
from tests.features.chat.played_drafts import INDEX, KINDS, Home, Playground, SessionMachine
from tests.helpers.playing import play

WELL = AnswerStats(1, 0, 1, 0.1, 1.0, FinishReason.STOP)
CHANGES = ("edit", "edit", "retry", "again", "again", "continue", "delete", "pin", "version", "whole", "from", "reload")


@dataclass(eq=False)
class PlayedAnswer:
    """An answer that runs: the service has its row in the store when it has begun."""

    effect: m.StartAnswer
    home: Home
    events: Iterator[Any]
    draft: AnswerDraft | None = None
    is_cancelled: bool = False
    ends_well: bool = False


class AnswerMachine(SessionMachine):
    """Answers, branches and chats, with all that is played of drafts."""

    running: dict[int, PlayedAnswer]

    def __init__(self) -> None:
        self.known: dict[tuple[bool, int], str] = {}
        """Texts of all messages, by store and id."""
        self.deleted: dict[bool, set[int]] = {False: set(), True: set()}
        """Messages that a person, or an answer that never was, has taken away."""
        self.undone: list[m.RestoreMessage] = []
        self.project: int | None = None
        self.wholes = 0
        self.events: list[Iterator[Any]] = []
        super().__init__()

    def teardown(self) -> None:
        for events in self.events:
            events.close()  # type: ignore[attr-defined]

    def open_session(self) -> None:
        # Answers end with the window, which stops them.
        for played in getattr(self, "running", {}).values():
            self.interrupt(played)
        self.deletions: list[m.ReportDeleted] = []
        super().open_session()
        self.session.serve(
            {
                m.CancelAnswer: self.cancel_answer,
                m.ReportDeleted: self.deletions.append,
                m.AskAboutContext: lambda effect: self.pending.append(m.AskAboutContext(*vars(effect).values())),
            }
        )

    # What the window does.

    def start_answer(self, effect: m.StartAnswer) -> None:
        home = self.home_of(effect.place)
        about = effect.question or effect.answer
        assert not self.running, "two answers run at once"
        assert home not in self.gone_chats, "an answer was asked for in a deleted chat"
        assert about is not None and about.conversation_id == home.number, "it was asked for in another chat"
        assert effect.place.talk.conversations.get_message(about.id) is not None, "of a message that is gone"
        assert not effect.is_queued or self.state.may_send_queue, "a queue went on though nothing may be sent"
        assert not effect.is_queued or home.may_go_on, "a queue went on by itself"
        assert not effect.is_whole or self.wholes, "whole documents are read again by themselves"
        self.wholes = 0 if effect.is_whole else self.wholes
        talk, token = effect.place.talk, CancelToken()
        if effect.forced is not None and effect.answer is not None:
            events = talk.answer_from(effect.answer.id, *effect.forced, token)
        elif effect.answer is not None:
            events = talk.continue_answer(effect.answer.id, token)
        else:
            events = talk.answer(about.id, token)
        key = self.session.new_key()
        self.events.append(events)
        self.running[key] = PlayedAnswer(effect, home, events)
        self.session.dispatch(m.AnswerBegan(key, effect.place))

    def cancel_answer(self, effect: m.CancelAnswer) -> None:
        played = self.running[effect.key]
        assert not played.is_cancelled, "an answer was stopped twice"
        played.is_cancelled = True

    def interrupt(self, played: PlayedAnswer) -> None:
        played.events.close()  # type: ignore[attr-defined]
        # What was not begun leaves nothing.
        if played.draft is not None:
            self.learn()

    # What an answer's thread does.

    def begin_answer(self, key: int) -> None:
        """It has its row, which may be told late, and twice."""
        played = self.running[key]
        try:
            started = next(played.events)
        except KeyError:  # its question is gone for good
            self.finish(key, KeyError())
            return
        played.draft = started.draft
        self.learn()

    def tell_begun(self, key: int) -> None:
        draft = self.running[key].draft
        assert draft is not None
        for _ in range(2):
            self.do(m.AnswerProgressed(key, AnswerStarted(draft)))

    def finish(self, key: int, error: BaseException | None = None) -> None:
        """It is told twice that it ended."""
        played = self.running.pop(key)
        played.events.close()  # type: ignore[attr-defined]
        for home in self.homes:
            if played.ends_well:
                home.may_go_on |= home.resumes
                home.resumes = False
            elif home.may_go_on and self.state.queue_states.get(home.place) is QueueState.ON:
                home.may_go_on, home.resumes = False, True
        for _ in range(2):
            self.do(m.AnswerEnded(key, error))

    def end_answer(self, key: int, how: str) -> None:
        played = self.running[key]
        if how == "stop":
            self.do(m.StopAnswers(played.effect.place))
            return
        if played.draft is None:
            self.begin_answer(key)
        draft = played.draft
        if draft is None:
            return
        if how == "begun":
            return
        if how != "never told":
            self.tell_begun(key)
        if how == "text":
            draft.append(TextDelta(self.name("t")))
            return
        if played.is_cancelled:
            draft.finish(MessageState.STOPPED)
            self.do(m.AnswerProgressed(key, Finished(CANCELLED)))
        elif how == "badly":
            draft.give_up(MessageState.FAILED)
        elif how == "full" and not draft.text and played.effect.question is not None:
            self.deleted[played.home.talk.is_temporary].add(draft.message_id)
            draft.give_up(MessageState.FAILED)
            played.home.talk.conversations.delete_message(draft.message_id)
            self.do(m.AnswerProgressed(key, ContextIsFull(played.effect.question.id)))
        else:
            draft.append(TextDelta(self.name("t")))
            draft.finish(MessageState.COMPLETE)
            played.ends_well = True
            self.do(m.AnswerProgressed(key, Finished(WELL)))
        self.learn()
        self.finish(key, NoModel() if how == "badly" else None)

    @precondition(lambda self: self.running)
    @rule(
        which=INDEX,
        how=st.lists(
            st.sampled_from(("begun", "text", "stop", "well", "badly", "full", "never told")), min_size=1, max_size=3
        ),
    )
    def hear_of_answer(self, which: int, how: list[str]) -> None:
        for outcome in how:
            if self.running:
                self.end_answer(sorted(self.running)[which % len(self.running)], outcome)
                self.check()

    def hear_of(self, effect: Any, outcome: int, *, is_again: bool) -> None:
        if isinstance(effect, m.AskAboutContext):
            self.pending.remove(effect)
            if outcome % 2:
                self.do(m.AnswerQuestion(effect.message_id, when_full="compact"))
        else:
            super().hear_of(effect, outcome, is_again=is_again)

    # What a person does.

    @precondition(lambda self: self.running and not self.state.place.talk.is_temporary)
    @rule()
    def look_elsewhere(self) -> None:
        place = self.state.place
        self.leave(ChatPlace(self.playground.kept))
        self.leave(place)

    @precondition(lambda self: self.state.branch)
    @rule(which=INDEX, what=st.sampled_from(CHANGES))
    def change_branch(self, which: int, what: str) -> None:
        branch = self.state.branch
        message, is_busy, before = branch[which % len(branch)], self.state.is_busy, len(self.running)
        if what == "edit":
            self.edit(message)
            return
        if what in ("delete", "retry") and not is_busy and (what == "delete" or not message.text):
            self.deleted[self.home.talk.is_temporary].add(message.id)
        self.wholes = 1 if what == "whole" else self.wholes
        commands = {
            "retry": m.RetryAnswer(message.id),
            "again": m.AnswerQuestion(message.id),
            "continue": m.ContinueAnswer(branch[-1].id),
            "delete": m.DeleteMessage(message.id),
            "pin": m.PinMessage(message.id, not message.pinned),
            "version": m.ShowVersion(message.versions[which % len(message.versions)]),
            "whole": m.AnswerWhole(message.id),
            "from": m.AnswerFrom(message.id, "", (1,)),
            "reload": m.ReloadBranch(),
        }
        self.do(commands[what])
        if what == "delete" and not is_busy:
            self.undone += [m.RestoreMessage(effect.place, effect.message.id) for effect in self.deletions]
            self.deletions.clear()
        if what == "again" and not is_busy:
            assert len(self.running) == before + 1, "it was not answered"

    def edit(self, message: StoredMessage) -> None:
        """The text is another; a question is answered again, with its documents."""
        home, text, is_question = self.home, self.name("e"), message.role.value == "user"
        if is_question and not self.state.is_busy:
            home.sent[frozenset((text,))] = frozenset()
        numbers = set(self.numbers(home))
        self.do(m.EditMessage(message.id, text))
        added = set(self.numbers(home)) - numbers
        if is_question:
            self.edited[home.talk.is_temporary] |= added

    @staticmethod
    def numbers(home: Home) -> list[int]:
        with home.talk.conversations._database.reading() as connection:
            return [row[0] for row in connection.execute("SELECT id FROM messages")]

    @precondition(lambda self: self.undone)
    @rule()
    def restore(self) -> None:
        command = self.undone.pop()
        if command.place.talk in (self.playground.kept, self.state.place.talk):
            self.deleted[command.place.talk.is_temporary].discard(command.message_id)
            self.do(command)

    @precondition(lambda self: self.state.place.conversation_id and not self.state.place.talk.is_temporary)
    @rule(is_undone=st.booleans())
    def delete_chat(self, is_undone: bool) -> None:
        home = self.home
        home.talk.conversations.delete(home.number)
        self.gone_chats.append(home)
        self.do(m.StopAnswers(home.place))
        self.leave(ChatPlace(self.playground.kept))
        if is_undone:
            self.restore_chat()

    @precondition(lambda self: self.gone_chats)
    @rule()
    def restore_chat(self) -> None:
        home = self.gone_chats.pop()
        home.talk.conversations.restore(home.number)

    @rule()
    def choose_project(self) -> None:
        """A new chat in a project, or the shown one moves there."""
        if self.project is None:
            self.project = Projects(self.playground.database).create("P").id
        if self.state.place.conversation_id is None and not self.state.place.talk.is_temporary:
            self.do(m.ChooseProject(self.project))
        elif not self.state.place.talk.is_temporary:
            self.state.place.talk.conversations.update(self.state.place.conversation_id, project_id=self.project)

    # What holds after each of these.

    def learn(self) -> None:
        """What was written of answers is known."""
        for is_temporary, database in self.playground.databases():
            with database.reading() as connection:
                for number, text in connection.execute("SELECT id, text FROM messages WHERE role = 'assistant'"):
                    self.known[is_temporary, number] = text

    def check(self) -> None:
        super().check()
        self.check_stored()
        self.check_answers()

    def check_stored(self) -> None:
        """No message is lost, and none is deleted but by a person."""
        for is_temporary, database in self.playground.databases():
            if is_temporary and not self.state.place.talk.is_temporary:
                self.known = {key: text for key, text in self.known.items() if not key[0]}
                self.deleted[True].clear()
                continue
            with database.reading() as connection:
                rows = connection.execute("SELECT id, parent_id, text, deleted_at FROM messages").fetchall()
            parents = {row[0]: row[1] for row in rows}
            for number, _, text, deleted_at in rows:
                before = self.known.setdefault((is_temporary, number), text)
                assert text.startswith(before), "what was written is another text"
                above: int | None = number
                while deleted_at and above is not None and above not in self.deleted[is_temporary]:
                    above = parents[above]
                assert not deleted_at or above is not None, "a message was deleted by itself"
            lost = {number for own, number in self.known if own == is_temporary} - set(parents)
            assert not lost, "a message is lost"

    def check_answers(self) -> None:
        state = self.state
        for key, played in self.running.items():
            answer = state.answer_of(key)
            assert answer is not None and answer.is_stopped == played.is_cancelled
            is_new = played.effect.answer is None or played.effect.forced is not None
            ids = [stored.id for stored in state.branch]
            assert not (is_new and played.draft is not None and played.draft.message_id in ids), "it is shown twice"
            assert played.is_cancelled or not played.home.is_closed, "it is written for a chat that is gone"
        if state.whole is not None and not state.is_busy:
            assert state.is_next_due or state.is_next_asked, "a question waits for nothing"
        if not state.answers_in(state.place):
            number = state.place.conversation_id
            stored = state.place.talk.conversations.read_branch(number) if number is not None else []
            assert list(state.branch) == stored, "the branch is another one"


class QueueMachine(AnswerMachine):
    """Begins where most sequences never come: an answer ran, and a message waited for it."""

    @initialize(
        kinds=KINDS,
        what=st.sampled_from(("go on", "pause", "forbid", "reopen")),
        how=st.sampled_from(("text", "well", "badly", "full")),
    )
    def begin(self, kinds: list[str], what: str = "", how: str = "") -> None:
        for _ in range(2):
            self.write(["word"])
            self.send()
        if what == "pause":
            self.change_queue(0, what)
        elif what == "forbid":
            self.do(m.SendingAllowed(False))
        elif what == "reopen":
            self.close_and_open()
        if self.running:
            self.end_answer(next(iter(self.running)), how)
        self.hear_all(ends_well=False)
        self.write(kinds)


@pytest.mark.timeout(900)  # a dozen seconds of one processor, which other work may share
def test_a_thousand_sequences_lose_nothing(tmp_path: Path) -> None:
    playground = Playground(Database.in_memory(), tmp_path)
    play(AnswerMachine, playground, playground.close, sequences=1000, steps=12)


@pytest.mark.timeout(900)
def test_three_hundred_sequences_with_a_queue_send_nothing_by_itself(tmp_path: Path) -> None:
    playground = Playground(Database.in_memory(), tmp_path)
    play(QueueMachine, playground, playground.close, sequences=300, steps=12)


@pytest.mark.timeout(900)
def test_nothing_is_lost_on_the_disk_either(tmp_path: Path) -> None:
    playground = Playground(Database.open(tmp_path / "fireside.db"), tmp_path)
    play(AnswerMachine, playground, playground.close, sequences=25, steps=30)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_sequences_lose_nothing(tmp_path: Path) -> None:
    playground = Playground(Database.in_memory(), tmp_path)
    play(AnswerMachine, playground, playground.close, sequences=100_000, steps=20)
