#!/bin/sh
# Runs one target with a stable compiler: run.sh TARGET SECONDS
set -eu
cd "$(dirname "$0")"
RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Cpasses=sancov-module -Ccodegen-units=1 \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --bin "$1" --target "$(rustc -vV | sed -n 's/^host: //p')"
mkdir -p "corpus/$1" "artifacts/$1"
exec "${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/release/$1" "corpus/$1" \
    -max_total_time="$2" -max_len=20000 -artifact_prefix="artifacts/$1/" -print_final_stats=1
