#!/usr/bin/env bash
# Starts a local AWS on this machine (MiniStack), deploys the stack to it, processes a sample picture, and keeps running.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Usage: [PORT=4566] deployment/local.sh [--parameter K=V …] | --shell | --clean

Starts a local AWS on 127.0.0.1, deploys the stack $default_stack to it (in region us-east-1) with
deploy.sh, processes a sample picture, prints what to try, and runs until Ctrl-C. Uploads are stored for the next start;
'make clean' deletes them.

'make run' is this script. Only one can use a folder and a port at a time: stop the running one with Ctrl-C before you
start another, for example with other parameters, and before --clean.

  --parameter K=V   a parameter of the template; may be repeated. The next starts use it too
  --shell           print lines that set up a shell for the local stack, for eval "\$(deployment/local.sh --shell)":
                    its command aws calls the local AWS, and the stack's outputs are variables
  --clean           delete what is stored, and start nothing ('make clean' also deletes build/)
  --help            show this

  PORT=4566         where the local AWS listens
  STATE=.local      the folder for stored data, the log and outputs.json
  ENFORCE_IAM=true  enforce IAM policies; default false, which allows any credentials
END
}

port=${PORT:-4566} state=${STATE:-$project/.local} parameters=() clean='' shell=''
while [ $# -gt 0 ]; do
  case $1 in
    --parameter) need_value "$1" $#; parameters+=("$2"); shift ;;
    --shell) shell=yes ;;
    --clean) clean=yes ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  shift
