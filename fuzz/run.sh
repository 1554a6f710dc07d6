#!/usr/bin/env bash
# Fuzzes each target for some seconds: fuzz/run.sh SECONDS [TARGET…]. Prints executions, coverage and time of each.
# Needs cargo-fuzz and a C++ compiler; runs on stable by RUSTC_BOOTSTRAP. SANITIZER=address looks into the crates that
# use unsafe code, at a third of the speed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export RUSTC_BOOTSTRAP=1
seconds=${1:?seconds per target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | tail -n +2)
sanitizer=(--sanitizer "${SANITIZER:-none}")
status=0
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1)
  [ -e "fuzz/dictionaries/$target.txt" ] && options+=(-dict="fuzz/dictionaries/$target.txt")
  log=$(mktemp)
  cargo fuzz run --fuzz-dir fuzz "${sanitizer[@]}" "$target" -- "${options[@]}" > "$log" 2>&1 || {
    echo "FAILED: $target"
    grep -E 'panicked|SUMMARY|ERROR|Test unit written|error' -A 3 "$log" | head -n 20
    status=1
  }
  coverage=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -n 1)
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  printf '%-12s %10s executions  %-24s %5s MiB  %s s\n' "$target" "$executions" "$coverage" "$memory" "$seconds"
  rm -f "$log"
done
exit $status
