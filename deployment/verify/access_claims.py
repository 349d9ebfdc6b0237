"""What strangers and the function itself may not do.

Strangers are requests without credentials. The function's role is simulated by IAM, which evaluates its policies:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aws_cli import AwsFailed
from claims import Broken, Claim, Group, NotChecked, expect, expect_equal

if TYPE_CHECKING:
    from target import Target

FORBIDDEN_OF_SOURCES = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl"]
FORBIDDEN_OF_BUCKETS = [
    "s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketNotification", "s3:PutBucketVersioning",
    "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration",
]  # fmt: skip
FORBIDDEN_OF_TABLE = ["dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable"]
FORBIDDEN_OF_STACK = ["cloudformation:UpdateStack", "cloudformation:DeleteStack"]
FORBIDDEN_OF_FUNCTION = [
    "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:InvokeFunction", "lambda:AddPermission",
]  # fmt: skip
FORBIDDEN_OF_ROLE = ["iam:PassRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "sts:AssumeRole"]
FORBIDDEN_OF_QUEUE = ["sqs:PurgeQueue", "sqs:SendMessage", "sqs:SetQueueAttributes", "sqs:DeleteQueue"]
FORBIDDEN_OF_LOGS = ["logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:GetLogEvents"]
FORBIDDEN_OF_SECRET = ["secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"]
FORBIDDEN_OF_PARAMETER = ["ssm:PutParameter", "ssm:DeleteParameter"]
FORBIDDEN_OF_DISTRIBUTION = ["cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution"]
FORBIDDEN_ANYWHERE = [
    "iam:CreateUser", "iam:CreateAccessKey", "s3:ListAllMyBuckets", "s3:CreateBucket", "secretsmanager:ListSecrets",
    "ec2:RunInstances", "kms:Decrypt",
]  # fmt: skip


def function_url(target: Target) -> str:
    """Call the Function URL without credentials."""
    name = target.outputs["FunctionName"]
    url = str(target.ask_aws("lambda", "get-function-url-config", FunctionName=name)["FunctionUrl"])
    for path in (target.variant_url(target.ready), target.signed_url(target.ready, width=20)):
        response = target.web.request(url.split("/")[2], path)
        expect_equal("status", response.status, 403)
    return "403, for a variant and for a signed URL"


def upload_bucket(target: Target) -> str:
    """Read, list and write the upload bucket without credentials."""
    return bucket_refused(target, target.upload_bucket, target.ready)


def processed_bucket(target: Target) -> str:
    """Read, list and write the processed bucket without credentials."""
    target.until(lambda: target.stored(target.ready), lambda: "there is no rendition")
    return bucket_refused(target, target.processed_bucket, f"{target.ready}/{target.variants[0]}")


def bucket_refused(target: Target, bucket: str, key: str) -> str:
    """Send requests without credentials to a bucket that has this key."""
    host = f"{bucket}.s3.{target.region}.amazonaws.com"
    calls = {"GET": f"/{key}", "HEAD": f"/{key}", "PUT": f"/{target.prefix}stranger.txt", "DELETE": f"/{key}"}
    for method, path in calls.items():
        body = b"a stranger" if method == "PUT" else None
        expect_equal(method, target.web.request(host, path, method, body=body).status, 403)
    expect_equal("list", target.web.request(host, f"/?list-type=2&prefix={target.prefix}").status, 403)
    return "read, write, delete, list: 403"


def no_listing(target: Target) -> str:
    """Request the root of the distribution, which a bucket would answer with a list."""
    response = target.get("/")
    expect(response.status in (403, 404), f"{response}")
    expect(b"ListBucketResult" not in response.body, "the response lists the bucket")
    return f"{response.status}"


def tls_only(target: Target) -> str:
    """List both buckets without TLS, with this caller's credentials."""
    for bucket in (target.upload_bucket, target.processed_bucket):
        request = {"Bucket": bucket, "Prefix": target.prefix, "MaxKeys": 1}
        target.ask_aws("s3api", "list-objects-v2", "--no-paginate", **request)
        plain_http = f"http://s3.{target.region}.amazonaws.com"
        try:
            target.aws.call("s3api", "list-objects-v2", "--no-paginate", "--endpoint-url", plain_http, **request)
        except AwsFailed as error:
            expect("AccessDenied" in error.error, f"{error}")
        else:
            raise Broken("a bucket lists its objects without TLS")
    return "AccessDenied, with credentials that may list by HTTPS"


