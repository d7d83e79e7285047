#!/usr/bin/env bash
# Builds the fuzz entries with Clang and libFuzzer, and runs each for so many seconds from the corpora in fuzz/corpus;
# those of Python by Atheris, if it is installed. Ends with an error at the first crash, whose input it keeps.
#   fuzz/run.sh [SECONDS [ENTRY...]]
# What it finds new stays in build/fuzz-corpus, for the next run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
shift || true
build=${FUZZ_BUILD:-build/fuzz}
export UBSAN_OPTIONS=print_stacktrace=1

if [ $# -eq 0 ]; then set -- stages flow network tracker png decode form; fi

[ -f "$build/CMakeCache.txt" ] || CXX="${CLANGXX:-clang++}" cmake -S . -B "$build" -G Ninja -DALPHACUT_PYTHON=OFF \
  -DALPHACUT_FUZZ=ON -DALPHACUT_SANITIZE=fuzzer-no-link,address,undefined >/dev/null
cmake --build "$build" --parallel "${FUZZ_JOBS:-2}" >"$build/log" || { tail -n 30 "$build/log" && exit 1; }

for entry in "$@"; do
  seeds=fuzz/corpus/$entry found=build/fuzz-corpus/$entry crashes=build/fuzz-crashes
  mkdir -p "$found" "$crashes"
  options=(-max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$crashes/$entry-" -print_final_stats=1)
  if [ -f "fuzz/dictionaries/$entry" ]; then options+=(-dict="fuzz/dictionaries/$entry"); fi
  echo "== $entry"
  case $entry in
    decode | form)
      python=${PYTHON:-python3}
      if ! "$python" -c "import atheris" 2>/dev/null; then
        echo "Atheris is not installed: left out"
        continue
      fi
      command=("$python" "fuzz/fuzz_$entry.py")
      ;;
    *) command=("$build/fuzz_$entry") ;;
  esac
  "${command[@]}" "${options[@]}" "$found" "$seeds" 2>"$crashes/$entry.log" || { tail -n 60 "$crashes/$entry.log" && exit 1; }
  grep -E "stat::number_of_executed_units|stat::new_units_added| cov: " "$crashes/$entry.log" | tail -n 3
done
