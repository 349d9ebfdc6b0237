"""What deploy.sh remembers of a stack, in its code bucket as deployments/STACK.json.

    history.py read|back|before|after --stack-name NAME --code-bucket NAME --account ID …

It has the stack's states before its latest deployments, for --rollback, each with the template's key, and the latest
values of all parameters that any of its templates had. Parameters of this project are no secrets.

`read` copies it to WORK/history.json. `before` adds the state that the next deployment will change, and `after` the
parameters that it has set. A deployment that fails leaves a state in it that is the present one, which `back` skips.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from aws_cli import AwsCli, AwsFailed, arguments
from code_bucket import NAMED_BY_CONTENT, CodeBucket, Stored, sha256_of
from deployed import Deployed
from deploying import CODE_BUCKET, CODE_KEY, Refused, main, planned_tags, read_json, say, write_json

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

STATES = 5  # that are remembered; with the longest values they are smaller than what the bucket's lifecycle deletes


@dataclass(frozen=True)
class State:
    """A stack between two deployments."""

    until: str  # when the next deployment began
    template: str  # its key
    bucket: str  # the template's; the zip's is a parameter
    parameters: dict[str, str]

    def is_same(self, template: str, parameters: dict[str, str]) -> bool:
        """Whether a deployment of this state would change nothing."""
        return (self.template, self.parameters) == (template, parameters)


@dataclass
class History:
    """The states and the parameters of one stack."""

    stack_id: str = ""
    states: list[State] = field(default_factory=list)  # the latest one last
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, work: Path) -> History:
        """Read what was copied to WORK; empty if there was nothing."""
        stored: dict[str, Any] = read_json(work / "history.json", {})
        states = [State(**state) for state in stored.get("states", [])]
        return cls(stored.get("stack_id", ""), states, stored.get("parameters", {}))

    def of(self, deployed: Deployed) -> History:
        """Return this history, or an empty one if it is of a stack with the same name that was deleted."""
        return self if self.stack_id == deployed.stack_id else History(deployed.stack_id)


def without_code(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters that the user gives."""
    return {name: value for name, value in parameters.items() if name not in (CODE_BUCKET, CODE_KEY)}


def key_of(options: argparse.Namespace) -> str:
    """Return the key of a stack's history."""
    return f"deployments/{options.stack_name}.json"


def bucket_of(aws: AwsCli, options: argparse.Namespace, name: str = "") -> CodeBucket:
    """Return the code bucket, or another that the stack had before."""
    return CodeBucket(aws, name or options.code_bucket, options.account, planned_tags(options.work))


def read(aws: AwsCli, options: argparse.Namespace) -> None:
    """Copy the history from the bucket of the last deployment."""
    bucket = bucket_of(aws, options, Deployed.read(options.work).parameters.get(CODE_BUCKET, ""))
    bucket.get(key_of(options), options.work / "history.json")


def write(aws: AwsCli, options: argparse.Namespace, history: History) -> None:
    """Store the history."""
    file = options.work / "history.json"
    write_json(file, asdict(history))
    bucket_of(aws, options).put(key_of(options), file)


def deployed_template(aws: AwsCli, options: argparse.Namespace, stack_id: str) -> Path:
    """Return a file with the template of the stack, as it was deployed."""
    file: Path = options.work / "deployed.yaml"
    body = aws.call("cloudformation", "get-template", StackName=stack_id, TemplateStage="Original").get(
        "TemplateBody", ""
    )
    text = body if isinstance(body, str) else json.dumps(body)  # the AWS CLI reads a template in JSON
    file.write_bytes(text.encode())
    return file


