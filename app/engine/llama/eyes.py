"""The eyes and ears of a model: libmtmd with a projector, which turns pictures and sounds into what the model reads.

Decoded files only: a picture is a binary PPM, a sound is 16-bit mono WAV. `mtmd_helper_bitmap_init_*` would start
ffmpeg for a file that it does not know, so nothing of mtmd ever gets to see one.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import functools
import hashlib
import math
import struct
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ProjectorRefused
from app.core.errors.request_errors import MediaRefused
from app.core.events import Media
from app.core.gguf import VOICES, GgufHeader, projector_kinds
from app.core.lazy_dataclasses import dataclass, field, replace
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import PROGRESS_EVERY_S, Model, c_path
from app.engine.llama.tiles import MediaTile, TileNumbers
from app.engine.model_shape import number_of
from app.engine.protocol import MediaCount
from app.engine.states import model_identity

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

PICTURE, SOUND = "picture", "sound"
TEXT_CHUNK, IMAGE_CHUNK, SOUND_CHUNK = 0, 1, 2
KEPT_BYTES = 256 * 1024 * 1024
KEPT_COUNTS = 1024
LOOK_EVERY_NODES = 16  # between two looks at Stop; an encoder of 12 layers has 400 nodes
NODES_A_LAYER = 33  # measured; how far the first encode is, until one has been counted
MOST_SIDE, MOST_RATIO = 4096, 100
SMALLEST_SIDE = 16  # below it a picture is not made smaller to take fewer tokens
LEAST_SAMPLES = 640  # libmtmd ends the process over a single one
SIZES = ((64, 64), (1024, 1024), (4096, 4096), (4096, 41), (41, 4096))
"""Image sizes to try; one of them takes the most tokens per tile, however the projector scales."""
MANY_TILES = (2048, 1024)
"""A picture that every projector that cuts pictures into tiles does cut."""
SERIALIZED_VERSION = 2
REASONS = {
    "mismatch between": "other_model",
    "unknown projector type": "unknown",
    "unexpected vision projector type": "unknown",
    "unexpected audio projector type": "unknown",
    "unsupported minicpmv version": "unknown",
    "failed to allocate": "no_memory",
}
"""Parts of libmtmd's messages when it refuses a projector, and our reasons for them."""

# What stands before a picture matters to two kinds of projectors, as llama.cpp's tools/mtmd/mtmd.cpp has it.
NUMBERED = frozenset({"hunyuanvl"})
"""Projectors that use an image's index in the prompt as its position in the fourth dimension."""
ALIGNED = {"deepseek4v": 4}
"""Padding before a picture makes it begin at a multiple of so many tokens, less one."""


@dataclass(eq=False)
class EncodingRun:
    """The tiles of one picture or sound while they are encoded, on a thread of their own.

    `wanted` are their numbers, all of one place; `stops` ends it early, and while `rests` is true nothing is computed.
    """

    media: Media
    place: int
    wanted: frozenset[int]
    stops: Callable[[], bool]
    rests: Callable[[], bool]
    done: threading.Event = field(default_factory=threading.Event)
    fraction: float = 0.0
    problem: AppError | None = None
    _gives_way: bool = False

    def give_way(self) -> None:
        """Stop after the tile that is being encoded; the tiles so far are kept."""
        self._gives_way = True

    def is_over(self) -> bool:
        """Return whether the rest of the tiles isn't wanted any more."""
        return self._gives_way or self.stops()


