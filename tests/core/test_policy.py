"""Settings of an administrator: they go before a person's own, which stay in the person's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.policy import VARIABLE, read_policy
from app.core.settings import Settings, load_settings, policy_faults, save_settings
from app.features.administration import POLICY_BROKEN, POLICY_FAULTS, policy_problems, policy_sentences


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's file, which isn't there yet."""
    path = tmp_path / "etc" / "settings.json"
    path.parent.mkdir()
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    save_settings(path, Settings().changed("network", proxy="http://own.example:1", mirror="https://own.example"))
    return path


def saved(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_what_is_set_goes_before_a_persons_own_and_is_given_back(policy: Path, own: Path) -> None:
    policy.write_text('{"network": {"proxy": "http://office.example:3128", "internet": false}}')
    settings, wrong = load_settings(own)
    assert wrong == []
    assert (settings.network.proxy, settings.network.internet) == ("http://office.example:3128", False)
    assert settings.network.mirror == "https://own.example"
    assert settings.is_locked("network.proxy")
    assert not settings.is_locked("network.mirror")
    changed = settings.changed("network", proxy="http://else.example:1", mirror="https://new.example")
    assert (changed.network.proxy, changed.network.mirror) == ("http://office.example:3128", "https://new.example")
    save_settings(own, changed)
    assert saved(own)["network"]["proxy"] == "http://own.example:1"
    policy.unlink()
    assert load_settings(own)[0].network.proxy == "http://own.example:1"
    assert load_settings(own)[0].network.internet


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_broken_file_sets_nothing_and_is_told(policy: Path, own: Path, text: str) -> None:
    policy.write_text(text)
    assert load_settings(own)[0].own == {}
    assert policy_problems(read_policy()) == [POLICY_BROKEN.format(path=policy)]
    assert policy.read_text() == text, "it is the administrator's"


def test_a_folder_in_its_place_is_told(policy: Path, own: Path) -> None:
    policy.mkdir()
    assert load_settings(own)[0].own == {}
    assert read_policy().is_broken


def test_what_does_not_apply_is_named_and_the_rest_does(policy: Path, own: Path) -> None:
    wrong = {"network": {"proxy": "nonsense", "allowed": 1, "prxy": "x", "internet": False}}
    policy.write_text(json.dumps(wrong | {"nothing": {}, "window": {"tab": "write"}, "chat": 4, "schema_version": 2}))
    settings, _ = load_settings(own)
    assert settings.own == {"network.internet": True}
    assert settings.window == Settings().window
    names = ["chat", "network.allowed", "network.proxy", "network.prxy", "nothing", "window"]
    assert policy_faults(read_policy()) == names
    assert policy_problems(read_policy()) == [POLICY_FAULTS.format(path=policy, names=", ".join(names))]


def test_without_a_file_nothing_is_said(policy: Path, own: Path) -> None:
    assert load_settings(own)[0].own == {}
    assert policy_sentences(read_policy()) == []


def test_what_a_lock_screen_may_read_holds_no_text_of_the_person(policy: Path, own: Path) -> None:
    save_settings(own, Settings().changed("chat", system_prompt="private").changed("tools", search_address=""))
    policy.write_text('{"chat": {"system_prompt": "Be brief."}, "tools": {"rounds": 3}}')
    settings, _ = load_settings(own)
    assert settings.chat.system_prompt == "Be brief."
    save_settings(own, settings.without_texts())
    assert "private" not in own.read_text("utf-8")
