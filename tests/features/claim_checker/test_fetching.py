"""The checker that is offered comes from the Hub, is converted and used, and goes again; half of one is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import FileNotOnHub
from app.core.errors.model_errors import ModelUnreadable
from app.core.events import CancelToken
from app.core.gguf import check_model
from app.features.claim_checker.conversion import CONVERTED, knows_language
from app.features.claim_checker.fetching import REPOSITORY, CheckerReady, fetch_checker, remove_checker
from app.hub.model_files import UNCONVERTED
from app.hub.protocol import Fetched
from tests.helpers.fake_hub import FakeHub
from tests.helpers.tiny_checker import make_checker


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        yield started


@pytest.fixture
def app(hub: FakeHub) -> Iterator[Fireside]:
    app = build_program()
    yield app
    app.close()


def files_of(folder: Path) -> dict[str, bytes]:
    make_checker(folder)
    return {name: (folder / name).read_bytes() for name in UNCONVERTED}


def test_it_is_fetched_converted_and_removed(app: Fireside, hub: FakeHub, tmp_path: Path) -> None:
    files = files_of(tmp_path / "made")
    hub.add(REPOSITORY, files | {"README.md": b"# A checker", "training_args.bin": b"no"})
    events = list(fetch_checker(app.models, app.paths, CancelToken()))
    assert events[-1] == CheckerReady(app.paths.checker / CONVERTED)
    assert check_model(app.paths.checker / CONVERTED).metadata["general.architecture"] == "modern-bert"
    assert [knows_language(app.paths.checker / CONVERTED, code) for code in ("en-GB", "de", "")] == [True, False, True]
    shares = [one.done_bytes / one.total_bytes for one in events if isinstance(one, Fetched)]
    assert shares == sorted(shares) and shares[-1] == 1
    assert [one.name for one in app.paths.checker.rglob("*") if one.is_file()] == [CONVERTED], (
        "what it was made of is gone"
    )
    assert all(CONVERTED not in str(row.model.path) for row in app.models.list_installed()), (
        "no tab may take it for a model"
    )
    remove_checker(app.paths)
    assert not app.paths.checker.exists()


@pytest.mark.parametrize(
    ("spoiled", "error"),
    [({"tokenizer.json": None}, FileNotOnHub), ({"config.json": b'{"architectures": ["BertModel"]}'}, ModelUnreadable)],
    ids=["a file is missing", "another kind of model"],
)
def test_what_is_no_checker_is_said_and_not_used(
    app: Fireside, hub: FakeHub, tmp_path: Path, spoiled: dict[str, bytes | None], error: type[AppError]
) -> None:
    files = files_of(tmp_path / "made") | spoiled
    hub.add(REPOSITORY, {name: content for name, content in files.items() if content is not None})
    with pytest.raises(error):
        list(fetch_checker(app.models, app.paths, CancelToken()))
    assert not (app.paths.checker / CONVERTED).exists()
