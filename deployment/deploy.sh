#!/usr/bin/env bash
# Packages the function and creates or updates the stack, on AWS or, with AWS_ENDPOINT_URL, on an emulator.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: deployment/deploy.sh [options]

Packages the function, uploads it and the template, shows what will change, and creates or updates the stack.

$(stack_options)
  --parameter K=V     a parameter of the template; may be repeated. A parameter that isn't given keeps its value of the
                      last deployment; a new stack has the template's default
  --code-bucket NAME  a bucket of yours in the same region for the function's zip and the template. Default: the one of
                      the last deployment, else <stack name>-code-<account>-<region>, which is created
  --local             package for this machine, for an emulator (AWS_ENDPOINT_URL)
  --help              show this

Parameters:
$(parameter_names | grep -v '^LambdaS3Code' | sed 's/^/  /')
END
}

parameter_names() {
  awk '/^[A-Za-z]/ { inside = /^Parameters:/ }
    inside && /^  [A-Za-z0-9]+:/ { sub(/:.*/, ""); print $1 }' "$template" 2>/dev/null || true
}

default_of() { # default_of PARAMETER: prints its default in the template
  awk -v name="  $1:" '/^  [A-Za-z]/ { inside = index($0, name) == 1 }
    inside && /^    Default:/ { gsub(/["\047]/, "", $2); print $2 }' "$template"
}

stack=$default_stack region='' code_bucket='' for_host=''
parameters=() # for bash 3.2, an empty array is unset, hence ${parameters[@]+"${parameters[@]}"}
while [ $# -gt 0 ]; do
  case $1 in
    --stack-name) need_value "$1" $#; stack=$2; shift ;;
    --region) need_value "$1" $#; region=$2; shift ;;
    --parameter) need_value "$1" $#; parameters+=("$2"); shift ;;
    --code-bucket) need_value "$1" $#; code_bucket=$2; shift ;;
    --local) for_host=yes ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  shift
done
check_stack_name
[ -z "$for_host" ] || [ -n "${AWS_ENDPOINT_URL:-}" ] || die "--local is for an emulator: set AWS_ENDPOINT_URL, or leave it out"
[ -f "$template" ] || die "no template at $template"

unset variants
names=$(parameter_names)
architecture='' user_pool=''
for parameter in ${parameters[@]+"${parameters[@]}"}; do
  name=${parameter%%=*}
  case $parameter in
    [A-Za-z]*=*) ;;
    *) die "--parameter is Name=value, not '$parameter'" ;;
  esac
  case $name in
    LambdaS3CodeBucket) die "--parameter $name: give --code-bucket instead" ;;
    LambdaS3CodeKey) die "--parameter $name: the key is the zip's SHA-256, set by this script" ;;
    Architecture) architecture=${parameter#*=} ;;
    ApiUserPoolArn) user_pool=${parameter#*=} ;;
    Variants) variants=${parameter#*=} ;;
  esac
  # Not by grep -q, which exits at the first match: the writer to its pipe may then fail, and with it the pipeline.
  case $'\n'$names$'\n' in
    *$'\n'"$name"$'\n'*) ;;
    *) die "no parameter '$name'; there are: $(printf '%s\n' "$names" | grep -v '^LambdaS3Code' | paste -s -d ' ' -)" ;;
  esac
done

check_variants() { # refuses what the function would refuse, with its message, before anything is deployed
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || return 0 # the function's code needs Python 3.11
  PYTHONPATH=$project/src "$python" -B - "$1" <<'END' || exit 1
import sys
from image_processor.errors import InvalidTransformation
from image_processor.transformations.variants import parse_variants

try:
    parse_variants(sys.argv[1])
except InvalidTransformation as error:
    sys.exit(f"deploy.sh: --parameter Variants: {error}")
END
}

find_python
[ -z "${variants+given}" ] || check_variants "$variants"
make_work
find_aws

check_status() { # check_status [WHY]: ends the script when the stack is in a status that allows no change set
  local delete
  delete="$(aws_words) cloudformation delete-stack --stack-name $stack"
  case $status in
    REVIEW_IN_PROGRESS) ;; # an empty stack, which a change set that was never executed leaves behind
    *_IN_PROGRESS) die "stack $stack is busy ($status): try again later" ;;
    ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED | DELETE_FAILED)
      die "${1:-}stack $stack is in $status and can't be updated; delete it, then deploy again: $delete" ;;
    UPDATE_ROLLBACK_FAILED)
      die "${1:-}stack $stack is in $status; fix what stopped the rollback, then: ${delete/delete-stack/continue-update-rollback}" ;;
  esac
}

