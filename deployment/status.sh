#!/usr/bin/env bash
# Shows the health of the stack on one screen. The exit status says whether it is healthy, for cron and monitoring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
has_local=yes
failed=2 # when it can't be found out

usage() {
  cat <<END
Usage: deployment/status.sh [options]

Shows the health of the stack: its status, the queue, the dead letters, the alarms, the last source that was processed,
and what failed in the last day. Changes nothing. Its calls to CloudWatch cost about \$0.0003.

  --cost              also what the stack has cost this month, by its tag; Cost Explorer charges \$0.01 for the answer
  --quiet             print nothing when the stack is healthy
$(stack_options)
  --help              show this

The exit status is 0 when the stack is healthy, 1 when it is not, with the reasons in the last lines, and 2 when the script
could not find out.
END
}

stack=$default_stack region='' options=()
while [ $# -gt 0 ]; do
  case $1 in
    --cost | --quiet) options+=("$1") ;;
    *) common_option "$@"; [ "$took" = 1 ] || shift ;;
  esac
  shift
done
check_stack_name
find_python
make_work
find_aws
find_account
find_stack "$stack"
[ -n "$status" ] || die "there is no stack $stack in $region (--stack-name and --region choose another)"
code=0
call_python status.py --stack "$stack" --status "$status" --account "$account" --function "$(of_stack output FunctionName)" \
  --queue-url "$(of_stack output QueueUrl)" --dead-letters "$(of_stack output DeadLetterQueueUrl)" \
  --api-url "$(of_stack output ApiUrl)" --code "$(of_stack parameter LambdaS3CodeKey)" ${options[@]+"${options[@]}"} || code=$?
case $code in
  0 | 130) exit $code ;;
  4) exit 1 ;;
  *) exit 2 ;;
esac