def before(aws: AwsCli, options: argparse.Namespace) -> None:
    """Remember the state that the next deployment changes."""
    deployed = Deployed.read(options.work)
    history = History.read(options.work).of(deployed)
    try:
        file = deployed_template(aws, options, deployed.stack_id)
    except AwsFailed as error:
        say(f"Note: deploy.sh --rollback will not know this state of the stack, whose template can't be read. {error}")
        return
    template = f"{sha256_of(file)}.yaml"
    bucket = bucket_of(aws, options)
    bucket.put(template, file)  # also if it is there, so that it expires a year after this deployment
    if not (history.states and history.states[-1].is_same(template, deployed.parameters)):
        state = State(f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC", template, bucket.name, deployed.parameters)  # noqa: UP017
        history.states = [*history.states, state][-STATES:]
    history.parameters.update(without_code(deployed.parameters))
    write(aws, options, history)


def after(aws: AwsCli, options: argparse.Namespace) -> None:
    """Remember the parameters as they are now; after a rollback, forget the state that is the present one."""
    deployed = Deployed.read(options.work)
    history = History.read(options.work).of(deployed)
    remaining = read_json(options.work / "back.json", {}).get("remaining")
    is_stored = (options.work / "history.json").exists() and history.states
    if remaining is None and is_stored and without_code(deployed.parameters).items() <= history.parameters.items():
        return  # `before` has written the same
    history.parameters.update(without_code(deployed.parameters))
    write(aws, options, replace(history, states=history.states[:remaining]))


def back(aws: AwsCli, options: argparse.Namespace) -> None:
    """Write the parameters of the state before the last deployment; print the bucket and the key of its template."""
    deployed = Deployed.read(options.work)
    if not deployed.exists:
        raise Refused(f"there is no stack {options.stack_name} in {options.region} that could go back")
    history = History.read(options.work).of(deployed)
    template = f"{sha256_of(deployed_template(aws, options, deployed.stack_id))}.yaml"
    others = [n for n, state in enumerate(history.states) if not state.is_same(template, deployed.parameters)]
    if not others:
        raise Refused(
            f"there is nothing to go back to: s3://{options.code_bucket}/{key_of(options)} has no state of this stack"
            " before the present one"
        )
    state = history.states[others[-1]]
    for bucket, key, what in (
        (state.parameters.get(CODE_BUCKET, ""), state.parameters.get(CODE_KEY, ""), "zip"),
        (state.bucket, state.template, "template"),
    ):
        check_is_stored(bucket_of(aws, options, bucket), key, f"{what} of the state until {state.until}", options.work)
    say(f"Going back to the state until {state.until}:")
    for name in sorted(state.parameters.keys() | deployed.parameters.keys()):
        now, then = deployed.parameters.get(name, "(none)"), state.parameters.get(name, "(none)")
        if now != then:
            say(f"  {name}: {then}, instead of {now}")
    if template != state.template:
        say("  with the template of that time")
    values = [{"ParameterKey": name, "ParameterValue": value} for name, value in state.parameters.items()]
    write_json(options.work / "parameters.json", values)
    write_json(options.work / "back.json", {"remaining": others[-1]})
    history.parameters.update(without_code(deployed.parameters))  # also those that the former template does not know
    write_json(options.work / "history.json", asdict(history))
    print(state.bucket, state.template)


def check_is_stored(bucket: CodeBucket, key: str, what: str, work: Path) -> None:
    """Refuse to go back to a file that is not there any more, or is another one."""
    found = bucket.find(key)
    if not found:
        raise Refused(
            f"the {what}, s3://{bucket.name}/{key}, has expired or was deleted: check out that version of the project"
            " and deploy it instead"
        )
    if NAMED_BY_CONTENT.fullmatch(key) and not has_its_content(bucket, found, key, work):
        raise Refused(f"the {what}, s3://{bucket.name}/{key}, has another content than its name says: it was replaced")


def has_its_content(bucket: CodeBucket, found: Stored, key: str, work: Path) -> bool:
    """Whether an object's content is the one that its key names. Versions before 1.1 stored it without a checksum."""
    if found.checksum:
        return found.is_content_of(key)
    file = work / "checked"
    return bucket.get(key, file) and sha256_of(file) == key.partition(".")[0]


if __name__ == "__main__":
    parser = arguments("stack-name", "code-bucket", "account")
    parser.add_argument("mode", choices=("read", "back", "before", "after"))
    options = parser.parse_args()
    sys.exit(main(options, {"read": read, "back": back, "before": before, "after": after}[options.mode]))
