"""A loaded model file and its vocabulary."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from app.core.errors.request_errors import InfillUnavailable, TokenUnknown
from app.core.events import Media
from app.core.gguf import GgufHeader
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.template import ChatTemplate, PromptPart, taking_text
from app.engine.llama.template_process import TemplateProcess

PROGRESS_EVERY_S = 0.05


class Model:
    """Owns llama.cpp's model; everything about tokens is asked here."""

    def __init__(
        self,
        library: LlamaLibrary,
        path: str,
        header: GgufHeader,
        pointer: Any,
        gpu_layers: int,
        *,
        renderer: TemplateProcess | None = None,
    ) -> None:
        """`renderer` may have been started for the header's template already; who gives one closes it."""
        c = library.c
        self.path = path
        self.header = header
        self.pointer = pointer
        self.layers: int = c.llama_model_n_layer(pointer)
        self.gpu_layers = min(gpu_layers if gpu_layers >= 0 else self.layers, self.layers)
        self.trained_context_tokens: int = c.llama_model_n_ctx_train(pointer)
        # A learned table of positions ends; rotary ones go on behind the trained length, only worse.
        learned = next((tensor for tensor in header.tensors if tensor.name == "position_embd.weight"), None)
        self.most_tokens = learned.shape[-1] if learned is not None else sys.maxsize
        """GPT-2 and its like have a vector for each place in a text; behind the last one llama.cpp ends the process."""
        self._library = library
        self._vocab = c.llama_model_get_vocab(pointer)
        self.vocabulary_size: int = c.llama_vocab_n_tokens(self._vocab)
        self._known: dict[tuple[str, bool, bool], list[int]] = {}
        # Asked of the library once per token: an answer of a thousand tokens asks for the same ones again and again.
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._buffer = ctypes.create_string_buffer(256)
        # SentencePiece was trained with a space before each text: "Hello" is " Hello" there.
        self._prefixes_space = c.llama_vocab_type(self._vocab) == c.LLAMA_VOCAB_TYPE_SPM and bool(
            header.metadata.get("tokenizer.ggml.add_space_prefix", True)
        )
        # T5 and its like have an encoder, which needs a decode of its own that nothing here does.
        writes = c.llama_model_has_decoder(pointer) and not c.llama_model_has_encoder(pointer)
        writes = writes and not c.llama_model_is_diffusion(pointer)  # one token after the other, as a session does
        source = c.llama_model_chat_template(pointer, None) if writes else None
        # The vocabulary is a stranger's: its bytes need not be UTF-8.
        self.template_source = taking_text(source.decode("utf-8", "replace")) if source else ""
        self.template: ChatTemplate | None = None
        self._own_renderer: TemplateProcess | None = None
        if source:
            # Jinja runs a stranger's program, so it runs in a child.
            bos, eos = (self._text_of(get(self._vocab)) for get in (c.llama_vocab_bos, c.llama_vocab_eos))
            if renderer is None or renderer.source != self.template_source:
                renderer = self._own_renderer = TemplateProcess(self.template_source, Path.cwd())
            self.template = ChatTemplate(renderer, bos, eos, self._control_texts)

    @property
    def name(self) -> str:
        """The name that the file gives the model, else the name of the file."""
        name = self.header.metadata.get("general.name")
        return name if isinstance(name, str) and name.strip() else os.path.basename(self.path)  # noqa: PTH119

    def prompt_tokens(
        self, parts: Iterable[PromptPart], shown: Callable[[Media, int, int], Sequence[int]] | None = None
    ) -> list[int]:
        """Ids of a prompt: special tokens only from trusted parts, the beginning-of-text token exactly once.

        `shown` gives the tokens of a picture or a sound behind so many tokens and pictures, without which these are
        left out.
        """
        begin = self.begin_of_text()
        ids: list[int] = []
        pictures = 0
        # Only what this prompt has: a cache of all prompts would grow with the chat.
        known, self._known = self._known, {}  # a chat's next prompt repeats all parts of the one before
        is_after_media = False  # what stands there is tokenized by itself
        for part in parts:
            if part.media is not None:
                # Where a picture stands can change its tokens.
                ids += shown(part.media, len(begin) + len(ids), pictures) if shown else ()
                pictures += part.media.kind == "picture"
                is_after_media = True
            elif part.text:
                # Behind a control token the text is a beginning again, and SentencePiece puts its space there.
                after_text = bool(ids) and not is_after_media and not self._is_special(ids[-1])
                is_after_media = False
                key = (part.text, part.trusted, after_text)
                self._known[key] = known.get(key) or self._tokenize_after(*key)
                ids += self._known[key]
                # A template may write the token itself: twice, it makes answers worse, and llama.cpp warns of it.
                while begin and ids[:1] == begin:
                    del ids[0]
        return begin + ids

    def tokenize(self, text: str, *, special: bool, is_whole: bool = False) -> list[int]:
        """Ids of a text; with `special`, control tokens written out in it become the real ones.

        `is_whole`: with what this model wants before and after all of a text.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8  # a token is a byte at least, and there can be a beginning, an end and a space
        ids = (self._library.c.llama_token * room)()
        count = self._library.c.llama_tokenize(self._vocab, data, len(data), ids, room, is_whole, special)
        # Room is enough by construction; the negative number tells how much was wanted.
        if count < 0:
            raise RuntimeError(f"llama_tokenize wants room for {-count} tokens for {len(data)} bytes")
        return list(ids[:count])

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes of a token; nothing for control tokens."""
        piece = self._pieces.get(token)
        if piece is None:
            size = len(self._buffer)
            count = self._library.c.llama_token_to_piece(self._vocab, token, self._buffer, size, 0, False)
            # The buffer was too small; it grows once and stays.
            if count < 0:
                self._buffer = ctypes.create_string_buffer(-count)
                return self.token_bytes(token)
            piece = self._pieces[token] = self._buffer.raw[:count]
        return piece

    def control_tokens_in(self, texts: Iterable[str]) -> dict[int, str]:
        """Return control tokens spelled out in texts, with their spellings."""
        found = (token for text in texts for token in self.tokenize(text, special=True))
        return {token: self._text_of(token) for token in found if self._is_special(token)}

    def ends_with(self, spelling: str) -> bool:
        """Return whether a text is the spelling of a token that ends an answer."""
        tokens = self.tokenize(spelling, special=True)
        return len(tokens) == 1 and self.ends_answer(tokens[0])

    def spell_token(self, token: int) -> tuple[bytes, bool]:
        """Return a token's bytes (a control token's name) and whether it is a control token."""
        # They have no text of their own, but whoever looks into a prompt wants to see them.
        is_control = self._is_special(token)
        return self.token_bytes(token) or self._text_of(token).encode("utf-8", "replace"), is_control

    def begin_of_text(self) -> list[int]:
        """Return the token that begins a text, if the model wants one."""
        c = self._library.c
        return [c.llama_vocab_bos(self._vocab)] if c.llama_vocab_get_add_bos(self._vocab) else []

    def filler_text(self, count: int) -> str:
        """Return a text of so many tokens, where special ones count; what it says does not matter."""
        # Spelled out and tokenized as special, each is exactly one token.
        c = self._library.c
        return self._text_of(max(c.llama_vocab_bos(self._vocab), c.llama_vocab_eos(self._vocab))) * count

    def check_tokens(self, tokens: Iterable[int]) -> None:
        """Raise TokenUnknown for a number that isn't a token of this model."""
        for token in tokens:
            if not 0 <= token < self.vocabulary_size:
                raise TokenUnknown(token, self.vocabulary_size)

    def raw_tokens(self, text: str, suffix: str = "") -> list[int]:
        """Tokenize a text to continue without a template; with `suffix`, to fill in before it.

        Raises InfillUnavailable if the model has no tokens for that.
        """
        c, vocab = self._library.c, self._vocab
        begin, ids = self.begin_of_text(), self.tokenize(text, special=False)
        if not suffix:
            # An empty text with no beginning still needs something to decode.
            return begin + ids or [max(0, c.llama_vocab_bos(vocab), c.llama_vocab_eos(vocab))]
        before, after, middle = (
            get(vocab) for get in (c.llama_vocab_fim_pre, c.llama_vocab_fim_suf, c.llama_vocab_fim_mid)
        )
        if min(before, after, middle) < 0:
            raise InfillUnavailable(self.path)
        # Prefix, suffix, middle: the order in which models for code were trained (PSM).
        return [*begin, before, *ids, after, *self.tokenize(suffix, special=False), middle]

    def ends_answer(self, token: int) -> bool:
        """Return whether a token ends the turn or the text."""
        ends = self._ends.get(token)
        if ends is None:
            # More than one: the end of a turn and the end of a text, and some vocabularies have several.
            ends = self._ends[token] = bool(self._library.c.llama_vocab_is_eog(self._vocab, token))
        return ends

    def free(self) -> None:
        """Free the model's memory and end the process of its template, unless that was given to it."""
        if self._own_renderer is not None:
            self._own_renderer.close()
        self._library.c.llama_model_free(self.pointer)

    def _tokenize_after(self, text: str, special: bool, after_text: bool) -> list[int]:
        """Tokenize without the space that SentencePiece vocabularies put before a text, if other text precedes it."""
        if after_text and self._prefixes_space:
            # A line break in front takes the space; its own tokens are cut off again.
            start, whole = self.tokenize("\n", special=False), self.tokenize("\n" + text, special=special)
            if whole[: len(start)] == start:
                return whole[len(start) :]
        return self.tokenize(text, special=special)

    def _is_special(self, token: int) -> bool:
        c = self._library.c
        # User-defined tokens count, too: some models spell their roles with them.
        kinds = c.LLAMA_TOKEN_ATTR_CONTROL | c.LLAMA_TOKEN_ATTR_USER_DEFINED | c.LLAMA_TOKEN_ATTR_UNKNOWN
        return bool(c.llama_vocab_get_attr(self._vocab, token) & kinds)

    def _text_of(self, token: int) -> str:
        text = self._library.c.llama_vocab_get_text(self._vocab, token) if token >= 0 else b""
        return (text or b"").decode("utf-8", "replace")

    def _control_texts(self) -> list[str]:
        return [self._text_of(token) for token in range(self.vocabulary_size) if self._is_special(token)]


