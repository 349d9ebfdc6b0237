# shellcheck shell=bash disable=SC2034,SC2154  # variables are set here and used in the scripts, and the other way round
#
# The functions that the scripts in this folder share; sourced, never run. They work with bash 3.2 (macOS's own) and with
# the AWS CLI 1 and 2.

project=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
template=$project/templates/main.yaml
default_stack="aws-serverless-image-processing"
me=$(basename -- "$0")

printable() ( # printable TEXT: prints it in one line that can't control a terminal, as `printable` of terminal.py returns it
  LC_ALL=C # bytes
  case $1 in *[!\ -~]*) ;; *) printf '%s\n' "$1"; return ;; esac
  # ' 61 1b' becomes a format, '\x61\\x1b': a byte to write, and one to show.
  format=$(printf %s "$1" | od -An -v -tx1 | tr -s ' \n' '  ' | sed -E -e 's/ c2 ([89].)/ !c2 !\1/g' -e 's/ d8 9c/ !d8 !9c/g' \
    -e 's/ e2 80 (8[ef]|a[89a-e])/ !e2 !80 !\1/g' -e 's/ e2 81 (a[6-9])/ !e2 !81 !\1/g' -e 's/ ed ([ab].) (..)/ !ed !\1 !\2/g' \
    -e 's/ ([01].|7f)/ !\1/g' -e 's/ !(..)/\\\\x\1/g' -e 's/ (..)/\\x\1/g' -e 's/ $//')
  # shellcheck disable=SC2059  # it has such escapes only
  printf "$format\n"
)

say() { printable "$*" >&2; }

say_lines() { # says each line of stdin
  local line
  while IFS= read -r line; do say "$line"; done
}

failed=1 # the exit status of `die`
die() { # prints the one line that says why, and ends the script
  say "$me: $*"
  exit $failed
}

need_value() { # need_value OPTION "$#": refuses an option without its value
  [ "$2" -ge 2 ] || die "$1 needs a value ($me --help)"
}

work=
remove_work() { [ -z "$work" ] || rm -rf "$work"; }
trap remove_work EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

has_local= # set by the scripts that have --local for the stack of `make run`
stack_options() { # the options that each script has, for its usage
  cat <<END
  --stack-name NAME   the stack; default $default_stack
  --region REGION     its region; default AWS_REGION, else AWS_DEFAULT_REGION, else that of your AWS profile
END
  [ -z "$has_local" ] || echo "  --local             the stack of 'make run' on this machine, at PORT (default 4566)"
}

common_option() { # common_option "$@": reads an option that most scripts have; sets $took, how many words it has
  took=1
  case $1 in
    --stack-name) need_value "$1" $#; stack=$2 took=2 ;;
    --region) need_value "$1" $#; region=$2 took=2 ;;
    --local) [ -n "$has_local" ] || die "unknown option '$1' ($me --help)"; use_local_aws ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
}

