"""`inspect` and `complete` as processes, mostly on the starter itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.inspect import NOT_TEXT
from app.core.errors.request_errors import TooLongToInspect
from app.core.gguf import check_model
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import load_model
from app.engine.llama.sampling import SamplingValues, make_chain
from app.features.error_messages import sentence_for
from tests.helpers.script import write_script
from tests.helpers.terminal import fireside, only_json
from tests.helpers.tiny_models import make_tiny

CAPITALS = "The capital of France is Paris. The capital of Germany is Berlin."


@pytest.mark.parametrize(
    "arguments",
    [
        ["complete"],
        ["complete", "-p", "x", "--n", "99"],
        ["inspect"],
        ["inspect", "tokens"],
        ["inspect", "soul", "-p", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_why(arguments: list[str]) -> None:
    result = fireside(*arguments, text="")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr


def test_several_continuations_come_with_their_figures(tmp_path: Path) -> None:
    script = write_script(tmp_path, {"text": " one two three"})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    body = only_json(
        fireside("complete", "-p", "Say", "--model", "m.gguf", "--n", "3", "--json", environment=environment)
    )
    assert set(body) == {"prompt", "completions", "model"}
    assert [one["text"] for one in body["completions"]] == [" one two three"] * 3
    assert {tuple(one) for one in body["completions"]} == {("text", "tokens", "finish_reason", "logprob")}
    assert body["completions"][0]["tokens"] == 3
    plain = fireside("complete", "-p", "Say", "--model", "m.gguf", environment=environment)
    assert plain.stdout == " one two three\n"


@pytest.mark.model
@pytest.mark.slow
def test_a_greedy_continuation_is_llama_cpps_own_token_for_token(starter: Path) -> None:
    prompt, count = "Deep learning is", 24
    found = only_json(fireside("complete", "-p", prompt, "--temperature", "0", "--max-tokens", str(count), "--json"))
    c = open_library().c
    model = load_model(open_library(), str(starter), check_model(starter), 0, tell=lambda _: None, cancelled=bool)
    assert model is not None
    parameters = c.llama_context_default_params()
    parameters.n_ctx, parameters.n_threads = 256, 1
    context = c.llama_init_from_model(model.pointer, parameters)
    chain = make_chain(open_library(), SamplingValues(temperature=0, repeat_penalty=1.0), model)
    tokens, text = model.begin_of_text() + model.tokenize(prompt, special=False), b""
    for _ in range(count):
        ids = (c.llama_token * len(tokens))(*tokens)
        assert c.llama_decode(context, c.llama_batch_get_one(ids, len(tokens))) == 0
        tokens = [chain.sample_token(context, -1)]
        text += model.token_bytes(tokens[0])
    chain.free()
    c.llama_free(context)
    model.free()
    assert found["completions"][0]["text"] == text.decode()
    assert found["completions"][0]["tokens"] == count


def test_each_view_is_one_json_object(tmp_path: Path) -> None:
    model = str(make_tiny("llama", tmp_path / "llama.gguf"))

    def view(name: str, *arguments: str) -> dict[str, Any]:
        return only_json(fireside("inspect", name, "-p", CAPITALS, "--model", model, "--json", *arguments))

    tokens = view("tokens")["tokens"]
    assert "".join(each["text"] for each in tokens) == CAPITALS
    assert all(CAPITALS[each["start"] : each["end"]] == each["text"] for each in tokens)
    seen = view("probabilities")["probabilities"][-1]
    assert 0 <= seen["probability"] <= seen["alternatives"][0]["probability"]
    maps = view("attention")
    assert (maps["layer"], maps["head"], len(maps["attention"])) == (None, None, maps["layers"])
    one = view("attention", "--layer", "1", "--head", "1")["attention"]
    assert [sum(row) for row in one] == pytest.approx([1] * len(one), abs=1e-3)
    assert view("layers")["layers"][-1][-1][0].keys() == {"text", "probability"}


@pytest.mark.model
@pytest.mark.slow
def test_perplexity_of_a_file_is_read_from_it_and_what_is_no_text_is_refused(tmp_path: Path, starter: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("The sea was calm in the morning, and the boats went out. " * 8, encoding="utf-8")
    body = only_json(fireside("inspect", "perplexity", str(file), "--json"))
    assert set(body) == {"perplexity", "bits_per_byte", "tokens"}
    assert 1 < body["perplexity"] < 20
    assert 0 < body["bits_per_byte"] < 1
    assert only_json(fireside("inspect", "perplexity", "-p", str(file), "--json")) == body
    refused = fireside("inspect", "perplexity", str(starter))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert NOT_TEXT.format(name=starter.name) in refused.stderr


def test_anatomy_needs_no_engine(starter: Path) -> None:
    body = only_json(fireside("inspect", "anatomy", "--model", str(starter), "--json"))
    assert body["parameters"] == 134_515_008
    assert body["key_length"] == 64
    assert {part["name"] for part in body["parts"]} == {"feed_forward", "attention", "norms", "embedding"}
    assert "Weights" in fireside("inspect", "anatomy").stdout


def test_a_text_that_is_too_long_for_a_map_says_so(tmp_path: Path) -> None:
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(write_script(tmp_path))}
    result = fireside("inspect", "attention", "-p", "word " * 300, "--model", "m.gguf", environment=environment)
    assert result.returncode == 1
    assert sentence_for(TooLongToInspect(301, 256)).text in result.stderr
    assert result.stdout == ""


def test_installed_models_are_compared_on_a_text_of_the_programs_own(tmp_path: Path) -> None:
    for kind in ("llama", "experts"):
        make_tiny(kind, tmp_path / f"{kind}.gguf")
    names = [word for kind in ("llama", "experts") for word in ("--model", str(tmp_path / f"{kind}.gguf"))]
    body = only_json(fireside("inspect", "compare", "-p", "abc" * 40, *names, "--json"))
    assert [one["name"] for one in body["models"]] == ["Tiny llama", "Tiny experts"]
    assert set(body["models"][0]) >= {"name", "parameters", "bits_per_byte", "tokens_per_s", "memory_bytes"}
    assert isinstance(body["exponent"], float)
    missing = fireside("inspect", "compare", "-p", "abc", "--model", str(tmp_path / "none.gguf"))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "none.gguf" in missing.stderr
