"""Facts about a server: its kind, models and context sizes; and a connection test.

OpenAI's contract only lists names, so each kind is asked in its own way: llama-server by `/props`, vLLM and SGLang by
`max_model_len` in the list, LM Studio and Fireside by `/api/v0/models`, Ollama by `/api/show` and `/api/ps`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from app.core.errors.app_error import AppError
from app.core.errors.server_errors import ServerRefused, ServerUnreachable
from app.core.lazy_dataclasses import dataclass, replace
from app.core.number_format import whole_number
from app.hub.model_server import ModelServer, RequestCut
from app.remote.servers import BLIND, SEES, weights_in_name

LLAMA_CPP, VLLM, SGLANG, OLLAMA, LM_STUDIO, FIRESIDE = "llama_cpp", "vllm", "sglang", "ollama", "lm_studio", "fireside"
# What each kind writes as "owned_by".
_OWNERS = {
    "llamacpp": LLAMA_CPP,
    "vllm": VLLM,
    "sglang": SGLANG,
    "library": OLLAMA,
    "organization_owner": LM_STUDIO,
    "fireside": FIRESIDE,
}
TELLS_SIGHT = (LLAMA_CPP, OLLAMA, LM_STUDIO, FIRESIDE)
"""Kinds of server that report which models take images; for others the user says so."""
TAKES_TEMPLATE_VARIABLES = (LLAMA_CPP, VLLM, SGLANG, FIRESIDE)
OLLAMA_CONTEXT = 4096
"""Ollama's default context if neither the model nor its settings say otherwise."""
MOST_MODELS = 500
LIST, ASK = "models", "test"
"""Why a connection is made, as the ledger tells it."""
# By names, as lists say nothing of it; what llama-server's template or Ollama tells goes first.
_SWITCH = re.compile(
    r"qwen-?3(?!.*(?:instruct|coder))|glm-?4\.[5-9]|deepseek-?v3\.[1-9]|hunyuan|smollm3|granite-?3\.[3-9]"
)
_EFFORT = re.compile(r"gpt-?oss")
_ALWAYS = re.compile(r"deepseek-?r1|qwq|thinking|reasoner|magistral")
# Lists don't tell models that chat from others.
_NO_CHAT = re.compile(r"embed|rerank|whisper|tts|(?:^|[-/])(?:bge|clip)[-/]", re.IGNORECASE)


@dataclass(frozen=True)
class ListedModel:
    """A model as a server lists it; 0 where it does not say. `thinking` as in `ModelLoaded`, `sees` as in
    `RemoteModel`."""

    name: str
    context_tokens: int = 0
    weights: int = 0
    thinking: str = "none"
    sees: str = ""


@dataclass(frozen=True)
class ServerFacts:
    """Facts about a server that answered: its kind, and its chat models."""

    kind: str
    models: tuple[ListedModel, ...]

    def find_model(self, name: str) -> ListedModel | None:
        return next((listed_model for listed_model in self.models if listed_model.name == name), None)


def find_out(server: ModelServer, cut: RequestCut | None = None, *, only: str = "") -> ServerFacts:
    """Ask a server for its kind and models; with `only`, ask for more about that model.

    Raises what `ModelServer.call` raises, or ServerUnreachable if it lists nothing.
    """
    cut = cut or RequestCut()
    rows = _model_rows(server.call("/models", why=LIST, cut=cut))
    if rows is None:
        raise ServerUnreachable(server.host, "not_a_server")
    kind = next((_OWNERS[owner] for row in rows if (owner := _text_field(row, "owned_by")) in _OWNERS), "")
    listed = [
        _listed_model(row)
        for row in rows[:MOST_MODELS]
        if _text_field(row, "id") and not _NO_CHAT.search(_text_field(row, "id"))
    ]
    more = _MORE.get(kind)
    if more is not None:
        listed = more(server, listed, only, cut)
    return ServerFacts(kind, tuple(listed))


