"""package.sh: the same bytes every time, nothing missing for the function to run, everything for its own platform."""

import importlib.util
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image, ImageCms

from .project import PROJECT, Project, copy_project, error_line

pytestmark = pytest.mark.slow  # most tests wait for a build
MB = 1_000_000
SERVICES = {"s3", "dynamodb", "ssm", "cloudfront", "secretsmanager"}  # that the function calls


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was packaged for this machine: a copy of this one, whose build the later tests use too."""
    project = copy_project(tmp_path_factory.mktemp("one") / "project")
    assert Project(PROJECT, project.environment).run("package.sh", "--local").returncode == 0
    for packaged in (*PROJECT.glob("build/function-local.zip*"), *PROJECT.glob("build/dependencies/local-*")):
        copied = project.root / packaged.relative_to(PROJECT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if packaged.is_dir() else shutil.copy2)(packaged, copied)
    return project


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> tuple[zipfile.ZipFile, str]:
    """The zip for Lambda on arm64, and the messages of its build."""
    project = copy_project(tmp_path_factory.mktemp("cloud") / "project")
    result = project.run("package.sh", "--output", str(project.root / "elsewhere/it.zip"))
    assert result.returncode == 0, result
    assert result.stdout.strip().endswith("elsewhere/it.zip")
    return zipfile.ZipFile(result.stdout.strip()), result.stderr


@pytest.fixture(scope="module")
def unzipped(local: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unzipped")
    zipfile.ZipFile(local.root / "build/function-local.zip").extractall(folder)
    return folder


def with_hashes(name: str, requirements: str) -> str:
    """Return the lines of one package: its pin and its hashes."""
    [lines] = re.findall(rf"^{name}==.*\n(?:    --hash=.*\n)+", requirements, re.MULTILINE)
    return lines


def run_alone(unzipped: Path, code: str, *arguments: str) -> str:
    """Run code that finds the standard library and the zip's contents, and no package of this environment."""
    code = f"import sys; sys.path.insert(0, {str(unzipped)!r}); sys.dont_write_bytecode = True\n{code}"
    environment = {"AWS_DEFAULT_REGION": "eu-central-1", "PATH": os.environ["PATH"]}
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--frobnicate"], "unknown option '--frobnicate'"),
        (["--architecture", "riscv64"], "--architecture is arm64 or x86_64, not 'riscv64'"),
        (["--python", "2.7"], "--python is like 3.13, not '2.7'"),
        (["--output"], "--output needs a value"),
        (["--local", "--architecture", "arm64"], "--local excludes"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: list[str], problem: str) -> None:
    package = PROJECT / "deployment/package.sh"
    result = subprocess.run([str(package), *arguments], capture_output=True, text=True, check=False, cwd="/")
    assert problem in error_line(result)
    assert len(result.stderr.splitlines()) == 1


def test_help_needs_nothing() -> None:
    package = PROJECT / "deployment/package.sh"
    result = subprocess.run([str(package), "--help"], capture_output=True, text=True, check=True, cwd="/")
    assert "--architecture" in result.stdout


def test_another_folder_time_and_umask_give_the_same_bytes(local: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "another, longer folder")
    for file in (other.root / "src").rglob("*.py"):
        os.utime(file, (1, 1))
        file.chmod(0o600)
    (other.root / "src/image_processor/__pycache__").mkdir()
    (other.root / "src/image_processor/__pycache__/left.cpython-313.pyc").write_bytes(b"over")
    before = os.umask(0o077)
    try:
        result = other.run("package.sh", "--local", PYTHONHASHSEED="1", PYTHONOPTIMIZE="2", LC_ALL="C", TZ="Asia/Tokyo")
    finally:
        os.umask(before)
    assert result.returncode == 0, result
    one, two = (project.root / "build/function-local.zip" for project in (local, other))
    assert one.read_bytes() == two.read_bytes()


