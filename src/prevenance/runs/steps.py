"""What a run is doing: a step at a time, timed, with memory asked for before each."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prevenance.base import disk, memory
from prevenance.base.errors import PrevenanceError
from prevenance.runs.settings.schema import Settings


class Steps:
    """Say what is going on: a step to ``shown`` and as a line in ``<out>/steps.log``, a result to ``told``.

    ``refused`` are the problems that did not stop the run: told when all else is, and the first gives the exit status.
    """

    def __init__(
        self, out: Path, shown: Callable[[str], None] = lambda step: None, told: Callable[[str], None] = lambda text: None
    ) -> None:
        """Start the clock; nothing is written until the first step."""
        self._told = told
        self.seconds: dict[str, float] = {}
        self.refused: list[PrevenanceError] = []
        self._shown, self._log, self._last, self._started = shown, out / "steps.log", "", time.perf_counter()

    def __call__(self, text: str, *, checked: bool = True) -> None:
        """Begin a step: the one before it is over. It is not begun with too little memory, unless it is not ``checked``."""
        if text and checked:
            memory.check_memory()
        now = time.perf_counter()
        if self._last:
            self.seconds[self._last] = round(self.seconds.get(self._last, 0.0) + now - self._started, 2)
            if self._log.parent.is_dir():
                with disk.writing(self._log), self._log.open("a", encoding="utf-8") as log:
                    log.write(f"{now - self._started:8.2f} s  {self._last}\n")
        self._last, self._started = text, now
        self._shown(text)

    def tell(self, text: str) -> None:
        """End the present step and hand over what a person is to read."""
        self("")
        self._told(text)


Body = Callable[[Settings, Steps], Mapping[str, Any] | None]
"""A command: returns what its status file says of it, or nothing to say but that it is done; what it refused stands in its steps."""
