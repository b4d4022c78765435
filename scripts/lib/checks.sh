# Sourced by scripts/test: the checks, one function each. A failing check is written down and the next one runs.

begin_results() {
  RESULTS=$KDEV_ROOT/build/results
  rm -rf "$RESULTS"
  mkdir -p "$RESULTS"
}

# check NAME JUNIT COMMAND...: JUNIT is the report that the command writes, or - when the check counts as one test.
check() {
  local name=$1 junit=$2; shift 2
  if run_step "$name" "$@"; then :; fi
  printf '%s\t%s\t%s\t%s\n' "$name" "$STATUS" "$TOOK" "$junit" >>"$RESULTS/list"
}
note_skipped() { printf '%s\tskipped\t0\t%s\n' "$1" "$2" >>"$RESULTS/list"; }

check_sources() {
  check "layout lint" - .venv/bin/python scripts/lint_layout.py
  check "ruff" - .venv/bin/python -m ruff check .
  check "ruff format" - .venv/bin/python -m ruff format --check .
  check "mypy" - .venv/bin/python -m mypy
}

check_unit() {
  check "C++ unit tests" "$RESULTS/unit.xml" \
    ctest --test-dir build/dev --output-on-failure -j "$KDEV_JOBS" -LE boot --no-tests=error \
    --output-junit "$RESULTS/unit.xml"
}

check_python() {
  check "Python tests" "$RESULTS/python.xml" .venv/bin/python -m pytest -m "not boot" --junitxml="$RESULTS/python.xml"
}

have_qemu() { command -v qemu-system-x86_64 >/dev/null; }

check_boots() {
  if ! have_qemu; then note_skipped "boots" "no qemu-system-x86_64"; return; fi
  check "boots from C++" "$RESULTS/boot.xml" \
    ctest --test-dir build/dev --output-on-failure -L boot --no-tests=error --output-junit "$RESULTS/boot.xml"
  check "boots from Python" "$RESULTS/python-boot.xml" \
    .venv/bin/python -m pytest -m boot --junitxml="$RESULTS/python-boot.xml"
  check "C++ example: harness" "$RESULTS/example.xml" \
    build/dev/examples/cpp/crash_harness --gtest_output="xml:$RESULTS/example.xml"
  check "C++ example: pipeline" - build/dev/examples/cpp/first_pipeline
}

check_install() {
  check "install, find_package, pkg-config" - bash tests/consumer/run build/dev build/consumer
  check "pip install ." - bash tests/consumer/wheel .venv/bin/python build/consumer "$DEV_FLAGS"
}

# check_sanitized PRESET SANITIZERS FILTER: the unit tests again, in a build folder of their own. Lines are all that a
# sanitizer's report takes of the debug information, and the rest of it is gigabytes.
check_sanitized() {
  local preset=$1 sanitizers=$2 filter=$3
  local dir=build/$preset
  if ! { configure_tree "$dir" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DKDEV_TESTS=ON "-DKDEV_SANITIZE=$sanitizers" \
    && build_tree "$dir"; }; then
    printf '%s\t%s\t%s\t-\n' "build $preset" "$STATUS" "$TOOK" >>"$RESULTS/list"
    return
  fi
  check "C++ unit tests, $preset" "$RESULTS/$preset.xml" \
    env ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
    ctest --test-dir "$dir" --output-on-failure -j "$KDEV_JOBS" -LE boot ${filter:+-R "$filter"} --no-tests=error \
    --output-junit "$RESULTS/$preset.xml"
}

summary() { .venv/bin/python scripts/lib/summary.py "$RESULTS/list" "$(elapsed)"; }