class MediaProjector:
    """Owns mtmd's context of one; says what mtmd makes of a picture or a sound, before anything is computed of it.

    `kinds` are what its file is for; a bitmap is freed by `split_bitmap`.
    """

    def __init__(self, path: str, pointer: Any, model: Model, kinds: frozenset[str]) -> None:
        from llama_cpp import mtmd_cpp as m

        self.path, self.pointer, self.mtmd, self._model = path, pointer, m, model
        self.sees = bool(m.mtmd_support_vision(pointer))
        self.hears = bool(m.mtmd_support_audio(pointer))
        # 16 kHz for Whisper's encoders and their relatives.
        self.hearing_hz = max(0, m.mtmd_get_audio_sample_rate(pointer)) if self.hears else 0
        self.is_spread = bool(m.mtmd_decode_use_mrope(pointer))
        """True if the model has positions in two dimensions (M-RoPE)."""
        self.is_numbered = bool(kinds & NUMBERED)
        self.block_tokens = max((ALIGNED[kind] for kind in kinds & ALIGNED.keys()), default=1)

    @functools.cached_property
    def whole_tokens(self) -> int:
        """Tokens of the largest piece that has to be decoded at once, since all of it sees all of it; 0 without any."""
        if not self.sees or not self.mtmd.mtmd_decode_use_non_causal(self.pointer, None):
            # Which size makes the largest piece depends on how the projector scales and cuts.
            return 0
        sizes = (self.count_piece_tokens(width, height) for width, height in SIZES)
        return max((tokens for pieces in sizes for tokens in pieces), default=0)

    def accepts_media(self, media: Media) -> bool:
        """Return whether it is for pictures, or for sounds."""
        return self.sees if media.kind == PICTURE else self.hears

    @contextlib.contextmanager
    def split_bitmap(self, bitmap: Any, place: int = 0) -> Iterator[list[tuple[int, Any]]]:
        """Split a bitmap, which is freed, into (kind, chunk). Raises MediaRefused if there are none.

        `place` counts what precedes it: tokens, or images; in the latter case the end mark of the last one is in the
        first chunk.
        """
        m = self.mtmd
        # Before a numbered picture as many others stand as the prompt has, so that mtmd counts on.
        others = [m.mtmd_bitmap_init(*SIZES[0], None) for _ in range(place if self.is_numbered else 0)]
        parts = [m.mtmd_input_part(None, part) for part in (*others, bitmap)]
        if place and not self.is_numbered:
            # Filler of that many tokens lets mtmd pad as it would in the prompt.
            filling = self._model.filler_text(place).encode()
            text = m.mtmd_input_text(filling, len(filling), False, True)
            parts.insert(0, m.mtmd_input_part(ctypes.pointer(text), None))
        pointers = (ctypes.POINTER(m.mtmd_input_part) * len(parts))(*map(ctypes.pointer, parts))
        chunks = m.mtmd_input_chunks_init()
        try:
            if m.mtmd_tokenize_from_parts(self.pointer, chunks, pointers, len(parts), False):
                raise MediaRefused("", PICTURE, "unfit")
            all_ = [m.mtmd_input_chunks_get(chunks, index) for index in range(m.mtmd_input_chunks_size(chunks))]
            typed = [(m.mtmd_input_chunk_get_type(chunk), chunk) for chunk in all_]
            wanted = IMAGE_CHUNK if self.is_numbered else TEXT_CHUNK
            # What comes after the chunk of the last thing before belongs to the bitmap.
            ends = [at + 1 for at, (kind, _) in enumerate(typed) if kind == wanted]
            yield typed[ends[len(parts) - 2] :] if place else typed
        finally:
            m.mtmd_input_chunks_free(chunks)
            for part in (*others, bitmap):
                m.mtmd_bitmap_free(part)

    def count_piece_tokens(self, width: int, height: int) -> list[int]:
        """Return the tokens of each tile of an image of this size."""
        with (
            contextlib.suppress(MediaRefused),
            self.split_bitmap(self.mtmd.mtmd_bitmap_init(width, height, None)) as chunks,
        ):
            return [self.mtmd.mtmd_input_chunk_get_n_tokens(chunk) for kind, chunk in chunks if kind == IMAGE_CHUNK]
        return []

    def try_marks(self) -> None:
        """Check that the model knows libmtmd's marks around images, small and tiled, and sounds. Raises
        ProjectorRefused.
        """
        shown = [self.mtmd.mtmd_bitmap_init(*size, None) for size in (SIZES[0], MANY_TILES) if self.sees]
        shown += [self.make_placeholder(Media("", "", SOUND, seconds=1.0))] if self.hears else []
        for bitmap in shown:
            with self.split_bitmap(bitmap) as chunks:
                texts = [_text_of(self.mtmd, chunk) for kind, chunk in chunks if kind == TEXT_CHUNK]
            # A mark that the vocabulary lacks comes out as a token below 0.
            if min((token for text in texts for token in text), default=0) < 0:
                raise ProjectorRefused(self.path, self._model.path, "other_model", "a mark is unknown")
        # The filler has to be exactly one token each, or alignment would be wrong.
        most = self.block_tokens - 1
        if len(self._model.tokenize(self._model.filler_text(most), special=True)) != most:
            raise ProjectorRefused(self.path, self._model.path, "other_model", "there is no special token")

    def read_bitmap(self, media: Media) -> Any:
        """Return its pixels or samples; raises MediaRefused, and what reading a file raises."""
        if media.kind == SOUND:
            return self._audio_bitmap(self._read_samples(media))
        pixels = _read_pixels(media)
        width, height = self._fitting_size(media)
        if (width, height) != (media.width, media.height):
            pixels = _shrink_pixels(pixels, width, height)
        return self._image_bitmap(width, height, pixels)

    def make_blank(self, media: Media) -> Any:
        """Return an empty bitmap of the medium's size, without reading its file."""
        import numpy as np

        if media.kind == SOUND:
            return self._audio_bitmap(np.zeros(self._count_samples(media), np.float32))
        return self._image_bitmap(media.width, media.height, np.zeros(media.width * media.height * 3, np.uint8))

    def make_placeholder(self, media: Media) -> Any:
        """Return a bitmap with a size only, which is all that counting needs."""
        if media.kind == SOUND:
            return self.mtmd.mtmd_bitmap_init_from_audio(self._count_samples(media), None)
        return self.mtmd.mtmd_bitmap_init(*self._fitting_size(media), None)

    def close(self) -> None:
        self.mtmd.mtmd_free(self.pointer)

    def _image_bitmap(self, width: int, height: int, pixels: Any) -> Any:
        return self.mtmd.mtmd_bitmap_init(width, height, pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)))

    def _audio_bitmap(self, samples: Any) -> Any:
        pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        return self.mtmd.mtmd_bitmap_init_from_audio(len(samples), pointer)

    def _read_samples(self, media: Media) -> Any:
        import numpy as np

        with wave.open(media.path, "rb") as file:
            # The document child has made it so; anything else is somebody else's file.
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, self.hearing_hz):
                raise MediaRefused(media.path, media.kind, "unfit")
            data = file.readframes(file.getnframes())
        # Silence behind a sound that is shorter than any window of the encoder.
        samples = np.zeros(self._count_samples(media), np.float32)
        heard = np.frombuffer(data, "<i2")[: len(samples)].astype(np.float32) / 32768
        samples[: len(heard)] = heard
        return samples

    def _fitting_size(self, media: Media) -> tuple[int, int]:
        """Return the size at which an image takes at most its limit of tokens, if possible."""
        width, height = media.width, media.height
        if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE) or max(width, height) > MOST_RATIO * min(
            width, height
        ):
            raise MediaRefused(media.path, media.kind, "unfit")
        if not media.most_tokens:
            return width, height
        # Halves on 64 sizes: six trials, each of which only tokenizes.
        low, high = 0, 64  # in 64ths; the tokens grow with the size, or are the same for each
        # The smallest size may take more than is allowed, and is then the best there is.
        most = max(media.most_tokens, sum(self.count_piece_tokens(*_scale_size(width, height, 1))))
        while low < high:
            middle = (low + high + 1) // 2
            if sum(self.count_piece_tokens(*_scale_size(width, height, middle))) <= most:
                low = middle
            else:
                high = middle - 1
        return _scale_size(width, height, low)

    def _count_samples(self, media: Media) -> int:
        return max(LEAST_SAMPLES, round(media.seconds * self.hearing_hz))


