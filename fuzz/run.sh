#!/usr/bin/env bash
# Fuzzes each target for some seconds, two at once: fuzz/run.sh SECONDS [TARGET…]. Prints executions, coverage, memory
# and processor time of each. Needs cargo-fuzz and a C++ compiler; runs on stable by RUSTC_BOOTSTRAP. SANITIZER=address
# checks the crates that use unsafe code, at a third of the speed. RECORD=FILE appends a line for each to FILE, in the
# form of fuzz/runs.csv, which fuzz/table.py sums up.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export RUSTC_BOOTSTRAP=1
seconds=${1:?seconds per target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | tail -n +2)
sanitizer=${SANITIZER:-none}
cargo fuzz build --fuzz-dir fuzz --sanitizer "$sanitizer" || exit 1

fuzz_one() {
  local target=$1 log status options coverage executions memory cpu
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  # The time limit of one input is generous, because the machine may be busy; slowness shows in the executions.
  options=(-max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1)
  [ -e "fuzz/dictionaries/$target.txt" ] && options+=(-dict="fuzz/dictionaries/$target.txt")
  log=$(mktemp)
  TIMEFORMAT='processor %U %S'
  { time cargo fuzz run --fuzz-dir fuzz --sanitizer "$sanitizer" "$target" -- "${options[@]}"; } > "$log" 2>&1
  grep -q '^stat::number_of_executed_units' "$log" && ! grep -qE 'panicked|SUMMARY' "$log"
  status=$?
  if [ $status != 0 ]; then
    echo "FAILED: $target"
    grep -E 'panicked|SUMMARY|ERROR|Test unit written|error' -A 3 "$log" | head -n 20
  fi
  coverage=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -n 1)
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  cpu=$(awk '/^processor/ { print $2 + $3 }' "$log")
  printf '%-12s %10s executions  %-24s %5s MiB  %s s\n' "$target" "$executions" "$coverage" "$memory" "$cpu"
  [ -z "${RECORD:-}" ] ||
    awk -v OFS=, -v date="$(date +%F)" -v target="$target" -v cpu="$cpu" -v executions="$executions" -v status=$status \
      '{ print date, target, cpu, executions, $2, $4, status ? "failed" : "passed" }' <<< "$coverage" >> "$RECORD"
  rm -f "$log"
  return $status
}
export -f fuzz_one
export seconds sanitizer
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P 2 bash -c 'fuzz_one "$0"'