def role_of_sources(target: Target) -> str:
    """Simulate the function's role on the upload bucket: it may read a source, and nothing else."""
    bucket = target.arn("s3", target.upload_bucket)
    expect(allowed(target, ["s3:GetObject"], f"{bucket}/any.png"), "the simulation does not allow it to read a source")
    return forbidden(target, {f"{bucket}/any.png": FORBIDDEN_OF_SOURCES, bucket: FORBIDDEN_OF_BUCKETS})


def role_of_others(target: Target) -> str:
    """Simulate the function's role on buckets, secrets and queues that are not its stack's."""
    other = secrets.token_hex(4)
    return forbidden(
        target,
        {
            target.arn("s3", f"other-{other}/any.png"): ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            target.arn("secretsmanager", f"secret:other-{other}"): ["secretsmanager:GetSecretValue"],
            target.arn("sqs", f"other-{other}"): ["sqs:ReceiveMessage", "sqs:SendMessage"],
        },
    )


def role_of_administration(target: Target) -> str:
    """Simulate the function's role for actions that it never needs: those of its own stack, and any others."""
    resources = target.resources
    function = target.arn("lambda", f"function:{target.outputs['FunctionName']}")
    actions = {
        "*": FORBIDDEN_ANYWHERE,
        target.stack_id: FORBIDDEN_OF_STACK,
        function: FORBIDDEN_OF_FUNCTION,
        target.arn("iam", f"role/{resources['FunctionRole']}"): FORBIDDEN_OF_ROLE,
        target.arn("sqs", resources["UploadQueue"].rpartition("/")[2]): FORBIDDEN_OF_QUEUE,
        target.arn("logs", f"log-group:{resources['FunctionLogGroup']}:*"): FORBIDDEN_OF_LOGS,
    }
    if "SigningSecret" in resources:
        actions[resources["SigningSecret"]] = FORBIDDEN_OF_SECRET
    if "DistributionId" in resources:
        name = resources["DistributionId"].lstrip("/")
        actions[target.arn("ssm", f"parameter/{name}")] = FORBIDDEN_OF_PARAMETER
    if "Distribution" in resources:
        actions[target.arn("cloudfront", f"distribution/{resources['Distribution']}")] = FORBIDDEN_OF_DISTRIBUTION
    return forbidden(target, actions)


def role_of_table(target: Target) -> str:
    """Simulate the function's role on its table."""
    return forbidden(
        target, {target.arn("dynamodb", f"table/{target.outputs['MetadataTableName']}"): FORBIDDEN_OF_TABLE}
    )


def forbidden(target: Target, actions: dict[str, list[str]]) -> str:
    """Check that the role may do none of the actions on their resources."""
    found = [action for resource, names in actions.items() for action in allowed(target, names, resource)]
    expect(not found, f"the role may {', '.join(found)}")
    return f"{sum(map(len, actions.values()))} actions denied"


def allowed(target: Target, actions: list[str], resource: str) -> list[str]:
    """Which of these actions the function's role may do on a resource, by its own policies."""
    role = target.arn("iam", f"role/{target.resources['FunctionRole']}")
    results = target.ask_aws(
        "iam", "simulate-principal-policy", PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource]
    )["EvaluationResults"]
    if len(results) != len(actions):
        raise NotChecked(f"IAM has simulated {len(results)} of {len(actions)} actions")
    return [result["EvalActionName"] for result in results if result["EvalDecision"] == "allowed"]


GROUP = Group(
    "Access",
    (
        Claim("function-url", "Strangers can't call the function", function_url, ("delivery",), enforced=True),
        Claim("upload-bucket", "Strangers can't use the upload bucket", upload_bucket, enforced=True),
        Claim("processed-bucket", "Strangers can't use the processed bucket", processed_bucket, enforced=True),
        Claim("no-listing", "CloudFront does not list the renditions", no_listing, ("cdn", "public")),
        Claim("tls-only", "The buckets refuse plain HTTP", tls_only, ("tls",)),
        Claim("role-sources", "The function can't change or delete sources, nor their bucket", role_of_sources),
        Claim("role-others", "The function can't use what is not its stack's", role_of_others),
        Claim("role-table", "The function can't read the whole table, nor delete it", role_of_table, ("metadata",)),
        Claim("role-administration", "The function can't administer anything", role_of_administration),
    ),
)
