// Scenes: one or two objects on a simple background. The objects are Fluent Emoji Flat (Microsoft,
// MIT) through @iconify-json/fluent-emoji-flat; the backgrounds are drawn below.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { mix, jitter, toHsl, fromHsl, part } from './util.mjs';
import { PLAIN } from './portraits.mjs';
const require = createRequire(import.meta.url);
const icons = require('@iconify-json/fluent-emoji-flat/icons.json').icons;

// Word -> icon: animals, vehicles, food, plants, things.
export const OBJECTS = {
  cat: 'cat-face',
  dog: 'dog-face',
  fox: 'fox',
  panda: 'panda',
  lion: 'lion',
  tiger: 'tiger',
  rabbit: 'rabbit-face',
  bear: 'bear',
  frog: 'frog',
  monkey: 'monkey',
  pig: 'pig',
  penguin: 'penguin',
  owl: 'owl',
  horse: 'horse',
  cow: 'cow',
  duck: 'duck',
  elephant: 'elephant',
  unicorn: 'unicorn',
  turtle: 'turtle',
  dinosaur: 't-rex',
  car: 'automobile',
  bus: 'bus',
  bicycle: 'bicycle',
  boat: 'sailboat',
  rocket: 'rocket',
  airplane: 'airplane',
  train: 'locomotive',
  tractor: 'tractor',
  apple: 'red-apple',
  pear: 'pear',
  lemon: 'lemon',
  orange: 'tangerine',
  banana: 'banana',
  strawberry: 'strawberry',
  cake: 'birthday-cake',
  pizza: 'pizza',
  burger: 'hamburger',
  pumpkin: 'jack-o-lantern',
  tree: 'deciduous-tree',
  'palm tree': 'palm-tree',
  cactus: 'cactus',
  sunflower: 'sunflower',
  rose: 'rose',
  mushroom: 'mushroom',
  house: 'house',
  castle: 'castle',
  tent: 'tent',
  snowman: 'snowman',
  robot: 'robot',
  balloon: 'balloon',
  umbrella: 'umbrella',
  chair: 'chair',
};
// The kinds that go on a table, and the animals, which are drawn more often than the rest.
const NAMES = Object.keys(OBJECTS);
const ANIMALS = NAMES.slice(0, 20),
  FOOD = NAMES.slice(28, 38);
// Colours: hue, saturation, and how the painted lightness follows from the icon's: from, slope.
const HUES = {
  red: [2, 0.75, 0, 1],
  orange: [28, 0.9, 0.02, 1],
  yellow: [47, 0.92, 0.05, 1],
  green: [125, 0.5, -0.05, 1],
  blue: [212, 0.75, 0, 1],
  purple: [275, 0.5, 0, 1],
  pink: [335, 0.8, 0.15, 1],
  black: [250, 0.08, 0.14, 0.2],
  white: [40, 0.3, 0.78, 0.19],
  grey: [220, 0.05, 0.28, 0.5],
  brown: [22, 0.46, 0.14, 0.45],
};
const PAINTED = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink'];
// Objects that come in several colours: the hue of the part that is painted, and the colours. An animal's are those of its coat.
const COATS = ['brown', 'black', 'white', 'grey'];
const COLOURS = {
  bus: [37, PAINTED],
  bicycle: [345, PAINTED],
  balloon: [0, PAINTED],
  umbrella: [265, PAINTED],
  rose: [0, PAINTED],
  chair: [15, PAINTED],
  tent: [94, PAINTED],
  mushroom: [0, PAINTED],
  rocket: [345, PAINTED],
  train: [345, PAINTED],
  tractor: [157, PAINTED],
  boat: [38, PAINTED],
  car: [0, [...PAINTED, 'black', 'white', 'grey']],
  apple: [0, ['red', 'green', 'yellow']],
  cat: [32, ['orange', ...COATS]],
  dog: [30, COATS],
  horse: [16, COATS],
  bear: [20, COATS],
};
export const PLACES = {
  beach: ['on a beach', 'on the beach', 'on a sandy beach'],
  snow: ['in the snow', 'on the snow'],
  city: ['in a city', 'in the city'],
  desert: ['in a desert', 'in the desert'],
  forest: ['in a forest', 'in the forest'],
  sea: ['in the sea', 'on the sea'],
  space: ['in space', 'in outer space'],
  meadow: ['in a meadow', 'on the grass'],
  table: ['on a table', 'on a wooden table'],
  plain: [],
};
const TIMES = ['beach', 'snow', 'city', 'desert', 'forest', 'sea', 'meadow'];
const n1 = (v) => v.toFixed(1);

