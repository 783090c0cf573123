"""Servers that a person added: addresses as typed, their models as files, keys, and what may be sent to them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelUnreadable
from app.hub.access import is_own_network, is_this_computer
from app.remote.server_facts import thinking_of
from app.remote.servers import RemoteServer, address_of, host_of, weights_in_name
from tests.helpers.remote import Remote


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("gpu-box.local:8000", "http://gpu-box.local:8000/v1"),
        ("192.168.1.20:11434/", "http://192.168.1.20:11434/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("api.example.org", "https://api.example.org/v1"),
        ("http://box/v1/chat/completions", "http://box/v1"),
        ("https://example.org/openai/v1", "https://example.org/openai/v1"),
        ("", ""),
        ("two words", ""),
        ("ftp://box", ""),
        ("http://me:secret@box", ""),
        ("http://box:port", ""),
        ("http://:secret@box", ""),
        ("[::1", ""),
        ("http://[::1", ""),
    ],
)
def test_an_address_is_what_a_person_types(typed: str, address: str) -> None:
    assert address_of(typed) == address


@pytest.mark.parametrize(
    ("host", "own", "here"),
    [
        ("localhost", True, True),
        ("127.8.0.1", True, True),
        ("::1", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("10.1.2.3", True, False),
        ("172.31.0.1", True, False),
        ("172.32.0.1", False, False),
        ("192.168.0.5", True, False),
        ("169.254.1.1", True, False),
        ("100.100.1.1", True, False),
        ("fe80::1%eth0", True, False),
        ("fd12::1", True, False),
        ("gpu-box", True, False),
        ("gpu-box.local.", True, False),
        ("nas.home.arpa", True, False),
        ("8.8.8.8", False, False),
        ("0.0.0.0", False, False),
        ("2001:4860::8888", False, False),
        ("example.org", False, False),
        ("local.example.org", False, False),
        ("", False, False),
    ],
)
def test_what_the_own_network_is(host: str, own: bool, here: bool) -> None:
    assert (is_own_network(host), is_this_computer(host)) == (own, here)


def test_a_host_is_told_with_its_port_where_that_is_not_the_usual_one() -> None:
    found = [host_of(one) for one in ("http://box:80/v1", "https://box:8443/v1", "http://[fd00::1]:8080/v1")]
    assert found == ["box", "box:8443", "[fd00::1]:8080"]


def test_a_server_comes_back_with_its_models_and_without_those_that_were_left_out(remote: Remote) -> None:
    servers, server = remote.servers, RemoteServer("gpu box", "http://gpu-box.local:8000/v1", "vllm", at_once=16)
    models = [servers.model_of(server, name) for name in ("Qwen/Qwen3-8B", "other/Qwen3-8B", "../../etc/passwd")]
    servers.save(server, models)
    again = [servers.model_of(server, name) for name in ("Qwen/Qwen3-8B", "new-3B")]
    assert again[0].path == models[0].path
    assert servers.get("gpu box") == server
    assert {one.name for one in servers.list_models()} == {one.name for one in models}
    assert all(one.path.parent.parent == servers.folder for one in servers.list_models())
    servers.save(server, again)
    assert {one.name for one in servers.list_models()} == {"Qwen/Qwen3-8B", "new-3B"}
    assert all(one.path.stat().st_mode & 0o077 == 0 for one in servers.list_models())
    found = servers.find_model("qwen3-8b@GPU box")
    assert found is not None and found.label == "Qwen3-8B · gpu-box.local:8000"
    servers.remove("gpu box")
    assert servers.all() == [] and servers.list_models() == []


def test_stored_files_are_read_and_their_models_stay_where_they_lie(remote: Remote) -> None:
    """Chats know a model by its file."""
    servers = remote.servers
    shutil.copytree(Path(__file__).parent / "data" / "servers", servers.folder)
    box = RemoteServer("gpu-box.local", "http://gpu-box.local:8000/v1", "vllm", at_once=16)
    assert servers.all() == [
        RemoteServer("api.example.org", "https://api.example.org/v1", context_tokens=32768, at_once=4),
        box,
    ]
    (model,) = servers.models_on(box)
    assert (model.name, model.context_tokens, model.weights, model.thinking) == ("Qwen/Qwen3-8B", 40960, 8e9, "switch")
    assert (model.sees, box.authorities, servers.may_have(box, "ab" * 32)) == ("", "", True)
    changed = replace(box, authorities="-----BEGIN CERTIFICATE-----")
    servers.save(changed, [servers.model_of(changed, name) for name in (model.name, "new-3B")])
    assert servers.get("gpu-box.local") == changed
    assert servers.read_model(model.path).name == model.name
    assert len(servers.models_on(changed)) == 2 and servers.may_have(changed, "ab" * 32)


def test_a_key_is_kept_under_the_servers_name_and_goes_with_it(remote: Remote) -> None:
    remote.add("http://box/v1")
    remote.servers.keep_key("box", "secret")
    assert remote.servers.read_key("box") == "secret"
    assert not [path for path in remote.servers.folder.rglob("*") if path.is_file() and "secret" in path.read_text()]
    remote.servers.remove("box")
    assert remote.servers.read_key("box") == ""


def test_damaged_files_are_no_servers_and_no_models(remote: Remote) -> None:
    path = remote.add("http://box/v1", at_once=4)
    path.write_text('{"name": 5}')
    assert remote.servers.list_models() == []
    with pytest.raises(ModelUnreadable):
        remote.servers.read_model(path)
    path.with_name("server.json").write_text('{"name": "box", "address": "http://box/v1", "at_once": 9999, "new": 1}')
    assert remote.servers.all() == [RemoteServer("box", "http://box/v1", at_once=128)]
    path.with_name("server.json").write_text("[[[[")
    assert remote.servers.all() == []


def test_which_documents_may_be_sent_is_remembered_by_server(remote: Remote, tmp_path: Path) -> None:
    servers = remote.servers
    box, other, here = (RemoteServer(name, f"http://{name}/v1") for name in ("box", "other", "localhost"))
    for server in (box, other, here):
        servers.save(server)
    servers.let_have(box, ["aa", "bb"])
    servers.let_have(box, ["aa"])
    assert [servers.may_have(box, one) for one in ("aa", "bb", "cc")] == [True, True, False]
    assert not servers.may_have(other, "aa") and servers.may_have(here, "cc")
    servers.save(replace(box, address="http://box/openai/v1", at_once=2))
    assert servers.may_have(box, "aa")
    elsewhere = replace(box, address="https://api.example.org/v1")
    servers.save(elsewhere)
    assert not servers.may_have(elsewhere, "aa"), "nobody has asked about that host"


@pytest.mark.parametrize(
    ("name", "weights", "thinking"),
    [
        ("Qwen/Qwen3-8B", 8e9, "switch"),
        ("Qwen3-30B-A3B-Instruct-2507", 30e9, "none"),
        ("llama3.1:70b", 70e9, "none"),
        ("SmolLM2-135M-Instruct", 135e6, "none"),
        ("Mixtral-8x7B-v0.1", 56e9, "none"),
        ("gpt-oss-20b", 20e9, "effort"),
        ("DeepSeek-R1-Distill-Qwen-1.5B", 1.5e9, "always"),
        ("my-model", 0, "none"),
    ],
)
def test_a_models_name_tells_its_size_and_whether_it_thinks(name: str, weights: float, thinking: str) -> None:
    assert (weights_in_name(name), thinking_of(name)) == (weights, thinking)
