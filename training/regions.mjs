// Renders pictures twice, with and without one change: so the true region of an edit is known, and what it should lead to.
//
//   node regions.mjs --out build/regions [--n 24] [--seed 2]     n pairs of each kind
//   node regions.mjs --photographs --out build/photographs --n 9 the first of each pair as a photograph, for `study photographs`
//
// Writes before.npy and after.npy (uint8, N x 128 x 128 x 3) and edits.jsonl, one line a pair: {"kind", "prompt", "edit", "text",
// "head", "wanted"}. `text` names the region for a network that finds texts, `head` and `wanted` are what a judge should see.
// As photographs: KIND-NN.png, KIND-NN.mask.png, white where the change is, and captions.tsv with the edit; for four of each kind but
// glasses with four more, so that they can be edited in a chain and back.
// Both pictures of a pair are drawn with the same random numbers but for what is changed, so that they differ nowhere else.
import fs from 'node:fs';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { Rng, npyHeader, png } from './util.mjs';
import { portrait } from './portraits.mjs';
import { landscape } from './landscapes.mjs';
import { scene } from './scenes.mjs';

const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k);
  return i < 0 ? d : process.argv[i + 1];
};
const SIZE = 128,
  UP = 2,
  COLOURS = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'black', 'white', 'grey', 'brown'];

/** Random numbers of a seed, with some choices made beforehand: `choose(names)` gives one of them or undefined. */
class Chosen extends Rng {
  constructor(seed, choose, { glasses, thing } = {}) {
    super(seed);
    this.choose = choose;
    this.glasses = glasses;
    this.thing = thing;
  }
  weigh(pairs) {
    const names = pairs.map((p) => p[0]),
      fixed = this.choose(names);
    // The kind of glasses is drawn only where there are some: it must take no number from those that follow.
    if (fixed !== undefined && names.includes('sunglasses')) return fixed;
    const drawn = super.weigh(pairs);
    return fixed ?? drawn;
  }
  pick(list) {
    // So with what only one of the two pictures has: its kind of glasses, and the colour of a thing that comes in several.
    if (this.glasses !== undefined && ['prescription02', 'round', 'kurt'].includes(list[0])) return list[0];
    if (this.thing && list.every((name) => COLOURS.includes(name))) return list.includes(this.thing) ? this.thing : list[0];
    const drawn = super.pick(list);
    return this.choose(list) ?? drawn;
  }
  chance(p) {
    const drawn = super.chance(p);
    return p === 0.26 && this.glasses !== undefined ? this.glasses : drawn;
  }
}

/** A choice of these values: each of a list that holds it and all that it is told apart from. */
const among = (...fixed) => (names) => {
  for (const [value, ...others] of fixed) if (names.includes(value) && others.every((o) => names.includes(o))) return value;
  return undefined;
};

const art = (s) => (/^[aeiou]/.test(s) ? 'an ' : 'a ') + s;
const LONG = { longStraight: 'long straight', longWavy: 'long wavy', curly: 'long curly' };
const SHORT = { shortStraight: 'short straight', shortCurly: 'short curly', shortWavy: 'short wavy' };
const HAIR = ['blond', 'brown', 'black', 'red', 'pink', 'blue'];
const turn = (list, i, by = 1) => list[(i + by) % list.length];