def test_an_unchanged_project_is_not_packaged_again(local: Project) -> None:
    zip_file = local.root / "build/function-local.zip"
    before = zip_file.stat().st_mtime_ns
    result = local.run("package.sh", "--local")
    assert result.stdout == f"{zip_file}\n"
    assert result.stderr == ""
    assert zip_file.stat().st_mtime_ns == before


def test_an_edit_of_the_sources_installs_nothing(local: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "edited", local.environment)
    shutil.copytree(local.root, project.root, symlinks=True)
    (project.root / "src/image_processor/new.py").write_text("ANSWER = 42\n")
    result = project.run("package.sh", "--local", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert result.returncode == 0, result
    assert "Installing" not in result.stderr
    names = zipfile.ZipFile(project.root / "build/function-local.zip").namelist()
    assert "image_processor/new.py" in names
    assert not [name for name in names if name.startswith("image_processor/requirements")]


def test_a_source_that_does_not_compile_is_an_error(local: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "broken", local.environment)
    shutil.copytree(local.root, project.root, symlinks=True)
    (project.root / "src/image_processor/new.py").write_text("def\n")
    result = project.run("package.sh", "--local")
    assert result.returncode == 1
    assert "new.py" in result.stderr
    assert "the sources don't compile under Python 3." in result.stderr.splitlines()[-1]


def test_what_pip_can_not_find_is_one_clear_line(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    result = project.run("package.sh", "--local", PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("its last lines are above")
    assert "No matching distribution found" in result.stderr
    assert [path.name for path in (project.root / "build").iterdir()] == ["dependencies"]


def test_a_package_without_a_pin_and_a_hash_is_refused(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    requirements = project.root / "src/image_processor/requirements.txt"
    dateutil = with_hashes("python-dateutil", requirements.read_text())
    requirements.write_text(f"# six is missing\n{dateutil}")
    result = project.run("package.sh", "--local")
    assert result.returncode == 1
    assert re.search(r"In --require-hashes mode.*\n.*\bsix>=1\.5 from", result.stderr)


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    requirements = project.root / "src/image_processor/requirements.txt"
    six = with_hashes("six", requirements.read_text())
    requirements.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", six))
    result = project.run("package.sh", "--local")
    assert result.returncode == 1
    assert re.search(rf"\b{'0' * 64}\n *Got +[0-9a-f]{{64}}\n", result.stderr)
    assert not list((project.root / "build").glob("*.zip"))


def test_each_entry_has_the_same_date_mode_and_order_everywhere(local: Project) -> None:
    with zipfile.ZipFile(local.root / "build/function-local.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o100644"}
    assert {entry.create_system for entry in entries} == {3}


FORMATS: dict[str, dict[str, Any]] = {
    "baseline.jpg": {"quality": 90}, "progressive.jpg": {"progressive": True}, "cmyk.jpg": {}, "plain.png": {},
    "plain.webp": {}, "plain.gif": {}, "plain.avif": {}, "lzw.tiff": {"compression": "tiff_lzw"},
    "jpeg.tiff": {"compression": "jpeg"}, "zstd.tiff": {"compression": "zstd"}, "lzma.tiff": {"compression": "lzma"},
    "plain.bmp": {}, "plain.ico": {}, "plain.jp2": {},
}  # fmt: skip


def test_pillow_as_packaged_reads_and_writes_every_format(unzipped: Path, tmp_path: Path) -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, options in FORMATS.items():
        mode = "CMYK" if name.startswith("cmyk") else "RGB"
        picture.convert(mode).save(tmp_path / name, icc_profile=profile, **options)
    pillow_heif.from_pillow(picture).save(tmp_path / "plain.heic")
    code = """
import io, pathlib
from PIL import Image, ImageCms
from pillow_heif import HeifImageFile
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    with (HeifImageFile if path.suffix == ".heic" else Image.open)(path) as picture:
        picture.load()
        assert picture.size == (256, 256), path
        small = picture.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS, reducing_gap=2)
        srgb = ImageCms.createProfile("sRGB")
        ImageCms.profileToProfile(small, srgb, srgb, inPlace=True)
        small.save(io.BytesIO(), picture.format if picture.format in ("PNG", "WEBP", "GIF", "AVIF") else "JPEG")
        print(path.name)
"""
    assert run_alone(unzipped, code, str(tmp_path)).split() == sorted([*FORMATS, "plain.heic"])


def test_every_module_of_the_function_finds_what_it_imports(unzipped: Path) -> None:
    code = f"""
import importlib, pkgutil
import image_processor
for module in pkgutil.walk_packages(image_processor.__path__, "image_processor."):
    importlib.import_module(module.name)
    print(module.name)
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
assert not [file for file in files if "site-packages" in file], files
assert [file for file in files if file.startswith({str(unzipped)!r})]
"""
    found = run_alone(unzipped, code).split()
    modules = [path.relative_to(PROJECT / "src").with_suffix("") for path in (PROJECT / "src").rglob("[!_]*.py")]
    packages = {module.parent for module in modules} - {Path("image_processor")}
    assert sorted(found) == sorted(".".join(module.parts) for module in {*modules, *packages})


def test_the_clients_find_their_data(unzipped: Path) -> None:
    code = """
import botocore.session
from botocore.config import Config
session = botocore.session.get_session()
keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
for service in sys.argv[1:]:
    for mode in ("standard", "adaptive", "legacy"):
        config = Config(retries={"mode": mode}, defaults_mode="in-region")
        client = session.create_client(service, **keys, config=config)
    client.waiter_names, client.can_paginate(next(iter(client.meta.method_to_api_mapping)))
print(session.create_client("s3", **keys).generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}))
"""
    used = set(re.findall(r'\bclient[(,]\s*"([^"]+)"', "".join(
        path.read_text() for path in (PROJECT / "src").rglob("*.py"))))  # fmt: skip
    assert used == SERVICES
    assert run_alone(unzipped, code, *sorted(used)).startswith("https://")


SPEAK = """
import json, botocore.session
session = botocore.session.get_session()
said = {}
for service in ("s3", "dynamodb", "ssm", "cloudfront", "secretsmanager"):
    model = session.get_service_model(service)
    for region in [*sys.argv[1:], "somewhere-new-1"]:
        client = session.create_client(service, region, aws_access_key_id="a", aws_secret_access_key="b")
        said[f"{service} {region}"] = [client.meta.endpoint_url, client.meta.partition]
    said[service] = {
        name: [
            sorted(shape.members) if shape else None
            for shape in (model.operation_model(name).input_shape, model.operation_model(name).output_shape)
        ]
        for name in model.operation_names
    }
print(json.dumps(said))
"""
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-7", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")


def test_trimmed_clients_speak_to_the_same_places_with_the_same_words(unzipped: Path) -> None:
    whole = subprocess.run(
        [sys.executable, "-c", f"import sys\n{SPEAK}", *REGIONS], capture_output=True, text=True, check=True
    )
    assert json.loads(run_alone(unzipped, SPEAK, *REGIONS)) == json.loads(whole.stdout)


def test_the_clients_data_hold_no_manual_and_no_other_service(unzipped: Path) -> None:
    data = unzipped / "botocore/data"
    assert {folder.name for folder in data.iterdir() if folder.is_dir()} == SERVICES
    assert '"documentation":"<p>' not in "".join(file.read_text() for file in data.rglob("*.json"))
    by_need = {"ssm", "cloudfront", "secretsmanager"}
    read_at_start = [file for file in data.rglob("*") if not by_need & set(file.parts)]
    assert sum(file.stat().st_size for file in read_at_start) < MB  # of 3.1 MB that a start would parse


def test_the_function_loads_the_pyc_of_the_zip_unchecked(unzipped: Path) -> None:
    sources = list(unzipped.rglob("*.py"))
    assert len(sources) > 300
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source), optimization="")).read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert struct.unpack("<I", compiled[4:8]) == (1,)  # by hash, never checked: PEP 552


