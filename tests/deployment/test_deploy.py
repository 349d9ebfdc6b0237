"""deploy.sh with a fake `aws`; tests/e2e deploys real stacks with it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .deployments import CODE_BUCKET, STACK, deploys, given_parameters
from .project import PROJECT, Aws, Project, error_line, stack_text

pytestmark = pytest.mark.slow

DENIED = "User: arn:aws:iam::1:user/me is not authorized to perform: cloudformation:CreateChangeSet on resource: x"


class Template(yaml.SafeLoader):
    """YAML that reads CloudFormation's short forms as nothing."""


Template.add_multi_constructor("!", lambda *_: None)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--frobnicate"], "unknown option '--frobnicate'"),
        (["stack"], "unknown option 'stack'"),
        (["--region"], "--region needs a value"),
        (["--parameter", "MemorySize"], "--parameter is Name=value, not 'MemorySize'"),
        (["--parameter", "=512"], "--parameter is Name=value, not '=512'"),
        (["--parameter", "Memory=512"], "no parameter 'Memory'; there are: Architecture EnableMetadata "),
        (["--parameter", "Enable=512"], "no parameter 'Enable'"),
        (["--parameter", "EnableApi EnableCdn=512"], "no parameter 'EnableApi EnableCdn'"),
        (["--parameter", "-e=512"], "--parameter is Name=value"),
        (["--parameter", "LambdaS3CodeBucket=b"], "give --code-bucket instead"),
        (["--parameter", "LambdaS3CodeKey=k"], "set by this script"),
        (["--stack-name", "1st"], "must start with a letter, got '1st'"),
        (["--stack-name", "my_stack"], "letters, digits and '-' only, got 'my_stack'"),
        (["--stack-name", "s" * 129], "128 characters at most, got 129"),
    ],
)
def test_a_wrong_command_line_is_an_error_of_one_line_before_any_call(
    project: Project, aws: Aws, arguments: list[str], problem: str
) -> None:
    result = project.run("deploy.sh", *arguments)
    assert problem in error_line(result)
    assert len(result.stderr.splitlines()) == 1
    assert not aws.calls()


def test_help_names_every_parameter_of_the_template(project: Project) -> None:
    parameters = yaml.load((project.root / "templates/main.yaml").read_text(), Template)["Parameters"]  # noqa: S506
    result = project.run("deploy.sh", "--help")
    assert result.returncode == 0
    listed = result.stdout.split("Parameters:\n")[1].split()
    assert listed == [name for name in parameters if not name.startswith("LambdaS3Code")]


def test_local_is_for_an_emulator_only(project: Project) -> None:
    result = project.run("deploy.sh", "--local", AWS_ENDPOINT_URL="")
    assert "set AWS_ENDPOINT_URL" in error_line(result)


def test_a_missing_template_is_an_error_of_one_line(project: Project) -> None:
    (project.root / "templates/main.yaml").unlink()
    assert "no template" in error_line(project.run("deploy.sh"))


def test_a_missing_aws_cli_is_an_error_that_says_how_to_get_it(project: Project, aws: Aws, tmp_path: Path) -> None:
    (aws.folder / "aws").unlink()
    (project.root / ".venv").unlink()
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "dirname", "basename", "mktemp", "rm", "awk", "grep", "wc", "sed"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    (tools / "python3").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (tools / "python3").chmod(0o755)
    result = project.run("deploy.sh", PATH=str(tools))
    assert "the AWS CLI is missing: install it" in error_line(result)


def test_no_region_is_an_error_of_one_line(project: Project) -> None:
    result = project.run("deploy.sh", AWS_DEFAULT_REGION="")
    assert "no region: give --region" in error_line(result)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        # The output of AWS CLI 1, then that of AWS CLI 2.
        ("Unable to locate credentials. You can configure …\n", "no AWS credentials: run 'aws configure'"),
        ("\naws: [ERROR]: Unable to locate credentials. You can …\n", "no AWS credentials: run 'aws configure'"),
        ('Could not connect to the endpoint URL: "https://sts.mars-1.amazonaws.com/"\n', "can't reach http://127.0.0.1:9"),
        ("Provided region_name 'a b' doesn't match a supported format.\n", "'eu-central-1' is not an AWS region"),
        ("\nThe config profile (nobody) could not be found\n", "The config profile (nobody) could not be found"),
        ("A notice\n\nAn error occurred (ExpiredToken) when calling the GetCallerIdentity operation: The\ntoken …\n",
         "AWS doesn't accept these credentials (ExpiredToken)"),
    ],
)  # fmt: skip
def test_credentials_that_do_not_work_are_an_error_of_one_line(
    project: Project, aws: Aws, error: str, said: str
) -> None:
    aws.answer("sts get-caller-identity", error=error)
    result = project.run("deploy.sh")
    assert said in error_line(result)
    assert len(result.stderr.splitlines()) == 1
    assert not (project.root / "deployment/package.sh.arguments").exists()


