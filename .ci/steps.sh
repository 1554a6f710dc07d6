# The steps, a function each. Read by .ci/run, which says in which order they run.

# The one line of README's fenced blocks that starts with these words, word for word.
readme_command() {
  awk -v words="$1" '/^```/ { inside = !inside; next } inside && index($0, words) == 1' README.md
}

# readme WORDS STATUS: runs README's command; it must exit with this status.
readme() {
  local line status
  line=$(readme_command "$1")
  if [ "$(grep -c . <<< "$line")" != 1 ]; then
    echo "README.md must hold one command that starts with '$1'; it holds: $line"
    return 1
  fi
  echo "\$ $line"
  bash -c "$line"
  status=$?
  [ "$status" = "$2" ] || { echo "exit status $status instead of $2"; return 1; }
}

# Builds the release binary, unless README's first command has just built it.
release_binary() { cargo build --locked --release --quiet; }

formatting() { cargo fmt --all --check; }
clippy() { cargo clippy --locked --workspace --all-targets -- -D warnings; }
clippy_library() { cargo clippy --locked --no-default-features --lib -- -D warnings; }
documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps; }
release() { readme 'cargo run' 1; }

# Runs every test once and leaves nothing out: all of the heavy loops, and the oracles that are installed.
tests() {
  export CHAINGAP_TESTS=all
  have tshark && have openssl && export CHAINGAP_ORACLES=1
  [ -d "$shared/pkits" ] && export CHAINGAP_PKITS=$PWD/$shared/pkits
  readme 'cargo test' 0
}

# Prints what the tests compared with other programs and with independent data; the tests write it past the test
# harness.
oracles() {
  local log=$work/tests.log
  [ -e "$log" ] || tests > "$log" 2>&1 || { cat "$log"; return 1; }
  grep -ohE '(compared with|NOT COMPARED|SKIPPED).*' "$log"
  [ -d "$shared/pkits" ] || echo "PKITS WAS NOT COMPARED: no $shared/pkits"
  grep -q 'compared with Wireshark' "$log" && grep -q 'compared with OpenSSL' "$log" &&
    ! grep -qE 'NOT COMPARED|SKIPPED.*(tshark|openssl|OpenSSL)' "$log"
}

formats() { release_binary && .ci/formats.sh "$chaingap"; }

# Compares real captures with what Wireshark shows: every difference must be listed with its reason.
corpus() {
  [ -d "$shared/corpus" ] || { skip "no $shared/corpus"; return; }
  release_binary && python3 .ci/corpus.py "$shared/tools/corpus_check.py" "$chaingap" .ci/corpus-differences.toml
}

# The recordings of what TLS stacks refuse, and the data and the page that were written from them.
stacks() {
  release_binary && "$chaingap" check tests/stacks --require-all > "$work/stacks.log" || { cat "$work/stacks.log"; return 1; }
  tail -n 1 "$work/stacks.log" && pypi cryptography || return
  PYTHONDONTWRITEBYTECODE=1 "$tools/bin/python" captures/record/stacks/matrix.py . --check
}

# The kinds of cases that must pass, by a word of their name, kind or subject.
CASES=(reading preflight "in clear" stacks)

# Compares small captures and chains with what is true of them. Each kind is run, whichever fails.
cases() {
  local tool=$shared/tools/cases.py word failed=0
  [ -e "$tool" ] && [ -d "$shared/cases" ] || { skip "NOTHING WAS CHECKED: no $tool with $shared/cases"; return; }
  release_binary || return
  for word in "${CASES[@]}"; do
    echo "-- $word"
    python3 "$tool" "$chaingap" "$shared/cases" --only "$word" || failed=1
  done
  return $failed
}