def test_a_traceback_shows_the_lines_of_the_source(unzipped: Path) -> None:
    code = """
import traceback, jmespath
try: jmespath.compile("[")
except ValueError: print(traceback.format_exc())
"""
    shown = run_alone(unzipped, code)
    assert f"{unzipped}/jmespath/parser.py" in shown
    assert "raise " in shown


def test_the_licences_and_names_of_all_packages_go_along(local: Project) -> None:
    names = zipfile.ZipFile(local.root / "build/function-local.zip").namelist()
    packages = {name.split("/")[0] for name in names if ".dist-info/" in name}
    requirements = (PROJECT / "src/image_processor/requirements.txt").read_text()
    assert len(packages) == len(re.findall("^[^#\n]+==", requirements, re.MULTILINE))
    for package in packages:
        assert f"{package}/METADATA" in names
        assert [name for name in names if name.startswith(f"{package}/") and "LICENSE" in name.upper()], package


def test_the_zip_for_lambda_is_of_its_platform_and_python(cloud: tuple[zipfile.ZipFile, str]) -> None:
    archive, said = cloud
    shared = [name for name in archive.namelist() if ".so" in name]
    assert [name for name in shared if name.startswith("PIL/_imaging.cpython-313-aarch64")]
    for name in shared:
        head = archive.read(name)[:20]
        assert head[:4] == b"\x7fELF"
        assert struct.unpack("<H", head[18:20]) == (183,), name  # EM_AARCH64
    compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
    if "No Python 3.13 here" in said:
        assert not compiled
    else:
        assert {name.rsplit(".", 2)[1] for name in compiled} == {"cpython-313"}
        assert "image_processor/__pycache__/app.cpython-313.pyc" in compiled


