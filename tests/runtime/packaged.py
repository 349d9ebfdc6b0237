"""The function as it is released: the zip of `deployment/package.sh`, with the names in the template."""

import re
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..template.cloudformation import resolve
from .lambda_runtime import PROJECT


@dataclass(frozen=True, slots=True)
class Function:
    """The function's properties in the template; what exists only when deployed gets a name from the template's."""

    handler: str
    environment: dict[str, str]

    @property
    def upload_bucket(self) -> str:
        return self.environment["UPLOAD_BUCKET"]

    @property
    def processed_bucket(self) -> str:
        return self.environment["PROCESSED_BUCKET"]


def function_of_template(**parameters: str) -> Function:
    """Read the handler's name and the environment from the template, with every switch on that is not given."""
    properties = resolve(**parameters).properties("Function")
    variables = properties["Environment"]["Variables"]
    return Function(
        handler=properties["Handler"],
        # <UploadBucket> → uploadbucket, which is a valid name of a bucket
        environment={name: re.sub(r"<(\w+)>", lambda m: m[1].lower(), str(value)) for name, value in variables.items()},
    )


def unpack(folder: Path) -> None:
    """Package for this machine's Python, and unpack the zip into the folder."""
    script = PROJECT / "deployment/package.sh"
    made = subprocess.run([str(script), "--local"], stdout=subprocess.PIPE, text=True, check=True)
    with zipfile.ZipFile(made.stdout.strip()) as archive:
        archive.extractall(folder)