@pytest.mark.parametrize("prefix", ["\n", "\naws: [ERROR]: "])
def test_a_missing_permission_is_named_in_the_error(project: Project, aws: Aws, prefix: str) -> None:
    deploys(aws)
    details = "\n\nAdditional error details:\nType: Sender\n"
    operation = "An error occurred (AccessDenied) when calling the CreateChangeSet operation: "
    aws.answer("create-change-set", error=prefix + operation + DENIED + details)
    line = error_line(project.run("deploy.sh"))
    assert line == f"deploy.sh: no permission for cloudformation:CreateChangeSet: {DENIED}"


def test_a_parameter_that_cloudformation_refuses_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    deploys(aws)
    aws.deny("create-change-set", "CreateChangeSet", "ValidationError", "AllowUnsigned needs a SizeLadder")
    line = error_line(project.run("deploy.sh", "--parameter", "AllowUnsigned=true"))
    assert line.endswith("create-change-set: AllowUnsigned needs a SizeLadder (ValidationError)")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("ROLLBACK_COMPLETE", "delete it, then deploy again: aws --region eu-central-1 "
                              f"--endpoint-url http://127.0.0.1:9 cloudformation delete-stack --stack-name {STACK}"),
        ("CREATE_FAILED", f"cloudformation delete-stack --stack-name {STACK}"),
        ("UPDATE_ROLLBACK_FAILED", f"cloudformation continue-update-rollback --stack-name {STACK}"),
        ("UPDATE_IN_PROGRESS", "is busy (UPDATE_IN_PROGRESS): try again"),
        ("DELETE_IN_PROGRESS", "is busy (DELETE_IN_PROGRESS): try again"),
    ],
)  # fmt: skip
def test_a_stack_that_allows_no_update_is_an_error_of_one_line(
    project: Project, aws: Aws, status: str, said: str
) -> None:
    deploys(aws, status)
    line = error_line(project.run("deploy.sh"))
    assert status in line
    assert line.endswith(said) or said in line
    assert not aws.calls("create-change-set")


def test_values_of_parameters_arrive_unchanged(project: Project, aws: Aws) -> None:
    values = {
        "Variants": " a : width=1 , fit=cover ; b:height=8",
        "CacheControl": 'public, max-age=300, "quoted"',
        "FallbackImage": "a=b=c \"quoted\" 'too' $HOME `x` \\ ü",
        "AlarmEmail": "",
    }
    deploys(aws)
    result = project.run("deploy.sh", *[word for pair in values.items() for word in ("--parameter", "=".join(pair))])
    assert result.returncode == 0, result
    given = given_parameters(aws)
    assert {name: given[name] for name in values} == values
    assert given["LambdaS3CodeBucket"] == CODE_BUCKET
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", given["LambdaS3CodeKey"] or "")


def use_this_python(project: Project) -> None:
    """The function's code needs Python 3.11, also under SCRIPTS_VENV."""
    (project.root / ".venv").unlink()
    (project.root / ".venv").symlink_to(sys.prefix)


def test_variants_that_the_function_would_refuse_are_refused_with_its_message(project: Project, aws: Aws) -> None:
    use_this_python(project)
    line = error_line(project.run("deploy.sh", "--parameter", "Variants=small:width=9;big:width=9000"))
    assert line == "deploy.sh: --parameter Variants: variant big: option width: got '9000', allowed: 1 to 8192"
    assert not aws.calls("create-change-set")


def test_a_parameter_that_is_not_given_keeps_its_value(project: Project, aws: Aws) -> None:
    before = {"MemorySize": "512", "Gone": "from the template", "LambdaS3CodeBucket": "mine", "Architecture": "x86_64"}
    deploys(aws, "UPDATE_COMPLETE", parameters=before)
    result = project.run("deploy.sh", "--parameter", "LogLevel=DEBUG")
    assert result.returncode == 0, result
    given = given_parameters(aws)
    assert given.pop("LambdaS3CodeKey")
    assert given == {"MemorySize": None, "Architecture": None, "LogLevel": "DEBUG", "LambdaS3CodeBucket": "mine"}
    assert (project.root / "deployment/package.sh.arguments").read_text() == "--architecture x86_64\n"


@pytest.mark.parametrize(
    ("arguments", "packaged"),
    [
        ([], "--architecture arm64"),
        (["--parameter", "Architecture=x86_64"], "--architecture x86_64"),
        (["--local"], "--local"),
    ],
)
def test_the_zip_is_made_for_the_function_s_processor(
    project: Project, aws: Aws, arguments: list[str], packaged: str
) -> None:
    deploys(aws)
    assert project.run("deploy.sh", *arguments).returncode == 0
    assert (project.root / "deployment/package.sh.arguments").read_text().strip() == packaged