def load_model(
    library: LlamaLibrary,
    path: str,
    header: GgufHeader,
    gpu_layers: int,
    *,
    tell: Callable[[float], None],
    cancelled: Callable[[], bool],
    parameters: Any = None,
    renderer: TemplateProcess | None = None,
) -> Model | None:
    """Load a file, reporting the fraction done; None if llama.cpp refuses it or `cancelled` turns true.

    `parameters` are llama.cpp's, if more than the layers is chosen.
    """
    c = library.c
    told_s = 0.0

    def on_progress(fraction: float, _user_data: Any) -> bool:
        # llama.cpp calls this for each tensor; each report is a line through a pipe.
        nonlocal told_s
        if (now_s := time.monotonic()) - told_s >= PROGRESS_EVERY_S:
            told_s = now_s
            tell(fraction)
        return not cancelled()  # False makes llama.cpp stop and return nothing

    if parameters is None:
        parameters = c.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
    parameters.progress_callback = callback = c.llama_progress_callback(on_progress)
    # Nothing is raised in C: a null pointer is all that tells of a failure, and the log says why.
    pointer = c.llama_model_load_from_file(c_path(path), parameters)
    del callback  # kept alive until here
    return Model(library, path, header, pointer, gpu_layers, renderer=renderer) if pointer else None


def c_path(path: str) -> bytes:
    """Return a path as llama.cpp opens it: UTF-8 on Windows, the file system's bytes elsewhere."""
    # llama.cpp opens with `_wfopen` there, after its own conversion from UTF-8.
    return path.encode("utf-8") if sys.platform == "win32" else os.fsencode(path)
