"""A program killed while it writes loses at most the save it was in the middle of."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.page_store import PageStore
from tests.helpers.searching import search_text
from tests.store.writing_program import text_after


def killed(path: Path, seed: int, *what: str) -> int:
    """Kills the writing program somewhere; returns the last save that it reported."""
    command = [sys.executable, "-m", "tests.store.writing_program", str(path), *what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as program:
        assert program.stdout is not None
        for _ in range(random.Random(seed).randint(1, 150)):
            reported = int(program.stdout.readline())
        program.kill()
        reported = max([reported, *(int(line) for line in program.stdout.read().splitlines())])
    assert program.returncode != 0
    return reported


@pytest.mark.parametrize("seed", range(10))
def test_after_a_kill_the_answer_is_there_up_to_the_last_save(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "fireside.db"
    reported = killed(path, seed)
    with closing(Database.open(path)) as database:
        assert database.moved_aside is None
        with database.reading() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        conversations = Conversations(database)
        question, answer = conversations.read_branch(conversations.find()[0].id)
        assert answer.text in (text_after(reported), text_after(reported + 1))
        assert answer.state is MessageState.WRITING
        assert conversations.recover() == 1
        assert conversations.read_branch(question.conversation_id)[-1].state is MessageState.INTERRUPTED
        assert len(search_text(conversations, "sentence")) == bool(answer.text)


@pytest.mark.parametrize("seed", range(5))
def test_after_a_kill_a_page_is_there_as_it_was_saved_last(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "fireside.db"
    reported = killed(path, seed, "page")
    with closing(Database.open(path)) as database:
        assert database.moved_aside is None
        pages = PageStore(database)
        (row,) = pages.find("sentence") if reported else pages.find()
        page, before = pages.get(row.id), pages.undo_state(row.id)
        assert page is not None
        assert page.text in (text_after(reported), text_after(reported + 1))
        assert page.written == (((0, len(page.text)),) if page.text else ())
        assert page.cursor == len(page.text)
        assert before is None or before.text in [text_after(saves) for saves in range(reported - 1, reported + 2)]
        with database.transaction() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            connection.execute("INSERT INTO pages_index (pages_index, rank) VALUES ('integrity-check', 1)")