/** Each kind: how pair number i is drawn, before and after, and what is said of it. */
const KINDS = {
  hair(i) {
    const woman = i % 4 !== 3,
      [style, words] = turn(Object.entries(woman ? LONG : SHORT), i, 0),
      sex = woman ? 'woman' : 'man',
      [from, to] = [turn(HAIR, i, 0), turn(HAIR, i, 1 + (i % 3))],
      draw = (hair) => (r) =>
        portrait(
          new Chosen(
            r,
            (names) => (names.includes('woman') ? sex : among([style, 'afro'], [hair, 'blond', 'grey'], ['smiling', 'crying'])(names)),
            { glasses: false },
          ),
        );
    return {
      pair: [draw(from), draw(to)],
      fits: (a) => a.sex === sex && !a.beard && a.back !== from && a.back !== to,
      prompt: `a ${sex}'s face with ${words} ${from} hair`,
      edit: `${from} -> ${to}`,
      more: (() => {
        const [a, b, c] = HAIR.filter((h) => h !== from && h !== to);
        return [`${to} -> ${a}`, '+ with glasses', `${a} -> ${b}`, `${b} -> ${c}`];
      })(),
      text: 'hair',
      head: 'hair',
      wanted: to,
    };
  },
  glasses(i) {
    const kind = i % 2 ? 'sunglasses' : 'glasses',
      draw = (on) => (r) =>
        portrait(new Chosen(r, among(['longStraight', 'afro'], [kind, 'round glasses'], ['smiling', 'crying']), { glasses: on }));
    return {
      pair: [draw(false), draw(true)],
      fits: (a) => a.sex === 'woman' && a.glassesColour === 'black',
      prompt: `a woman's face with long straight hair`,
      edit: `+ with ${kind}`,
      text: 'glasses',
      head: 'glasses',
      wanted: kind,
    };
  },
  mood(i) {
    const moods = ['smiling', 'sad', 'angry', 'surprised', 'sleeping'],
      [from, to] = [turn(moods, i, 0), turn(moods, i, 1 + (i % 2))],
      draw = (mood) => (r) => portrait(new Chosen(r, among([mood, 'smiling', 'crying'], ['shortStraight', 'bald'], ['longStraight', 'bun']), { glasses: false }));
    return {
      pair: [draw(from), draw(to)],
      fits: (a) => a.sex === 'woman' && !a.beard,
      prompt: `${art(from)} woman's face with long straight hair`,
      edit: `${from} -> ${to}`,
      more: (() => {
        const [a, b] = moods.filter((m) => m !== from && m !== to);
        return ['+ with glasses', `${to} -> ${a}`, 'straight -> wavy', `${a} -> ${b}`];
      })(),
      text: 'eyes and mouth',
      head: 'mood',
      wanted: to,
    };
  },
  colour(i) {
    const things = ['car', 'balloon', 'chair', 'tent', 'rocket', 'boat'],
      colours = ['red', 'blue', 'green', 'yellow', 'pink', 'purple'],
      thing = turn(things, i, 0),
      [from, to] = [turn(colours, i, 0), turn(colours, i, 1 + (i % 4))],
      draw = (colour) => (r) => one(r, thing, colour);
    return {
      pair: [draw(from), draw(to)],
      fits: () => true,
      prompt: (a) => `a ${from} ${thing} ${PLACE[a.place]}`,
      edit: `${from} -> ${to}`,
      more: (() => {
        const [a, b] = colours.filter((c) => c !== from && c !== to),
          [t, u] = things.filter((t) => t !== thing);
        return [`${thing} -> ${t}`, `${to} -> ${a}`, `${t} -> ${u}`, `${a} -> ${b}`];
      })(),
      text: thing,
      head: 'colour',
      wanted: to,
    };
  },
  object(i) {
    const things = ['cat', 'dog', 'fox', 'panda', 'rabbit', 'lion', 'frog', 'bear'],
      [from, to] = [turn(things, i, 0), turn(things, i, 1 + (i % 5))],
      draw = (thing) => (r) => one(r, thing);
    return {
      pair: [draw(from), draw(to)],
      fits: () => true,
      prompt: (a) => `a ${from} ${PLACE[a.place]}`,
      edit: `${from} -> ${to}`,
      more: (a) => {
        const [b, c, d] = things.filter((t) => t !== from && t !== to),
          place = PLACE[a.place].split(' ').at(-1);
        return [`${to} -> ${b}`, `${b} -> ${c}`, `${place} -> ${place === 'city' ? 'forest' : 'city'}`, `${c} -> ${d}`];
      },
      text: from,
      head: 'object',
      wanted: to,
    };
  },
  middle(i) {
    const middles = ['river', 'street', 'forest', 'lake', 'road', 'path'],
      flanks = ['mountains', 'hills', 'cliffs'],
      [from, to] = [turn(middles, i, 0), turn(middles, i, 1 + (i % 4))],
      flank = turn(flanks, i, 0),
      draw = (middle) => (r) =>
        landscape(new Chosen(r, among([middle, 'river', 'railway'], [flank, 'mountains', 'buildings'], ['day', 'dawn'], ['summer', 'winter'])));
    return {
      pair: [draw(from), draw(to)],
      fits: (a) => !a.weather && !a.thing,
      // What fills the middle takes numbers from the flanks that are drawn after it, so it alone is exchanged.
      part: 'middle',
      prompt: `${art(from)} between ${flank}`,
      edit: `${from} -> ${to}`,
      more: (() => {
        const [a, b] = middles.filter((m) => m !== from && m !== to),
          other = turn(flanks, i, 1);
        return [`${flank} -> ${other}`, `${to} -> ${a}`, '+ at night', `${a} -> ${b}`];
      })(),
      text: 'middle',
      head: 'middle',
      wanted: to,
    };
  },
};
const PLACE = {
  beach: 'on a beach',
  snow: 'in the snow',
  city: 'in a city',
  desert: 'in a desert',
  meadow: 'in a meadow',
};