def test_every_call_names_the_region_and_the_endpoint(project: Project, aws: Aws) -> None:
    deploys(aws)
    assert project.run("deploy.sh", "--region", "eu-north-1", AWS_REGION="us-west-2").returncode == 0
    assert len(aws.calls()) > 5
    everywhere = ["--region", "eu-north-1", "--endpoint-url", "http://127.0.0.1:9"]
    assert aws.calls(*everywhere) == aws.calls()


def test_changes_are_shown_before_they_are_executed(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE")
    changes = "Modify\tFunction\tAWS::Lambda::Function\tFalse\nAdd\tAlarmTopic\tAWS::SNS::Topic\tNone\n"
    aws.answer(
        "describe-change-set Changes[].ResourceChange.[Action,LogicalResourceId,ResourceType,Replacement]", changes
    )
    result = project.run("deploy.sh")
    assert result.returncode == 0, result
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["Modify", "Function", "AWS::Lambda::Function", "no"] in rows
    assert ["Add", "AlarmTopic", "AWS::SNS::Topic"] in rows
    assert aws.calls("execute-change-set")


def test_nothing_to_change_is_a_success(project: Project, aws: Aws) -> None:
    nothing = "FAILED\tThe submitted information didn't contain changes. Submit different information …"
    outputs = {"FunctionName": "f-1", "UploadBucketName": "up"}
    deploys(aws, "CREATE_COMPLETE", nothing, outputs=outputs)
    result = project.run("deploy.sh")
    assert result.returncode == 0, result
    assert "Nothing to change." in result.stderr
    assert re.search(r"FunctionName +f-1", result.stdout)
    assert aws.calls("delete-change-set")
    assert not aws.calls("execute-change-set")


def test_a_refused_change_set_is_an_error_of_one_line_and_leaves_no_empty_stack(project: Project, aws: Aws) -> None:
    deploys(aws, "", "FAILED\tTransform AWS::Nothing failed")
    assert error_line(project.run("deploy.sh")).endswith("refused the change: Transform AWS::Nothing failed")
    assert aws.calls("delete-stack")


def test_a_failed_deployment_names_first_what_failed_first(project: Project, aws: Aws) -> None:
    deploys(aws)
    aws.answer("describe-stacks", stack_text("ROLLBACK_COMPLETE"))
    aws.answer("describe-stacks", error="An error occurred (ValidationError) … does not exist\n", again=False)
    newest_first = [
        ("ROLLBACK_COMPLETE", STACK, "AWS::CloudFormation::Stack", "None"),
        ("CREATE_FAILED", "Function", "AWS::Lambda::Function", "Resource creation cancelled"),
        ("CREATE_FAILED", "Distribution", "AWS::CloudFront::Distribution", "second"),
        ("CREATE_FAILED", "UploadQueue", "AWS::SQS::Queue", "first: not authorized to perform: sqs:CreateQueue"),
        ("CREATE_IN_PROGRESS", STACK, "AWS::CloudFormation::Stack", "User Initiated"),
        ("CREATE_FAILED", "Older", "AWS::SQS::Queue", "of an earlier deployment"),
    ]
    aws.answer("describe-stack-events", "".join("\t".join(row) + "\n" for row in newest_first))
    result = project.run("deploy.sh")
    assert result.returncode == 1
    *_, first, second, last = result.stderr.splitlines()
    assert first == "  UploadQueue (AWS::SQS::Queue): first: not authorized to perform: sqs:CreateQueue"
    assert second == "  Distribution (AWS::CloudFront::Distribution): second"
    assert "the deployment failed: " in last
    assert "delete-stack" in last


OUTPUTS = {
    "UploadBucketName": "up-1",
    "ProcessedBucketName": "done-1",
    "DistributionDomainName": "d1.cloudfront.net",
    "SigningSecretArn": "arn:the-secret",
    "ApiUrl": "https://a1.execute-api.eu-central-1.amazonaws.com/v1",
    "ApiKeyId": "key1",
}


@pytest.mark.parametrize(
    ("left_out", "parameters", "lines"),
    [
        ((), {}, ["s3 cp 'photo.jpg' s3://up-1/", "  https://d1.cloudfront.net/photo.jpg/thumbnail", "--api-key key1"]),
        ((), {"CdnAlias": "img.example"}, ["  https://img.example/photo.jpg/thumbnail"]),
        ((), {"CdnAlias": "img.example", "CdnUrl": "https://x.example/i/"}, ["  https://x.example/i/photo.jpg/thumbnail"]),
        ((), {"Variants": " small : width=9"}, ["  https://d1.cloudfront.net/photo.jpg/small"]),
        ((), {}, [f"sign.py '/photo.jpg?width=300&format=auto' --stack-name {STACK} --region eu-central-1"]),
        (("SigningSecretArn",), {}, ["s3 cp 'photo.jpg' s3://up-1/"]),
        (("DistributionDomainName", "SigningSecretArn"), {}, ["s3 cp s3://done-1/photo.jpg/thumbnail"]),
        (("ApiUrl", "ApiKeyId"), {}, ["s3://up-1/"]),
        (("ApiKeyId",), {"ApiAuthorization": "AWS_IAM"}, ["s3://up-1/"]),
    ],
)  # fmt: skip
def test_it_ends_with_commands_to_try(
    project: Project, aws: Aws, left_out: tuple[str, ...], parameters: dict[str, str], lines: list[str]
) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name not in left_out}
    deploys(
        aws,
        "CREATE_COMPLETE",
        "FAILED\tNo updates are to be performed.",
        outputs=outputs,
        parameters={"Variants": "thumbnail:width=9;b:width=8", **parameters},
    )
    result = project.run("deploy.sh", AWS_ENDPOINT_URL="")
    assert result.returncode == 0, result
    for line in lines:
        assert line in result.stdout
    assert ("/images" in result.stdout) == ("ApiKeyId" in outputs)
    assert ("curl -w '\\n' " in result.stdout) == ("ApiKeyId" in outputs), "the prompt follows in a line of its own"
    assert ("sign.py" in result.stdout) == ("SigningSecretArn" in outputs)
    commands = [line for line in result.stdout.split("Upload a picture")[1].splitlines()[1:] if line.startswith("  ")]
    for command in commands:
        subprocess.run(["bash", "-n", "-c", command], check=True)


POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_Ab1"


@pytest.mark.parametrize(
    ("before", "given", "accepted"),
    [
        (POOL, f"ApiUserPoolArn={POOL}2", False),
        (POOL, f"ApiUserPoolArn={POOL}", True),
        (POOL, "ApiUserPoolArn=", True),
        (POOL, "MemorySize=2048", True),
        ("", f"ApiUserPoolArn={POOL}", True),
    ],
)
def test_another_user_pool_is_refused_because_the_api_would_not_serve_it(
    project: Project,
    aws: Aws,
    before: str,
    given: str,
    accepted: bool,  # noqa: FBT001
) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters={"ApiUserPoolArn": before})

    result = project.run("deploy.sh", "--parameter", given)

    assert (result.returncode == 0) == accepted, result
    assert bool(aws.calls("create-change-set")) == accepted
    if not accepted:
        assert "deploy with ApiAuthorization=AWS_IAM and ApiUserPoolArn= first" in error_line(result)


@pytest.mark.parametrize(
    ("version", "word", "noted"), [(sys.version_info, "same", False), ((3, 9, 25, "final", 0), "changed", True)]
)
def test_variants_that_mean_the_same_are_compared_as_texts_by_an_older_python(
    version: tuple[object, ...],
    word: str,
    noted: bool,  # noqa: FBT001
) -> None:
    words = ["variants.py", "a:width=1,height=2", "a:height=2,width=1,fit=cover"]
    program = PROJECT / "deployment/operations/variants.py"
    code = f"import runpy, sys; sys.version_info, sys.argv = {tuple(version)}, {words}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; runpy.run_path({str(program)!r}, run_name='__main__')"],
        env={"PYTHONPATH": f"{PROJECT / 'src'}:{program.parent}"},  # as a program, it has its own folder on its path
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{word}\n"
    assert ("compared as texts, because this Python is older than 3.11" in done.stderr) == noted


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        ("a:width=1;c:width=3", "--only-missing --dry-run"),
        ("a:width=9;b:width=2", "--made-before 20"),
        ("a:width=1;b:width=2", None),
        ("a:fit=cover,width=1; b:width=2;", None),
    ],
)
def test_after_a_change_of_variants_it_prints_the_commands_that_update_renditions(
    project: Project, aws: Aws, after: str, shown: str | None
) -> None:
    use_this_python(project)
    outputs = {"UploadBucketName": "up"}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {"Variants": after}, outputs))
    before = stack_text("UPDATE_COMPLETE", {"Variants": "a:width=1;b:width=2"}, outputs)
    aws.answer("describe-stacks", before, again=False)
    aws.answer("create-change-set", "change\tstack\n")
    aws.answer("describe-change-set", "CREATE_COMPLETE\tNone\n")

    result = project.run("deploy.sh", "--parameter", f"Variants={after}")

    assert result.returncode == 0, result
    assert ("Variants have changed" in result.stderr) == bool(shown)
    if shown:
        assert (
            f"backfill.sh --stack-name aws-serverless-image-processing --region eu-central-1 {shown}" in result.stderr
        )
        assert "--remove-stale --dry-run" in result.stderr
