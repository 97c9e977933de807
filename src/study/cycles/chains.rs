//! Random conversations out of words that the embedded model knows.

/// Small numbers that look random, the same every time.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall by this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    /// A number below `sides`, which must not be 0.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

/// A kind of picture: a first prompt with gaps, what fills each of them, and what can be added.
struct Scene {
    first: &'static str,
    gaps: &'static [(&'static str, &'static [&'static str])],
    additions: &'static [&'static str],
}

const SCENES: [Scene; 3] = [
    Scene {
        first: "a PERSON's face with LENGTH TEXTURE COLOUR hair",
        gaps: &[
            ("PERSON", &["woman", "man"]),
            ("LENGTH", &["long", "short"]),
            ("TEXTURE", &["wavy", "straight", "curly"]),
            ("COLOUR", &["blond", "red", "black", "brown", "pink", "white"]),
        ],
        additions: &["with glasses", "with sunglasses", "with a hat"],
    },
    Scene {
        first: "a MIDDLE between FLANK",
        gaps: &[
            ("MIDDLE", &["river", "street", "forest", "desert", "lake", "path", "meadow"]),
            ("FLANK", &["mountains", "hills", "trees", "cliffs", "buildings", "houses"]),
        ],
        additions: &["at night", "at sunset", "in winter", "in autumn", "with a rainbow"],
    },
    Scene {
        first: "a COLOUR THING on a PLACE",
        gaps: &[
            ("COLOUR", &["red", "blue", "black", "white", "brown"]),
            ("THING", &["cat", "dog", "fox", "panda", "rabbit", "lion", "car", "house"]),
            ("PLACE", &["beach", "table", "street", "meadow", "road"]),
        ],
        additions: &["at night", "in the snow", "with a hat"],
    },
];

/// A first prompt drawn at random, and the kind of picture it is.
pub fn first_prompt(dice: &mut Dice) -> (usize, String) {
    let kind = dice.roll(SCENES.len());
    let scene = &SCENES[kind];
    let mut prompt = scene.first.to_owned();
    for (gap, words) in scene.gaps {
        prompt = prompt.replace(gap, dice.pick(words));
    }
    (kind, prompt)
}

/// A random edit of a prompt of this kind, as a line: mostly a swap, else words added or taken away, a weight, or two
/// swaps at once. `None` if what was drawn does not fit the prompt; draw again.
pub fn edit(kind: usize, prompt: &str, dice: &mut Dice) -> Option<String> {
    let scene = &SCENES[kind];
    let swap = |dice: &mut Dice| {
        let (gap, words) = scene.gaps[dice.roll(scene.gaps.len())];
        let from = words.iter().find(|word| has_word(prompt, word))?;
        let to = dice.pick(words);
        (to != *from).then(|| (gap, format!("{from} -> {to}")))
    };
    match dice.roll(10) {
        0..=5 => swap(dice).map(|(_, line)| line),
        6 | 7 => {
            let addition = dice.pick(scene.additions);
            Some(if prompt.contains(addition) { format!("- {addition}") } else { format!("+ {addition}") })
        }
        8 => {
            let (_, words) = scene.gaps[dice.roll(scene.gaps.len())];
            let word = words.iter().find(|word| has_word(prompt, word))?;
            Some(format!("{word}*{}", dice.pick(&["0.5", "1.5", "2", "3", "-1", "1"])))
        }
        _ => {
            let ((one, first), (other, second)) = (swap(dice)?, swap(dice)?);
            (one != other).then(|| format!("{first}, {second}"))
        }
    }
}

fn has_word(prompt: &str, word: &str) -> bool {
    crate::turn::words::split(prompt).iter().any(|w| w.text == word || w.text.strip_suffix("'s") == Some(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_another() {
        let story = |seed: u64| {
            let mut dice = Dice::new(seed);
            let (kind, prompt) = first_prompt(&mut dice);
            let lines: Vec<_> = (0..20).filter_map(|_| edit(kind, &prompt, &mut dice)).collect();
            (prompt, lines)
        };
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
    }

    #[test]
    fn a_swap_gives_up_a_word_that_is_there() {
        let mut dice = Dice::new(5);
        let mut swaps = 0;
        for _ in 0..500 {
            let (kind, prompt) = first_prompt(&mut dice);
            assert!(!prompt.chars().any(char::is_uppercase), "a gap is left open in `{prompt}`");
            let Some(line) = edit(kind, &prompt, &mut dice) else { continue };
            if let Some((from, _)) = line.split_once(" -> ") {
                swaps += 1;
                assert!(has_word(&prompt, from), "`{line}` of `{prompt}`");
            }
        }
        assert!(swaps > 200, "{swaps} swaps");
    }
}
