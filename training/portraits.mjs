// Portraits, drawn by @dicebear/avataaars (design: Pablo Stanley, "Free for personal and commercial
// use"). Every option is chosen here rather than by the library, so each one has its words in the caption.
import * as avataaars from '@dicebear/avataaars';
import { createAvatar } from '@dicebear/core';
import { jitter } from './util.mjs';

export const HAIR_COLOURS = {
  blond: 'efc75e',
  brown: '6f4323',
  black: '221c1a',
  red: 'c93a12',
  grey: '94969a',
  white: 'eeebe4',
  pink: 'f28bb4',
  blue: '3f7bd8',
  purple: '8d4bb8',
  green: '49a25a',
};
const HAIR_WEIGHTS = [
  ['blond', 4],
  ['brown', 4],
  ['black', 4],
  ['red', 4],
  ['grey', 1.6],
  ['white', 1.2],
  ['pink', 1.5],
  ['blue', 1.5],
  ['purple', 1.2],
  ['green', 1.2],
];
const COLOUR_WORDS = {
  blond: [
    ['blond', 4],
    ['blonde', 1.5],
  ],
  grey: [
    ['grey', 2],
    ['gray', 1],
  ],
  red: [
    ['red', 4],
    ['ginger', 0.6],
  ],
};
export const SKIN = { pale: 'ffe4d2', light: 'f7cba4', tan: 'd9a066', brown: 'ab693c', dark: '6a4331' };
export const PLAIN = {
  red: 'd94a45',
  orange: 'f0913c',
  yellow: 'f6d860',
  green: '7cc47f',
  blue: '6aaef0',
  purple: '9d7ad1',
  pink: 'f6b1cb',
  white: 'f7f7f5',
  grey: 'a9adb3',
  black: '26282c',
  brown: '8f6442',
};
export const CLOTH = {
  red: 'd2332f',
  orange: 'ef8329',
  yellow: 'f3cd3c',
  green: '3f9d55',
  blue: '3a78d0',
  purple: '7a4bb5',
  pink: 'ee7fab',
  white: 'f1f1f1',
  grey: '8d9299',
  black: '24262b',
  brown: '7d5232',
};
// Hair styles: the library's names, the words said before the colour, the noun. A style with `hat` is
// a head covering: it takes a hat colour, and its hair colour is never named.
const STYLES = {
  longStraight: { tops: ['straight02', 'straight01', 'straightAndStrand'], words: ['long', 'straight'], noun: 'hair' },
  longWavy: { tops: ['curvy', 'bigHair'], words: ['long', 'wavy'], noun: 'hair' },
  curly: { tops: ['curly'], words: ['long', 'curly'], noun: 'hair' },
  bob: { tops: ['bob', 'miaWallace'], words: ['short'], noun: 'bob' },
  medium: { tops: ['longButNotTooLong'], words: ['medium'], noun: 'hair' },
  bun: { tops: ['bun'], words: [], noun: 'bun' },
  afro: { tops: ['fro'], words: ['big'], noun: 'afro' },
  dreads: { tops: ['dreads'], words: ['long'], noun: 'dreadlocks' },
  flowers: { tops: ['frida'], words: [], noun: 'hair', extra: ['flowers in her hair', 'a flower crown'] },
  hijab: { tops: ['hijab'], hat: ['hijab', 'headscarf'] },
  turban: { tops: ['turban'], hat: ['turban'] },
  hat: { tops: ['hat'], hat: ['hat', 'hat', 'sun hat'] },
  winterHat: {
    tops: ['winterHat02', 'winterHat03', 'winterHat1'],
    hat: ['winter hat', 'winter hat', 'beanie', 'woolly hat'],
  },
  shortStraight: { tops: ['shortFlat', 'shortRound'], words: ['short', 'straight'], noun: 'hair' },
  shortCurly: { tops: ['shortCurly'], words: ['short', 'curly'], noun: 'hair' },
  shortWavy: { tops: ['shortWaved'], words: ['short', 'wavy'], noun: 'hair' },
  buzz: { tops: ['theCaesar', 'theCaesarAndSidePart'], words: ['very short'], noun: 'hair' },
  shortDreads: { tops: ['dreads01', 'dreads02'], words: ['short'], noun: 'dreadlocks' },
  shaggy: { tops: ['shaggy'], words: ['shaggy'], noun: 'hair' },
  bald: { tops: ['sides'], words: [], noun: 'bald' },
};
const WOMAN = [
  ['longStraight', 4],
  ['longWavy', 5],
  ['curly', 3],
  ['bob', 3],
  ['medium', 1],
  ['bun', 1.6],
  ['afro', 1.3],
  ['dreads', 1.2],
  ['flowers', 0.8],
  ['hijab', 1],
  ['turban', 0.4],
  ['hat', 1],
  ['winterHat', 1],
];
const MAN = [
  ['shortStraight', 4.5],
  ['shortCurly', 2.5],
  ['shortWavy', 2.5],
  ['buzz', 1.5],
  ['shortDreads', 1.2],
  ['shaggy', 1],
  ['bald', 1.3],
  ['afro', 1.2],
  ['longStraight', 0.9],
  ['curly', 0.7],
  ['turban', 0.8],
  ['hat', 0.9],
  ['winterHat', 1.2],
];
const BEARDS = {
  'long beard': ['beardMajestic'],
  beard: ['beardMedium'],
  'short beard': ['beardLight'],
  moustache: ['moustacheFancy', 'moustacheMagnum'],
};
const GLASSES = {
  glasses: ['prescription02', 'prescription01'],
  'round glasses': ['round'],
  sunglasses: ['kurt', 'sunglasses', 'wayfarers'],
};
const CLOTHES = {
  shirt: ['shirtCrewNeck', 'shirtScoopNeck', 'shirtVNeck'],
  hoodie: ['hoodie'],
  jacket: ['blazerAndShirt', 'blazerAndSweater'],
  sweater: ['collarAndSweater'],
  overalls: ['overall'],
};
const MOODS = {
  smiling: {
    eyes: ['default', 'default', 'happy'],
    brows: ['default', 'defaultNatural'],
    mouth: ['smile', 'twinkle'],
    words: ['smiling', 'smiling', 'happy'],
  },
  laughing: { eyes: ['happy'], brows: ['raisedExcited'], mouth: ['smile'], words: ['laughing'] },
  sad: { eyes: ['default'], brows: ['sadConcerned'], mouth: ['sad'], words: ['sad', 'sad', 'unhappy'] },
  crying: { eyes: ['cry'], brows: ['sadConcerned'], mouth: ['concerned', 'sad'], words: ['crying'] },
  angry: {
    eyes: ['default', 'squint'],
    brows: ['angry', 'angryNatural'],
    mouth: ['serious', 'grimace'],
    words: ['angry'],
  },
  surprised: {
    eyes: ['surprised'],
    brows: ['raisedExcited'],
    mouth: ['disbelief', 'screamOpen'],
    words: ['surprised', 'surprised', 'shocked'],
  },
  winking: { eyes: ['wink'], brows: ['default'], mouth: ['smile', 'twinkle'], words: ['winking'] },
  serious: { eyes: ['default'], brows: ['flatNatural', 'default'], mouth: ['serious'], words: ['serious'] },
  sleeping: { eyes: ['closed'], brows: ['default'], mouth: ['serious', 'twinkle'], words: ['sleeping'] },
};
const MOOD_WEIGHTS = [
  ['smiling', 5],
  ['laughing', 1.2],
  ['sad', 1.6],
  ['crying', 0.8],
  ['angry', 1.4],
  ['surprised', 1.4],
  ['winking', 1],
  ['serious', 2],
  ['sleeping', 0.8],
];

