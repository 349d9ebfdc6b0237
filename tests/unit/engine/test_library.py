"""The engine can be used as a library, as its docstring shows, and imports nothing of AWS."""

import inspect
import subprocess
import sys
from pathlib import Path

import image_processor
from image_processor import engine

from ..pictures import decode, encode, photo, stored

ENVIRONMENT = {"PYTHONPATH": str(Path(image_processor.__file__).parents[1])}
FOREIGN = (
    "boto3",
    "botocore",
    "image_processor.app",
    "image_processor.aws",
    "image_processor.config",
    "image_processor.publishing",
    "image_processor.services",
    "image_processor.telemetry",
    "image_processor.triggers",
    "image_processor.urls",
)


def run(program: str, folder: Path) -> str:
    """What a program prints that runs in a fresh process and in this folder."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def example() -> str:
    """The indented lines of the docstring."""
    documentation = inspect.getdoc(engine)
    assert documentation
    lines = [line.strip() for line in documentation.splitlines() if line.startswith("    ")]
    assert len(lines) == 4
    return "\n".join(lines)


def test_the_example_of_the_docstring_makes_an_upright_thumbnail(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(stored(photo((400, 300)), 6, "jpeg"))

    run(f"from pathlib import Path\n{example()}", tmp_path)

    thumbnail = decode((tmp_path / "thumbnail.webp").read_bytes())
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (128, 128))


def test_importing_the_engine_imports_nothing_of_aws_and_no_other_package_that_uses_it(tmp_path):
    loaded = set(run("import image_processor.engine, sys; print(*sys.modules)", tmp_path).split())

    assert "image_processor.engine.render" in loaded
    assert not loaded & set(FOREIGN)


def test_rendering_every_kind_of_output_imports_nothing_of_aws_either(tmp_path):
    (tmp_path / "photo.png").write_bytes(encode(photo((60, 40)), "png"))
    program = """
import sys
from pathlib import Path
from image_processor.engine import render
from image_processor.transformations import Transformation
texts = ["trim=9,format=jpeg", "blur=1,format=webp", "width=9,height=9,position=attention,format=avif", "format=gif"]
render(Path("photo.png").read_bytes(), [Transformation.parse(text) for text in texts])
print(*sys.modules)
"""

    loaded = set(run(program, tmp_path).split())

    assert "image_processor.engine.smart_crop" in loaded
    assert not loaded & set(FOREIGN)