note_url() { # note_url OPTION KEY: 'my cats/rio.jpg' is a key, '/my%20cats/rio.jpg' a path in a URL
  case $2 in
    /*) say "$me: note: $1 '$2' begins with a slash, and S3's keys usually don't; for most buckets it is '${2#/}'" ;;
  esac
  case $2 in
    *%[0-9A-Fa-f][0-9A-Fa-f]*) say "$me: note: $1 '$2' has a % in it, and keys are not percent-encoded: a space is a space" ;;
  esac
}

make_work() { # make_work [PARENT]: sets $work, a folder for this run's files that is deleted at its end
  work=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/image-processing.XXXXXX") || die "can't make a temporary folder"
}

find_python() { # sets $python: the project's own, else the machine's
  python=$project/.venv/bin/python
  [ -x "$python" ] || python=python3
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || die "needs Python 3.9 or newer as python3"
}

find_aws() { # sets $aws and $region, and the variables with which AWS CLI 1 and 2 have the same output
  aws=$(command -v aws) || aws=$project/.venv/bin/aws
  [ -x "$aws" ] || die "the AWS CLI is missing: install it, or run 'make setup' to use the project's own"
  export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off AWS_DEFAULT_OUTPUT=text AWS_CLI_FILE_ENCODING=UTF-8
  # AWS CLI 1 reads AWS_DEFAULT_REGION only, so each call gets the region as an option.
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$("$aws" configure get region 2>/dev/null || true)}}}
  [ -n "$region" ] || die "no region: give --region, or set AWS_REGION${has_local:+, or give --local for the stack of 'make run'}"
  check_region_name
}

check_region_name() { # refuses what can't be the name of a region: 'Frankfurt' would become a part of a host name
  local LC_ALL=C
  [[ $region =~ ^(eusc|[a-z]{2})(-[a-z]+)+-[0-9]+$ ]] || die "'$region' is not the name of an AWS region, such as eu-central-1"
}

try_aws() { # prints the response; writes the error to $work/error
  # Each call gets the endpoint as an option, because AWS CLI 1's sqs ignores the variable.
  "$aws" --region "$region" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@" 2>"$work/error"
}

call_aws() { try_aws "$@" || die "$(why_aws_failed "$@")"; }

aws_words() { # prints the beginning of an AWS CLI command that is shown to the user
  echo "aws --region $region${AWS_ENDPOINT_URL:+ --endpoint-url $AWS_ENDPOINT_URL}"
}

aws_error() { # prints the line of $work/error that says what failed: AWS's error, else the last line
  sed -e 's/^aws: \[ERROR\]: //' -e '/^[[:space:]]*$/d' -e '/^Additional error details/,$d' "$work/error" |
    awk '/An error occurred/ { line = "" ; found = 1 } { line = found ? line (line == "" ? "" : " ") $0 : $0 }
      END { print line }'
}

why_aws_failed() { # why_aws_failed SERVICE OPERATION …: prints $work/error as a line that says what to do
  local error code action
  error=$(aws_error)
  code=$(printf '%s\n' "$error" | sed -n 's/.*An error occurred (\([^)]*\)).*/\1/p')
  case $error in
    *"Unable to locate credentials"* | *"Partial credentials"*)
      echo "no AWS credentials: run 'aws configure', or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
      return ;;
    *"Could not connect to the endpoint URL"* | *"Connect timeout"* | *"onnection was closed"*)
      if [ -n "${AWS_ENDPOINT_URL:-}" ]; then echo "can't reach $AWS_ENDPOINT_URL: is 'make run' running? PORT=… in front selects another port"; else
        echo "can't reach AWS in region '$region': does the region exist, and is the network up?"
      fi
      return ;;
    *"doesn't match a supported format"* | *"Invalid endpoint"*)
      echo "'$region' is not an AWS region"
      return ;;
  esac
  case $code in
    ExpiredToken* | InvalidClientTokenId | UnrecognizedClientException | InvalidAccessKeyId | SignatureDoesNotMatch | AuthFailure)
      echo "AWS doesn't accept these credentials ($code): are they current, and is region '$region' enabled for the account?" ;;
    AccessDenied* | UnauthorizedOperation | 403)
      action=$(printf '%s\n' "$error" | sed -n 's/.*not authorized to perform: \([A-Za-z0-9-]*:[A-Za-z]*\).*/\1/p')
      echo "no permission for ${action:-"$1 $2"}: $(printf '%s\n' "$error" | sed 's/.*operation: //')" ;;
    '') echo "aws $1 $2: ${error:-failed without a message}" ;;
    *) echo "aws $1 $2: $(printf '%s\n' "$error" | sed 's/.*operation: //') ($code)" ;;
  esac
}

use_local_aws() { # sets the variables for the local AWS of `make run`, and unsets the user's own
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_CA_BUNDLE "${!AWS_ENDPOINT_URL_@}"
  export AWS_ENDPOINT_URL=http://127.0.0.1:${PORT:-4566} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
}