make_code_bucket() { # creates it private and encrypted, independent of the account's defaults
  local location=() blocked=BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  [ "$region" = us-east-1 ] || location=(--create-bucket-configuration "LocationConstraint=$region")
  say "Creating the code bucket $code_bucket …"
  call_aws s3api create-bucket --bucket "$code_bucket" ${location[@]+"${location[@]}"} >/dev/null
  call_aws s3api put-public-access-block --bucket "$code_bucket" --expected-bucket-owner "$account" \
    --public-access-block-configuration "$blocked"
  call_aws s3api put-bucket-encryption --bucket "$code_bucket" --expected-bucket-owner "$account" \
    --server-side-encryption-configuration '{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}'
}

find_code_bucket() { # sets $code_bucket: the given one, else that of the last deployment, else the default one
  [ -n "$code_bucket" ] || code_bucket=$(of_stack parameter LambdaS3CodeBucket)
  code_bucket=${code_bucket:-$(default_code_bucket)}
}

need_code_bucket() { # creates the default one when it doesn't exist; any other one has to exist
  try_aws s3api head-bucket --bucket "$code_bucket" --expected-bucket-owner "$account" >/dev/null && return
  if grep -q '(40[03])' "$work/error"; then
    die "the code bucket $code_bucket belongs to another account, or you have no access: give one of yours with --code-bucket"
  fi
  grep -q '(404)' "$work/error" || die "$(why_aws_failed s3api head-bucket)"
  [ "$code_bucket" = "$(default_code_bucket)" ] || die "there is no bucket $code_bucket: create it, or give another with --code-bucket"
  make_code_bucket
}

upload() { # upload FILE EXTENSION WHAT: stores it in the code bucket under its SHA-256, unless it is there; sets $key
  key=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1").$2
  # Each call checks the owner, because another account may have created a bucket with a name that was free.
  if try_aws s3api head-object --bucket "$code_bucket" --key "$key" --expected-bucket-owner "$account" >/dev/null; then
    say "The $3 is in $code_bucket already."
    return
  fi
  grep -q '(40[0-9])' "$work/error" || die "$(why_aws_failed s3api head-object)"
  [ -n "$bucket_is_there" ] || need_code_bucket
  bucket_is_there=yes
  say "Uploading the $3, $(($(wc -c <"$1") / 1000)) kB, to $code_bucket …"
  call_aws s3api put-object --bucket "$code_bucket" --key "$key" --body "$1" --expected-bucket-owner "$account" >/dev/null
}

url_of() { # url_of KEY: prints its URL for CloudFormation; path-style, for emulators and for names with a dot
  local domain=amazonaws.com
  case $region in cn-*) domain=amazonaws.com.cn ;; esac
  echo "${AWS_ENDPOINT_URL:-https://s3.$region.$domain}/$code_bucket/$1"
}

write_parameters() { # write_parameters K=V …: writes those of the change set: given, else as deployed, else the default
  "$python" - "$(awk -F '\t' '$1 == "parameter" { print $2 }' "$work/stack")" "$names" "$@" <<'END' >"$work/parameters.json"
import json, sys

deployed, names, *given = sys.argv[1:]
values = dict(parameter.split("=", 1) for parameter in given)
print(json.dumps([
    {"ParameterKey": name, "ParameterValue": values[name]} if name in values
    else {"ParameterKey": name, "UsePreviousValue": True}
    for name in names.split() if name in values or name in deployed.split()
]))
END
}

make_change_set() { # sets $change_set, which is empty when nothing changes, and $stack_id
  local type=UPDATE response state reason
  case $status in '' | REVIEW_IN_PROGRESS) type=CREATE ;; esac
  change_set=deploy-$(date -u +%Y%m%d-%H%M%S)-$$
  response=$(call_aws cloudformation create-change-set --stack-name "$stack" --change-set-name "$change_set" --change-set-type $type \
    --template-url "$template_url" --parameters "file://$work/parameters.json" --capabilities CAPABILITY_IAM \
    --description "deployment/deploy.sh" --query '[Id,StackId]')
  read -r change_set stack_id <<<"$response"
  while :; do
    response=$(call_aws cloudformation describe-change-set --change-set-name "$change_set" --query '[Status,StatusReason]')
    IFS=$'\t' read -r state reason <<<"$response"
    case $state in
      CREATE_COMPLETE) return ;;
      FAILED) break ;;
    esac
    sleep 1
  done
  if [ $type = UPDATE ]; then
    try_aws cloudformation delete-change-set --change-set-name "$change_set" >/dev/null || true
  else
    try_aws cloudformation delete-stack --stack-name "$stack_id" || true # it is still empty
  fi
  case $reason in *"didn't contain changes"* | *"No updates are to be performed"*) change_set='' ;; esac
  [ -z "$change_set" ] || die "CloudFormation refused the change: $reason"
}

