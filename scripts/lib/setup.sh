# Sourced after common.sh: what a fresh Debian 12 needs before kdev can be built and run. Every step looks first and
# does nothing when its work is there already.

# Packages of the named groups, one a line.
packages_of() {
  awk -v groups=" $* " '{sub(/#.*/, "")} NF == 2 && index(groups, " " $1 " ") {print $2}' "$KDEV_ROOT/scripts/lib/packages" \
    | LC_ALL=C sort -u
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# Commands in functions that run as steps are chained by hand: "set -e" does not hold where a caller tests the outcome.
apt_install() {
  local get=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  # What an interrupted run left half configured.
  if [[ -n $(find /var/lib/dpkg/updates -type f 2>/dev/null | head -n 1) || -n $(dpkg --audit 2>/dev/null) ]]; then
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a || return
  fi
  as_root "${get[@]}" update \
    && as_root "${get[@]}" -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

# setup_packages GROUP...: installs those that are missing, and only those.
setup_packages() {
  local wanted=() missing=() package state
  mapfile -t wanted < <(packages_of "$@")
  if ! command -v dpkg-query >/dev/null; then
    die "this is no Debian: install what ${KDEV_ROOT}/scripts/lib/packages names, then set KDEV_NO_APT=1"
  fi
  local -A installed=()
  while read -r package state; do [[ $state == installed ]] && installed[$package]=1; done \
    < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    [[ $package == linux-source-* && ${KDEV_LINUX_SOURCE:-} ]] && continue
    [[ ${installed[$package]:-} ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  [[ ${KDEV_NO_APT:-} ]] && { say "  not installed, as KDEV_NO_APT says: ${missing[*]}"; return 0; }
  if ((EUID != 0)); then
    command -v sudo >/dev/null \
      || die "not root, and no sudo here; as root: apt-get install --no-install-recommends ${missing[*]}"
    # The only place that may ask for a password: before anything runs in the background.
    sudo -n true 2>/dev/null || sudo -v \
      || die "sudo refused; as root: apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "  ${#missing[@]} packages are missing: ${missing[*]}"
  run_step "apt packages" apt_install "${missing[@]}"
}

# Debian's own Python is the one that python3-dev belongs to.
find_python() {
  local python
  for python in /usr/bin/python3 "$(command -v python3 || true)"; do
    [[ -x $python ]] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
      && { printf '%s\n' "$python"; return; }
  done
  die "no python3 of version 3.10 or later"
}

make_venv() {
  local python=$1
  rm -rf .venv .venv.new
  # Made in place: a virtual environment knows its own path. The stamp comes last, so a half-made one is made again.
  "$python" -m venv .venv || {
    rm -rf .venv
    "$python" -m virtualenv .venv
  }
}

pip_install() { .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@"; }

# look_at_room GIB FOLDER...: says where less than GIB is free. It goes on: much of it may be there from the last time.
look_at_room() {
  local gib=$1 folder free; shift
  for folder; do
    free=$(df -Pk "$folder" | awk 'NR == 2 {print int($4 / 1048576)}')
    ((free >= gib)) || say "  only $free GiB are free in $folder; all that is built and kept takes about $gib GiB"
  done
}

# setup_venv: .venv with what building and running the package takes.
setup_venv() {
  local python value requirements=()
  python=$(find_python)
  value="$KDEV_ROOT $python $("$python" -V)"
  if ! fresh venv "$value" || ! .venv/bin/python -c '' 2>/dev/null; then
    rm -f "$KDEV_STAMPS"/requirements*
    run_step "virtual environment" make_venv "$python"
    stamp venv "$value"
  fi
  mapfile -t requirements < <(.venv/bin/python scripts/lib/requirements.py)
  ((${#requirements[@]})) || die "pyproject.toml names no requirements"
  if ! fresh requirements "${requirements[*]}"; then
    run_step "Python packages" pip_install "${requirements[@]}"
    stamp requirements "${requirements[*]}"
  fi
}

# begin_extra NAME, await_extra NAME: the packages of an extra of pyproject.toml, installed while other things are built.
begin_extra() {
  local requirements=()
  mapfile -t requirements < <(.venv/bin/python scripts/lib/requirements.py "$1")
  EXTRA=${requirements[*]}
  fresh "requirements-$1" "$EXTRA" || begin_step "extra-$1" "Python packages for $1" pip_install "${requirements[@]}"
}
await_extra() {
  await_step "extra-$1"
  stamp "requirements-$1" "$EXTRA"
}

# linux_source: the tree that kdev builds kernels from.
linux_source() { printf '%s\n' "${KDEV_LINUX_SOURCE:-$KDEV_CACHE/source/linux-source-6.1}"; }

linux_source_version() { dpkg-query -W -f '${Version}' linux-source-6.1 2>/dev/null || true; }

linux_source_there() {
  [[ ${KDEV_LINUX_SOURCE:-} ]] && return 0
  [[ -f $KDEV_CACHE/source/version && $(<"$KDEV_CACHE/source/version") == "$(linux_source_version)" ]]
}

# Debian's tree, unpacked once for all checkouts, and again when the package's version changed.
unpack_linux_source() {
  local archive=/usr/src/linux-source-6.1.tar.xz dir=$KDEV_CACHE/source
  mkdir -p "$dir" && exec 8>"$dir/.lock" && flock 8 || return
  linux_source_there && return 0
  [[ -f $archive ]] || { echo "missing: $archive (Debian package linux-source-6.1)"; return 1; }
  echo "unpacking $archive"
  rm -rf "$dir/unpacking" "$dir/old" "$dir/version" \
    && mkdir "$dir/unpacking" \
    && xz -dcT0 "$archive" | tar -x -C "$dir/unpacking" --no-same-owner || return
  if [[ -e $dir/linux-source-6.1 ]]; then mv "$dir/linux-source-6.1" "$dir/old" || return; fi
  mv "$dir/unpacking/linux-source-6.1" "$dir/linux-source-6.1" \
    && linux_source_version >"$dir/version" \
    && rm -rf "$dir/unpacking" "$dir/old"
}

begin_linux_source() {
  # Tests, examples, notebooks and the demo share one workspace, and so one kernel.
  export KDEV_WORKSPACE=${KDEV_WORKSPACE:-$KDEV_CACHE/workspace}
  export KDEV_TEST_WORKSPACE=${KDEV_TEST_WORKSPACE:-$KDEV_WORKSPACE}
  if linux_source_there; then
    KDEV_LINUX_SOURCE=$(linux_source)
    export KDEV_LINUX_SOURCE
    [[ -f $KDEV_LINUX_SOURCE/Makefile ]] || die "KDEV_LINUX_SOURCE=$KDEV_LINUX_SOURCE is no Linux source tree"
  else
    begin_step source "unpack the Linux tree" unpack_linux_source
  fi
}
await_linux_source() {
  await_step source
  KDEV_LINUX_SOURCE=$(linux_source)
  export KDEV_LINUX_SOURCE
}

# configure_tree DIR CMAKE_OPTION...: when the options or the lists that CMake reads only then have changed; the rest is
# ninja's business.
configure_tree() {
  local dir=$1; shift
  local key=cmake-${dir##*/} value
  value="$KDEV_ROOT $* $(ls python/kdev tests/unit | tr '\n' ' ')"
  if [[ ! -f $dir/build.ninja ]] || ! fresh "$key" "$value"; then
    mkdir -p "$dir/python/kdev"
    run_step "configure $dir" cmake -S . -B "$dir" -G Ninja "$@"
    stamp "$key" "$value"
  fi
}

# build_tree DIR [TARGET...]
build_tree() {
  local dir=$1; shift
  run_step "build $dir" ninja -C "$dir" -j "$KDEV_JOBS" "$@"
}

# What scripts, tests and examples run is one build folder, in which the demo builds the first part only. Its C++ is
# optimized just so far that it compiles as fast as it would without.
DEV_FLAGS="-O1 -g1"
configure_dev() {
  configure_tree build/dev -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=$DEV_FLAGS" -DKDEV_TESTS=ON -DKDEV_EXAMPLES=ON \
    -DKDEV_PYTHON=ON "-DPython_EXECUTABLE=$KDEV_ROOT/.venv/bin/python"
}

# use_package DIR: the kdev package of that build folder is what .venv imports, and .venv/bin/kdev runs.
use_package() {
  local site
  site=$(echo .venv/lib/python3.*/site-packages)
  [[ -f $site/kdev.pth && $(<"$site/kdev.pth") == "$KDEV_ROOT/$1/python" ]] || echo "$KDEV_ROOT/$1/python" >"$site/kdev.pth"
  if [[ ! -x .venv/bin/kdev ]]; then
    printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m kdev "$@"\n' "$KDEV_ROOT" >.venv/bin/kdev.new
    chmod +x .venv/bin/kdev.new && mv .venv/bin/kdev.new .venv/bin/kdev
  fi
}
