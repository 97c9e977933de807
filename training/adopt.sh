#!/bin/sh
# Takes a trained model in: its files, and everything in this project that shows what it draws.
#
#   training/adopt.sh MODEL_FOLDER [ADAPTER.safetensors]      all steps, in the order below
#   training/adopt.sh --only sessions,transcripts             these steps alone, for the model that is here
#
#   assets       the model's folder to assets/atelier, the adapter to assets/guided.safetensors
#   words        the words of its captions, to assets/words.txt (needs Node and `npm install` in training/)
#   judge        the judge of the edit tests, if render.mjs draws otherwise than when it was trained (needs Node and Python)
#   build        the program and its tests
#   colours      of the picture while it forms, to assets/latent_rgb.json; then the program is built again
#   sessions     sessions/*.jsonl, recorded from their scripts
#   transcripts  blocks of README and the guide, pictures of docs/pictures, snapshots of tests/
#   tables       docs/DEFAULTS.md, as measured by tests/edits.rs
#   cycles       docs/CYCLES.md and its picture, as measured by `wordbrush study cycles`
#   compare      prints what was measured of the model before and of this one
#
# Each step looks whether its work is done and leaves alone what is as it should be: what was interrupted is taken up by the same
# command, and a second run changes nothing. `--only` measures tables again. CARGO_FLAGS is given to every cargo command.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
work=$root/target/adopt
mkdir -p "$work"

all="assets words judge build colours sessions transcripts tables cycles compare"
steps=$all
again=
if [ "${1:-}" = --only ]; then
    [ $# -ge 2 ] || { echo "--only names no step; there are: $all" >&2; exit 2; }
    steps=$(echo "$2" | tr , ' ')
    for step in $steps; do
        case " $all " in *" $step "*) ;; *) echo "there is no step \`$step\`; there are: $all" >&2; exit 2 ;; esac
    done
    again=yes
    shift 2
fi
model=${1:-}
adapter=${2:-}

program() { CARGO_INCREMENTAL=1 cargo build --release --quiet ${CARGO_FLAGS:-}; }
tests() { CARGO_INCREMENTAL=1 cargo test --release --quiet ${CARGO_FLAGS:-} "$@"; }
wordbrush() { "$root/target/release/wordbrush" "$@"; }
# A file in the place of another, only if they differ.
put() { cmp -s "$1" "$2" || { cp "$1" "$2" && echo "  $2"; }; }

assets() {
    [ -n "$model" ] || { echo "name the folder of a model: training/adopt.sh MODEL_FOLDER" >&2; exit 2; }
    (cd assets/atelier && find . -type f) | while read -r file; do
        [ -f "$model/$file" ] || { echo "$file is missing from $model" >&2; exit 1; }
        put "$model/$file" "assets/atelier/$file"
    done
    [ -z "$adapter" ] || put "$adapter" assets/guided.safetensors
}

words() {
    (cd training && node render.mjs --words 20000) >"$work/words.txt"
    put "$work/words.txt" assets/words.txt
}

judge() {
    cd training
    drawn=$(node render.mjs --digest 200)
    if ! grep -q "\"renderer\": \"$drawn\"" ../assets/judge/judge.json; then
        node render.mjs --out build/judge --n 40000 --part 0 --parts 2 --seed 2 &
        node render.mjs --out build/judge --n 40000 --part 1 --parts 2 --seed 2
        wait
        node render.mjs --out build/judge-one --n 22000 --seed 3 --only scene --objects 1
        node render.mjs --out build/judge-two --n 6000 --part 1 --parts 2 --seed 3 --only scene --objects 2
        python3 judge.py --renderer "$drawn"
    fi
    cd ..
}

build() {
    program
    tests --no-run
}

colours() {
    cp assets/latent_rgb.json "$work/latent_rgb.json"
    WORDBRUSH_WRITE_DOCS=1 tests --test colours
    cmp -s assets/latent_rgb.json "$work/latent_rgb.json" || program
}

# A session without what differs from run to run.
lasting() { sed 's/"seconds":[^,}]*//g' "$1"; }

sessions() {
    program
    for script in sessions/*.txt; do
        name=$(basename "$script" .txt)
        fresh=$work/sessions
        rm -rf "$fresh"
        mkdir -p "$fresh"
        wordbrush run "$script" --session "$fresh/$name.jsonl" >"$fresh/said.txt" || { cat "$fresh/said.txt" >&2; exit 1; }
        if ! [ -f "sessions/$name.jsonl" ] || [ "$(lasting "$fresh/$name.jsonl")" != "$(lasting "sessions/$name.jsonl")" ]; then
            cp "$fresh/$name.jsonl" "sessions/$name.jsonl"
            echo "  sessions/$name.jsonl"
        fi
    done
}

transcripts() {
    WORDBRUSH_WRITE_DOCS=1 tests --test readme
    INSTA_UPDATE=always tests --test transcripts
    WORDBRUSH_WRITE_DOCS=1 tests --test docs
}

# A digest of all that draws.
digest() { find assets/atelier assets/guided.safetensors -type f | sort | xargs cat | sha256sum | cut -c1-12; }

# Whether a part of a page was measured with this model.
measured() { [ -z "$again" ] && grep -q "<!-- measured $2 $(digest) -->" "$1"; }

tables() {
    for table in chains windows sampling; do
        measured docs/DEFAULTS.md $table ||
            WORDBRUSH_MODEL=$(digest) tests --test edits -- --ignored --exact --nocapture "the_table_of_${table}_is_written"
    done
}

cycles() {
    measured docs/CYCLES.md cycles && return
    out=$work/cycles-$(digest)
    wordbrush study cycles --chains 50 --seed 1 --out "$out"
    awk -v mark="<!-- measured cycles " -v now="<!-- measured cycles $(digest) -->" -v part="$out/cycles.md" '
        index($0, mark) == 1 { print now "\n"; while ((getline line < part) > 0) print line; print ""; within = 1 }
        /^<!-- end -->/ { within = 0 }
        !within' docs/CYCLES.md >"$work/page"
    put "$work/page" docs/CYCLES.md
    put "$out/cycles.png" docs/pictures/cycles.png
}

compare() {
    echo "measured before (-) and of this model (+); nothing below means that nothing differs:"
    git diff -U0 -- docs/DEFAULTS.md docs/CYCLES.md assets/judge/judge.json | grep -E '^[-+](\||.*accuracy)' || true
}

for step in $steps; do
    echo "$step"
    $step
done
