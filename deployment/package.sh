#!/usr/bin/env bash
# Builds the function's zip, for a platform and a Python that need not be this machine's: wheels by platform, no Docker.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: deployment/package.sh [options]

Builds the function's zip and prints its path. The same sources give the same bytes; an unchanged project is not
packaged again.

  --architecture A  arm64 (default) or x86_64
  --python V        Python of the function's runtime (default 3.13)
  --local           for this machine's platform and Python instead, as a local emulator needs it
  --output FILE     where to put the zip (default build/function-<architecture>.zip, or build/function-local.zip)
  --help            show this
END
}

architecture='' version='' output='' target=''
while [ $# -gt 0 ]; do
  case $1 in
    --architecture) need_value "$1" $#; architecture=$2; shift ;;
    --python) need_value "$1" $#; version=$2; shift ;;
    --output) need_value "$1" $#; output=$2; shift ;;
    --local) target=local ;;
    --help | -h) usage; exit ;;
    *) die "unknown option '$1' ($me --help)" ;;
  esac
  shift
done
if [ -n "$target" ] && [ -n "$architecture$version" ]; then die "--local excludes --architecture and --python"; fi
target=${target:-${architecture:-arm64}}
case $target in
  local | x86_64) machine=$target ;;
  arm64) machine=aarch64 ;;
  *) die "--architecture is arm64 or x86_64, not '$target'" ;;
esac
version=${version:-3.13}
[[ $version =~ ^3\.[0-9]+$ ]] || die "--python is like 3.13, not '$version'"

sources=$project/src/image_processor
requirements=$sources/requirements.txt
build=$project/build
build_programs=$project/deployment/build
[ -f "$requirements" ] || die "no $requirements"
find_python
mkdir -p "$build/dependencies"

