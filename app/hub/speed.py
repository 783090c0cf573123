"""How fast bytes have been coming lately."""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0
TRUSTED_AFTER_S = 2.0


class Speed:
    """Bytes of the last ten seconds, pauses in between included; times are those of one steady clock."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._began_s: float | None = None
        self._last_bytes: int | None = None

    def go_on(self, now_s: float) -> None:
        """Bytes come (again); the next `moved` says from where."""
        self._last_bytes = None
        if self._began_s is None:
            self._began_s = now_s

    def moved(self, now_s: float, done_bytes: int) -> None:
        """So many bytes are here in all."""
        if self._last_bytes is not None and done_bytes > self._last_bytes:
            self._came.append((now_s, done_bytes - self._last_bytes))
        self._last_bytes = done_bytes
        while self._came and self._came[0][0] <= now_s - WINDOW_S:
            self._came.popleft()

    def bytes_per_s(self, now_s: float) -> float:
        """Zero before anything came."""
        if self._began_s is None or now_s <= self._began_s:
            return 0.0
        came = sum(size for at_s, size in self._came if at_s > now_s - WINDOW_S)
        return came / min(WINDOW_S, now_s - self._began_s)

    def left_s(self, now_s: float, left_bytes: int) -> float | None:
        """How long the rest takes at this speed; None while that would be a guess."""
        speed = self.bytes_per_s(now_s)
        if self._began_s is None or now_s - self._began_s < TRUSTED_AFTER_S or speed <= 0:
            return None
        return left_bytes / speed
