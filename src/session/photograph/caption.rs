//! What a photograph could be called, in the words that the embedded model knows.

use anyhow::Result;

use crate::engine::judge::Look;

/// Below this an answer is not worth a word: less is said rather than something wrong.
const SURE: f32 = 0.5;

/// A thing that is at most so many times less likely than the first is there beside it: so 40 % of two things are seen, and of one
/// thing .7 % are taken for two (1 500 rendered pictures). Naming what is not there does more harm than naming less.
const SECOND: f32 = 2.0;

/// What stands for a class of hats that is no word.
const HATS: [(&str, &str); 2] = [("bald", "bald head"), ("winterHat", "winter hat")];

/// Where a thing is, as captions say it.
const PLACES: [(&str, &str); 9] = [
    ("beach", "on a beach"),
    ("city", "in a city"),
    ("desert", "in a desert"),
    ("forest", "in a forest"),
    ("meadow", "in a meadow"),
    ("sea", "in the sea"),
    ("snow", "in the snow"),
    ("space", "in space"),
    ("table", "on a table"),
];

/// A caption of a picture that is looked at. What the picture shows must be of the kinds that the judge was trained on: of any other
/// it is the nearest of these.
///
/// # Errors
/// Fails if the judge has no such heads.
pub(super) fn caption(look: &Look<'_>) -> Result<String> {
    match answer(look, "kind")?.0 {
        "portrait" => portrait(look),
        "landscape" => landscape(look),
        _ => scene(look),
    }
}

fn answer<'l>(look: &'l Look<'_>, head: &str) -> Result<(&'l str, f32)> {
    Ok(look.answers(head)?.first().copied().unwrap_or(("", 0.0)))
}

/// The answer, unless it is `usual`, which nobody says, or not sure.
fn telling<'l>(look: &'l Look<'_>, head: &str, usual: &str) -> Result<Option<&'l str>> {
    let (said, share) = answer(look, head)?;
    Ok((said != usual && share >= SURE).then_some(said))
}

fn portrait(look: &Look<'_>) -> Result<String> {
    let mut with = vec![match answer(look, "hat")?.0 {
        "none" => hair(answer(look, "hairdo")?.0, answer(look, "hair")?.0),
        hat => with_article(HATS.iter().find(|(class, _)| *class == hat).map_or(hat, |(_, words)| *words)),
    }];
    with.extend(telling(look, "glasses", "none")?.map(str::to_owned));
    with.extend(telling(look, "beard", "none")?.map(with_article));
    let who = answer(look, "who")?.0;
    // Eyes behind dark glasses tell no mood.
    let has_eyes = answer(look, "glasses")?.0 != "sunglasses";
    let mood = telling(look, "mood", "serious")?.filter(|_| has_eyes);
    let who = mood.map_or(who.to_owned(), |mood| format!("{mood} {who}"));
    let back = telling(look, "background", "")?.map(|colour| format!(" on {} background", with_article(colour)));
    Ok(format!("{}'s face with {}{}", with_article(&who), joined(&with), back.unwrap_or_default()))
}

/// `long wavy blond hair`: the colour stands before the last word.
fn hair(words: &str, colour: &str) -> String {
    let (before, noun) = words.rsplit_once(' ').map_or((String::new(), words), |(a, b)| (format!("{a} "), b));
    let whole = format!("{before}{colour} {noun}");
    if ["hair", "dreadlocks"].contains(&noun) { whole } else { with_article(&whole) }
}

fn landscape(look: &Look<'_>) -> Result<String> {
    let mut said = format!("{} between {}", with_article(answer(look, "middle")?.0), answer(look, "flanks")?.0);
    let weather = telling(look, "weather", "none")?;
    // In rain and fog every hour looks the same.
    let has_time = !matches!(weather, Some("rain" | "fog"));
    if let Some(time) = telling(look, "time", "day")?.filter(|_| has_time) {
        said += &format!(" at {time}");
    }
    if let Some(season) = telling(look, "season", "summer")? {
        said += &format!(" in {season}");
    }
    said += match weather {
        Some("rain") => " in the rain",
        Some("fog") => " in the fog",
        Some("snow") => " with falling snow",
        _ => "",
    };
    Ok(said)
}

fn scene(look: &Look<'_>) -> Result<String> {
    let things = look.answers("object")?;
    let mut said = match things[..] {
        [(first, most), (second, share), ..] if share * SECOND >= most => {
            format!("{} and {}", with_article(first), with_article(second))
        }
        _ => {
            let thing = things.first().map_or("", |(name, _)| name);
            let coat = telling(look, "coat", "none")?.map(|colour| format!("{colour} ")).unwrap_or_default();
            with_article(&format!("{coat}{thing}"))
        }
    };
    let place = answer(look, "place")?.0;
    let Some((_, place)) = PLACES.iter().find(|(class, _)| *class == place) else { return Ok(said) };
    said += &format!(" {place}");
    let has_time = !["in space", "on a table"].contains(place);
    if let Some(time) = telling(look, "time", "day")?.filter(|_| has_time) {
        said += &format!(" at {time}");
    }
    Ok(said)
}

/// `a`, `b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.concat(),
    }
}

fn with_article(words: &str) -> String {
    let is_vowel = words.starts_with(['a', 'e', 'i', 'o', 'u']) && !words.starts_with("uni");
    let article = if is_vowel { "an" } else { "a" };
    format!("{article} {words}")
}

#[cfg(feature = "embedded")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Picture;
    use crate::engine::judge::Judge;
    use crate::model::embedded;

    #[test]
    fn rendered_pictures_that_the_judge_reads_right_are_called_what_they_show() {
        let (weights, about) = embedded::judge();
        let judge = Judge::read(weights, about).unwrap();
        for (file, words) in [
            ("portrait-2.png", "a smiling woman's face with long curly grey hair and glasses on a yellow background"),
            ("portrait-3.png", "a woman's face with a short red bob and sunglasses on a grey background"),
            ("landscape-1.png", "a glacier between mountains in the fog"),
            ("landscape-2.png", "a meadow between dunes at night"),
            ("scene1-1.png", "a grey bear in a desert at sunset"),
            ("scene1-2.png", "a penguin in a desert"),
            ("scene2-1.png", "a panda and a cactus in the snow at night"),
        ] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photographs/rendered").join(file);
            let picture = Picture::from(image::open(path).unwrap().to_rgb8());
            assert_eq!(caption(&judge.look(&picture).unwrap()).unwrap(), words, "{file}");
        }
    }

    #[test]
    fn words_stand_as_in_a_caption() {
        assert_eq!(hair("long wavy hair", "blond"), "long wavy blond hair");
        assert_eq!(hair("big afro", "orange"), "a big orange afro");
        assert_eq!(hair("bun", "orange"), "an orange bun");
        assert_eq!(with_article("unicorn"), "a unicorn");
        assert_eq!(joined(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(joined(&["a".into()]), "a");
    }
}
