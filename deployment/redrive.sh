#!/usr/bin/env bash
# Shows the messages of the dead-letter queue and why they failed, sends them back after a fix, or deletes named ones.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
has_local=yes

usage() {
  cat <<END
Usage: deployment/redrive.sh [options]

Shows the messages of the dead-letter queue: which source each is about, how often it was received, when it was sent,
and the reason in the function's log. Changes nothing without one of these options:

  --send-back         send all messages back to be processed again, after you fixed the reason
  --drop KEY          delete the messages about the source KEY (cats/rio.jpg, without a slash at its beginning), or
                      the message with that id; may be repeated. The source and its renditions stay as they are
$(stack_options)
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
    *) common_option "$@"; [ "$took" = 1 ] || shift ;;
  esac
  shift
done
use_stack
log_group=$(call_aws lambda get-function-configuration --function-name "$(of_stack output FunctionName)" \
  --query LoggingConfig.LogGroup)
call_python redrive.py $command --queue-url "$(of_stack output QueueUrl)" \
  --dead-letters "$(of_stack output DeadLetterQueueUrl)" --log-group "$log_group" ${keys[@]+"${keys[@]}"}
