"""`/v1/audio/transcriptions` as OpenAI has it: a recording in, what is said in it out, as text, JSON or subtitles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.core.errors.document_errors import DocumentTooDemanding, DocumentUnreadable
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.features.serving.answer_server import AnswerServer
from app.features.transcribe import SpokenSegment, SpokenTranscript, srt_of, vtt_of
from app.server.json_body import BadRequest
from app.server.multipart import FormFile, MultipartForm

# Clients send these without asking which models there are; here they mean the model that hears.
ELSEWHERE = frozenset(("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"))


@dataclass(frozen=True)
class TranscriptionRequest:
    """A transcription request. `language`, `prompt` and `temperature` are hints that no model here can use."""

    model: str
    file: FormFile
    format: str

    @classmethod
    def from_form(cls, form: MultipartForm) -> TranscriptionRequest:
        """Read the form. Raises BadRequest."""
        if "file" not in form.files:
            raise BadRequest("file is missing: send the recording itself as a part of the form", "file")
        wanted = form.texts.get("response_format", "json")
        if wanted not in _WRITERS:
            raise BadRequest(f"response_format must be one of {', '.join(_WRITERS)}", "response_format")
        # Forms have texts only, so booleans come as words.
        if form.texts.get("stream", "false").strip().lower() in ("true", "1"):
            raise BadRequest("stream: transcripts are only sent when complete", "stream")
        if "word" in (form.texts.get("timestamp_granularities[]"), form.texts.get("timestamp_granularities")):
            raise BadRequest("timestamp_granularities: only sentences have times", "timestamp_granularities")
        model = form.texts.get("model", "").strip()
        return cls("" if model in ELSEWHERE else model, form.files["file"], wanted)

    def make_response(self, transcript: SpokenTranscript) -> Response:
        """Return the answer in the form that was asked for."""
        return _WRITERS[self.format](transcript)


def transcribe_request(serving: AnswerServer, asked: TranscriptionRequest, cancel: CancelToken) -> SpokenTranscript:
    """Transcribe a recording. Raises BadRequest if it can't be read or no model understands sound."""
    try:
        transcript = serving.transcribe(asked.model, asked.file.data, cancel)
    except (MediaRefused, DocumentUnreadable, DocumentTooDemanding) as error:
        if isinstance(error, MediaRefused) and error.reason == "deaf":
            words = f"{asked.model or 'the loaded model'} can't hear: load a model that can, with its projector file"
            raise BadRequest(words, "model", code="no_hearing") from error
        words = "the recording can't be read: send WAV, FLAC, MP3 or OGG"
        raise BadRequest(words, "file", code="bad_sound") from error
    # None where the client left; nobody reads this.
    return transcript or SpokenTranscript((), 0.0, "")


def _text_of(segments: tuple[SpokenSegment, ...]) -> str:
    return " ".join(segment.text for segment in segments)


def _verbose_body(transcript: SpokenTranscript) -> dict[str, Any]:
    segments = [
        {"id": number, "start": round(segment.start_s, 3), "end": round(segment.end_s, 3), "text": segment.text}
        for number, segment in enumerate(transcript.segments)
    ]
    return {
        "task": "transcribe",
        "language": transcript.language,
        # The times of segments are seconds, as OpenAI has them.
        "duration": round(transcript.seconds, 3),
        "text": _text_of(transcript.segments),
        "segments": segments,
    }


_WRITERS: dict[str, Callable[[SpokenTranscript], Response]] = {
    "json": lambda told: JSONResponse({"text": _text_of(told.segments)}),
    "text": lambda told: PlainTextResponse(f"{_text_of(told.segments)}\n"),
    "srt": lambda told: PlainTextResponse(srt_of(told.segments)),
    "verbose_json": lambda told: JSONResponse(_verbose_body(told)),
    "vtt": lambda told: PlainTextResponse(vtt_of(told.segments)),
}
