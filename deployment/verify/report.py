"""The table of a run, in Markdown, so that it can be pasted into an issue: without account ids, signatures and keys."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

from runner import FAILED, IN_WORDS, NOT_SHOWN
from terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from claims import Claim, Group
    from runner import Outcome

_SIGNATURE = re.compile(r"\bsig=[A-Za-z0-9_%-]+")


class Report:
    """Prints the rows; `known_secrets` returns the texts that must not be printed."""

    def __init__(self, account: str, known_secrets: Callable[[], Iterable[str]], groups: Sequence[Group]) -> None:
        self._account, self._known_secrets, self._group = account, known_secrets, ""
        # The first two columns are padded, so that they are also aligned in a terminal.
        self._width = max(len(_named(claim)) for group in groups for claim in group.claims)

    def heading(self, text: str) -> None:
        """Print the beginning of the report and the head of the table."""
        self._print(text)
        self._print("")
        self._row("claim", "result", "seen")
        self._row("-" * self._width, "-" * len(NOT_SHOWN), "---")

    def show(self, group: Group, outcome: Outcome) -> None:
        """Print the row of a claim."""
        if group.title != self._group:
            self._group = group.title
            self._row(f"**{group.title}**", "", "")
        result = f"**{outcome.result}**" if outcome.result == FAILED else outcome.result
        self._row(_named(outcome.claim), result, outcome.seen)

    def summary(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Print how many claims hold, and which failed."""
        counts = Counter(outcome.result for outcome in outcomes)
        words = ", ".join(f"{counts[result]} {word}" for result, word in IN_WORDS.items() if counts[result])
        self._print("")
        self._print(f"{len(outcomes)} claims in {seconds:.0f} s: {words}.")
        failed = [outcome.claim.name for outcome in outcomes if outcome.result == FAILED]
        if failed:
            self._print(f"Failed: {', '.join(failed)}.")

    def _row(self, claim: str, result: str, seen: str) -> None:
        cells = [" ".join(cell.replace("|", "\\|").split()) for cell in (claim, result, seen)]
        self._print(f"| {cells[0]:<{self._width}} | {cells[1]:<{len(NOT_SHOWN)}} | {cells[2]} |")

    def _print(self, text: str) -> None:
        say(self.scrubbed(text))
        sys.stdout.flush()

    def scrubbed(self, text: str) -> str:
        """The text without the account's id, signatures and keys."""
        for secret in self._known_secrets():
            text = text.replace(secret, "[key]")
        return _SIGNATURE.sub("sig=[signature]", text).replace(self._account, "[account]")


def _named(claim: Claim) -> str:
    return f"`{claim.name}` {claim.says}"
