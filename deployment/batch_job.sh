#!/usr/bin/env bash
# Creates a job of S3 Batch Operations that invokes the function for every source, for millions of them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: deployment/batch_job.sh [options]

Creates a job of S3 Batch Operations that invokes the function for every source of the upload bucket, and a role for the
job. S3 lists the sources. The job waits until you start it, so that you can see first how many sources there are. Its
report names what failed; S3 writes it to the bucket of the function's code, under batch-job/.

  --prefix PREFIX     only keys that begin with PREFIX. A key has no slash at its beginning: cats/, not /cats/
  --manifest S3_URL   the sources of a manifest instead, s3://bucket/…/manifest.json of an S3 Inventory in CSV
  --remove-role       instead, delete the role, after the job has ended
$(stack_options)
  --help              show this
END
}

stack=$default_stack region='' prefix='' manifest='' remove_role=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) need_value "$1" $#; prefix=$2; note_url "$1" "$2"; shift ;;
    --manifest) need_value "$1" $#; manifest=$2; shift ;;
    --remove-role) remove_role=yes ;;
    *) common_option "$@"; [ "$took" = 1 ] || shift ;;
  esac
  shift
done
case $manifest in
  '' | s3://?*/*manifest.json) ;;
  *) die "--manifest is s3://bucket/…/manifest.json of an S3 Inventory, not '$manifest'" ;;
esac
[ -z "$manifest" ] || [ -z "$prefix" ] || die "--prefix or --manifest, not both: a job processes all of a manifest"
use_stack

# The name of a role may have 64 characters, and is the same in all regions.
role=$(printf '%s' "batch-job-$region-$stack" | cut -c 1-64)

remove_role() {
  try_aws iam delete-role-policy --role-name "$role" --policy-name BatchJob >/dev/null || true
  call_aws iam delete-role --role-name "$role" >/dev/null
  say "Deleted the role $role."
}

write_requests() { # writes the requests for the role and the job to $work; the job uses the generator or the manifest
  local etag=''
  if [ -n "$manifest" ]; then
    etag=$(call_aws s3api head-object --bucket "$manifest_bucket" --key "$manifest_key" --query ETag)
  fi
  "$python" - "$work" "$account" "$upload_bucket" "$code_bucket" "$function_arn" "$prefix" "$manifest_bucket" "$manifest_key" \
    "$etag" <<'END'
import json, sys
from pathlib import Path

work, account, upload, code, function, prefix, manifest_bucket, manifest_key, etag = sys.argv[1:]
partition = function.split(":")[1]


def arn(bucket, rest=""):
    return f"arn:{partition}:s3:::{bucket}{rest}"


def allow(action, resource):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


statements = [allow("lambda:InvokeFunction", function), allow("s3:PutObject", arn(code, "/batch-job/*"))]
if manifest_bucket:
    statements.append(allow(["s3:GetObject", "s3:GetObjectVersion"], arn(manifest_bucket, "/*")))
else:
    statements.append(allow("s3:PutInventoryConfiguration", arn(upload)))
files = {
    "trust": {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "batchoperations.s3.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }],
    },
    "policy": {"Version": "2012-10-17", "Statement": statements},
    "operation": {"LambdaInvoke": {"FunctionArn": function, "InvocationSchemaVersion": "2.0"}},
    "report": {
        "Enabled": True,
        "Bucket": arn(code),
        "Prefix": "batch-job",
        "Format": "Report_CSV_20180820",
        "ReportScope": "FailedTasksOnly",
        "ExpectedBucketOwner": account,
    },
    "generator": {"S3JobManifestGenerator": {
        "ExpectedBucketOwner": account,
        "SourceBucket": arn(upload),
        "EnableManifestOutput": False,
        **({"Filter": {"KeyNameConstraint": {"MatchAnyPrefix": [prefix]}}} if prefix else {}),
    }},
    "manifest": {
        "Spec": {"Format": "S3InventoryReport_CSV_20161130"},
        "Location": {"ObjectArn": arn(manifest_bucket, f"/{manifest_key}"), "ETag": etag.strip('"')},
    },
}
for name, content in files.items():
    Path(work, name).write_text(json.dumps(content))
END
}

make_role() { # sets $role_arn; writes the policy also of a role that exists
  if ! role_arn=$(try_aws iam get-role --role-name "$role" --query Role.Arn); then
    grep -q NoSuchEntity "$work/error" || die "$(why_aws_failed iam get-role)"
    say "Creating the role $role …"
    role_arn=$(call_aws iam create-role --role-name "$role" --assume-role-policy-document "file://$work/trust" --query Role.Arn)
    [ -n "${AWS_ENDPOINT_URL:-}" ] || sleep 15 # IAM takes some seconds to propagate a new role
  fi
  call_aws iam put-role-policy --role-name "$role" --policy-name BatchJob --policy-document "file://$work/policy" >/dev/null
}

if [ -n "$remove_role" ]; then
  remove_role
  exit
fi
upload_bucket=$(of_stack output UploadBucketName) code_bucket=$(of_stack parameter LambdaS3CodeBucket)
manifest_bucket='' manifest_key=''
if [ -n "$manifest" ]; then
  manifest_bucket=${manifest#s3://} manifest_key=${manifest#s3://*/}
  manifest_bucket=${manifest_bucket%%/*}
fi
function_arn=$(call_aws lambda get-function-configuration --function-name "$(of_stack output FunctionName)" --query FunctionArn)
write_requests
make_role
source=(--manifest-generator "file://$work/generator")
[ -z "$manifest" ] || source=(--manifest "file://$work/manifest")
job=$(call_aws s3control create-job --account-id "$account" --operation "file://$work/operation" --report "file://$work/report" \
  "${source[@]}" --priority 10 --role-arn "$role_arn" --confirmation-required --description "Backfill of $stack" \
  --client-request-token "$(date -u +%Y%m%d-%H%M%S)-$$" --query JobId)
command="$(aws_words) s3control"
cat <<END
Job $job is being prepared. Show how many sources it has, and its progress:
  $command describe-job --account-id $account --job-id $job --query 'Job.[Status, ProgressSummary]'
Start it, when its status is Suspended:
  $command update-job-status --account-id $account --job-id $job --requested-job-status Ready
Stop it:
  $command update-job-status --account-id $account --job-id $job --requested-job-status Cancelled
Delete its role afterwards:
  deployment/batch_job.sh --stack-name $stack --region $region --remove-role
END