def test_no_library_that_another_is_linked_to_was_pruned(cloud: tuple[zipfile.ZipFile, str]) -> None:
    archive, _ = cloud
    shared = {Path(name).name: archive.read(name) for name in archive.namelist() if ".so" in name}
    linked = {
        found.decode() for body in shared.values() for found in re.findall(rb"lib\w+-[0-9a-f]{8}\.so[.\d]*", body)
    }
    assert linked
    assert linked <= set(shared)
    assert not [name for name in shared if re.match("libfreetype|libharfbuzz|_imagingft|_imagingtk", name)]


def test_the_zip_is_far_below_lambda_s_limits(cloud: tuple[zipfile.ZipFile, str]) -> None:
    archive, _ = cloud
    assert Path(archive.filename or "").stat().st_size < 20 * MB  # of 50
    assert sum(entry.file_size for entry in archive.infolist()) < 65 * MB  # of 250


def test_the_runtime_of_the_template_is_what_is_packaged_for() -> None:
    template = (PROJECT / "templates/main.yaml").read_text()
    script = (PROJECT / "deployment/package.sh").read_text()
    runtime = re.findall(r"Runtime: python([\d.]+)", template)
    assert runtime == re.findall(r"version=\$\{version:-([\d.]+)\}", script)


def test_the_fast_decoders_are_taken_from_the_zip_alone(unzipped: Path) -> None:
    """As in Lambda, where the libraries are in /var/task/pillow.libs and no other Pillow is installed."""
    said = run_alone(
        unzipped,
        """
import io
from PIL import Image, PngImagePlugin, WebPImagePlugin
from image_processor.engine.decoding.formats import png_bands, webp_scaled
body = io.BytesIO()
Image.new("RGB", (900, 600), "orange").save(body, "webp")
print(webp_scaled.decode_scaled(body.getvalue(), (300, 200))[0].size)
body = io.BytesIO()
Image.new("RGB", (900, 600), "orange").save(body, "png")
print(png_bands.decode_reduced(body.getvalue(), Image.open(body), (300, 200), lambda image: image)[0].size)
""",
    )
    assert said.split("\n") == ["(300, 200)", "(300, 200)", ""]
