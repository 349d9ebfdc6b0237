"""What the tests of deploy.sh share: a stack that can be deployed, and what a deployment has requested."""

from .project import Aws, Project, json_of, stack_text

STACK = "aws-serverless-image-processing"
ACCOUNT = "123456789012"
CODE_BUCKET = f"{STACK}-code-{ACCOUNT}-eu-central-1"
HISTORY = f"deployments/{STACK}.json"
MISSING = "An error occurred (ValidationError) … does not exist\n"
TEMPLATE = '{"TemplateBody": "Resources: {}\\n"}'  # of the deployed stack


def deploys(aws: Aws, status: str = "", change_set: str = "CREATE_COMPLETE\tNone", **stack: dict[str, str]) -> None:
    """Let a deployment succeed, of a stack in a status, or of a new one."""
    if status:
        aws.answer("describe-stacks", stack_text(status, **stack))
        aws.answer("get-template", TEMPLATE)
    else:
        aws.answer("describe-stacks", stack_text("CREATE_COMPLETE", **stack))
        aws.answer("describe-stacks", error=MISSING, again=False)
    aws.answer("create-change-set", "the-change-set\tarn:the-stack\n")
    aws.answer("describe-change-set", f"{change_set}\n")


def deploy(project: Project, *arguments: str) -> str:
    """Deploy, and return what was said."""
    result = project.run("deploy.sh", *arguments)
    assert result.returncode == 0, result
    return result.stderr


def given_parameters(aws: Aws) -> dict[str, str | None]:
    """Return the parameters of the last change set; None for one that stays as it was."""
    _, files = aws.calls("create-change-set")[-1]
    return {p["ParameterKey"]: None if p.get("UsePreviousValue") else p["ParameterValue"] for p in json_of(files)}
