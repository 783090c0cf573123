"""What llama-server and others offer beside answers: ranking, tokens, the middle of a text, recordings, numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.server import http_application
from app.server.json_body import BadRequest
from app.server.multipart import MOST_FIELD_BYTES, MOST_PARTS, parse_form
from tests.helpers.engine import ANY_PATH
from tests.helpers.script import requests
from tests.helpers.sounds import spoken, write_sound
from tests.server.conftest import Served

Make = Callable[..., Served]


def at(served: Served, path: str) -> str:
    return served.address.replace("/v1", path)


def post(served: Served, path: str, body: dict[str, Any]) -> httpx2.Response:
    return served.client.post(at(served, path), json=body)


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank"])
def test_documents_come_in_the_order_of_how_near_they_are(scripted: Make, embedding_file: Path, path: str) -> None:
    served = scripted(models=[embedding_file], beside={"load": ANY_PATH | {"can_chat": False}})
    documents = ["a b", {"text": "what is asked"}, "c"]
    asked = {"model": "vectors", "query": "what is asked", "documents": documents, "return_documents": True}
    told = post(served, path, asked).json()
    assert told["method"] == "embedding_cosine"
    first, *others = told["results"]
    assert (first["index"], first["document"]["text"]) == (1, "what is asked")
    assert first["relevance_score"] == pytest.approx(1, abs=1e-4)
    assert [one["relevance_score"] for one in told["results"]] == sorted(
        (one["relevance_score"] for one in told["results"]), reverse=True
    )
    assert len(others) == 2 and told["usage"]["prompt_tokens"] > 0
    (best,) = post(served, path, asked | {"top_n": 1}).json()["results"]
    assert best["index"] == 1
    for wrong in ({"documents": []}, {"documents": [1]}, {"query": ""}, {"documents": "x"}):
        assert post(served, path, asked | wrong).status_code == 400
    assert post(served, path, asked | {"model": "one"}).json()["error"]["code"] == "no_embeddings"


def test_tokens_of_a_text_and_the_text_of_tokens(scripted: Make) -> None:
    served = scripted()
    assert post(served, "/tokenize", {"content": "one three"}).json() == {"tokens": [3, 6]}
    pieces = post(served, "/tokenize", {"content": "one three", "with_pieces": True}).json()["tokens"]
    assert pieces == [{"id": 3, "piece": "one"}, {"id": 6, "piece": " three"}]
    assert post(served, "/detokenize", {"tokens": [2, 1]}).json() == {"content": " t2 t1"}
    assert post(served, "/detokenize", {"tokens": []}).json() == {"content": ""}
    assert post(served, "/detokenize", {"tokens": [-1]}).status_code == 400
    assert post(served, "/tokenize", {"content": "x" * 200_001}).json()["error"]["param"] == "content"


def test_a_real_model_tells_its_tokens_while_it_answers_and_refuses_what_is_none(starter_server: Served) -> None:
    text = "<|im_start|>Größe 𓂀"
    found = post(starter_server, "/tokenize", {"content": text, "with_pieces": True}).json()["tokens"]
    assert found[0]["piece"] == "<|im_start|>"
    assert any(isinstance(one["piece"], list) for one in found), "a part of a character is told in bytes"
    ids = [one["id"] for one in found]
    assert post(starter_server, "/detokenize", {"tokens": ids}).json()["content"] == text
    plain = post(starter_server, "/tokenize", {"content": text, "parse_special": False}).json()["tokens"]
    assert len(plain) > len(ids)
    assert post(starter_server, "/detokenize", {"tokens": plain}).json()["content"] == text
    refused = post(starter_server, "/detokenize", {"tokens": [10_000_000]})
    assert refused.status_code == 400 and "10000000" in refused.json()["error"]["message"]


def test_a_middle_is_filled_in_as_llama_server_does(scripted: Make, tmp_path: Path) -> None:
    served = scripted({"text": "a b"}, log="prompts.jsonl")
    asked = {
        "input_extra": [{"filename": "x.py", "text": "y = 1"}],
        "input_prefix": "def f(",
        "prompt": "a",
        "input_suffix": "): pass",
        "n_predict": 9,
    }
    whole = post(served, "/infill", asked).json()
    assert (whole["content"], whole["stop"], whole["stop_type"]) == ("a b", True, "eos")
    streamed = post(served, "/infill", asked | {"stream": True, "n_predict": 1}).text
    pieces = [json.loads(line.removeprefix("data: ")) for line in streamed.splitlines() if line]
    assert "".join(piece["content"] for piece in pieces) == "a"
    assert [piece["stop"] for piece in pieces] == [False, True]
    assert pieces[-1]["stop_type"] == "limit"
    one = requests(tmp_path / "engine" / "script.json")[0]
    assert (one["text"], one["suffix"], one["max_tokens"]) == ("--- x.py ---\ny = 1\ndef f(a", "): pass", 9)


def test_what_the_model_can_and_what_was_asked_is_told_in_numbers_only(scripted: Make) -> None:
    served = scripted({"text": "secret words"}, load=ANY_PATH | {"context_tokens": 4096})
    assert served.chat("a secret question").status_code == 200
    assert served.chat(model="gone").status_code == 404
    told = served.client.get(at(served, "/props")).json()
    assert told["default_generation_settings"]["n_ctx"] == 4096
    assert (told["model_alias"], told["modalities"]) == ("one", {"vision": False, "audio": False})
    text = served.client.get(at(served, "/metrics")).text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert (values["fireside_requests_total"], values["fireside_requests_failed_total"]) == ("2", "1")
    assert (values["fireside_generated_tokens_total"], values["fireside_requests_in_progress"]) == ("2", "0")
    assert "secret" not in text and str(Path.home()) not in text + json.dumps(told)
    assert served.client.head(at(served, "/")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/metrics"), ("GET", "/props"), ("POST", "/tokenize"), ("POST", "/v1/audio/transcriptions")],
)
def test_nothing_of_it_is_told_without_the_key(scripted: Make, method: str, path: str) -> None:
    assert httpx2.request(method, at(scripted(), path)).status_code == 401


def transcribe(served: Served, sound: bytes, **fields: str) -> httpx2.Response:
    files = {"file": ("talk.wav", sound, "audio/wav")}
    return served.client.post("audio/transcriptions", files=files, data={"model": "whisper-1"} | fields)


@pytest.mark.slow
def test_a_recording_is_written_down_in_the_form_that_is_wanted(scripted: Make, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "talk.wav", spoken((2.0, 1.0), (1.0, 0.0))).read_bytes()
    served = scripted({"text": "Good morning. It is late."}, load=ANY_PATH | {"hears": True})
    assert transcribe(served, sound).json() == {"text": "Good morning. It is late."}
    assert transcribe(served, sound, response_format="text").text == "Good morning. It is late.\n"
    assert transcribe(served, sound, response_format="srt").text.startswith("1\n00:00:00,000 --> 00:00:01,")
    assert transcribe(served, sound, response_format="vtt").text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.")
    told = transcribe(served, sound, response_format="verbose_json").json()
    assert [one["text"] for one in told["segments"]] == ["Good morning.", "It is late."]
    assert told["duration"] == pytest.approx(3, abs=0.1) and told["segments"][-1]["end"] <= told["duration"]
    for wrong, field in (({"response_format": "doc"}, "response_format"), ({"stream": "true"}, "stream")):
        assert transcribe(served, sound, **wrong).json()["error"]["param"] == field
    assert transcribe(served, b"no sound at all").json()["error"]["code"] == "bad_sound"
    assert served.client.post("audio/transcriptions", data={"model": "x"}, files={"f": b"x"}).status_code == 400


def test_a_model_that_does_not_hear_and_too_much_of_a_recording_are_said(
    scripted: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = scripted()
    sound = write_sound(tmp_path / "talk.wav", spoken((0.5, 1.0))).read_bytes()
    refused = transcribe(served, sound)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_hearing")
    monkeypatch.setattr(http_application, "MOST_SOUND_BYTES", 1000)
    assert transcribe(served, sound).status_code == 413


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


FIELD = b'Content-Disposition: form-data; name="x"\r\n\r\n'


def test_a_form_is_taken_apart_byte_by_byte() -> None:
    data = bytes(range(256)) + b"\r\n--not\r\n" + b"\r\n"
    file = b'Content-Disposition: form-data; name="f"; filename="a b.wav"\r\nContent-Type: audio/wav\r\n\r\n' + data
    found = parse_form('multipart/form-data; boundary="b"', form(FIELD + "Grüße".encode(), file))
    assert found.texts == {"x": "Grüße"}
    assert (found.files["f"].name, found.files["f"].data) == ("a b.wav", data)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", form(FIELD)),
        ("multipart/form-data", form(FIELD)),
        (f"multipart/form-data; boundary={'b' * 300}", form(FIELD)),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", form(FIELD + b"1", end=b"")),
        ("multipart/form-data; boundary=b", form(b"no head")),
        ("multipart/form-data; boundary=b", form(b"Content-Disposition: form-data\r\n\r\n1")),
        ("multipart/form-data; boundary=b", form(b"X: " + b"a" * 5000 + b"\r\n\r\n1")),
        ("multipart/form-data; boundary=b", form(FIELD + b"\xff")),
        ("multipart/form-data; boundary=b", form(FIELD + b"a" * (MOST_FIELD_BYTES + 1))),
        ("multipart/form-data; boundary=b", form(*[FIELD + b"1"] * (MOST_PARTS + 1))),
        ("multipart/form-data; boundary=b", b"--b" * 1_000_000),
    ],
)
def test_what_is_no_form_or_too_much_of_one_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_form(kind, body)
