#!/usr/bin/env bash
# Checks what the project promises of a deployed stack, and prints a table, claim by claim, with what was seen.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
has_local=yes
failed=2 # 1 is for a claim that failed

usage() {
  cat <<END
Usage: deployment/verify.sh [options]

Checks what the project promises of a deployed stack: it uploads about forty sources below a random prefix of the upload
bucket, requests pictures of them from CloudFront and the API, overwrites and deletes some, and tries what strangers and
the function itself must not be able to do. It prints a table, claim by claim, with what was seen, in Markdown, so that
you can paste it into an issue; it has no account ids, signatures or keys. At its end, also after Ctrl-C, it removes its
sources with all their versions, their renditions and their records.

Run it while there are no uploads, because one of the claims is that the queue is empty at the end. It takes about three
minutes on AWS and one with --local, and costs less than a cent, plus \$0.25 if the account has used its 1,000 free
invalidations of the month.

  --only WORD         only the claims whose names contain WORD, such as signature; may be repeated
$(stack_options)
  --help              show this

Exit status: 0 if no claim failed, 1 if one failed, 2 if the checks can't run.
END
}

stack=$default_stack region='' only=()
while [ $# -gt 0 ]; do
  case $1 in
    --only) need_value "$1" $#; only+=("--only=$2"); shift ;;
    *) common_option "$@"; [ "$took" = 1 ] || shift ;;
  esac
  shift
done
use_stack
export PYTHONUTF8=1 # keys with any character are printed
PYTHONPATH=$project/deployment/operations call_python ../verify/verify.py ${only[@]+"${only[@]}"}
