#!/usr/bin/env bash
# Makes every file of a release:
#
#   release/build.sh [FOLDER]       by default target/dist, which is emptied first
#
#   chaingap-VERSION.crate                              the source package: what `cargo publish` uploads
#   chaingap-VERSION-x86_64-unknown-linux-gnu.tar.gz    the program for Linux
#   chaingap-VERSION-x86_64-pc-windows-gnu.zip          the program for Windows
#   chaingap-VERSION-py3-none-PLATFORM.whl              the program for `pip install`, on this platform
#   chaingap-VERSION.html                               the page
#   chaingap-VERSION.cdx.json                           the crates that are in the program (CycloneDX)
#   SHA256SUMS                                          checksums of all these
#
# Needs maturin (PyPI), python3, and for Windows the linker of gcc-mingw-w64-x86-64-win32. PROFILED=1 builds the program
# for Linux with a profile (benches/pgo.sh), as released ones are; that takes three times as long. ALLOW_DIRTY=1 packages a
# checkout with changes that are not committed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
dist=$(realpath -m "${1:-$target/dist}")
version=$(cargo metadata --no-deps --offline --format-version 1 |
  python3 -c 'import json, sys; print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "chaingap"))')
linux=x86_64-unknown-linux-gnu windows=x86_64-pc-windows-gnu
# The same commit gives the same archives.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
rm -rf "$dist" && mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lays out a folder with a program and what belongs to it.
lay_out() {
  local folder=$work/chaingap-$version-$1
  mkdir "$folder"
  cp "$2" README.md CHANGELOG.md LICENSE-* "$folder"
  find "$folder" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
}

echo "source package"
cargo package --locked --quiet --no-verify "${ALLOW_DIRTY:+--allow-dirty}"
cp "$target/package/chaingap-$version.crate" "$dist"

echo "Linux"
if [ "${PROFILED:-}" = 1 ]; then
  program=$(benches/pgo.sh)
else
  cargo build --locked --release --quiet --bin chaingap
  program=$target/release/chaingap
fi
lay_out $linux "$program"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cf - "chaingap-$version-$linux" |
  gzip -9n > "$dist/chaingap-$version-$linux.tar.gz"

echo "Windows"
(
  lines=$(release/toolchain.sh $windows) && eval "$lines"
  cargo build --locked --release --quiet --bin chaingap --target $windows
)
x86_64-w64-mingw32-strip -o "$work/chaingap.exe" "$target/$windows/release/chaingap.exe"
lay_out $windows "$work/chaingap.exe"
(cd "$work" && python3 -m zipfile -c "$dist/chaingap-$version-$windows.zip" "chaingap-$version-$windows")

echo "wheel, and the list of crates in it"
maturin build --locked --release --quiet --out "$dist"
python3 -m zipfile -e "$dist"/chaingap-*.whl "$work/wheel"
# Nothing in it says in which folder it was made.
sed "s|file://$PWD|file:///chaingap|g" "$work/wheel/chaingap-$version.dist-info/sboms/chaingap.cyclonedx.json" \
  > "$dist/chaingap-$version.cdx.json"

if [ -x web/build.sh ]; then
  echo "page"
  web/build.sh "$dist/chaingap-$version.html"
fi

cd "$dist" && sha256sum -- * > "$work/SHA256SUMS" && mv "$work/SHA256SUMS" . && cat SHA256SUMS