class VisionEncoder:
    """A model's, with what they looked at; `close` them before the model. One look at a time; the rest may be asked
    meanwhile.
    """

    def __init__(
        self, library: LlamaLibrary, model: Model, tiles: TileNumbers, projector: MediaProjector, watch: _EncodingWatch
    ) -> None:
        self.projector = projector
        self.speeds = dict[str, float]()
        """The least seconds that a token of each kind took so far."""
        self._m, self._tiles, self._watch = projector.mtmd, tiles, watch
        self._name = hashlib.sha256(repr(model_identity(Path(projector.path))).encode()).hexdigest()[:16]
        self.width: int = library.c.llama_model_n_embd_inp(model.pointer)
        self._kept: collections.OrderedDict[int, Floats] = collections.OrderedDict()
        self._look: EncodingRun | None = None
        self._units = functools.lru_cache(maxsize=KEPT_COUNTS)(self._units_of)

    def is_whole(self, media: Media) -> bool:
        """Return whether the tiles of it have to be decoded at once."""
        return media.kind == PICTURE and self.projector.whole_tokens > 0

    def media_tokens(self, media: Media, tokens_before: int = 0, pictures_before: int = 0) -> list[int]:
        """Return the tokens and tile numbers of a medium in a prompt. Raises MediaRefused if the model can't take
        it.
        """
        place = pictures_before if self.projector.is_numbered else tokens_before % self.projector.block_tokens
        return list(self._measure_media(media, place if media.kind == PICTURE else 0)[0])

    def count_media(self, media: Media) -> MediaCount:
        """Return a medium's tokens and encoded size; 0 tokens if the model can't take it."""
        try:
            tokens, width, height = self._measure_media(media)
        except MediaRefused:
            return MediaCount(0, 0, 0)
        tiles = {number for number in tokens if number < 0}
        looked = sum(number < 0 for number in tokens)
        seconds = looked * self.speeds.get(media.kind, 0.0)
        return MediaCount(
            len(tokens), len(tokens) - self._tiles.position_shift(tokens), len(tiles), width, height, seconds
        )

    def tile_embeddings(self, number: int) -> Floats | None:
        """Return a tile's cached embeddings [token, width], or None."""
        number = self._tile_identity(number)
        found = self._kept.get(number)
        if found is not None:
            self._kept.move_to_end(number)
        return found

    def tile_positions(self, media: Media, number: int, start: int) -> Any:
        """Positions of a tile's tokens in each of the four dimensions; None where they just go on from `start`."""
        if not self.projector.is_spread:
            return None
        import numpy as np

        tile = self._tiles[number]
        if media.kind == SOUND:
            # A sound moves on in all four dimensions at once.
            return np.tile(np.arange(start, start + tile.tokens, dtype=np.int32), 4)
        # mtmd only tells positions of chunks, so the picture is cut once more, without its pixels.
        with self.projector.split_bitmap(self.projector.make_placeholder(media), tile.place) as chunks:
            pictures = [chunk for kind, chunk in chunks if kind == IMAGE_CHUNK]
            image = self._m.mtmd_input_chunk_get_tokens_image(pictures[tile.index])
            places = [self._m.mtmd_image_tokens_get_decoder_pos(image, start, index) for index in range(tile.tokens)]
        return np.array([[place.t, place.y, place.x, place.z] for place in places], np.int32).T.reshape(-1)

    @property
    def look(self) -> EncodingRun | None:
        """The encoding in progress, or None; one that is done counts as none."""
        return self._look if self._look is not None and not self._look.done.is_set() else None

    def begin_encoding(self, look: EncodingRun) -> None:
        """Start encoding in a thread; no other encoding may be running."""
        assert self.look is None
        self._look = look
        threading.Thread(target=self._run_encoding, args=(look,), name="eyes", daemon=True).start()

    def close(self) -> None:
        """End the running encoding, wait for its thread, and free the projector."""
        if (look := self.look) is not None:
            look.give_way()
            look.done.wait()
        self.projector.close()

    def try_out(self) -> None:
        """Encode a small image and a short sound without much computing.

        libmtmd checks its graphs by assertions, which end the process: better now than in an answer. Raises
        ProjectorRefused if the model lacks its marks.
        """
        self.projector.try_marks()
        for media in (Media("", "", PICTURE, *SIZES[0]), Media("", "", SOUND, seconds=1.0)):
            if not self.projector.accepts_media(media):
                continue
            with self.projector.split_bitmap(self.projector.make_blank(media)) as chunks:
                first = next(chunk for kind, chunk in chunks if kind != TEXT_CHUNK)
                # Stopped at the first node: the graph is built and checked, and hardly anything computed.
                self._watch.begin_tile(lambda: True, lambda: False, lambda fraction: None, 1)
                self._m.mtmd_encode_chunk(self.projector.pointer, first)

    def _run_encoding(self, look: EncodingRun) -> None:
        try:
            # On a thread: an exception that got out would only be printed.
            self._encode_tiles(look)
        except AppError as error:
            look.problem = error
        except (OSError, ValueError, EOFError, wave.Error) as error:
            reason = "missing" if isinstance(error, FileNotFoundError) else "damaged"
            look.problem = MediaRefused(look.media.path, look.media.kind, reason)
        finally:
            look.done.set()

    def _encode_tiles(self, look: EncodingRun) -> None:
        media = look.media
        numbers = list(dict.fromkeys(number for number in self._measure_media(media, look.place)[0] if number < 0))
        with self.projector.split_bitmap(self.projector.read_bitmap(media), look.place) as chunks:
            pieces = [chunk for kind, chunk in chunks if kind != TEXT_CHUNK]
            # What was counted before is not what the file now holds.
            if len(pieces) != len(numbers):
                raise MediaRefused(media.path, media.kind, "unfit")
            todo = [(number, piece) for number, piece in zip(numbers, pieces, strict=True) if number in look.wanted]
            for done, (number, piece) in enumerate(todo):
                if look.is_over() or not self._encode_tile(look, number, piece, done / len(todo), 1 / len(todo)):
                    return

    def _encode_tile(self, look: EncodingRun, number: int, piece: Any, begun: float, share: float) -> bool:
        """Encode a tile and cache the result; False if stopped."""
        import numpy as np

        count = self._tiles[number].tokens

        def tell(fraction: float) -> None:
            look.fraction = begun + share * fraction

        self._watch.begin_tile(look.is_over, look.rests, tell, count)
        begun_s = time.perf_counter()
        failed = self._m.mtmd_encode_chunk(self.projector.pointer, piece)
        took_s = time.perf_counter() - begun_s
        if self._watch.stopped:  # the code is 0 all the same, and the output rubbish
            return False
        if failed:
            raise MediaRefused(look.media.path, look.media.kind, "unfit")
        self._watch.finish_tile(count)
        output = self._m.mtmd_get_output_embd(self.projector.pointer)
        # A copy: mtmd uses its buffer again for the next tile.
        found = np.ctypeslib.as_array(output, (count, self.width)).copy()
        if not np.isfinite(found).all():
            raise MediaRefused(look.media.path, look.media.kind, "failed")
        # Kept before it is told, so that whoever hears of it finds it.
        self._cache_embeddings(number, found, look.wanted)
        # The least time so far: anything more was other programs.
        self.speeds[look.media.kind] = min(took_s / count, self.speeds.get(look.media.kind, took_s / count))
        tell(1.0)
        return True

    def _cache_embeddings(self, number: int, found: Floats, wanted: frozenset[int]) -> None:
        self._kept[self._tile_identity(number)] = found
        total = sum(kept.nbytes for kept in self._kept.values())
        needed = set(map(self._tile_identity, wanted))
        # The oldest first, but none that the running encoding has just made.
        for old in [old for old in self._kept if old not in needed]:
            if total <= KEPT_BYTES:
                return
            total -= self._kept.pop(old).nbytes

    def _tile_identity(self, number: int) -> int:
        """Return the tile that looks the same, whichever picture of a prompt it is: a number is nothing that can be
        seen.
        """
        return self._tiles.number_of(replace(self._tiles[number], place=0)) if self.projector.is_numbered else number

    def _measure_media(self, media: Media, place: int = 0) -> tuple[tuple[int, ...], int, int]:
        """Return its tokens, and the size at which it is looked at."""
        if not self.projector.accepts_media(media):
            raise MediaRefused(media.path, media.kind, "blind" if media.kind == PICTURE else "deaf")
        try:
            # Counted by content: the same picture lies under another path after a restart.
            return self._units(replace(media, path="", at=0), place)
        except MediaRefused as refused:
            raise MediaRefused(media.path, media.kind, refused.reason) from refused

    def _units_of(self, media: Media, place: int) -> tuple[tuple[int, ...], int, int]:
        tokens: list[int] = []
        index = 0
        seen: list[tuple[int, int]] = []
        behind = 0 if self.projector.is_numbered else place
        with self.projector.split_bitmap(self.projector.make_placeholder(media), behind) as chunks:
            for form, chunk in chunks:
                if form == TEXT_CHUNK:
                    tokens += _text_of(self._m, chunk)
                    continue
                count: int = self._m.mtmd_input_chunk_get_n_tokens(chunk)
                positions = self._m.mtmd_input_chunk_get_n_pos(chunk)
                tile = MediaTile(media.id, media.most_tokens, index, count, positions, self._name, place)
                number = self._tiles.number_of(tile)
                tokens += [number] * count
                index += 1
                seen += _sizes_of(self._m, chunk)
        if min(tokens, default=0) >= 0:
            raise MediaRefused("", media.kind, "unfit")
        width, height = _whole_size(seen, media.width / media.height) if seen else (0, 0)
        return tuple(tokens), width, height


