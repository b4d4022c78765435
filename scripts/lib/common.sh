# Sourced by the scripts beside this folder: step lines with times, logs, clean ends. Bash 5, no output of its own.
set -Eeuo pipefail

# A shell that starts this in the background ignores SIGINT for it (bit 1), and so would everything below: then no
# Ctrl-C could be tested, nor ended by.
if ((0x$(awk '/^SigIgn:/ { print $2 }' "/proc/$$/status") & 2)); then
  exec env --default-signal=INT,QUIT "$0" "$@"
fi

KDEV_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KDEV_CACHE=${KDEV_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kdev}
KDEV_LOGS=$KDEV_ROOT/build/logs
KDEV_STAMPS=$KDEV_ROOT/build/stamps
KDEV_JOBS=${KDEV_JOBS:-$(nproc)}
STARTED_MS=$(date +%s%3N)
mkdir -p "$KDEV_CACHE" "$KDEV_LOGS" "$KDEV_STAMPS"
cd "$KDEV_ROOT"

export CCACHE_DIR=${CCACHE_DIR:-$KDEV_CACHE/ccache}
# Objects are shared between build folders and between clones: paths below the checkout count as relative.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$KDEV_ROOT} CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
  LIVE=1 BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' DIM=$'\e[2m' PLAIN=$'\e[0m' WIPE=$'\r\e[K'
else
  LIVE= BOLD= RED= GREEN= DIM= PLAIN= WIPE=
fi

now_ms() { date +%s%3N; }
# Milliseconds as people read them: 0.4 s, 12.3 s, 4 min 05 s
span() {
  local ms=$1
  if ((ms < 60000)); then printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
  else printf '%d min %02d s' $((ms / 60000)) $((ms % 60000 / 1000)); fi
}
elapsed() { span $(($(now_ms) - STARTED_MS)); }
say() { printf '%s\n' "$*"; }
title() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
die() { printf '%s%serror:%s %s\n' "$WIPE" "$RED" "$PLAIN" "$*" >&2; exit 1; }

# Processes that this script started and that are still there; each leads a process group.
declare -A CHILDREN=()
end_children() {
  local pid
  for pid in "${!CHILDREN[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  for pid in "${!CHILDREN[@]}"; do
    for _ in {1..50}; do kill -0 -- "-$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL -- "-$pid" 2>/dev/null || true
  done
  CHILDREN=()
}
trap 'end_children' EXIT
trap 'printf "%sinterrupted; run the same command again to go on\n" "$WIPE" >&2; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# launch LOG COMMAND...: starts it as a process group of its own; the pid is in LAUNCHED.
launch() {
  local log=$1; shift
  set -m
  "$@" >"$log" 2>&1 </dev/null 9>&- &
  LAUNCHED=$!
  set +m
  CHILDREN[$LAUNCHED]=1
}

# watch PID NAME LOG BEGIN: waits, showing what the log says last; the exit code is in STATUS, the time in TOOK.
watch() {
  local pid=$1 name=$2 log=$3 begin=$4 told tick=0
  told=$(now_ms)
  while kill -0 "$pid" 2>/dev/null; do
    if [[ $LIVE ]]; then
      if ((tick++ % 5 == 0)); then
        printf '%s  %s  %s%s  %s%s' "$WIPE" "$name" "$DIM" "$(span $(($(now_ms) - begin)))" \
          "$(last_line "$log" $((${COLUMNS:-100} - ${#name} - 20)))" "$PLAIN"
      fi
    elif (($(now_ms) - told >= 30000)); then
      told=$(now_ms)
      printf '    ... %s, %s: %s\n' "$name" "$(span $((told - begin)))" "$(last_line "$log" 90)"
    fi
    sleep 0.1
  done
  STATUS=0
  wait "$pid" || STATUS=$?
  unset "CHILDREN[$pid]"
  TOOK=$(($(now_ms) - begin))
}
last_line() {
  tail -c 600 "$1" 2>/dev/null | tr '\r' '\n' | awk -v n="$2" \
    '{gsub(/\033\[[0-9;?]*[A-Za-z]/, "")} NF {l = $0} END {print substr(l, 1, n)}'
}

# report_end NAME LOG: one line on how it ended; the log's tail when it failed. Returns STATUS.
report_end() {
  local name=$1 log=$2
  if ((STATUS == 0)); then
    printf '%s  %s%-44s%s %s\n' "$WIPE" "$GREEN" "$name" "$PLAIN" "$(span "$TOOK")"
  else
    printf '%s  %s%-44s failed (exit %d)%s %s\n' "$WIPE" "$RED" "$name" "$STATUS" "$PLAIN" "$(span "$TOOK")"
    printf '    the last lines of %s:\n' "$log"
    tail -n "${TAIL_LINES:-25}" "$log" | sed 's/^/    | /'
  fi
  return "$STATUS"
}

# run_step NAME COMMAND...: runs it with its output in build/logs/NAME.log.
run_step() {
  local name=$1 begin; shift
  local log=$KDEV_LOGS/${name//[^A-Za-z0-9._-]/-}.log
  begin=$(now_ms)
  launch "$log" "$@"
  watch "$LAUNCHED" "$name" "$log" "$begin"
  report_end "$name" "$log"
}

# Steps that run beside others: begin_step KEY NAME COMMAND..., later await_step KEY.
declare -A BESIDE_PID=() BESIDE_NAME=() BESIDE_BEGIN=()
begin_step() {
  local key=$1 name=$2; shift 2
  BESIDE_NAME[$key]=$name
  BESIDE_BEGIN[$key]=$(now_ms)
  launch "$KDEV_LOGS/${name//[^A-Za-z0-9._-]/-}.log" "$@"
  BESIDE_PID[$key]=$LAUNCHED
}
await_step() {
  local key=$1
  [[ ${BESIDE_PID[$key]:-} ]] || return 0
  local name=${BESIDE_NAME[$key]} log
  log=$KDEV_LOGS/${name//[^A-Za-z0-9._-]/-}.log
  watch "${BESIDE_PID[$key]}" "$name" "$log" "${BESIDE_BEGIN[$key]}"
  unset "BESIDE_PID[$key]"
  report_end "$name" "$log"
}

# One run at a time in a checkout: two would write the same build folder.
take_lock() {
  exec 9>"$KDEV_ROOT/build/.lock"
  if ! flock -n 9; then
    say "another run works in this checkout; waiting for it to end"
    flock 9
  fi
}

# Stamps: fresh KEY VALUE is true when the last `stamp KEY VALUE` had the same value.
fresh() { [[ -f $KDEV_STAMPS/$1 && $(<"$KDEV_STAMPS/$1") == "$2" ]]; }
stamp() { printf '%s\n' "$2" >"$KDEV_STAMPS/$1.new" && mv "$KDEV_STAMPS/$1.new" "$KDEV_STAMPS/$1"; }
# One digest over the content of files and folders (build products left out).
digest_of() {
  find "$@" -type f ! -path '*/__pycache__/*' ! -name '*.pyc' -print0 2>/dev/null | LC_ALL=C sort -z \
    | xargs -0r sha256sum | sha256sum | cut -c1-32
}