call_python() { # call_python PROGRAM OPTION …: runs a program of operations/, which calls AWS as call_aws does
  local program=$1 code=0
  shift
  PYTHONPATH=$project/src${PYTHONPATH:+:$PYTHONPATH} \
    "$python" -B "$project/deployment/operations/$program" "$@" --work "$work" --aws "$aws" --region "$region" || code=$?
  # shellcheck disable=SC2046  # two words: the service and the operation
  [ $code -ne 3 ] || die "$(why_aws_failed $(cat "$work/failed"))"
  return $code
}

check_given() { # check_given [--parameter=NAME=VALUE …] [--tag=KEY=VALUE …]: refuses what the template or AWS would refuse
  PYTHONPATH=$project/src "$python" -B "$project/deployment/operations/given.py" --me "$me" --template "$template" "$@" || exit 1
}

find_account() { # sets $account; as the first call to AWS, this also checks the credentials
  account=$(call_aws sts get-caller-identity --query Account)
}

find_stack() { # find_stack NAME_OR_ID: sets $status and $stack_id, both empty when there is none, and fills $work/stack
  status='' stack_id=''
  : >"$work/stack"
  if try_aws cloudformation describe-stacks --stack-name "$1" --query "Stacks[0].[[['stack', StackStatus, StackId]],
      Parameters[].['parameter', ParameterKey, ParameterValue], Outputs[].['output', OutputKey, OutputValue],
      Tags[].['tag', Key, Value], RollbackConfiguration.RollbackTriggers[].['trigger', Arn, Type],
      [['monitoring', 'minutes', RollbackConfiguration.MonitoringTimeInMinutes]]]" >"$work/described"; then
    # The AWS CLI begins with None for lists that AWS leaves out, such as the outputs of a stack that is being created.
    sed '/^None/d' "$work/described" >"$work/stack"
    IFS=$'\t' read -r _ status stack_id <"$work/stack"
  elif ! grep -q 'does not exist' "$work/error"; then
    die "$(why_aws_failed cloudformation describe-stacks)"
  fi
  # An emulator may find a deleted stack by its name; AWS does not.
  [ "$status" != DELETE_COMPLETE ] || [ "$1" = "$stack_id" ] || status=''
}

need_stack() { # finds stack $stack; ends the script unless the stack's resources can be used
  find_stack "$stack"
  case $status in
    '') die "there is no stack $stack in $region (--stack-name and --region choose another)" ;;
    CREATE_IN_PROGRESS | DELETE_* | REVIEW_IN_PROGRESS | ROLLBACK_* | CREATE_FAILED) die "stack $stack can't be used ($status)" ;;
  esac
}

of_stack() { # of_stack parameter|output NAME: prints its value at the last find_stack, or nothing
  awk -F '\t' -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 }' "$work/stack"
}