def _model_rows(answer: Any) -> list[dict[str, Any]] | None:
    rows = answer.get("data") if isinstance(answer, dict) else answer
    rows = [] if rows is None and isinstance(answer, dict) and answer.get("object") == "list" else rows  # Ollama's
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def _listed_model(row: dict[str, Any]) -> ListedModel:
    name = _text_field(row, "id")
    meta = part if isinstance(part := row.get("meta"), dict) else {}
    # Kinds of servers have different fields for it.
    context = _whole_field(row, "max_model_len") or _whole_field(row, "context_length") or _whole_field(meta, "n_ctx")
    return ListedModel(name, context, _whole_field(meta, "n_params") or weights_in_name(name), thinking_of(name))


def thinking_of(name: str) -> str:
    """Return whether a model thinks before it answers, by its name: none, switch, effort or always."""
    name = name.lower()
    for pattern, thinking in ((_ALWAYS, "always"), (_EFFORT, "effort"), (_SWITCH, "switch")):
        if pattern.search(name):
            return thinking
    return "none"


def _of_llama_cpp(server: ModelServer, listed: list[ListedModel], _only: str, cut: RequestCut) -> list[ListedModel]:
    """Return llama-server's one model. Its template tells whether thinking can be switched."""
    props = _ask_server(server, "/props", cut)
    settings = props.get("default_generation_settings")
    context = _whole_field(settings, "n_ctx") if isinstance(settings, dict) else 0
    template = _text_field(props, "chat_template")
    thinking = "switch" if "enable_thinking" in template else "effort" if "reasoning_effort" in template else ""
    if not thinking and template:
        thinking = "always" if "<think>" in template and "</think>" in template else "none"
    modalities = props.get("modalities")
    sees = _vision_of(modalities, isinstance(modalities, dict) and modalities.get("vision") is True)
    return [
        replace(
            listed_model,
            context_tokens=context or listed_model.context_tokens,
            thinking=thinking or listed_model.thinking,
            sees=sees,
        )
        for listed_model in listed
    ]


def _of_lm_studio(server: ModelServer, listed: list[ListedModel], _only: str, cut: RequestCut) -> list[ListedModel]:
    rows = _model_rows(_ask_server(server, "/api/v0/models", cut)) or []
    told = {_text_field(row, "id"): row for row in rows}
    found = []
    for listed_model in listed:
        row = told.get(listed_model.name, {})
        if _text_field(row, "type") == "embeddings":
            continue
        context = _whole_field(row, "loaded_context_length") or _whole_field(row, "max_context_length")
        kind = _text_field(row, "type")
        found.append(
            replace(
                listed_model,
                context_tokens=context or listed_model.context_tokens,
                sees=_vision_of(kind, kind == "vlm"),
            )
        )
    return found


def _of_ollama(server: ModelServer, listed: list[ListedModel], only: str, cut: RequestCut) -> list[ListedModel]:
    """Ask Ollama about the model meant only: its list can be long."""
    if not only:
        return listed
    running = _ask_server(server, "/api/ps", cut).get("models")
    loaded = (
        {_text_field(row, "model"): row for row in running if isinstance(row, dict)}
        if isinstance(running, list)
        else {}
    )
    return [
        _shown_by_ollama(
            listed_model,
            _ask_server(server, "/api/show", cut, {"model": listed_model.name}),
            loaded.get(listed_model.name, {}),
        )
        if listed_model.name == only
        else listed_model
        for listed_model in listed
    ]


def _shown_by_ollama(listed: ListedModel, shown: dict[str, Any], loaded: dict[str, Any]) -> ListedModel:
    details, info = (part if isinstance(part := shown.get(name), dict) else {} for name in ("details", "model_info"))
    # Its key begins with the architecture, as in "llama.context_length".
    trained = max((_whole_field(info, key) for key in info if key.endswith(".context_length")), default=0)
    num_ctx = re.search(r"^num_ctx\s+(\d+)", _text_field(shown, "parameters"), re.MULTILINE)
    # What is loaded goes first, then the model's own setting, else Ollama's default, whatever it was trained for.
    context = _whole_field(loaded, "context_length") or (
        whole_number(num_ctx[1]) if num_ctx else min(OLLAMA_CONTEXT, trained)
    )
    can = shown.get("capabilities")
    thinks = isinstance(can, list) and "thinking" in can
    weights = _whole_field(info, "general.parameter_count") or weights_in_name(_text_field(details, "parameter_size"))
    # Ollama only says that it thinks; whether that can be switched is known by name.
    thinking = (listed.thinking if listed.thinking != "none" else "always") if thinks else "none"
    sees = _vision_of(can, isinstance(can, list) and "vision" in can)
    thinking = thinking if can else listed.thinking
    return replace(listed, context_tokens=context, weights=weights or listed.weights, thinking=thinking, sees=sees)


