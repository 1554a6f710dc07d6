# Programs that steps need, and how a new machine gets them. Read by .ci/run.

# Programs from PyPI and what spark needs live in the build's folder: the checkout and the machine stay as they are.
tools=$target/tools
PATH=$tools/bin:$PATH

have() { command -v "$1" > /dev/null; }

# Lists the missing programs of a step. A program marked `?` is optional: the step runs without it, and it is listed
# only with `all` as the second argument.
missing_programs() {
  local program name
  for program in ${NEEDS[$1]}; do
    name=${program#\?}
    [ "$name" = "$program" ] || [ "${2:-}" = all ] || continue
    have "$name" || printf '%s ' "$name"
  done
}

# Prints the Debian package that contains a program.
package_of() {
  case $1 in
    chromium) echo chromium fonts-dejavu-core ;;
    editcap) echo wireshark-common ;;
    java) echo openjdk-17-jre-headless ;;
    node) echo nodejs ;;
    wine) echo wine wine64 ;;
    x86_64-w64-mingw32-gcc) echo gcc-mingw-w64-x86-64-win32 ;;
    xmllint) echo libxml2-utils ;;
    cargo-* | rustup) ;;
    *) echo "$1" ;;
  esac
}

# Installs what the selected steps lack. A step whose programs cannot be installed says so itself.
prepare() {
  local name program packages=()
  for name in "${selected[@]}"; do
    for program in $(missing_programs "$name" all); do
      case $program in
        cargo-*) cargo_tool "$program" & ;;
        *) read -ra names <<< "$(package_of "$program")" && packages+=("${names[@]}") ;;
      esac
    done
  done
  if [ ${#packages[@]} -gt 0 ]; then
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } > /dev/null < /dev/null ||
      echo "SOME OF ${packages[*]} COULD NOT BE INSTALLED"
  fi
  wait
  touch "$work/prepared"
}

# Installs a package from PyPI, for the interpreter `$tools/bin/python`.
pypi() {
  { flock 9; [ -x "$tools/bin/pip" ] || python3 -m venv "$tools"; } 9> "$work/venv.lock" > /dev/null &&
    "$tools/bin/pip" install --quiet --disable-pip-version-check "$1" > /dev/null 2>&1
}

# Installs a prebuilt program from PyPI, or compiles it if there is none.
cargo_tool() {
  pypi "astral-dev-toolchain-$1" && have "$1" && return
  cargo install --locked --quiet --debug "$1" || echo "$1 COULD NOT BE INSTALLED"
}