/** An icon with its painted part in another colour; outlines and eyes, the darkest parts, keep theirs. */
function tint(body, main, colour) {
  const [H, S, from, slope] = HUES[colour];
  return body.replace(/fill="(#[0-9a-fA-F]{3,6})"/g, (m, c) => {
    const [h, s, l] = toHsl(c),
      d = Math.abs(((h - main + 540) % 360) - 180);
    return s > 0.3 && l > 0.25 && d < 40
      ? `fill="${fromHsl(H, S, Math.min(0.95, Math.max(0.12, from + slope * l)))}"`
      : m;
  });
}

/** Draws one scene with random factors; returns its SVG and the factors. `count` objects, or mostly one where it is 0. */
export function scene(r, count = 0) {
  const a = {
    domain: 'scene',
    objects: [],
    place: r.weigh([
      ['beach', 1.6],
      ['snow', 1.2],
      ['city', 1.2],
      ['desert', 1.1],
      ['forest', 1.3],
      ['sea', 0.9],
      ['space', 1],
      ['meadow', 1.3],
      ['table', 0.9],
      ['plain', 1.3],
    ]),
  };
  a.time = TIMES.includes(a.place)
    ? r.weigh([
        ['day', 6],
        ['night', 2],
        ['sunset', 1.4],
      ])
    : 'day';
  a.back = a.place === 'plain' ? r.pick(Object.keys(PLAIN)) : null;
  const n = count || (r.chance(0.85) ? 1 : 2),
    names = NAMES;
  while (a.objects.length < n) {
    const w = a.place === 'table' && r.chance(0.6) ? r.pick(FOOD) : r.chance(0.45) ? r.pick(ANIMALS) : r.pick(names);
    if (a.objects.some((o) => o.name === w)) continue;
    a.objects.push({ name: w, colour: COLOURS[w] ? r.pick(COLOURS[w][1]) : null });
  }
  let o = part(['plain', 'space', 'table'].includes(a.place) ? 'back' : 'ground', background(r, a));
  const place = a.place,
    base = place === 'space' || place === 'plain' ? null : place === 'sea' ? r.f(99, 105) : r.f(104, 114);
  a.objects.forEach((ob, i) => {
    const s = n === 1 ? r.f(70, 80) : r.f(48, 57),
      cx = n === 1 ? 64 + r.f(-4, 4) : (i ? 94 : 34) + r.f(-3, 3),
      y = base === null ? 64 - s / 2 + r.f(-5, 5) : base - s + r.f(-1, 2);
    let body = icons[OBJECTS[ob.name]].body;
    if (ob.colour) body = tint(body, COLOURS[ob.name][0], ob.colour);
    body = body
      .replace(/id="([^"]+)"/g, `id="$1_${i}"`)
      .replace(/url\(#([^)]+)\)/g, `url(#$1_${i})`)
      .replace(/href="#([^"]+)"/g, `href="#$1_${i}"`);
    if (base !== null && place !== 'sea')
      o += `<ellipse cx="${n1(cx)}" cy="${n1(y + s * 0.95)}" rx="${n1(s * 0.4)}" ry="${n1(s * 0.07)}" fill="#000" opacity=".2"/>`;
    const flip = r.chance(0.2)
      ? `translate(${n1(cx + s / 2)} ${n1(y)}) scale(${-s / 32} ${s / 32})`
      : `translate(${n1(cx - s / 2)} ${n1(y)}) scale(${s / 32})`;
    o += part(ob.name, `<g transform="${flip}">${body}</g>`);
  });
  if (place === 'sea') {
    const c = a.time === 'night' ? '#17346b' : a.time === 'sunset' ? '#5a5a9a' : '#2f86c9';
    o += '<g data-part="ground">';
    o += `<path d="M0 ${n1(base - 4)}q8 -5 16 0t16 0t16 0t16 0t16 0t16 0t16 0t16 0V128H0Z" fill="${c}" opacity=".93"/><path d="M0 ${n1(base + 9)}q8 -5 16 0t16 0t16 0t16 0t16 0t16 0t16 0t16 0V128H0Z" fill="${mix(c, '#0b2a55', 0.3)}" opacity=".9"/></g>`;
  }
  o += '<g data-part="veil">';
  if (place === 'snow')
    for (let i = 0; i < 34; i++)
      o += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(0, 128))}" r="${n1(r.f(0.9, 1.8))}" fill="#fff" opacity=".95"/>`;
  o += '</g>';
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 128 128">${o}</svg>`,
    attrs: a,
  };
}