const hx = (r, c, a) => jitter(r, c, a).slice(1);
const inner = (s) =>
  s
    .replace(/^<svg[^>]*>/, '')
    .replace(/<\/svg>$/, '')
    .replace(/<metadata[\s\S]*?<\/metadata>/, '');

/** Draws one portrait with random factors; returns its SVG and the factors. */
export function portrait(r) {
  const sex = r.chance(0.58) ? 'woman' : 'man';
  const a = {
    domain: 'portrait',
    sex,
    style: r.weigh(sex === 'woman' ? WOMAN : MAN),
    hair: r.weigh(HAIR_WEIGHTS),
    skin: r.weigh([
      ['pale', 2],
      ['light', 4],
      ['tan', 2],
      ['brown', 2],
      ['dark', 2],
    ]),
    beard:
      sex === 'man' && r.chance(0.5)
        ? r.weigh([
            ['long beard', 1],
            ['beard', 1.6],
            ['short beard', 1],
            ['moustache', 1.6],
          ])
        : null,
    glasses: r.chance(0.26)
      ? r.weigh([
          ['glasses', 2],
          ['round glasses', 1],
          ['sunglasses', 1.7],
        ])
      : null,
    glassesColour: r.weigh([
      ['black', 5],
      ['red', 1.2],
      ['blue', 1],
      ['white', 0.6],
    ]),
    clothes: r.weigh([
      ['shirt', 5],
      ['hoodie', 2],
      ['jacket', 1.6],
      ['sweater', 1.5],
      ['overalls', 1],
    ]),
    cloth: r.pick(Object.keys(CLOTH)),
    hat: r.pick(['red', 'blue', 'green', 'yellow', 'pink', 'purple', 'black', 'grey', 'orange']),
    mood: r.weigh(MOOD_WEIGHTS),
    back: r.pick(Object.keys(PLAIN)),
  };
  // Hair of the background's colour would be invisible.
  if ((a.hair === a.back && r.chance(0.85)) || (a.hair === 'black' && a.back === 'black'))
    a.back = a.hair === 'blue' ? 'white' : 'blue';
  const st = STYLES[a.style],
    mood = MOODS[a.mood];
  const colours = {};
  let body = inner(
    createAvatar(avataaars, {
      seed: 'x',
      style: ['default'],
      top: [r.pick(st.tops)],
      topProbability: 100,
      hairColor: [(colours.hair = hx(r, HAIR_COLOURS[a.hair], 9))],
      facialHairColor: [hx(r, HAIR_COLOURS[a.hair], 6)],
      hatColor: [hx(r, CLOTH[a.hat], 10)],
      skinColor: [hx(r, SKIN[a.skin], 6)],
      backgroundColor: [hx(r, PLAIN[a.back], 9)],
      facialHair: [a.beard ? r.pick(BEARDS[a.beard]) : 'beardLight'],
      facialHairProbability: a.beard ? 100 : 0,
      accessories: [a.glasses ? r.pick(GLASSES[a.glasses]) : 'round'],
      accessoriesProbability: a.glasses ? 100 : 0,
      accessoriesColor: [a.glasses ? CLOTH[a.glassesColour] : '262e33'],
      clothing: [r.pick(CLOTHES[a.clothes])],
      clothesColor: [hx(r, CLOTH[a.cloth], 10)],
      eyes: [r.pick(mood.eyes)],
      eyebrows: [r.pick(mood.brows)],
      mouth: [r.pick(mood.mouth)],
    }).toString(),
  );
  // The library draws one face for all; eyelashes make "woman" visible in the face itself.
  if (sex === 'woman' && a.glasses !== 'sunglasses') {
    body +=
      '<g data-part="eyes" stroke="#3a2620" stroke-width="3" stroke-linecap="round" fill="none"><path d="M108 112l-7-5M107 116l-7-1M172 112l7-5M173 116l7-1"/></g>';
  }
  const size = r.f(200, 230),
    x = 140 - size / 2 + r.f(-6, 6),
    y = r.f(-2, 9);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${x.toFixed(1)} ${y.toFixed(1)} ${size.toFixed(1)} ${size.toFixed(1)}"><rect x="-60" y="-60" width="420" height="420" fill="${backOf(body)}"/>${body}</svg>`;
  return { svg, attrs: a, colours: { ...colours, hat: !!st.hat } };
}
/** Colour of the avatar's own background, which ends at its 280x280 frame and must go on behind it. */
function backOf(body) {
  const m = body.match(/<rect fill="(#[0-9a-fA-F]{6})"/);
  return m ? m[1] : '#ffffff';
}

