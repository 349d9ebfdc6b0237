#!/usr/bin/env bash
# Deletes the stack after a confirmation. The pictures and the records remain, unless --delete-data is given.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: deployment/destroy.sh [options]

Deletes the stack after a confirmation. The buckets and the table remain; the commands that delete them are printed.

$(stack_options)
  --delete-data       also delete both buckets and the table with all their contents, and the code bucket that
                      deploy.sh has created. This can't be undone
  --yes               delete without a confirmation
  --help              show this
END
}

stack=$default_stack region='' sure='' delete_data=''
while [ $# -gt 0 ]; do
  case $1 in
    --delete-data) delete_data=yes ;;
    --yes) sure=yes ;;
    *) common_option "$@"; [ "$took" = 1 ] || shift ;;
  esac
  shift
done
check_stack_name
make_work
find_aws

confirm() { # confirm REQUEST WORDS: ends the script unless the user types exactly WORDS
  local typed=''
  printf '%s ' "$1" >&2
  read -r typed || true
  [ "$typed" = "$2" ] || die "nothing deleted"
}

find_data() { # writes $work/data: a line with kind and name for each bucket and table that outlives the stack
  call_aws cloudformation list-stack-resources --stack-name "$stack_id" --query "StackResourceSummaries[?ResourceStatus !=
    'DELETE_COMPLETE' && (ResourceType == 'AWS::S3::Bucket' || ResourceType == 'AWS::DynamoDB::Table')].[ResourceType,
    PhysicalResourceId]" >"$work/resources"
  awk -F '\t' '$2 != "" && $2 != "None" { print ($1 == "AWS::S3::Bucket" ? "bucket" : "table") "\t" $2 }' \
    "$work/resources" >"$work/data"
  # A code bucket that the user has chosen may have other contents than this project's.
  code_bucket=$(default_code_bucket)
  if [ "$(of_stack parameter LambdaS3CodeBucket)" = "$code_bucket" ]; then printf 'bucket\t%s\n' "$code_bucket" >>"$work/data"; fi
}

exists() { # exists KIND NAME
  case $1 in
    bucket) try_aws s3api head-bucket --bucket "$2" --expected-bucket-owner "$account" >/dev/null ;;
    table) try_aws dynamodb describe-table --table-name "$2" >/dev/null ;;
  esac
}

# A page of list-object-versions in the form that delete-objects takes. Both have a limit of 1,000 versions.
# shellcheck disable=SC2016  # JMESPath's backquotes
page='{Quiet: `true`, Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}}'

show_removal() { # show_removal KIND NAME: prints the command that deletes it, as a line to paste
  local command
  command=$(aws_words)
  if [ "$1" = table ]; then
    echo "  $command dynamodb delete-table --table-name $2 --query TableDescription.TableStatus --output text"
    return
  fi
  echo "  while $command s3api list-object-versions --bucket $2 --no-paginate --output json --query '$page' >versions.json &&" \
    "grep -q VersionId versions.json && [ done = \"\$($command s3api delete-objects --bucket $2 --delete file://versions.json" \
    "--query \"Errors[0].Code || 'done'\" --output text)\" ]; do :; done;" \
    "rm -f versions.json; $command s3api delete-bucket --bucket $2"
}

delete_bucket() { # deletes all versions first, because S3 deletes only an empty bucket
  local refused
  while :; do
    call_aws s3api list-object-versions --bucket "$1" --no-paginate --output json --query "$page" >"$work/versions.json"
    grep -q VersionId "$work/versions.json" || break
    # S3 responds with 200 and lists the objects that it did not delete. Without this check, the loop would never end.
    refused=$(call_aws s3api delete-objects --bucket "$1" --delete "file://$work/versions.json" --query "Errors[0].Code || 'done'")
    [ "$refused" = "done" ] || die "bucket $1: an object can't be deleted ($refused)"
  done
  call_aws s3api delete-bucket --bucket "$1"
}

delete_data() {
  local kind name
  while IFS=$'\t' read -r kind name <&3; do
    exists "$kind" "$name" || continue
    say "Deleting $kind $name …"
    if [ "$kind" = bucket ]; then delete_bucket "$name"; else call_aws dynamodb delete-table --table-name "$name" >/dev/null; fi
  done 3<"$work/data"
}

show_remaining() {
  local kind name found=''
  while IFS=$'\t' read -r kind name <&3; do
    exists "$kind" "$name" || continue
    [ -n "$found" ] || printf '\nThese remain, with the commands that delete them and all their contents:\n'
    found=yes
    show_removal "$kind" "$name"
  done 3<"$work/data"
}

find_account
find_stack "$stack"
if [ -z "$status" ]; then
  say "There is no stack $stack in $region: nothing to delete (--stack-name and --region choose another)."
  exit
fi
case $status in
  REVIEW_IN_PROGRESS | DELETE_IN_PROGRESS) ;;
  *_IN_PROGRESS) die "stack $stack is busy ($status): try again later" ;;
esac
[ -n "$sure" ] || [ -t 0 ] ||
  die "there is no terminal for the confirmation: give --yes to delete stack $stack in $region without it"
find_data
say "Stack $stack in $region, account $account, will be deleted."
if [ -s "$work/data" ]; then
  if [ -n "$delete_data" ]; then say "These will be deleted with all their contents:"; else say "These remain (--delete-data deletes them too):"; fi
  tr '\t' ' ' <"$work/data" | sed 's/^/  /' >&2
fi
if [ -z "$sure" ]; then
  confirm "Type the stack's name to delete it:" "$stack"
  [ -z "$delete_data" ] || confirm "Type 'delete the data' to delete every picture and record too:" "delete the data"
fi
if [ -n "${AWS_ENDPOINT_URL:-}" ]; then say "Deleting stack $stack …"; else say "Deleting stack $stack (this takes some minutes, because of CloudFront) …"; fi
id=$stack_id
call_aws cloudformation delete-stack --stack-name "$id"
wait_for_stack
case $status in
  '' | DELETE_COMPLETE) ;;
  *)
    say "What failed:"
    show_failures "$id"
    die "the stack could not be deleted; it is in $status" ;;
esac
[ -z "$delete_data" ] || delete_data
say "Deleted."
[ -n "$delete_data" ] || show_remaining
