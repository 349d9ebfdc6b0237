#!/usr/bin/env bash
# Has sources processed that were there before the stack or before its Variants changed, through the same queue.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: deployment/backfill.sh [options]

Has the sources of the upload bucket processed once more, all of them or some, through the queue that uploads go through.
Sends no more while 2,000 messages wait there, so that new uploads don't wait long. Ctrl-C stops it, and it says how to
go on.

  --dry-run           say how many sources, how many bytes, at what cost and in what time, and send nothing
  --prefix PREFIX     only keys that begin with PREFIX
  --only-missing      only sources that lack a rendition of a variant, or have one that is older than the source
  --made-before TIME  the same, and a rendition made before TIME counts as missing too: a variant of that name had
                      another transformation then. UTC, such as 2026-11-24T06:00
  --rate N            sources a second, at most; default 50
  --start-after KEY   go on after KEY

  --remove-stale      instead, delete the renditions of variants that are no longer made, and their records. Asks
                      first; --dry-run shows what there is
  --yes               don't ask

  --stack-name NAME   default $default_stack
  --region REGION     default: the region of your AWS configuration
  --local             the stack of 'make run', at PORT (default 4566)
  --help              show this
END
}

stack=$default_stack region='' stale='' dry_run='' yes='' prefix='' options=() again=()
while [ $# -gt 0 ]; do
  said=("$1")
  case $1 in
    --dry-run) dry_run=$1 ;;
    --only-missing) options+=("$1") ;;
    --yes) yes=$1 ;;
    --prefix) need_value "$1" $#; prefix=$2; said+=("$2"); shift ;;
    --made-before)
      need_value "$1" $#
      case $2 in
        [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]*) ;;
        *) die "--made-before is a time such as 2026-11-24T06:00, not '$2'" ;;
      esac
      options+=(--only-missing "$1=$2"); said+=("$2"); shift ;;
    --rate)
      need_value "$1" $#
      case $2 in '' | 0* | *[!0-9]*) die "--rate is a whole number from 1, not '$2'" ;; esac
      options+=("$1=$2"); said+=("$2"); shift ;;
    --start-after) need_value "$1" $#; options+=("$1=$2"); said=(); shift ;;
    --remove-stale) stale=yes ;;
    --stack-name) need_value "$1" $#; stack=$2; said+=("$2"); shift ;;
    --region) need_value "$1" $#; region=$2; said+=("$2"); shift ;;
    --local) use_local_aws ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  for word in ${said[@]+"${said[@]}"}; do again+=("--again=$word"); done
  shift
done
[ -z "$stale" ] || [ ${#options[@]} -eq 0 ] || die "--remove-stale goes with --prefix, --dry-run and --yes only"
use_stack
set -- --upload-bucket "$(of_stack output UploadBucketName)" --processed-bucket "$(of_stack output ProcessedBucketName)" \
  --variants "$(of_stack parameter Variants)" "--prefix=$prefix" ${dry_run:+"$dry_run"}
if [ -n "$stale" ]; then
  call_python stale.py "$@" --table "$(of_stack output MetadataTableName)" ${yes:+"$yes"}
else
  # CloudFront is told of what changes, unless it is left out or not to be told.
  if [ "$(of_stack parameter EnableCdn) $(of_stack parameter InvalidateCdn)" = "true true" ]; then options+=(--told); fi
  call_python backfill.py "$@" --queue-url "$(of_stack output QueueUrl)" --memory "$(of_stack parameter MemorySize)" \
    ${options[@]+"${options[@]}"} ${again[@]+"${again[@]}"}
fi
