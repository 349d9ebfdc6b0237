"""sign.py with a fake `aws`: one signed URL on stdout, or an error of one line."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from image_processor.urls.signatures import is_signed, sign

from .conftest import with_aws
from .project import Aws, Project, copy_project, error_line, stack_text

pytestmark = pytest.mark.slow

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:SigningSecret-a1b2c3"
KEY = 'a "key", of ü and \\'
OUTPUTS = {"SigningSecretArn": ARN, "DistributionDomainName": "d1.cloudfront.net"}
ASKED = "/cats/rio.jpg?width=300&format=auto"


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {"Variants": "thumbnail:width=9"}, OUTPUTS))
    aws.answer("secretsmanager get-secret-value", json.dumps(KEY, ensure_ascii=False) + "\n")


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


@pytest.fixture
def offline(installation: Project) -> Project:
    """A project without the fake `aws`, for errors that come before any call."""
    return installation


def signed_url(project: Project, *arguments: str, note: str = "", **variables: str) -> str:
    result = project.run("sign.py", *arguments, **variables)
    assert result.returncode == 0, result
    assert result.stderr == note
    [url] = result.stdout.splitlines()
    return url


def parts(url: str) -> tuple[str, dict[str, str]]:
    """The path and the parameters as the function reads them."""
    split = urlsplit(url)
    assert not split.fragment
    return unquote(split.path, errors="strict"), dict(parse_qsl(split.query, strict_parsing=True))


def test_a_version_is_in_the_url_and_not_signed(project: Project) -> None:
    unversioned = signed_url(project, ASKED)

    assert signed_url(project, f"{ASKED}&v=0f3a9c21") == unversioned.replace("&sig", "&v=0f3a9c21&sig")


def test_the_signed_url_alone_is_printed(project: Project, aws: Aws) -> None:
    signature = sign(KEY, "/cats/rio.jpg", {"width": "300", "format": "auto"})

    url = signed_url(project, ASKED)

    assert url == f"https://d1.cloudfront.net/cats/rio.jpg?width=300&format=auto&sig={signature}"
    [(call, _)] = aws.calls("get-secret-value")
    assert [call[call.index(option) + 1] for option in ("--secret-id", "--region")] == [ARN, "eu-west-3"]
    [(call, _)] = aws.calls("describe-stacks")
    assert call[call.index("--stack-name") + 1] == "aws-serverless-image-processing"


@pytest.mark.parametrize(
    ("parameters", "base"),
    [
        ({}, "https://d1.cloudfront.net"),
        ({"CdnAlias": "img.example"}, "https://img.example"),
        ({"CdnAlias": "img.example", "CdnUrl": "https://x.example/i/"}, "https://x.example/i"),
    ],
)
def test_the_url_is_that_of_the_stack(project: Project, aws: Aws, parameters: dict[str, str], base: str) -> None:
    aws.answer("describe-stacks --stack-name mine", stack_text("CREATE_COMPLETE", parameters, OUTPUTS))

    assert signed_url(project, ASKED, "--stack-name", "mine").startswith(f"{base}/cats/rio.jpg?width=300")


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/my%20photo.jpg", "/my photo.jpg"),
        ("/my photo ü.jpg", "/my photo ü.jpg"),
        ("/my%20photo%20%C3%BC.jpg", "/my photo ü.jpg"),
        ("/%F0%9F%90%88.jpg", "/🐈.jpg"),
        ("/what%3Fnow%26%23.jpg", "/what?now&#.jpg"),
        ("/100%25.jpg", "/100%.jpg"),
        ("/a+b.jpg", "/a+b.jpg"),
        ("/a#b.jpg", "/a#b.jpg"),
        ("//leading.jpg", "//leading.jpg"),
    ],
)
def test_any_key_is_signed_and_percent_encoded(project: Project, asked: str, path: str) -> None:
    found, parameters = parts(signed_url(project, f"{asked}?width=300"))

    assert found == path
    assert is_signed([KEY], path, parameters)


@pytest.mark.parametrize(
    ("asked", "key", "decoded"),
    [("/100%2525.jpg", "100%25.jpg", "100%.jpg"), ("/a%2520b.jpg", "a%20b.jpg", "a b.jpg")],
)
def test_a_key_that_may_have_been_encoded_twice_is_pointed_out(
    project: Project, asked: str, key: str, decoded: str
) -> None:
    note = f"sign.py: note: the key is '{key}', with a % in it; if it is '{decoded}', encode it once, not twice\n"

    path, parameters = parts(signed_url(project, f"{asked}?width=300", note=note))

    assert path == f"/{key}"
    assert is_signed([KEY], path, parameters)


def test_an_ampersand_in_a_key_is_not_taken_for_an_option(project: Project) -> None:
    path, parameters = parts(signed_url(project, "/cats&dogs=1.jpg?width=300"))

    assert path == "/cats&dogs=1.jpg"
    assert is_signed([KEY], path, parameters)


@pytest.mark.parametrize("value", ["right top", "right%20top", "right+top"])
def test_a_value_of_two_words_is_signed_as_the_edge_reads_it(project: Project, value: str) -> None:
    path, parameters = parts(signed_url(project, f"/a.jpg?width=3&height=3&position={value}"))

    assert parameters["position"] == "right top"
    assert is_signed([KEY], path, parameters)


@pytest.mark.parametrize(
    "asked",
    [
        "/cats/rio.jpg/thumbnail",
        "/cats/rio.jpg?variant=thumbnail",
        "/cats/rio.jpg/width=300,format=webp",
        "/cats/rio.jpg/width=5,height=5,position=right-top",
    ],
)
def test_a_rendition_may_be_signed_by_its_name(project: Project, asked: str) -> None:
    path, parameters = parts(signed_url(project, asked))

    assert path == unquote(asked.partition("?")[0])
    assert is_signed([KEY], path, parameters)


def test_expires_sets_the_expiry(project: Project) -> None:
    before = int(time.time())
    _, parameters = parts(signed_url(project, ASKED, "--expires", "600"))

    assert before + 600 <= int(parameters["exp"]) <= time.time() + 600
    assert is_signed([KEY], "/cats/rio.jpg", parameters)
    assert "exp" not in parts(signed_url(project, ASKED))[1]
    assert parts(signed_url(project, f"{ASKED}&exp=99999999999"))[1]["exp"] == "99999999999"


@pytest.mark.parametrize("asked", ["/a.jpg?variant=nosuch", "/a.jpg/nosuch", "/a.jpg/nosuch?v=1&exp=99999999999"])
def test_a_variant_that_the_stack_does_not_have_is_not_signed(project: Project, aws: Aws, asked: str) -> None:
    line = error_line(project.run("sign.py", asked))

    assert line == "sign.py: there is no variant 'nosuch'; the variants are thumbnail"
    assert not aws.calls("get-secret-value")


@pytest.fixture
def ran(tmp_path: Path, aws: Aws) -> Iterator[Project]:
    """A copy of the project in which `make run` has written its outputs."""
    project = with_aws(copy_project(tmp_path / "a project"), aws)
    (project.root / ".local").mkdir()
    write_outputs(project.root / ".local", **LOCAL)
    yield project
    assert not aws.calls("--region", "eu-central-1"), "nor is the user's own region"


def test_local_is_the_stack_of_make_run_from_any_folder(ran: Project) -> None:
    assert signed_url(ran, ASKED, "--local").startswith("http://d1.cloudfront.localhost:4577/cats/rio.jpg?width=300")


def test_a_variant_of_the_local_stack_is_one_that_it_has(ran: Project, aws: Aws) -> None:
    assert "/a.jpg/thumbnail?sig=" in signed_url(ran, "/a.jpg/thumbnail", "--local")
    assert "there is no variant 'nosuch'" in error_line(ran.run("sign.py", "/a.jpg/nosuch", "--local"))
    for call, _ in aws.calls():
        assert call[call.index("--endpoint-url") + 1] == "http://127.0.0.1:4577"


def test_local_without_outputs_says_which_file_it_has_tried(offline: Project) -> None:
    line = error_line(offline.run("sign.py", ASKED, "--local"))

    assert line.startswith(f"sign.py: can't read {offline.root / '.local/outputs.json'}: No such file or directory")


def write_outputs(folder: Path, **outputs: str) -> str:
    (folder / "outputs.json").write_text(json.dumps(outputs))
    return str(folder / "outputs.json")


LOCAL = {"Endpoint": "http://127.0.0.1:4577", "CdnUrl": "http://d1.cloudfront.localhost:4577", "SigningSecretArn": ARN}


def test_outputs_of_make_run_replace_the_stack(project: Project, aws: Aws, tmp_path: Path) -> None:
    program = aws.folder / "aws"
    noting = (
        "import os; print(os.getenv('AWS_ACCESS_KEY_ID'), os.getenv('AWS_PROFILE'), file=open(folder + '/saw', 'w'))"
    )
    program.write_text(program.read_text().replace("answers = ", f"{noting}\nanswers = ", 1))

    url = signed_url(project, ASKED, "--outputs", write_outputs(tmp_path, **LOCAL), AWS_PROFILE="mine")

    assert url.startswith("http://d1.cloudfront.localhost:4577/cats/rio.jpg?width=300&format=auto&sig=")
    [(call, _)] = aws.calls()
    assert call[call.index("--endpoint-url") + 1] == "http://127.0.0.1:4577"
    assert (aws.folder / "saw").read_text() == "test None\n", "the user's own account is none of the local AWS's"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "/outputs.json: No such file or directory; 'make run' writes it, in .local/ of the project"),
        ("{", "is not JSON"),
        ("[]", "has no outputs in it"),
        (json.dumps({"CdnUrl": "http://x"}), "renders no pictures by URL"),
        (json.dumps({"SigningSecretArn": ARN}), "renders no pictures by URL"),
    ],
)
def test_outputs_that_can_not_be_used_are_an_error_of_one_line(
    offline: Project, tmp_path: Path, text: str | None, message: str
) -> None:
    file = tmp_path / "outputs.json"
    if text is not None:
        file.write_text(text)

    line = error_line(offline.run("sign.py", ASKED, "--outputs", str(file)))

    assert line.startswith("sign.py: ")
    assert message in line


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("/a.jpg?widht=3", "there is no option 'widht'; the options are width, height"),
        ("/a.jpg?width=0", "option width: got '0', allowed: 1 to 8192"),
        ("/a.jpg?width=", "option width: got ''"),
        (
            "/a.jpg?width=3,format=webp&fit=cover",
            "option width: got '3,format=webp'; in a URL, & joins the options:"
            " write '/a.jpg?width=3&format=webp&fit=cover'",
        ),
        ("/a.jpg?width=3%2C%20format=webp", "write '/a.jpg?width=3&%20format=webp'"),
        ("/a.jpg?width=3,4", "option width: got '3,4', allowed"),
        ("/a.jpg/width=3&format=webp", "commas join the options: write '/a.jpg/width=3,format=webp'"),
        ("/a.jpg&width=3&format=webp", "the options begin with a ?: write '/a.jpg?width=3&format=webp'"),
        ("/a.jpg?width=3&width=4", "option width is given twice"),
        ("/a.jpg?width=3&WIDTH=4", "option width is given twice"),
        ("/a.jpg?width=8192&height=8192", "too large"),
        ("/a.jpg?width=3&Expires=9", "there is no option 'expires'"),
        ("/a.jpg?width=3&sig=abc", "leave out parameter sig"),
        ("/a.jpg?width=3&v=....", "parameter v: got '....', allowed: 1 to 32 letters, digits, '-' and '_'"),
        ("/a.jpg?width=3&v=", "parameter v: got '', allowed"),
        ("/a.jpg?width=3&v=" + "a" * 33, "parameter v: got 'aaaa"),
        ("/a.jpg?width=3&again=1", "leave out parameter again"),
        ("/a.jpg?variant=thumbnail&width=3", "give the variant, or options"),
        ("/a.jpg?variant=a.b", "'a.b' is not a variant"),
        ("/a.jpg", "'a.jpg' is not a variant: give options, such as ?width=300"),
        ("/a.jpg?exp=99999999999", "'a.jpg' is not a variant"),
        ("/a.jpg/format=webp,width=3", "is not in canonical form: write 'width=3,format=webp'"),
        ("/a.jpg/width=0", "option width: got '0'"),
        ("/a.jpg?width=3&exp=soon", "parameter exp: got 'soon', allowed: whole seconds since 1970"),
        ("/a.jpg?width=3&exp=5", "parameter exp: 5 has passed"),
        (
            "a.jpg?width=3",
            "the path begins with a slash, without https://HOST before it, so not 'a.jpg': write '/a.jpg?width=3'",
        ),
        ("https://x.example/a/b.jpg?width=3", "the path begins with a slash"),
        ("https://x.example/a/b.jpg?width=3", ": write '/a/b.jpg?width=3'"),
        ("s3://bucket/a/b.jpg", ": write '/a/b.jpg'"),
        ("/100%.jpg?width=3", "'100%.jpg' is not percent-encoded: write %25 for a percent sign"),
        ("/%ff.jpg?width=3", "'%ff.jpg' is not UTF-8"),
        ("/a/../b.jpg?width=3", "browsers resolve '..' in a path, and never request"),
        ("/a/%2E%2e/b.jpg?width=3", "browsers resolve '..' in a path, and never request"),
    ],
)
def test_a_request_that_the_function_would_refuse_is_not_signed(offline: Project, asked: str, message: str) -> None:
    line = error_line(offline.run("sign.py", asked, PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin"))

    assert line.startswith("sign.py: ")
    assert message in line


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "soon", "", "99999999999", "9" * 5000])
def test_a_lifetime_is_a_number_of_seconds(offline: Project, seconds: str) -> None:
    result = offline.run("sign.py", ASKED, f"--expires={seconds}")

    assert result.returncode == 2
    assert "allowed: 1 to 3153600000 seconds" in result.stderr


def test_two_expiries_are_refused(offline: Project) -> None:
    assert "not both" in error_line(offline.run("sign.py", f"{ASKED}&exp=99999999999", "--expires", "9"))


def test_a_stack_that_does_not_exist_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.deny("describe-stacks", "DescribeStacks", "ValidationError", "Stack with id mine does not exist")

    line = error_line(project.run("sign.py", ASKED, "--stack-name", "mine"))

    assert line == "sign.py: there is no stack mine in eu-central-1 (--stack-name and --region choose another)"


def test_a_stack_without_delivery_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {}, {"DistributionDomainName": "d1.cloudfront.net"}))

    line = error_line(project.run("sign.py", ASKED))

    assert "stack aws-serverless-image-processing renders no pictures by URL" in line
    assert not aws.calls("get-secret-value")


def test_missing_credentials_are_an_error_of_one_line(project: Project, aws: Aws) -> None:
    aws.answer("describe-stacks", error="Unable to locate credentials. You can configure credentials by …\n")

    assert error_line(project.run("sign.py", ASKED)).startswith("sign.py: no AWS credentials: run 'aws configure'")


def test_a_secret_that_may_not_be_read_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    words = "User: arn:aws:iam::1:user/me is not authorized to perform: secretsmanager:GetSecretValue on resource: it"
    aws.deny("get-secret-value", "GetSecretValue", "AccessDeniedException", words)

    line = error_line(project.run("sign.py", ASKED))

    assert line.startswith("sign.py: no permission for secretsmanager:GetSecretValue")


def test_an_invalid_stack_name_is_an_error_of_one_line(project: Project) -> None:
    assert "--stack-name may have letters" in error_line(project.run("sign.py", ASKED, "--stack-name", "a_b"))


def test_it_leaves_no_files_behind(project: Project, tmp_path: Path) -> None:
    before = set(project.root.rglob("*"))
    (tmp_path / "tmp").mkdir()
    signed_url(project, ASKED, TMPDIR=str(tmp_path / "tmp"), PYTHONDONTWRITEBYTECODE="")

    assert set(project.root.rglob("*")) == before
    assert not list((tmp_path / "tmp").iterdir())