python_of() { # prints the version of the .pyc that a Python writes: "3.13" for any final CPython 3.13, nothing for a Python that can't be run
  "$1" -I -c 'import sys
if sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final":
    print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

find_compiler() { # prints a Python of version $version: only its .pyc are of use to the runtime
  local candidate
  for candidate in "$python" "python$version" "${HOME:-}/.pyenv/versions/$version".*/bin/python \
    "${HOME:-}/.local/share/uv/python/cpython-$version".*/bin/python "/opt/homebrew/bin/python$version" \
    "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}/Python/$version".*/*/bin/python; do
    if [ "$(python_of "$candidate")" = "$version" ]; then
      echo "$candidate"
      return
    fi
  done
}

compile() { # adds .pyc that are never checked against their .py: Lambda can't write any, and stale ones take time
  [ -n "$compiler" ] || return 0
  # -I: the user's PYTHON… variables must not change the output. One process, because with several, the bytes would
  # depend on which process compiled a file.
  (cd "$1" && "$compiler" -I -m compileall -q -s "$1" -p /var/task --invalidation-mode unchecked-hash "$1") >&2 ||
    die "the sources don't compile under Python $version"
}

prune() { # deletes what the function never loads; tests/deployment tests what must stay
  cd "$1"
  rm -rf bin boto3/examples boto3/data
  # METADATA stays for scanners such as Amazon Inspector, which recognise packages by it; the licences must be included.
  find . -path '*.dist-info/*' \( -name RECORD -o -name INSTALLER -o -name REQUESTED -o -name WHEEL -o -name zip-safe \
    -o -name top_level.txt -o -name entry_points.txt -o -name direct_url.json \) -exec rm {} +
  find . \( -name '*.pyi' -o -name py.typed -o -name 'examples-1.json' -o -name 'swagger-ui*.min.*' \) -exec rm {} +
  find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
  "$python" "$build_programs/trim_botocore.py" botocore/data s3 dynamodb ssm cloudfront secretsmanager
  # Pillow: text, tkinter, image maths and morphology, and the libraries that only text needs. The others have to stay even
  # when their formats are never read: _imaging itself is linked to xcb, tiff and openjp2.
  rm -f PIL/_imagingft.*.so PIL/_imagingtk.*.so PIL/_tkinter_finder.py PIL/_imagingmath.*.so PIL/_imagingmorph.*.so
  rm -f pillow.libs/lib{freetype,harfbuzz,brotlicommon,brotlidec,png16}-*
  rm -f isal/igzip.py isal/igzip_threaded.py # files and threads; isal_zlib itself imports igzip_lib
}

install_dependencies() { # every file must have a hash of requirements.txt, so that no package is unpinned or changed
  local folder=$1 platforms='' glibc
  if [ "$target" != local ]; then
    # Lambda's Python 3.12 and later run on Amazon Linux 2023, whose glibc is 2.34.
    for glibc in manylinux_2_34 manylinux_2_28 manylinux_2_17 manylinux2014; do
      platforms="$platforms --platform ${glibc}_$machine"
    done
    platforms="$platforms --python-version $version --implementation cp"
  fi
  # shellcheck disable=SC2086  # words without spaces, by construction
  PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 "$python" -m pip install --disable-pip-version-check --no-input --no-compile \
    --only-binary=:all: --require-hashes $platforms --target "$folder" -r "$requirements" >"$work/pip" 2>&1 || {
    tail -5 "$work/pip" | sed 's/^/  /' | say_lines
    die "pip could not install src/image_processor/requirements.txt; its last lines are above"
  }
}

if [ "$target" = local ]; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  compiler=$python
else
  compiler=$(find_compiler)
fi
about_python=none
[ -z "$compiler" ] || about_python=$("$compiler" -c 'import sys; print(sys.version)')
[ "$target" != local ] || about_python="$about_python $("$python" -c 'import sysconfig; print(sysconfig.get_platform())')"

# Two layers, so that an edit of the sources only compiles and zips: the dependencies are installed, pruned and compiled
# once per requirements, target and version of this script.
key=$("$python" "$build_programs/make_zip.py" fingerprint "$target $version $about_python" "$requirements" \
  "$project/deployment/package.sh" "$build_programs/make_zip.py" "$build_programs/trim_botocore.py")
zip=$build/function-$target.zip
zip_key=$("$python" "$build_programs/make_zip.py" fingerprint "$key" "$sources")
if [ ! -f "$zip" ] || [ "$(cat "$zip.key" 2>/dev/null)" != "$zip_key" ]; then
  make_work "$build"
  dependencies=$build/dependencies/$target-$key
  if [ ! -d "$dependencies" ]; then
    say "Installing the function's packages for ${target/local/this machine}, Python $version (10 to 60 seconds, once) …"
    install_dependencies "$work/packages"
    (prune "$work/packages")
    compile "$work/packages"
    find "$build/dependencies" -maxdepth 1 -name "$target-*" ! -name "$target-$key" -exec rm -rf {} +
    # The folder is moved whole or not at all; a faster run may have built the same folder.
    "$python" -c 'import os, sys; os.rename(*sys.argv[1:])' "$work/packages" "$dependencies" 2>/dev/null ||
      [ -d "$dependencies" ] || die "can't write to $build"
  fi
  say "Packaging …"
  [ -n "$compiler" ] || say "There is no Python $version to compile with: a cold start will take about 0.3 s longer."
  mkdir "$work/code"
  cp -R "$sources" "$work/code/"
  rm -f "$work/code/image_processor"/requirements.{in,txt}
  find "$work/code" \( -name __pycache__ -o -name '.*' \) -prune -exec rm -rf {} +
  compile "$work/code"
  rm -f "$zip.key"
  "$python" "$build_programs/make_zip.py" write "$zip" "$dependencies" "$work/code"
  echo "$zip_key" >"$zip.key"
fi
if [ -n "$output" ]; then
  mkdir -p "$(dirname -- "$output")"
  [ ! -d "$output" ] || output=${output%/}/$(basename -- "$zip")
  cp "$zip" "$output"
  zip=$output
fi
echo "$zip"
