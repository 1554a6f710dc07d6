#!/usr/bin/env bash
# Prints the environment in which cargo builds for a target that is not this machine's, as lines for a shell:
#
#   lines=$(release/toolchain.sh TARGET) && eval "$lines" && cargo build --target TARGET …
#
# Nothing is printed where the compiler has the target, or rustup can add it. Where rustup cannot, for want of a network
# that has its server, Debian's rustc-web compiles the standard library too: its packages are unpacked below the target
# folder (145 MB to download, 850 MB unpacked), since they cannot be installed beside rustup. RUSTUP=false asks for that.
#
# TARGET is wasm32-wasip1 or x86_64-pc-windows-gnu; the second also needs the linker of
# gcc-mingw-w64-x86-64-win32.
set -euo pipefail
target=$1
here=$(cd "$(dirname "$0")/.." && pwd)
rustup=${RUSTUP:-rustup}

has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; }
if { [ "$rustup" != false ] && has_target; } || "$rustup" target add "$target" > /dev/null 2>&1; then
  exit
fi

debian=$(realpath -m "${CARGO_TARGET_DIR:-$here/target}")/rustc-web
compiler=$debian/rustc
libraries=$debian/usr/lib

# Unpacks the packages, and writes the compiler that cargo is to call: with its own libraries before the machine's.
unpack() {
  local packages part=$debian.part
  rm -rf "$debian" "$part" && mkdir -p "$part" && cd "$part" || return
  packages=$(apt-cache depends rustc-web libstd-rust-web-dev | grep -oE 'libstd-rust-web[^ ]*' | sort -u)
  packages+=" $(apt-cache depends ${packages} | grep -oE 'libllvm[^ ]*' | sort -u)"
  # shellcheck disable=SC2086
  apt-get download -qq rustc-web rust-web-src ${packages} || return
  for package in *.deb; do
    dpkg -x "$package" . && rm "$package" || return
  done
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries/x86_64-linux-gnu" "$debian/usr/bin/rustc" > rustc
  chmod +x rustc && mv "$part" "$debian"
}

# What the linker for Windows takes before and after the objects of a program; compiled here, as nobody ships it alone.
start_and_end() {
  local name to=$libraries/rustlib/$target/lib
  mkdir -p "$to/self-contained" || return
  for name in rsbegin rsend; do
    [ -e "$to/$name.o" ] && continue
    RUSTC_BOOTSTRAP=1 "$compiler" --target "$target" --emit=obj --crate-type=lib \
      -o "$to/$name.o" "$libraries/rustlib/src/rust/library/rtstartup/$name.rs" || return
    cp "$to/$name.o" "$to/self-contained/"
  done
}

# The C library below Rust's own for WASI, and what starts a program there.
wasi_library() {
  local to=$libraries/rustlib/$target/lib/self-contained
  [ -e "$to/libc.a" ] && return
  mkdir -p "$to" "$debian/wasi" && cd "$debian/wasi" && apt-get download -qq wasi-libc && dpkg -x wasi-libc*.deb . &&
    cp usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$to/"
}

[ -x "$compiler" ] || (unpack) >&2 || { echo "$target: neither rustup nor apt-get has a compiler for it" >&2; exit 1; }
# rustup's toolchain is asked for its linker; Debian's compiler has none for WebAssembly.
linker=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
case $target in
  wasm32-wasip1) crates=std,panic_abort && (wasi_library) >&2 ;;
  wasm32-*) crates=std,panic_abort ;;
  *) crates=std,panic_unwind linker=x86_64-w64-mingw32-gcc && start_and_end >&2 ;;
esac
variable=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<< "$target")_LINKER
cat << END
export RUSTC=$compiler RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=$crates $variable=$linker
END
