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
  --tag KEY=VALUE     a tag on everything that the stack has; may be repeated. A tag stays until --untag
  --untag KEY         remove a tag; may be repeated
  --watch MINUTES     undo the update if one of the stack's alarms goes off during the update or in the 0 to 180 minutes
                      after it
  --rollback          go back to the code, the template and the parameters before the last deployment; once more: before
                      the one before
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

check_minutes() { # 180 is CloudFormation's limit
  case $1 in [0-9] | [0-9][0-9] | 1[0-7][0-9] | 180) ;; *) die "--watch is a number of minutes from 0 to 180, not '$1'" ;; esac
}

regions_without_function_urls() { # prints the regions in the template's condition LacksFunctionUrls
  awk '/^  [A-Za-z]/ { inside = index($0, "  LacksFunctionUrls:") == 1 }
    inside && /AWS::Region/ { sub(/.*AWS::Region, */, ""); sub(/].*/, ""); print }' "$template"
}

stack=$default_stack region='' code_bucket='' for_host='' watch='' rollback=''
# For bash 3.2, an empty array is unset, hence ${parameters[@]+"${parameters[@]}"}.
parameters=() tags=() untags=()
while [ $# -gt 0 ]; do
  case $1 in
    --stack-name) need_value "$1" $#; stack=$2; shift ;;
    --region) need_value "$1" $#; region=$2; shift ;;
    --parameter) need_value "$1" $#; parameters+=("$2"); shift ;;
    --tag) need_value "$1" $#; tags+=("$1=$2"); shift ;;
    --untag) need_value "$1" $#; tags+=("$1=$2"); untags+=("$1=$2"); shift ;;
    --watch) need_value "$1" $#; check_minutes "$2"; watch=$2; shift ;;
    --rollback) rollback=yes ;;
    --code-bucket) need_value "$1" $#; code_bucket=$2; shift ;;
    --local) for_host=yes ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  shift
done
check_stack_name
[ -z "$for_host" ] || [ -n "${AWS_ENDPOINT_URL:-}" ] || die "--local is for an emulator: set AWS_ENDPOINT_URL, or leave it out"
[ -z "$rollback" ] || [ -z "$code_bucket${parameters[*]-}" ] ||
  die "--rollback uses the parameters and the code bucket of the deployment that it goes back to: leave out --parameter and --code-bucket"
[ -f "$template" ] || die "no template at $template"

find_python
check_given ${parameters[@]+"${parameters[@]/#/--parameter=}"} ${tags[@]+"${tags[@]}"}
names=$(parameter_names)
architecture='' delivery=''
for parameter in ${parameters[@]+"${parameters[@]}"}; do
  case $parameter in
    Architecture=*) architecture=${parameter#*=} ;;
    EnableDelivery=*) delivery=${parameter#*=} ;;
  esac
done
make_work
find_aws
case $region in
  cn-* | us-gov-* | us-iso* | eu-iso* | eusc-*)
    die "the template needs one of AWS's commercial regions, not $region: China, GovCloud and the other partitions lack" \
      "what it uses (docs/limits.md)" ;;
esac

check_region() { # Lambda has no function URLs in some regions; the template leaves delivery out there
  case $'\n'$(regions_without_function_urls)$'\n' in *$'\n'"$region"$'\n'*) ;; *) return 0 ;; esac
  [ "$delivery" != true ] || die "--parameter EnableDelivery=true: Lambda has no function URLs in $region, which delivery needs;" \
    "leave it out, or deploy in another region"
  [ "${delivery:-$(of_stack parameter EnableDelivery)}" = false ] ||
    say "Lambda has no function URLs in $region: the stack has no delivery there (as with EnableDelivery=false). Variants and the API work."
}

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

find_code_bucket() { # sets $code_bucket: the given one, else that of the last deployment, else the default one
  [ -n "$code_bucket" ] || code_bucket=$(of_stack parameter LambdaS3CodeBucket)
  code_bucket=${code_bucket:-$(default_code_bucket)}
}

remember() { # remember read|back|before|after: history.py's modes
  call_python history.py "$1" --stack-name "$stack" --code-bucket "$code_bucket" --account "$account"
}

prepare_code() { # packages the function, writes the parameters, checks them, and stores zip and template; sets $template_url
  local zip code_key options=() default=''
  if [ -n "$for_host" ]; then
    zip=$("$project/deployment/package.sh" --local)
  else
    [ -n "$architecture" ] || architecture=$(of_stack parameter Architecture)
    zip=$("$project/deployment/package.sh" --architecture "${architecture:-$(default_of Architecture)}")
  fi
  code_key=$(sha256_of "$zip").zip
  for parameter in ${parameters[@]+"${parameters[@]}"} "LambdaS3CodeBucket=$code_bucket" "LambdaS3CodeKey=$code_key"; do
    options+=(--parameter "$parameter")
  done
  call_python plan_parameters.py --names "$names" --stored-in "s3://$code_bucket/deployments/$stack.json" "${options[@]}"
  check_limits
  [ "$code_bucket" != "$(default_code_bucket)" ] || default=--is-default
  call_python store_code.py --code-bucket "$code_bucket" --account "$account" --zip "$zip" --template "$template" \
    $default ${untags[@]+"${untags[@]}"}
  template_url=$(url_of "$code_bucket" "$(sha256_of "$template").yaml")
}

