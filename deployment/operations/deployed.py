"""The stack as find_stack of lib.sh has found it: what it wrote to WORK/stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Deployed:
    """The stack as it is, empty if there is none."""

    status: str = ""
    stack_id: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)  # saved rollback triggers: each alarm's ARN, with its type
    monitoring: int = 0  # minutes of these triggers

    @classmethod
    def read(cls, work: Path) -> Deployed:
        """Read WORK/stack, whose lines are a kind, a name and a value."""
        deployed = cls()
        of_kind = {
            "parameter": deployed.parameters,
            "output": deployed.outputs,
            "tag": deployed.tags,
            "trigger": deployed.triggers,
        }
        for line in (work / "stack").read_text(encoding="utf-8").splitlines():
            kind, name, value = [*line.split("\t"), "", ""][:3]
            if kind == "stack":
                deployed.status, deployed.stack_id = name, value
            elif kind == "monitoring" and value.isdigit():
                deployed.monitoring = int(value)
            elif kind in of_kind and not name.startswith("aws:"):  # tags that only AWS sets
                of_kind[kind][name] = value
        return deployed

    @property
    def exists(self) -> bool:
        """Whether the stack has resources. A change set that was never executed leaves an empty one behind."""
        return self.status not in ("", "REVIEW_IN_PROGRESS")