check_stack_name() {
  case $stack in
    [A-Za-z]*) ;;
    *) die "--stack-name must start with a letter, got '$stack'" ;;
  esac
  case $stack in
    *[!A-Za-z0-9-]*) die "--stack-name may have letters, digits and '-' only, got '$stack'" ;;
  esac
  [ ${#stack} -le 128 ] || die "--stack-name may have 128 characters at most, got ${#stack}"
}

use_stack() { # sets up a script that works on the existing stack $stack
  check_stack_name
  find_python
  make_work
  find_aws
  find_account
  need_stack
}

default_code_bucket() { # prints the name of the bucket that deploy.sh creates; a long $stack is cut and gets a checksum
  local name tail=-code-$account-$region
  name=$(printf '%s' "$stack" | tr '[:upper:]' '[:lower:]')
  if [ $((${#name} + ${#tail})) -gt 63 ]; then
    tail=-$(printf '%s' "$name" | cksum | cut -c 1-6)$tail
    name=$(printf '%s' "$name" | cut -c "1-$((63 - ${#tail}))")
  fi
  echo "$name$tail"
}

wait_for_stack() { # waits until no operation of stack $stack_id is in progress; sets $status
  local id=$stack_id started=$SECONDS minutes=0 pause=5
  [ -z "${AWS_ENDPOINT_URL:-}" ] || pause=0.2 # an emulator is done in a second or two
  while :; do
    sleep $pause
    find_stack "$id"
    stack_id=$id
    case $status in *_IN_PROGRESS) ;; *) return ;; esac
    if [ $(((SECONDS - started) / 60)) -gt $minutes ]; then
      minutes=$(((SECONDS - started) / 60))
      say "  $status for $minutes min"
    fi
  done
}

show_failures() { # show_failures STACK_ID: prints which resources failed in the last operation, the first one first, else why it ended
  call_aws cloudformation describe-stack-events --stack-name "$1" --max-items 300 \
    --query 'StackEvents[].[ResourceStatus,LogicalResourceId,ResourceType,ResourceStatusReason]' >"$work/events"
  awk -F '\t' -v stack="$stack" '
    $2 == stack && $1 ~ /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/ { exit }
    $1 ~ /FAILED$/ && $2 != stack && $4 !~ /cancelled/ { line[++n] = "  " $2 " (" $3 "): " $4 }
    $1 ~ /ROLLBACK_IN_PROGRESS$/ && $2 == stack { reason = "  " $4 } # such as the alarm of a rollback trigger
    END { if (n == 0 && reason != "") print reason; for (; n > 0; n--) print line[n] }' "$work/events" | say_lines
}

first_variant() { # prints the name of the stack's first variant
  of_stack parameter Variants | sed 's/^[ ;]*//; s/[ :].*//'
}

# print_what_to_try [--aws COMMAND] [--picture FILE] --bucket UPLOAD_BUCKET [--processed PROCESSED_BUCKET] [--cdn URL]
#                   [--sign OPTIONS] [--api URL --api-key KEY | --api URL --api-key-id ID]
# prints an upload, the thumbnail, another size by a signed URL and by the API, each as a line to paste. A line without its
# URL, key or OPTIONS is left out; without --cdn the rendition comes from the processed bucket. COMMAND is the AWS CLI with its
# region and endpoint, OPTIONS are those of sign.py. The variant is the first one of the stack that find_stack has found.
print_what_to_try() {
  local command=aws picture=photo.jpg bucket='' processed='' cdn='' sign='' api='' key='' key_id='' name variant
  while [ $# -gt 0 ]; do
    case $1 in
      --aws) command=$2 ;;
      --picture) picture=$2 ;;
      --bucket) bucket=$2 ;;
      --processed) processed=$2 ;;
      --cdn) cdn=$2 ;;
      --sign) sign=$2 ;;
      --api) api=$2 ;;
      --api-key) key=$2 ;;
      --api-key-id) key_id=$2 ;;
      *) die "print_what_to_try: unknown option '$1'" ;;
    esac
    shift 2
  done
  name=$(basename -- "$picture")
  variant=$(first_variant)
  [ -n "$key$key_id" ] || api='' # signed requests and tokens are shown in docs/api.md
  [ -n "$key" ] || key="\$($command apigateway get-api-key --api-key $key_id --include-value --query value --output text)"
  echo
  if [ -f "$picture" ]; then echo "Upload a picture:"; else echo "Upload a picture of your own, here $name:"; fi
  echo "  $command s3 cp '$picture' s3://$bucket/"
  echo "Its $variant, a second later:"
  if [ -n "$cdn" ]; then
    echo "  $cdn/$name/$variant"
  else
    echo "  $command s3 cp s3://$processed/$name/$variant $variant-$name"
  fi
  if [ -n "$sign" ]; then
    echo "Another size, by a signed URL:"
    echo "  deployment/sign.py '/$name?width=300&format=auto' $sign"
  fi
  if [ -n "$api" ]; then
    echo "Another size, by the API:"
    printf '%s\n' "  printf 'x-api-key: %s' \"$key\" | curl -w '\\n' -H @- -d '{\"key\": \"$name\", \"transformation\": \"width=300,format=webp\"}' $api/images"
  fi
}
