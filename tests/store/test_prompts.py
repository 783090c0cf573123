"""Saved prompts: listed by use, deleted with a way back."""

from __future__ import annotations

import itertools

import pytest

from app.store.database import Database
from app.store.prompt_store import PromptStore
from app.store.trash import TrashStore
from tests.store.conftest import trashed


@pytest.fixture
def prompts(database: Database) -> PromptStore:
    ticks = itertools.count(1000)
    return PromptStore(database, clock=lambda: float(next(ticks)))


def names(prompts: PromptStore) -> list[str]:
    return [one.name for one in prompts.all()]


def test_the_last_used_come_first_and_the_others_by_name(prompts: PromptStore) -> None:
    made = {name: prompts.create(name, f"About {name}: {{text}}") for name in ("beta", "Alpha", "gamma")}
    assert names(prompts) == ["Alpha", "beta", "gamma"]
    prompts.note_use(made["beta"].id)
    prompts.note_use(made["gamma"].id)
    assert names(prompts) == ["gamma", "beta", "Alpha"]


def test_a_name_is_one_line_and_a_text_is_kept_as_it_is(prompts: PromptStore) -> None:
    made = prompts.create(" Two\n lines\0 ", "One\n\n  two\0")
    assert (made.name, made.text) == ("Two lines", "One\n\n  two")
    prompts.change(made.id, text="Other")
    prompts.change(made.id, name="New")
    found = prompts.get(made.id)
    assert found is not None
    assert (found.name, found.text, found.created_at) == ("New", "Other", made.created_at)


def test_a_deleted_one_comes_back_until_it_is_purged(database: Database, prompts: PromptStore) -> None:
    made = prompts.create("Gone", "text")
    other = prompts.create("Stays", "text")
    prompts.delete(made.id)
    assert (names(prompts), prompts.get(made.id)) == (["Stays"], None)
    assert trashed(database) == ["Gone"]
    prompts.restore(made.id)
    assert names(prompts) == ["Gone", "Stays"]
    prompts.delete(made.id)
    prompts.delete(other.id)
    assert prompts.purge_deleted(TrashStore(database).list_items()[0].deleted_at) == [made.id]
    assert trashed(database) == ["Stays"]
    with pytest.raises(KeyError):
        prompts.restore(made.id)