def _vision_of(said: object, does_see: bool) -> str:
    if not said:
        return ""
    return SEES if does_see else BLIND


_MORE: dict[str, Callable[[ModelServer, list[ListedModel], str, RequestCut], list[ListedModel]]] = {
    LLAMA_CPP: _of_llama_cpp,
    LM_STUDIO: _of_lm_studio,
    FIRESIDE: _of_lm_studio,
    OLLAMA: _of_ollama,
}


def _ask_server(server: ModelServer, path: str, cut: RequestCut, body: Any = None) -> dict[str, Any]:
    """Return a server's own facts; an empty dict if it doesn't offer them."""
    try:
        answer = server.call(server.root + path, body, why=LIST, cut=cut)
    except (ServerRefused, ServerUnreachable) as error:
        # A server that is gone is an error; one that doesn't know the path has no such facts.
        if isinstance(error, ServerUnreachable) and error.reason in ("offline", "refused", "timeout"):
            raise
        return {}
    return answer if isinstance(answer, dict) else {"data": answer}


def _text_field(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _whole_field(row: dict[str, Any], name: str) -> int:
    return whole_number(row.get(name))


@dataclass(frozen=True)
class TestStep:
    """A step of the test. `what`: models, context, answers, streams, json or counts.

    `detail` is a number where there is one. `error` says why it does not work, None where it does or is not offered.
    """

    what: str
    works: bool
    detail: int = 0
    error: AppError | None = None


def run_tests(server: ModelServer, model: str, cut: RequestCut) -> Iterator[TestStep]:
    """Test each thing the program uses. A failed step doesn't stop the test unless later ones depend on it."""
    try:
        found = find_out(server, cut, only=model)
    except AppError as error:
        yield TestStep("models", works=False, error=error)
        return
    yield TestStep("models", works=True, detail=len(found.models))
    listed = found.find_model(model)
    yield TestStep(
        "context", works=bool(listed and listed.context_tokens), detail=listed.context_tokens if listed else 0
    )
    body = {"model": model, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 8, "stream": True}
    try:
        pieces = sum(1 for _ in server.stream("/chat/completions", body, why=ASK, cut=cut))
    except AppError as error:
        yield TestStep("answers", works=False, error=error)
        return
    yield TestStep("answers", works=True)
    # A single piece means that the server waited for the whole answer.
    yield TestStep("streams", works=pieces > 1)
    yield _run_step(server, "json", {**body, "response_format": {"type": "json_object"}}, cut)
    yield TestStep("counts", works=counts_tokens(server, found.kind, model, cut))


def _run_step(server: ModelServer, what: str, body: dict[str, Any], cut: RequestCut) -> TestStep:
    try:
        for _ in server.stream("/chat/completions", body, why=ASK, cut=cut):
            pass
        return TestStep(what, works=True)
    except ServerRefused:
        return TestStep(what, works=False)
    except AppError as error:
        return TestStep(what, works=False, error=error)


def first_choice(response: dict[str, Any]) -> dict[str, Any]:
    choices = response.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def counts_tokens(server: ModelServer, kind: str, model: str, cut: RequestCut) -> bool:
    """Return whether a server says how many tokens a text has, so that nothing has to be estimated."""
    if kind != LLAMA_CPP:
        return False
    return isinstance(_ask_server(server, "/tokenize", cut, {"content": "a", "model": model}).get("tokens"), list)