const word = (r, c) => (COLOUR_WORDS[c] ? r.weigh(COLOUR_WORDS[c]) : c);
const join = (l) => (l.length < 2 ? l.join('') : l.slice(0, -1).join(', ') + ' and ' + l[l.length - 1]);
const art = (s) => (/^[aeiou]/.test(s) ? 'an ' : 'a ') + s;

/** One caption that names a random part of the factors; each call chooses again. */
export function portraitCaption(r, a) {
  const st = STYLES[a.style],
    who =
      a.sex === 'woman'
        ? r.weigh([
            ['woman', 8],
            ['lady', 1],
            ['girl', 2],
          ])
        : r.weigh([
            ['man', 8],
            ['guy', 1],
            ['boy', 2],
          ]);
  const withs = [];
  if (st.hat) {
    if (r.chance(0.92)) {
      const h = r.pick(st.hat);
      withs.push(art(r.chance(0.7) ? `${a.hat} ${h}` : h));
    }
  } else if (a.style === 'bald') {
    if (r.chance(0.9)) withs.push('a bald head');
  } else {
    const sayColour = r.chance(0.8),
      sayStyle = r.chance(0.72),
      c = word(r, a.hair);
    let words = [];
    if (sayStyle && st.words.length)
      words =
        st.words.length === 1
          ? r.chance(0.75) || st.noun === 'hair'
            ? st.words
            : []
          : r.weigh([
              [st.words, 5],
              [[st.words[1]], 2],
              [[st.words[0]], 2.5],
            ]);
    const noun = sayStyle ? st.noun : 'hair';
    if (st.extra && sayStyle) withs.push(r.pick(st.extra));
    if (sayColour || words.length || noun !== 'hair') {
      let p;
      if (noun === 'hair' && sayColour && words.length && r.chance(0.1)) p = `${c} hair that is ${words.join(' and ')}`;
      else if (sayColour && words.length && r.chance(0.15)) p = `${c} ${words.join(' ')} ${noun}`;
      else p = [...words, ...(sayColour ? [c] : []), noun].join(' ');
      withs.push(noun === 'hair' || noun === 'dreadlocks' ? p : art(p));
    }
  }
  const hairFirst = r.chance(0.8) ? withs.splice(0) : [];
  if (a.glasses && r.chance(0.88)) {
    const g = a.glasses === 'round glasses' && r.chance(0.4) ? 'glasses' : a.glasses;
    withs.push(r.chance(0.35) ? `${a.glassesColour} ${g}` : g);
  }
  if (a.beard && r.chance(0.88)) {
    const b = a.beard.endsWith('beard')
      ? r.chance(0.5)
        ? 'beard'
        : a.beard
      : r.chance(0.75)
        ? 'moustache'
        : 'mustache';
    withs.push(art((a.style === 'bald' || st.hat) && r.chance(0.6) ? `${word(r, a.hair)} ${b}` : b));
  }
  if (r.chance(0.18)) withs.push(`${a.skin} skin`);
  const list = [...hairFirst, ...r.shuffle(withs)];
  const sayMood = r.chance(a.mood === 'smiling' ? 0.35 : 0.72),
    mood = r.pick(MOODS[a.mood].words),
    front = r.chance(0.6);
  const who2 = sayMood && front ? `${mood} ${who}` : who;
  let s = r.weigh([
    [`${art(who2)}'s face`, 4],
    [`the face of ${art(who2)}`, 1.3],
    [art(who2), 3.5],
    [`a portrait of ${art(who2)}`, 1.6],
    [`a picture of ${art(who2)}`, 0.8],
    [`a close up of ${art(who2)}'s face`, 0.6],
  ]);
  if (list.length) s += ' with ' + join(list);
  if (sayMood && !front) s += r.chance(0.5) ? `, ${mood}` : ` who is ${mood}`;
  if (r.chance(0.32)) {
    const c = r.chance(0.85) ? `${a.cloth} ${a.clothes}` : a.clothes,
      n = a.clothes === 'overalls' ? c : art(c);
    s += r.weigh([
      [` wearing ${n}`, 3],
      [` in ${n}`, 2],
      [`, wearing ${n}`, 1],
    ]);
  }
  if (r.chance(0.26))
    s += r.weigh([
      [` on ${art(a.back)} background`, 3],
      [`, ${a.back} background`, 2],
      [` in front of ${art(a.back)} wall`, 1],
    ]);
  return s;
}
