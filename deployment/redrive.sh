#!/usr/bin/env bash
# Shows what lies in the dead-letter queue and why, sends it back after a fix, or drops what is named.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: deployment/redrive.sh [options]

Shows what lies in the dead-letter queue: which source, how often it was tried, since when, and what the function's log
says about it. Changes nothing, unless told to:

  --send-back         have all of it processed again, once the reason is mended
  --drop KEY          forget what is said of the source KEY, or the message of that id; may be repeated. The source
                      and its renditions stay as they are
  --stack-name NAME   default $default_stack
  --region REGION     default: the region of your AWS configuration
  --local             the stack of 'make run', at PORT (default 4566)
  --help              show this
END
}

stack=$default_stack region='' command=show keys=()
while [ $# -gt 0 ]; do
  case $1 in
    --send-back) [ "$command" != drop ] || die "--send-back or --drop, not both"; command=send-back ;;
    --drop)
      need_value "$1" $#
      [ "$command" != send-back ] || die "--send-back or --drop, not both"
      command=drop keys+=("--key=$2"); shift ;;
    --stack-name) need_value "$1" $#; stack=$2; shift ;;
    --region) need_value "$1" $#; region=$2; shift ;;
    --local) use_local_aws ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  shift
done
use_stack
log_group=$(call_aws lambda get-function-configuration --function-name "$(of_stack output FunctionName)" \
  --query LoggingConfig.LogGroup)
call_python dead_letters.py $command --queue-url "$(of_stack output QueueUrl)" \
  --dead-letters "$(of_stack output DeadLetterQueueUrl)" --log-group "$log_group" ${keys[@]+"${keys[@]}"}