class _EncodingWatch:
    """Callback during encoding that counts graph nodes, pauses and stops. Exceptions in it would be lost in C.

    `layers` are the encoder's.
    """

    def __init__(self, library: LlamaLibrary, layers: int) -> None:
        self.callback = library.c.ggml_backend_sched_eval_callback(self._on_node)  # kept: C holds only the address
        self.stopped = False
        self._nodes = 0
        self._first = NODES_A_LAYER * max(1, layers)
        self._known: dict[int, int] = {}
        self.begin_tile(lambda: False, lambda: False, lambda fraction: None, 0)

    def begin_tile(
        self, stops: Callable[[], bool], rests: Callable[[], bool], tell: Callable[[float], None], tokens: int
    ) -> None:
        """Prepare for encoding a tile; the number of its `tokens` tells how many nodes are to come."""
        self._stops, self._rests, self._tell = stops, rests, tell
        self.stopped, self._nodes = False, 0
        self._expected = self._known.get(tokens, self._first)

    def finish_tile(self, tokens: int) -> None:
        """Record the node count of a finished tile, for later progress."""
        self._known[tokens] = max(1, self._nodes)

    def _on_node(self, _tensor: int, is_question: bool, _user_data: Any) -> bool:
        """Called by ggml for each node, and again once a requested one is computed; False ends the encoding."""
        if is_question:
            self._nodes += 1
            # Asking for a node makes ggml compute up to it and wait, so only some are asked for.
            return self._nodes % LOOK_EVERY_NODES == 1
        self._tell(min(0.99, self._nodes / self._expected))
        # A pause in the middle of an encoding: somebody waits for an answer.
        while self._rests() and not self._stops():
            time.sleep(PROGRESS_EVERY_S)
        self.stopped = self._stops()
        return not self.stopped


