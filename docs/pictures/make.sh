#!/bin/sh
# Draws the pictures of README and the guide anew. From the project's folder:
#   sh docs/pictures/make.sh                       builds the program and runs it
#   sh docs/pictures/make.sh target/release/wordbrush
set -e
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for story in hair landscape why; do
    ${1:-cargo run --release --quiet --} run "$here/$story.txt" --out "$out/$story" > /dev/null
done
cp "$out"/hair/sheet-0006.png "$here/hair.png"
cp "$out"/landscape/sheet-0006.png "$here/landscape.png"
cp "$out"/why/maps-0002.png "$here/maps.png"
cp "$out"/why/mask-0002.png "$here/mask.png"