# HTML reports on one, two and some two hundred devices, and one with hostile words, in Chromium. Nothing is installed
# in the checkout; all output goes to a temporary folder.
browser() {
  local pages=$work/pages
  mkdir "$pages" && cp tests/browser/package.json tests/browser/page.mjs "$pages" &&
    npm install --prefix "$pages" --silent --no-audit --no-fund > /dev/null &&
    release_binary && make_pages "$pages" && node "$pages/page.mjs" "$pages/shots" "$pages"/*.html
}

make_pages() {
  local analyze=("$chaingap" analyze --roots captures/pki/root.pem --fail-on never --format html)
  printf '%s\n' captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng | python3 benches/repeat.py "$1/many.pcap" 2 200 &&
    "${analyze[@]}" -o "$1/one.html" captures/usb-sign-in.pcapng &&
    "${analyze[@]}" -o "$1/two.html" captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng &&
    "${analyze[@]}" -o "$1/many.html" "$1/many.pcap" || return
  "$chaingap" compare --roots captures/pki/root.pem --format html -o "$1/compared.html" \
    captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng
  # Exit status 1: the two differ.
  [ $? = 1 ] && CHAINGAP_PAGES=$1 cargo test --locked --quiet --lib pages_for_the_browser
}

# The page: its program under Node.js against the command line on every expectation, then all of it in Chromium, and the
# samples in Firefox.
page() {
  local built=$work/page
  mkdir "$built" && cp tests/browser/{package.json,web.mjs,firefox.mjs} "$built" &&
    npm install --prefix "$built" --silent --no-audit --no-fund > /dev/null &&
    release_binary && web/build.sh "$built/chaingap.html" || return
  [ "$(stat -c %s "$built/chaingap.html")" -le 2000000 ] || { echo 'chaingap.html is larger than 2 MB'; return 1; }
  node tests/browser/module.mjs "$target/wasm32-wasip1/page/chaingap.wasm" "$chaingap" captures &&
    cargo run --locked --release --quiet -p chaingap-benches --bin bench_captures -- mix 256 "$built/mix.pcap" &&
    node "$built/web.mjs" "$built/chaingap.html" "$chaingap" captures "$built/shots" "$built/mix.pcap" || return
  have firefox-esr || { echo 'FIREFOX WAS NOT TRIED: no firefox-esr'; return; }
  node "$built/firefox.mjs" "$built/chaingap.html"
}

# Every 29th prefix and damaged byte of each sample, every seed, and hostile captures, in the release build; a fifth of
# each hostile capture within its memory.
hostile() {
  local hostile=(cargo run --locked --release --quiet -p chaingap-benches --bin hostile --)
  "${hostile[@]}" --damage 29 && "${hostile[@]}" --scale 20
}

# The seeds, then 20 seconds of each target. Built less optimized than for long runs: building takes most of the time.
fuzzing() { fuzz/seeds.sh && CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0 fuzz/run.sh 20; }

# Licences, bans and sources, of every platform's crates; advisories need the network.
licences() { cargo fetch --locked --quiet && cargo deny --offline check --hide-inclusion-graph licenses bans sources; }

# The package contains what it should and installs. It is built in the same target folder, so that only the crate itself
# is compiled.
package() {
  local list file unpacked=$work/package
  list=$(cargo package --locked --list --allow-dirty) || return
  for file in src/lib.rs src/main.rs README.md captures/pki/root.pem captures/pin-sign-in.pcapng captures/usb-sign-in.pcapng \
    schema/report-2.json; do
    grep -qx "$file" <<< "$list" || { echo "the package lacks $file"; return 1; }
  done
  ! grep '\.md$' <<< "$list" | grep -vE '^(README\.md|src/)' || { echo 'documents speak of files that are not in the package'; return 1; }
  echo "$(wc -l <<< "$list") files"
  mkdir "$unpacked" && cargo package --locked --quiet --no-verify --allow-dirty &&
    tar xzf "$target"/package/chaingap-*.crate -C "$unpacked" &&
    CARGO_TARGET_DIR=$target cargo install --debug --locked --quiet --path "$unpacked"/chaingap-* --root "$unpacked/installed" &&
    "$unpacked/installed/bin/chaingap" --version
}

# The program for Windows does there what it does here, and what shells of Windows leave to it.
windows() {
  local lines triple=x86_64-pc-windows-gnu
  lines=$(release/toolchain.sh $triple) && eval "$lines" &&
    cargo build --locked --release --quiet --bin chaingap --target $triple &&
    tests/windows/run.sh "$target/$triple/release/chaingap.exe"
}

# The wheel installs without Rust, and its program works; it lists the crates that are in it.
wheel() {
  local venv=$work/venv
  pypi maturin && maturin build --locked --release --quiet --out "$work/wheels" &&
    python3 -m zipfile -l "$work"/wheels/*.whl | grep -o 'chaingap.*/sboms/.*\.json' &&
    python3 -m venv "$venv" &&
    env PATH=/usr/bin:/bin "$venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$work"/wheels/*.whl &&
    "$venv/bin/chaingap" --version && "$venv/bin/chaingap" check captures | tail -n 1
}

# What docs/ci/action installs and writes, with this checkout as the source. It takes over the build of the step before.
action() {
  pypi pyyaml && TMPDIR=$work CARGO_TARGET_DIR=$target CARGO_INSTALL_ROOT=$work/action PATH=$work/action/bin:$PATH \
    "$tools/bin/python" .ci/action.py docs/ci/action/action.yml "source=--path ." 'options=--roots captures/pki/root.pem' \
    captures=captures/usb-sign-in.pcapng
}

# The version that Cargo.toml declares compiles the program and its library.
rust_version() {
  local version
  version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  rustup toolchain install "$version" --profile minimal > /dev/null 2>&1 || { skip "rustup cannot fetch Rust $version"; return; }
  cargo "+$version" --version && CARGO_TARGET_DIR=$target/rust-$version cargo "+$version" check --locked --quiet
}

size() { release_binary && echo "release binary without link-time optimization: $(stat -c %s "$chaingap") bytes"; }

# The time of the release binary on the samples repeated to 64 MiB, and that of tcpdump merely filtering them.
speed() {
  local big=$work/big.pcap
  release_binary && printf '%s\n' captures/*.pcap* | python3 benches/repeat.py "$big" 64 &&
    hyperfine --ignore-failure --warmup 1 --runs 3 --style basic \
      "$chaingap analyze --profile none --fail-on never --format json $big" \
      "tcpdump -r $big -w /dev/null 'tcp port 443'" 2> /dev/null
}

# Over a thousand captures: Spark, xargs and GNU parallel report the same as a single run. PySpark comes from PyPI.
spark() {
  local python=$target/spark-venv/bin/python
  python3 -m venv "$target/spark-venv" &&
    "$python" -m pip install --quiet --disable-pip-version-check -r integrations/spark/requirements.txt ||
    { skip 'SPARK WAS NOT RUN: PySpark cannot be fetched from PyPI'; return; }
  release_binary && "$python" integrations/spark/test_spark.py "$chaingap"
}

# No file may name folders of a development machine; the brackets keep this line from matching itself.
paths() {
  ! git grep -nIE '/wor[k]/|/far[m]/|/tmp/bash_job[s]|\.librar[y]|(^|[^a-z])/(hom[e]|roo[t])/' -- . ':!Cargo.lock'
}