def open_eyes(
    library: LlamaLibrary,
    path: str,
    header: GgufHeader,
    model: Model,
    tiles: TileNumbers,
    *,
    threads: int,
    device: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> VisionEncoder | None:
    """Load a projector on a ggml device or the processor (None); None if cancelled.

    Raises ProjectorRefused. Damage beyond its checked header may end the process.
    """
    # A person's llama.cpp may be built without it, or be older than the binding.
    try:
        from llama_cpp import mtmd_cpp as m
    except (RuntimeError, OSError, AttributeError) as error:
        raise ProjectorRefused(path, model.path, "no_library", str(error)) from error

    kinds = projector_kinds(header.metadata)
    if kinds & VOICES:
        raise ProjectorRefused(path, model.path, "unknown", "it makes voices")
    library.redirect_log(m.mtmd_log_set, m.mtmd_helper_log_set)
    library.forget_words()
    watch = _EncodingWatch(library, number_of(header, "clip.vision.block_count"))
    parameters = m.mtmd_context_params_default()
    parameters.n_threads = threads
    parameters.use_gpu = device is not None
    parameters.device = device
    parameters.print_timings = False
    on_progress = m.mtmd_progress_callback(lambda _fraction, _user_data: not cancelled())
    parameters.cb_eval, parameters.progress_callback = watch.callback, on_progress
    pointer = m.mtmd_init_from_file(c_path(path), model.pointer, parameters)
    # It was needed until here: ctypes would have freed it before.
    del on_progress  # kept alive until here
    if pointer:
        return VisionEncoder(library, model, tiles, MediaProjector(path, pointer, model, kinds), watch)
    if cancelled():
        return None
    words = library.last_words()
    # libmtmd says why only in its log.
    reason = next((reason for said, reason in REASONS.items() if said in words), "damaged")
    raise ProjectorRefused(path, model.path, reason, words)


def _text_of(m: Any, chunk: Any) -> list[int]:
    """Return the tokens of a text chunk; `m` is mtmd."""
    count = ctypes.c_size_t(0)
    ids = m.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
    return list(ids[: count.value])


def _sizes_of(m: Any, chunk: Any) -> list[tuple[int, int]]:
    """Return the pixel sizes encoded for a chunk; empty if mtmd's serialized form is unknown."""
    size = ctypes.c_size_t(0)
    # Asked for its size first; mtmd has no other way to tell the size at which a picture is encoded.
    m.mtmd_input_chunk_save(chunk, None, 0, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value or 1)
    if not size.value or m.mtmd_input_chunk_save(chunk, buffer, size.value, ctypes.byref(size)):
        return []
    return _sizes_in(buffer.raw[: size.value])


def _sizes_in(data: bytes) -> list[tuple[int, int]]:
    """Return width and height of each image in a chunk written by `mtmd_input_chunk_save`."""
    try:
        version, _, text = struct.unpack_from("<QIQ", data)
        if version != SERIALIZED_VERSION or text or not data[20]:
            return []
        (name,) = struct.unpack_from("<Q", data, 41)  # behind nx, ny, pos, image_idx, n_temporal_merge
        at = 49 + name + 1
        (count,) = struct.unpack_from("<Q", data, at)
        return [struct.unpack_from("<ii", data, at + 8 + 14 * index + 6) for index in range(min(count, 64))]
    except (struct.error, IndexError):
        return []


def _whole_size(tiles: Sequence[tuple[int, int]], ratio: float) -> tuple[int, int]:
    """Return the size of an image from its tiles; the overview tile doesn't count."""
    if len(tiles) < 2 or len(set(tiles)) > 1:
        return max(tiles, default=(0, 0))
    # One of the tiles is the whole picture, small.
    (width, height), count = tiles[0], len(tiles) - 1
    pairs = [(columns, count // columns) for columns in range(1, count + 1) if count % columns == 0]
    # Of all ways to lay the tiles out the one whose shape is most like the picture's.
    columns, rows = min(pairs, key=lambda pair: abs(math.log(pair[0] * width / (pair[1] * height) / ratio)))
    return columns * width, rows * height


def _scale_size(width: int, height: int, parts: int) -> tuple[int, int]:
    """Return `parts` 64ths of a size, no side below `SMALLEST_SIDE`."""
    return max(SMALLEST_SIDE, width * parts // 64), max(SMALLEST_SIDE, height * parts // 64)


def _read_pixels(media: Media) -> Any:
    """Return the bytes of a decoded image. Raises MediaRefused if the file holds something else."""
    import numpy as np

    data = Path(media.path).read_bytes()
    head = b"P6\n%d %d\n255\n" % (media.width, media.height)
    # The file may have changed since the document child has written it.
    if not data.startswith(head) or len(data) != len(head) + media.width * media.height * 3:
        raise MediaRefused(media.path, media.kind, "damaged")
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(media.height, media.width, 3)


def _shrink_pixels(pixels: Any, width: int, height: int) -> Any:
    """Shrink an image: each pixel becomes the mean of those it replaces."""
    import numpy as np

    for axis, size in ((0, height), (1, width)):
        old = pixels.shape[axis]
        if size < old:
            starts = np.arange(size) * old // size
            counts = np.diff(np.append(starts, old)).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
            pixels = (np.add.reduceat(pixels, starts, axis, dtype=np.uint32) // counts).astype(np.uint8)
    return np.ascontiguousarray(pixels)