/** A scene of one thing in a place by day. */
function one(seed, thing, colour = 'none') {
  const choose = (names) => {
    if (names.includes('day') && names.includes('sunset')) return 'day';
    return names.includes('cake') || names.includes('cat') ? thing : undefined;
  };
  const drawn = scene(new Chosen(seed, choose, { thing: colour }), 1);
  drawn.fits = drawn.attrs.place in PLACE;
  return drawn;
}

/** The first group of a part: where its drawing begins and ends in the SVG. */
function group(svg, part) {
  const open = `<g data-part="${part}">`,
    begin = svg.indexOf(open) + open.length,
    tag = /<(\/?)g\b[^>]*>/g;
  tag.lastIndex = begin;
  for (let depth = 1, m; (m = tag.exec(svg)); ) {
    depth += m[1] ? -1 : 1;
    if (depth === 0) return [begin, m.index];
  }
  throw new Error(`nothing is drawn as ${part}`);
}

/** The first picture with a part as the second has it. */
function withPart(svg, other, part) {
  const [a, b] = group(svg, part),
    [c, d] = group(other, part);
  return svg.slice(0, a) + other.slice(c, d) + svg.slice(b);
}

/** The picture as SIZE * SIZE * 3 bytes, drawn at twice the size and averaged down. */
function pixels(svg) {
  const px = new Resvg(svg, { fitTo: { mode: 'width', value: SIZE * UP }, font: { loadSystemFonts: false } }).render().pixels;
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, k) => {
    const c = k % 3,
      x = UP * (Math.floor(k / 3) % SIZE),
      y = UP * Math.floor(k / 3 / SIZE);
    let s = 0;
    for (let v = 0; v < UP; v++) for (let u = 0; u < UP; u++) s += px[((y + v) * SIZE * UP + x + u) * 4 + c];
    return (s + (UP * UP) / 2) / (UP * UP);
  });
}

/** How large a share of the pixels differs. */
function differ(a, b) {
  let n = 0;
  for (let k = 0; k < a.length; k += 3) n += Math.max(...[0, 1, 2].map((c) => Math.abs(a[k + c] - b[k + c]))) > 24 ? 1 : 0;
  return n / (SIZE * SIZE);
}

const out = arg('out', 'build/regions'),
  n = +arg('n', 24),
  base = 1e6 * +arg('seed', 2),
  photographs = process.argv.includes('--photographs');
fs.mkdirSync(out, { recursive: true });
const all = { before: [], after: [] },
  lines = [];
for (const [kind, make] of Object.entries(KINDS)) {
  let seed = base;
  for (let i = 0; i < n; i++) {
    for (let tries = 0; ; tries++) {
      if (tries > 5000) throw new Error(`${kind} ${i}: no pair of pictures differs in the change alone`);
      seed++;
      const about = make(i),
        [a, b] = about.pair.map((draw) => draw(seed)),
        whole = a.fits !== false && b.fits !== false && about.fits(a.attrs) && about.fits(b.attrs);
      if (!whole) continue;
      const [pa, pb] = [pixels(a.svg), pixels(about.part ? withPart(a.svg, b.svg, about.part) : b.svg)],
        share = differ(pa, pb);
      if (share < 0.005 || share > 0.6) continue;
      all.before.push(pa);
      all.after.push(pb);
      const { kind: _, fits: __, pair: ___, part: ____, more, prompt: of, ...said } = about,
        prompt = typeof of === 'function' ? of(a.attrs) : of;
      if (photographs) {
        const name = `${kind}-${String(i + 1).padStart(2, '0')}`,
          mask = Uint8Array.from(pa, (_, k) => ([0, 1, 2].some((c) => pa[k - (k % 3) + c] !== pb[k - (k % 3) + c]) ? 255 : 0)),
          further = i < 4 ? (typeof more === 'function' ? more(a.attrs) : (more ?? [])) : [];
        fs.writeFileSync(path.join(out, `${name}.png`), png(pa, SIZE, SIZE));
        fs.writeFileSync(path.join(out, `${name}.mask.png`), png(mask, SIZE, SIZE));
        lines.push([`${name}.png`, prompt, said.edit, ...further].join('\t'));
      } else lines.push(JSON.stringify({ kind, prompt, ...said }));
      break;
    }
    if (i % 8 === 7) await new Promise(setImmediate);
  }
}
for (const [name, pictures] of Object.entries(photographs ? {} : all)) {
  const f = fs.openSync(path.join(out, `${name}.npy`), 'w');
  fs.writeSync(f, npyHeader([pictures.length, SIZE, SIZE, 3]));
  pictures.forEach((p) => fs.writeSync(f, p));
}
fs.writeFileSync(path.join(out, photographs ? 'captions.tsv' : 'edits.jsonl'), lines.join('\n') + '\n');