show_what_is_stale() { # show_what_is_stale VARIANTS_BEFORE NOW: a change of Variants leaves all stored pictures as they are
  local command missing=--only-missing after
  after=$(of_stack parameter Variants)
  [ -n "$1" ] && [ "$1" != "$after" ] || return 0
  # The renditions of a variant that got another transformation exist, but are of the former one.
  "$python" - "$1" "$after" <<'END' || missing="--made-before $2"
import sys

before, after = ({name.strip(): text.strip() for name, _, text in (part.partition(":") for part in variants.split(";"))}
                 for variants in sys.argv[1:])
sys.exit(any(before[name] != after[name] for name in before.keys() & after.keys()))
END
  command="deployment/backfill.sh --stack-name $stack --region $region"
  [ -z "$for_host" ] || command="deployment/backfill.sh --local"
  say "Variants have changed; stored renditions stay as they are. These commands show what is missing and what is stale:"
  say "  $command $missing --dry-run"
  say "  $command --remove-stale --dry-run"
}

show_changes() {
  call_aws cloudformation describe-change-set --change-set-name "$change_set" \
    --query 'Changes[].ResourceChange.[Action,LogicalResourceId,ResourceType,Replacement]' >"$work/changes"
  echo
  { printf 'Action\tResource\tType\tReplaced\n'; sort -t "$(printf '\t')" -k 1,1 -k 3,3 -k 2,2 "$work/changes"; } |
    awk -F '\t' 'BEGIN { say["True"] = "yes"; say["False"] = "no"; say["Conditional"] = "maybe"; say["Replaced"] = "Replaced" }
      { printf "  %-8s %-32s %-42s %s\n", $1, $2, $3, say[$4] }' | sed 's/ *$//'
  echo
}

show_outputs() {
  echo
  awk -F '\t' '$1 == "output" { printf "  %-24s %s\n", $2, $3 }' "$work/stack" | sort
}

show_what_to_try() { # not for an emulator, whose URLs only the program that started it knows
  local cdn domain sign=''
  [ -z "${AWS_ENDPOINT_URL:-}" ] || return 0
  cdn=$(of_stack parameter CdnUrl) domain=$(of_stack parameter CdnAlias)
  domain=${domain:-$(of_stack output DistributionDomainName)}
  [ -z "$domain" ] || cdn=${cdn:-https://$domain}
  [ -z "$(of_stack output SigningSecretArn)" ] || sign="--stack-name $stack --region $region"
  print_what_to_try --aws "$(aws_words)" --bucket "$(of_stack output UploadBucketName)" \
    --processed "$(of_stack output ProcessedBucketName)" --cdn "${cdn%/}" --sign "$sign" \
    --api "$(of_stack output ApiUrl)" --api-key-id "$(of_stack output ApiKeyId)"
}

find_account
find_stack "$stack"
check_status
need_same_user_pool "$user_pool"
[ -n "$architecture" ] || architecture=$(of_stack parameter Architecture)
if [ -n "$for_host" ]; then
  zip=$("$project/deployment/package.sh" --local)
else
  zip=$("$project/deployment/package.sh" --architecture "${architecture:-$(default_of Architecture)}")
fi
find_code_bucket
bucket_is_there=''
upload "$zip" zip "function's code"
code_key=$key
# CloudFormation takes a template of up to 51,200 bytes in the request, and of up to 1 MB from S3.
upload "$template" yaml template
template_url=$(url_of "$key")
write_parameters ${parameters[@]+"${parameters[@]}"} "LambdaS3CodeBucket=$code_bucket" "LambdaS3CodeKey=$code_key"
say "Computing what will change in stack $stack in $region …"
make_change_set
if [ -n "$change_set" ]; then
  show_changes
  if [ -n "${AWS_ENDPOINT_URL:-}" ]; then say "Deploying …"; else say "Deploying (a new stack takes some minutes, because of CloudFront) …"; fi
  variants_before=$(of_stack parameter Variants)
  call_aws cloudformation execute-change-set --change-set-name "$change_set"
  wait_for_stack
  case $status in
    CREATE_COMPLETE | UPDATE_COMPLETE)
      say "Done: $status."
      show_what_is_stale "$variants_before" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ;;
    *)
      say "What failed:"
      show_failures "$stack_id"
      check_status "the deployment failed: "
      die "the deployment failed; stack $stack is as it was before ($status)" ;;
  esac
else
  say "Nothing to change."
fi
show_outputs
show_what_to_try