function background(r, a) {
  const T = a.time,
    tone = (c) => (T === 'night' ? mix(c, '#0f1a42', 0.6) : T === 'sunset' ? mix(c, '#b0503c', 0.28) : c);
  const top = jitter(r, { day: '#58aeee', night: '#0b1438', sunset: '#67478f' }[T], 8),
    low = jitter(r, { day: '#d2effb', night: '#2e4380', sunset: '#f7985a' }[T], 8),
    H = r.f(64, 74);
  const sky = () => {
    let s = `<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${low}"/></linearGradient></defs><rect width="128" height="${n1(H + 4)}" fill="url(#s)"/>`;
    if (T === 'night')
      for (let i = 0; i < 26; i++)
        s += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(0, 58))}" r="${n1(r.f(0.5, 1.1))}" fill="#fff"/>`;
    if (r.chance(0.6)) {
      const x = r.chance(0.5) ? r.f(12, 30) : r.f(98, 116),
        y = T === 'sunset' ? H - 14 : r.f(12, 22);
      s += `<circle cx="${n1(x)}" cy="${n1(y)}" r="${n1(r.f(7, 9.5))}" fill="${T === 'night' ? '#f4f1dc' : T === 'sunset' ? '#ffe9a0' : '#ffe066'}"/>`;
    }
    return part('sky', s);
  };
  const ground = (c, y = H) =>
    `<rect y="${n1(y)}" width="128" height="${n1(128 - y)}" fill="${tone(jitter(r, c, 7))}"/>`;
  const pine = (x, y, s, c, snow) =>
    [0, 1, 2]
      .map((i) => {
        const w = s * (0.34 - i * 0.07),
          b = y - s * (0.05 + i * 0.26),
          t = b - s * 0.42;
        return (
          `<path d="M${n1(x - w)} ${n1(b)}L${n1(x)} ${n1(t)}L${n1(x + w)} ${n1(b)}Z" fill="${i % 2 ? mix(c, '#ffffff', 0.08) : c}"/>` +
          (snow
            ? `<path d="M${n1(x - w * 0.5)} ${n1((b + t) / 2)}L${n1(x)} ${n1(t)}L${n1(x + w * 0.5)} ${n1((b + t) / 2)}Z" fill="${tone('#f7fbfd')}"/>`
            : '')
        );
      })
      .join('');
  switch (a.place) {
    case 'beach':
      return (
        sky() +
        `<rect y="${n1(H - 8)}" width="128" height="30" fill="${tone('#3f9fd8')}"/><rect y="${n1(H)}" width="128" height="3" fill="${tone('#63b6e4')}"/><path d="M0 ${n1(H + 13)}q16 -6 32 0t32 0t32 0t32 0V128H0Z" fill="#fff" opacity="${T === 'night' ? 0.4 : 0.9}"/><path d="M0 ${n1(H + 16)}q16 -6 32 0t32 0t32 0t32 0V128H0Z" fill="${tone(jitter(r, '#f0d08c', 7))}"/>` +
        Array.from(
          { length: 14 },
          () => `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(H + 24, 127))}" r=".9" fill="${tone('#d8b06a')}"/>`,
        ).join('')
      );
    case 'snow':
      return (
        sky() +
        `<path d="M0 ${n1(H)}Q30 ${n1(H - 16)} 66 ${n1(H - 2)}T128 ${n1(H - 8)}V128H0Z" fill="${tone('#dbe9f4')}"/>` +
        [0, 1, 2, 3]
          .map(() =>
            pine(r.chance(0.5) ? r.f(4, 34) : r.f(94, 124), H + r.f(2, 12), r.f(22, 34), tone('#3d6f60'), true),
          )
          .join('') +
        `<path d="M0 ${n1(H + 14)}Q40 ${n1(H + 4)} 74 ${n1(H + 12)}T128 ${n1(H + 10)}V128H0Z" fill="${tone('#f6fafd')}"/>`
      );
    case 'city': {
      let s = sky();
      for (let x = -3; x < 128;) {
        const w = r.f(14, 24),
          h = r.f(26, 54),
          c = jitter(r, r.pick(['#8b98ae', '#b98a70', '#a8aab8', '#6f82a5', '#c4ab7c']), 8),
          y = H + 6 - h;
        s += `<rect x="${n1(x)}" y="${n1(y)}" width="${n1(w)}" height="${n1(h)}" fill="${tone(c)}"/>`;
        for (let yy = y + 4; yy < H; yy += 7)
          for (let xx = x + 3; xx < x + w - 4; xx += 5.6)
            if (r.chance(0.8))
              s += `<rect x="${n1(xx)}" y="${n1(yy)}" width="2.8" height="3.6" fill="${T === 'day' ? '#dcebf6' : '#ffd766'}"/>`;
        x += w;
      }
      s += ground('#c2c2c0', H + 4) + `<rect y="${n1(H + 16)}" width="128" height="60" fill="${tone('#5f636a')}"/>`;
      for (let x = 4; x < 128; x += 22) s += `<rect x="${x}" y="116" width="12" height="3" fill="${tone('#ffffff')}"/>`;
      return s;
    }
    case 'desert': {
      const c = jitter(r, '#ecc274', 7);
      const cac = (x, y, s) =>
        `<g fill="none" stroke="${tone('#3f8a4d')}" stroke-linecap="round" stroke-width="${n1(s * 0.2)}"><path d="M${n1(x)} ${n1(y)}V${n1(y - s)}M${n1(x)} ${n1(y - s * 0.4)}h${n1(-s * 0.32)}v${n1(-s * 0.28)}M${n1(x)} ${n1(y - s * 0.3)}h${n1(s * 0.32)}v${n1(-s * 0.3)}"/></g>`;
      return (
        sky() +
        `<path d="M0 ${n1(H)}Q34 ${n1(H - 22)} 70 ${n1(H - 3)}T128 ${n1(H - 12)}V128H0Z" fill="${tone(mix(c, '#b9752f', 0.3))}"/>` +
        cac(r.f(8, 26), H + 12, r.f(16, 24)) +
        cac(r.f(104, 120), H + 9, r.f(14, 22)) +
        `<path d="M0 ${n1(H + 12)}Q40 ${n1(H)} 80 ${n1(H + 11)}T128 ${n1(H + 6)}V128H0Z" fill="${tone(c)}"/>`
      );
    }
    case 'forest': {
      let s = sky() + `<rect y="${n1(H - 6)}" width="128" height="70" fill="${tone('#4e9a4a')}"/>`;
      const L = Array.from({ length: 15 }, (_, i) => [i * 9.2 + r.f(-4, 4), H + r.f(-4, 8), r.f(40, 60)]).sort(
        (p, q) => p[1] - q[1],
      );
      for (const [x, y, q] of L) s += pine(x, y, q, tone(jitter(r, '#2c6b45', 8)));
      return s + ground('#5da84f', H + 8);
    }
    case 'sea':
      return (
        sky() +
        `<rect y="${n1(H - 8)}" width="128" height="70" fill="${tone('#3f9fd8')}"/>` +
        Array.from(
          { length: 8 },
          () =>
            `<path d="M${n1(r.f(0, 116))} ${n1(r.f(H - 4, H + 18))}h${n1(r.f(6, 14))}" stroke="${tone('#a5daf5')}" stroke-width="1.5" stroke-linecap="round"/>`,
        ).join('')
      );
    case 'space': {
      let s = `<rect width="128" height="128" fill="${jitter(r, '#141233', 6)}"/>`;
      for (let i = 0; i < 46; i++)
        s += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(0, 128))}" r="${n1(r.f(0.5, 1.3))}" fill="#fff"/>`;
      const x = r.chance(0.5) ? r.f(8, 24) : r.f(104, 120),
        y = r.chance(0.5) ? r.f(10, 22) : r.f(106, 118),
        q = r.f(10, 15),
        c = r.pick(['#d98a4f', '#7a8fe0', '#c96f9a']);
      return (
        s +
        `<circle cx="${n1(x)}" cy="${n1(y)}" r="${n1(q)}" fill="${c}"/><ellipse cx="${n1(x)}" cy="${n1(y)}" rx="${n1(q * 1.7)}" ry="${n1(q * 0.4)}" fill="none" stroke="#e9d7a8" stroke-width="2" transform="rotate(-18 ${n1(x)} ${n1(y)})"/>`
      );
    }
    case 'meadow': {
      let s =
        sky() +
        `<path d="M0 ${n1(H)}Q32 ${n1(H - 18)} 68 ${n1(H - 2)}T128 ${n1(H - 8)}V128H0Z" fill="${tone('#5fae4a')}"/><path d="M0 ${n1(H + 10)}Q40 ${n1(H)} 80 ${n1(H + 9)}T128 ${n1(H + 5)}V128H0Z" fill="${tone(jitter(r, '#7dcb52', 7))}"/>`;
      for (let i = 0; i < 30; i++)
        s += `<circle cx="${n1(r.f(0, 128))}" cy="${n1(r.f(H + 12, 127))}" r="${n1(r.f(1, 2))}" fill="${tone(r.pick(['#fff', '#f25c7a', '#ffd93b', '#b06be0']))}"/>`;
      return s;
    }
    case 'table': {
      const y = r.f(82, 90),
        w = jitter(r, r.pick(['#e8dcc8', '#cfdfe6', '#e3cfc9', '#d6dfc9']), 7);
      return `<rect width="128" height="128" fill="${w}"/><rect y="${n1(y)}" width="128" height="50" fill="${jitter(r, '#b5763f', 8)}"/><rect y="${n1(y)}" width="128" height="5" fill="#d3975c"/><path d="M0 ${n1(y + 18)}H128M0 ${n1(y + 31)}H128" stroke="#935a2b" stroke-width="1.5"/>`;
    }
    default:
      return `<rect width="128" height="128" fill="${jitter(r, PLAIN[a.back], 8)}"/>`;
  }
}

const art = (s) => (/^[aeiou]/.test(s) ? 'an ' : 'a ') + s;
/** One caption that names a random part of the factors. */
export function sceneCaption(r, a) {
  const name = (o) => art(o.colour && r.chance(0.8) ? `${o.colour} ${o.name}` : o.name);
  const os = r.shuffle(a.objects).map(name);
  let s =
    os.length === 1
      ? os[0]
      : r.weigh([
          [`${os[0]} and ${os[1]}`, 4],
          [`${os[0]} next to ${os[1]}`, 3],
          [`${os[0]} with ${os[1]}`, 1.2],
        ]);
  if (r.chance(0.12)) s = 'a picture of ' + s;
  if (a.place === 'plain') {
    if (r.chance(0.8))
      s += r.weigh([
        [` on ${art(a.back)} background`, 3],
        [`, ${a.back} background`, 1.5],
      ]);
    return s;
  }
  if (r.chance(0.92)) s += ' ' + r.pick(PLACES[a.place]);
  if (TIMES.includes(a.place) && r.chance(a.time === 'day' ? 0.12 : 0.85))
    s += a.time === 'day' ? ' during the day' : ` at ${a.time}`;
  return s;
}
