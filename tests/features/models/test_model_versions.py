"""Newer files of installed models: found when somebody looks, kept beside the old, in its place after an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.hub_errors import FileNotOnHub
from app.features.models.model_versions import ModelUpdate
from app.hub.download import Download
from app.hub.model_library import InstalledModel
from tests.helpers.fake_hub import FakeHub, Repo
from tests.helpers.models_on_disk import model_bytes

REPO, FILE = "hearth/Ember-GGUF", "Ember-Q4_K_M.gguf"
EYE = "mmproj-Ember-f16.gguf"
OLD, NEW = model_bytes("old", 4000), model_bytes("new", 6000)
NEWER_COMMIT = "d" * 40
CHANGED = "2026-11-20T08:00:00.000Z"


@pytest.fixture
def app(hub: FakeHub) -> Iterator[Fireside]:
    built = build_program()
    yield built
    built.close()


def wait_until_done(app: Fireside, download: Download) -> Path:
    is_done = threading.Event()

    def hear(changed: Download) -> None:
        if changed.id == download.id and changed.state in ("done", "failed"):
            is_done.set()

    unlisten = app.models.download_changed.listen(hear)
    if any(item.id == download.id and item.state == "done" for item in app.models.downloads.all()):
        is_done.set()
    assert is_done.wait(60)
    unlisten()
    item = next(item for item in app.models.downloads.all() if item.id == download.id)
    assert item.state == "done", item.error
    return Path(item.paths[0])


def fetch_old(app: Fireside, hub: FakeHub, **files: bytes) -> InstalledModel:
    """Download the older version; the Hub has the newer one from then on."""
    hub.add(REPO, {FILE: OLD, **files})
    repository = app.models.hub.read_repository(REPO)
    path = wait_until_done(app, app.models.fetching.download(repository, repository.models[0]))
    app.models.hub._kept.clear()  # what the Hub said is kept for minutes
    replace_on_hub(hub, {FILE: NEW, **files})
    return next(row.model for row in app.models.list_installed() if row.model.path == path)


def replace_on_hub(hub: FakeHub, files: dict[str, bytes]) -> Repo:
    repo = hub.add(REPO, dict(files), commit=NEWER_COMMIT)
    repo.changed_at[FILE] = CHANGED
    return repo


def found_update(app: Fireside, model: InstalledModel) -> ModelUpdate:
    update = app.models.versions.find_update(model)
    assert update is not None
    return update


def versions_here(app: Fireside) -> list[Path]:
    return [row.model.path for row in app.models.list_installed() if row.model.repo == REPO]


def test_a_newer_file_is_found_with_its_size_and_day(app: Fireside, hub: FakeHub) -> None:
    model = fetch_old(app, hub)
    asked = len(hub.requests)
    app.models.list_installed()
    assert len(hub.requests) == asked, "nobody looked for it"
    update = found_update(app, model)
    assert (update.size_bytes, update.model.size_bytes) == (len(NEW), len(OLD))
    assert datetime.fromtimestamp(update.changed_at, UTC).isoformat()[:10] == CHANGED[:10]
    assert [found.file.name for found in app.models.versions.find_updates()] == [FILE]


def test_an_equal_file_is_no_newer_one_whatever_the_commit(app: Fireside, hub: FakeHub) -> None:
    model = fetch_old(app, hub)
    replace_on_hub(hub, {FILE: OLD, "README.md": b"another card"})
    assert app.models.versions.find_update(model) is None


def test_a_file_that_left_the_hub_is_told_and_stays(app: Fireside, hub: FakeHub) -> None:
    model = fetch_old(app, hub)
    replace_on_hub(hub, {"Other-Q4_K_M.gguf": NEW})
    with pytest.raises(FileNotOnHub):
        app.models.versions.find_update(model)
    assert app.models.versions.find_updates() == []
    assert model.path.read_bytes() == OLD


def test_both_versions_are_kept_until_the_newer_one_has_answered(app: Fireside, hub: FakeHub) -> None:
    old = fetch_old(app, hub)
    app.models.rename(old.path, "Our Ember")
    app.change_settings("models", translate_path=str(old.path))
    app.change_settings("engine", model_path=str(old.path))
    chat = app.conversations.create(title="Kept", model=str(old.path))
    assistant = app.assistants.create(name="Helper", model=str(old.path))
    new = wait_until_done(app, app.models.versions.download(found_update(app, old)))
    assert (old.path.read_bytes(), new.read_bytes()) == (OLD, NEW)
    assert sorted(versions_here(app)) == sorted([old.path, new])
    assert {row.model.path: row.has_newer for row in app.models.list_installed() if row.model.repo} == {
        old.path: True,
        new: False,
    }
    assert app.models.versions.find_update(old) is None, "it is here"
    assert app.models.retire_older(old.path) == [], "the older one replaces nothing"
    (thrown,) = app.models.retire_older(new)
    assert versions_here(app) == [new]
    assert (app.settings.models.translate_path, app.settings.engine.model_path) == (str(new), str(new))
    assert app.conversations.get(chat.id).model == str(new)
    assert app.assistants.get(assistant.id).model == str(new)
    assert next(row.label for row in app.models.list_installed() if row.model.path == new) == "Our Ember"
    assert app.models.keep_older(thrown) == old.path
    assert old.path.read_bytes() == OLD
    assert app.models.retire_older(new) == [], "what was taken back stays"
    assert not any(row.has_newer for row in app.models.list_installed())


def test_each_version_has_the_projector_of_its_own_folder(app: Fireside, hub: FakeHub) -> None:
    eye = model_bytes("eye", **{"general.architecture": "clip", "clip.has_vision_encoder": True})
    old = fetch_old(app, hub, **{EYE: eye})
    assert old.vision_path is not None
    other_eye = model_bytes("other eye", 900, **{"general.architecture": "clip", "clip.has_vision_encoder": True})
    replace_on_hub(hub, {FILE: NEW, EYE: other_eye})
    new = wait_until_done(app, app.models.versions.download(found_update(app, old)))
    seen = {row.model.path: row.model.vision_path for row in app.models.list_installed() if row.model.repo}
    assert seen == {old.path: old.path.with_name(EYE), new: new.with_name(EYE)}
    app.models.retire_older(new)
    assert new.with_name(EYE).read_bytes() == other_eye
    assert not old.path.with_name(EYE).exists()


def test_a_shared_projector_is_found_from_a_versions_folder(app: Fireside, hub: FakeHub) -> None:
    from app.hub.model_library import find_projector

    eye = model_bytes("eye", **{"general.architecture": "clip", "clip.has_vision_encoder": True})
    old = fetch_old(app, hub, **{EYE: eye})
    new = wait_until_done(app, app.models.versions.download(found_update(app, old)))
    assert find_projector(new) == old.path.with_name(EYE)
    app.models.retire_older(new)
    assert find_projector(new) == old.path.with_name(EYE), "it stays while a model is left that uses it"


def test_what_uses_a_model_is_known_and_used_again_after_undo(app: Fireside, hub: FakeHub) -> None:
    old = fetch_old(app, hub)
    app.change_settings("models", summarize_path=str(old.path))
    app.conversations.create(title="Mine", model=str(old.path))
    settings, users = app.models.find_users(old.path)
    assert (settings, len(users.chats), users.assistants) == (["summarize_path"], 1, ())
    thrown = app.models.remove(old.path)
    assert app.settings.models.summarize_path == ""
    app.models.put_back(thrown)
    assert app.settings.models.summarize_path == str(old.path)


def test_the_hubs_own_page_fetches_a_newer_file_beside_the_older_one(app: Fireside, hub: FakeHub) -> None:
    old = fetch_old(app, hub)
    repository = app.models.hub.read_repository(REPO)
    new = wait_until_done(app, app.models.fetching.download(repository, repository.models[0]))
    assert (old.path.read_bytes(), new.read_bytes()) == (OLD, NEW)
    assert new == old.path.parent / NEWER_COMMIT[:8] / FILE