done
case $port in '' | *[!0-9]*) die "PORT is a number, not '$port'" ;; esac
[ "$port" -ge 1 ] && [ "$port" -le 65535 ] || die "PORT is a number from 1 to 65535, not $port"
bin=$project/.venv/bin
command -v curl >/dev/null || die "curl is missing: install it"
if [ ${#parameters[@]} -gt 0 ]; then # before a local AWS is started in vain
  find_python
  check_given "${parameters[@]/#/--parameter=}"
fi

is_running() { # is_running ENDPOINT: whether a local AWS listens there
  curl -sf --noproxy '*' -o /dev/null --max-time 2 "$1/_ministack/health"
}

print_shell() { # prints what --shell is for; nothing if there is no local AWS, because eval would execute a half of it
  [ -f "$state/outputs.json" ] || die "there is no $state/outputs.json: 'make run' writes it"
  local used
  used=$(sed -n 's/^ *"Endpoint": "\(.*\)".*/\1/p' "$state/outputs.json")
  is_running "$used" || die "can't reach ${used:-a local AWS}: is 'make run' running?"
  # AWS CLI 1's sqs ignores AWS_ENDPOINT_URL, hence the option. The user's own account and proxy must not be used.
  "$bin/python" - "$state/outputs.json" "$bin/aws" "$default_stack" <<'END'
import json, shlex, sys

file, aws, stack = sys.argv[1:]
with open(file, encoding="utf-8") as opened:
    outputs = json.load(opened)
endpoint = outputs["Endpoint"]
variables = {"stack": stack, "region": "us-east-1", **outputs}
settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost"}
environment = " ".join(f"{name}={value}" for name, value in settings.items())
print(f"""aws() {{
  env -u AWS_PROFILE -u AWS_SESSION_TOKEN -u AWS_CA_BUNDLE {environment} \\
    {shlex.quote(aws)} --endpoint-url {endpoint} --region us-east-1 "$@"
}}
export PORT={endpoint.rpartition(":")[2]}""")
for name, value in variables.items():
    print(f"{name}={shlex.quote(value)}")
print('log=$(aws lambda get-function-configuration --function-name "$FunctionName" --query LoggingConfig.LogGroup --output text)')
END
}

if [ -n "$shell" ]; then
  print_shell
  exit
fi
mkdir -p "$state" 2>/dev/null && [ -w "$state" ] || die "can't write to the folder $state"
state=$(cd -- "$state" && pwd)
delete_command="make clean"
[ "$state" = "$project/.local" ] || delete_command="STATE='$state' deployment/local.sh --clean"

# The user's own AWS settings must not reach the local AWS, and no call may reach AWS itself.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_CA_BUNDLE "${!AWS_ENDPOINT_URL_@}"
region=us-east-1
endpoint=http://127.0.0.1:$port
export AWS_ENDPOINT_URL=$endpoint AWS_DEFAULT_REGION=$region AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
export PATH=$bin:$PATH

# The check is an HTTP request, because after a crash another process may have the stored process id.
if [ -f "$state/server.endpoint" ] && is_running "$(cat "$state/server.endpoint")"; then
  other=" A second local AWS needs its own folder and port: STATE=.local-2 PORT=4599 deployment/$me"
  [ -z "$clean" ] || other=''
  die "it runs already ('make run' or $me), at $(cat "$state/server.endpoint"): stop it with Ctrl-C in its terminal," \
    "then run this again.$other"
fi
if [ -n "$clean" ]; then
  (cd "$state" && rm -rf state s3 tmp sample.jpg outputs.json server.log deploy.log server.pid server.endpoint)
  rmdir "$state" 2>/dev/null || true # other files in it are not this script's
  exit
fi
[ -x "$bin/ministack" ] || die "the local AWS is missing: run 'make setup'"

server=
stop() {
  trap '' INT TERM HUP
  if [ -n "$server" ]; then
    if kill "$server" 2>/dev/null; then wait "$server" 2>/dev/null || true; fi # it writes its state to the disk
    kill -KILL -- "-$server" 2>/dev/null || true # processes of functions, which a server that crashed leaves running
    rm -rf "$state/server.pid" "$state/server.endpoint" "$state/tmp"
    server=
  fi
  remove_work
}
stopped() { # the user has pressed Ctrl-C, at any moment
  say ""
  say "Stopping …"
  stop
  say "Stopped. Uploads are stored in ${state#"$project"/}; $delete_command deletes it."
  exit 0
}
trap stop EXIT
trap stopped INT TERM HUP

refuse_port() {
  local other="choose another: PORT=$((port < 65000 ? port + 33 : 4599)) make run"
  if is_running "$endpoint"; then
    die "port $port is taken by another local AWS: stop it with Ctrl-C in its terminal, or $other"
  fi
  die "port $port is taken: $other"
}

start_server() {
  "$bin/python" - "$port" <<'END' || refuse_port
import socket, sys

with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        sys.exit(1)
END
  say "Starting a local AWS on $endpoint (1 to 10 seconds) …"
  rm -rf "$state/tmp"
  mkdir -p "$state/tmp"
  # An empty environment, because the functions inherit the server's. A TMPDIR that is deleted afterwards, because the
  # server leaves the functions' files. A separate process group, so that only stop() ends it, together with its functions.
  env -i PATH="$PATH" HOME="$HOME" TMPDIR="$state/tmp" GATEWAY_PORT="$port" BIND_HOST=127.0.0.1 MINISTACK_REGION="$region" \
    IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 PERSIST_STATE=1 STATE_DIR="$state/state" S3_PERSIST=1 S3_DATA_DIR="$state/s3" \
    AUTH="${ENFORCE_IAM:-false}" "$bin/python" -c 'import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])' \
    "$bin/python" -B -P "$project/deployment/local/local_aws.py" >"$state/server.log" 2>&1 &
  server=$!
  echo "$server" >"$state/server.pid"
  echo "$endpoint" >"$state/server.endpoint"
  local tries=0
  until is_running "$endpoint"; do
    server_runs
    tries=$((tries + 1))
    [ $tries -lt 150 ] || die "the local AWS does not respond within 30 s; its log: $state/server.log"
    sleep 0.2
  done
}

server_runs() {
  local ended=0
  kill -0 "$server" 2>/dev/null && return
  wait "$server" || ended=$?
  die "the local AWS stopped by itself, with exit status $ended; its log: $state/server.log"
}

deploy() { # shows the progress; the tables that deploy.sh prints go to the log
  "$project/deployment/deploy.sh" --local --region "$region" --parameter RequireTls=false \
    --parameter ViewerProtocolPolicy=allow-all --parameter MaximumConcurrency=2 "$@" >>"$state/deploy.log"
}

set_url() { # the API's responses contain the distribution's URL on this machine, which is known after the first deployment
  say "Setting the stack's URL, $cdn_url (3 to 10 seconds) …"
  if ! deploy --parameter "CdnUrl=$cdn_url" 2>"$work/progress"; then # all of it was shown at the first deployment
    say_lines <"$work/progress"
    exit 1
  fi
  find_stack "$default_stack"
}

find_urls() { # sets the stack's URLs here, empty for what is switched off, and writes them to outputs.json
  local api_key_id
  upload_bucket=$(of_stack output UploadBucketName) processed_bucket=$(of_stack output ProcessedBucketName)
  cdn_host=$(of_stack output DistributionDomainName) cdn_url=''
  [ -z "$cdn_host" ] || cdn_url=http://${cdn_host%%.*}.cloudfront.localhost:$port
  api_url=$(of_stack output ApiUrl) api_key=''
  if [ -n "$api_url" ]; then
    api_url=${api_url#https://}
    api_url=$endpoint/_aws/execute-api/${api_url%%.*}/${api_url##*/}
    api_key_id=$(of_stack output ApiKeyId)
    # The stack has no key with ApiAuthorization=AWS_IAM or COGNITO.
    [ -z "$api_key_id" ] || api_key=$(call_aws apigateway get-api-key --api-key "$api_key_id" --include-value --query value)
  fi
  "$bin/python" - "$work/stack" "Endpoint=$endpoint" "ApiUrl=$api_url" "ApiKey=$api_key" "CdnUrl=$cdn_url" "CdnHost=$cdn_host" \
    <<'END' >"$state/outputs.json"
import json, sys
from pathlib import Path

lines = (line.split("\t") for line in Path(sys.argv[1]).read_text().splitlines())
outputs = {line[1]: line[2] for line in lines if line[0] == "output"}
outputs.update(url.split("=", 1) for url in sys.argv[2:])
print(json.dumps({name: value for name, value in outputs.items() if value}, indent=2, sort_keys=True))
END
}

process_sample() { # uploads, renders and serves the sample, so that the commands that are printed next are known to work
  local tries=0 rendition
  rendition=sample.jpg/$(first_variant)
  if [ ! -f "$state/sample.jpg" ]; then
    say "Drawing a sample picture (3 to 10 seconds, once) …"
    "$bin/python" "$project/deployment/local/sample.py" "$state/sample.jpg"
  fi
  say "Uploading the sample picture, and waiting until the function has stored $rendition (2 to 10 seconds) …"
  call_aws s3 cp --only-show-errors "$state/sample.jpg" "s3://$upload_bucket/"
  until try_aws s3api head-object --bucket "$processed_bucket" --key "$rendition" >/dev/null; do
    server_runs
    tries=$((tries + 1))
    if [ $tries -ge 30 ]; then
      say "There is no $rendition after 30 checks. The function's log, in $state/server.log, has the reason; Variants may"
      say "have options that don't fit the sample picture."
      return
    fi
  done
  [ -z "$cdn_host" ] || curl -sf -o /dev/null -H "Host: $cdn_host" "$endpoint/$rendition" ||
    die "CloudFront does not serve $rendition; its log is in $state/server.log"
}

make_work
find_aws
start_server
: >"$state/deploy.log"
say "Packaging the function and deploying the stack (10 to 40 seconds; the first time, with downloads, up to 2 minutes) …"
words=()
for parameter in ${parameters[@]+"${parameters[@]}"}; do words+=(--parameter "$parameter"); done
deploy ${words[@]+"${words[@]}"} || die "the stack is not deployed, as said above; the local AWS is stopped again"
find_stack "$default_stack"
find_urls
if [ "$cdn_url" != "$(of_stack parameter CdnUrl)" ] && [ -n "$cdn_url" ]; then set_url; fi
process_sample
sign='' shell="deployment/local.sh --shell" sign_local=--local
[ "$state" = "$project/.local" ] || shell="STATE='$state' $shell" sign_local="--outputs '${state#"$project"/}/outputs.json'"
[ -z "$(of_stack output SigningSecretArn)" ] || sign=$sign_local
cat <<END

In a second terminal, in this folder, enter this first. There, aws is then this local AWS, with its endpoint, region and
credentials, and the stack's outputs are variables:
  eval "\$($shell)"
END
print_what_to_try --picture "${state#"$project"/}/sample.jpg" --bucket "$upload_bucket" --processed "$processed_bucket" \
  --aws aws --cdn "$cdn_url" --sign "$sign" --api "$api_url" --api-key "$api_key"
echo
echo "All names and URLs are in ${state#"$project"/}/outputs.json. Ctrl-C stops the local AWS; uploads stay stored."
echo "To start it with other parameters, stop it first: Ctrl-C, then deployment/local.sh --parameter …"
wait "$server" || true
server_runs
