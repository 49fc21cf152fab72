"""A few lines at the end of a terminal, redrawn in place; what is printed goes above them. Drawn by rich."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.style import Style
from rich.text import Text


class Terminal(Console):
    """Never hides the cursor: a process that is killed or stopped (Ctrl-Z) could not show it again."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class LiveLines:
    """Begins to draw when it is made. Draws only when told: `refresh` is called as often as the lines should change."""

    def __init__(self, stream: TextIO, lines: Callable[[], list[str]], *, is_coloured: bool) -> None:
        self._is_coloured = is_coloured
        # Of the environment rich would believe even COLUMNS=0: the size is asked of the terminal, the rest is settled here.
        terminal = Terminal(
            file=stream,
            force_terminal=True,
            color_system="standard",
            no_color=not is_coloured,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )
        self._live = Live(
            get_renderable=lambda: Text("\n".join(lines()), no_wrap=True, overflow="ellipsis"),
            console=terminal,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def refresh(self) -> None:
        self._live.refresh()

    def print(self, first: str, rest: str, colour: str) -> None:
        """A block of lines; the first line is coloured."""
        text = Text(first, style=Style(color=colour) if colour and self._is_coloured else "")
        if rest:
            text.append("\n" + rest)
        self._live.console.print(text, soft_wrap=True)

    def stop(self) -> None:
        """Takes the lines away."""
        self._live.stop()