need_same_user_pool() { # need_same_user_pool ARN: refuses to replace the user pool of the last find_stack by another one
  local before
  before=$(of_stack parameter ApiUserPoolArn)
  # API Gateway serves a copy of the API, and CloudFormation makes a new one when ApiAuthorization changes, not the pool.
  [ -z "$before" ] || [ -z "$1" ] || [ "$1" = "$before" ] ||
    die "ApiUserPoolArn can't be replaced in one step: deploy with ApiAuthorization=AWS_IAM and ApiUserPoolArn= first"
}

sha256_of() { "$python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }

planned() { # planned PARAMETER: prints the value that the change set gives it, if it does
  "$python" -c 'import json, sys
print(next((p.get("ParameterValue", "") for p in json.load(open(sys.argv[1])) if p["ParameterKey"] == sys.argv[2]), ""))' \
    "$work/parameters.json" "$1"
}

check_limits() { # what would fail, or be undone, ends the script here
  need_same_user_pool "$(planned ApiUserPoolArn)"
  call_python concurrency.py --default "MaximumConcurrency=$(default_of MaximumConcurrency)"
  call_python rollback_triggers.py --stack-name "$stack" ${watch:+--watch "$watch"}
}

find_former_code() { # sets $template_url, and writes the parameters, of the state before the last deployment
  local former
  former=$(remember back)
  check_limits
  template_url=$(url_of "${former% *}" "${former#* }")
}

url_of() { # url_of BUCKET KEY: prints its URL for CloudFormation; path-style, for emulators and for names with a dot
  echo "${AWS_ENDPOINT_URL:-https://s3.$region.amazonaws.com}/$1/$2"
}

make_change_set() { # sets $change_set, which is empty when nothing changes, and $stack_id
  local response state reason options=()
  [ "$(cat "$work/tags.json")" = "[]" ] && [ ${#untags[@]} -eq 0 ] || options+=(--tags "file://$work/tags.json")
  [ ! -f "$work/rollback.json" ] || options+=(--rollback-configuration "file://$work/rollback.json")
  change_set=deploy-$(date -u +%Y%m%d-%H%M%S)-$$
  response=$(call_aws cloudformation create-change-set --stack-name "$stack" --change-set-name "$change_set" --change-set-type "$type" \
    --template-url "$template_url" --parameters "file://$work/parameters.json" --capabilities CAPABILITY_IAM \
    --description "deployment/deploy.sh" ${options[@]+"${options[@]}"} --query '[Id,StackId]')
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
  if [ "$type" = UPDATE ]; then
    try_aws cloudformation delete-change-set --change-set-name "$change_set" >/dev/null || true
  else
    try_aws cloudformation delete-stack --stack-name "$stack_id" || true # it is still empty
  fi
  case $reason in *"didn't contain changes"* | *"No updates are to be performed"*) change_set='' ;; esac
  [ -z "$change_set" ] || die "CloudFormation refused the change: $reason"
}

show_what_is_stale() { # show_what_is_stale VARIANTS_BEFORE NOW: a change of Variants leaves all stored pictures as they are
  local command missing=--only-missing after change
  after=$(of_stack parameter Variants)
  [ -n "$1" ] && [ "$1" != "$after" ] || return 0
  change=$(PYTHONPATH=$project/src "$python" -B "$project/deployment/operations/variants.py" "$1" "$after")
  case $change in
    same) return ;;
    changed) missing="--made-before $2" ;; # the renditions of a variant that got another transformation exist
  esac
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
type=UPDATE
case $status in '' | REVIEW_IN_PROGRESS) type=CREATE ;; esac
find_code_bucket
check_region
call_python stack_tags.py ${tags[@]+"${tags[@]}"}
[ $type = CREATE ] || remember read
if [ -n "$rollback" ]; then find_former_code; else prepare_code; fi
say "Computing what will change in stack $stack in $region …"
make_change_set
if [ -n "$change_set" ]; then
  show_changes
  [ $type = CREATE ] || [ -n "$rollback" ] || remember before
  if [ -n "${AWS_ENDPOINT_URL:-}" ]; then say "Deploying …"; else say "Deploying (a new stack takes some minutes, because of CloudFront) …"; fi
  variants_before=$(of_stack parameter Variants)
  call_aws cloudformation execute-change-set --change-set-name "$change_set"
  wait_for_stack
  case $status in
    CREATE_COMPLETE | UPDATE_COMPLETE)
      say "Done: $status."
      remember after
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
