#!/usr/bin/env bash
# Sends a message for each source in the upload bucket to the queue. The function then processes the sources as uploads.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
has_local=yes

usage() {
  cat <<END
Usage: deployment/backfill.sh [options]

Processes the sources of the upload bucket again, all or some of them, through the queue of uploads. While
2,000 messages wait in the queue, it sends no more, so that new uploads don't wait long. Ctrl-C stops it; it then prints
the command that continues.

  --dry-run           print how many sources and bytes there are, the cost and the time, and send nothing
  --prefix PREFIX     only keys that begin with PREFIX. A key has no slash at its beginning: cats/, not /cats/
  --only-missing      only sources that lack a rendition of a variant, or have one that is older than the source.
                      Sources that could not be rendered, and have not changed since, are left out; without the
                      metadata table (parameter EnableMetadata), they count as missing each time
  --made-before TIME  the same, and a rendition or a failure from before TIME doesn't count, because a variant of
                      that name had another transformation then. In UTC, such as 2026-11-24T06:00
  --retry-failed      with one of these two: also sources that cannot be rendered, for example after you raised a
                      limit, restored them from an archive or uploaded a missing watermark
  --rate N            sources a second, at most; default 50
  --start-after KEY   only keys after KEY

  --remove-stale      instead, delete the renditions of variants that are no longer configured, and their records.
                      It requires a confirmation; --dry-run only shows them
  --yes               delete without a confirmation

$(stack_options)
  --help              show this
END
}

stack=$default_stack region='' stale='' dry_run='' yes='' prefix='' only_missing='' retry_failed='' options=() resume=()
while [ $# -gt 0 ]; do
  given=("$1") # what a command that continues repeats
  case $1 in
    --dry-run) dry_run=$1 ;;
    --only-missing) only_missing=yes; options+=("$1") ;;
    --retry-failed) retry_failed=yes; options+=("$1") ;;
    --yes) yes=$1 ;;
    --prefix) need_value "$1" $#; prefix=$2; note_url "$1" "$2"; given+=("$2"); shift ;;
    --made-before)
      need_value "$1" $#
      case $2 in
        [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]*) ;;
        *) die "--made-before is a time such as 2026-11-24T06:00, not '$2'" ;;
      esac
      only_missing=yes options+=(--only-missing "$1=$2"); given+=("$2"); shift ;;
    --rate)
      need_value "$1" $#
      case $2 in '' | 0* | *[!0-9]*) die "--rate is a whole number from 1, not '$2'" ;; esac
      options+=("$1=$2"); given+=("$2"); shift ;;
    --start-after) need_value "$1" $#; note_url "$1" "$2"; options+=("$1=$2"); given=(); shift ;;
    --remove-stale) stale=yes ;;
    --stack-name) need_value "$1" $#; stack=$2; given+=("$2"); shift ;;
    --region) need_value "$1" $#; region=$2; given+=("$2"); shift ;;
    --local) use_local_aws ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  for word in ${given[@]+"${given[@]}"}; do resume+=("--resume-with=$word"); done
  shift
done
[ -z "$retry_failed" ] || [ -n "$only_missing" ] || die "--retry-failed needs --only-missing or --made-before"
[ -z "$stale" ] || [ ${#options[@]} -eq 0 ] || die "--remove-stale allows --prefix, --dry-run and --yes only"
use_stack
set -- --upload-bucket "$(of_stack output UploadBucketName)" --processed-bucket "$(of_stack output ProcessedBucketName)" \
  --variants "$(of_stack parameter Variants)" --table "$(of_stack output MetadataTableName)" "--prefix=$prefix" \
  ${dry_run:+"$dry_run"}
if [ -n "$stale" ]; then
  call_python remove_stale.py "$@" ${yes:+"$yes"}
else
  # With both of these parameters, the function invalidates replaced renditions in CloudFront.
  if [ "$(of_stack parameter EnableCdn) $(of_stack parameter InvalidateCdn)" = "true true" ]; then options+=(--invalidates); fi
  call_python backfill.py "$@" --queue-url "$(of_stack output QueueUrl)" --memory "$(of_stack parameter MemorySize)" \
    ${options[@]+"${options[@]}"} ${resume[@]+"${resume[@]}"}
fi
