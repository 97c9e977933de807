//! What the scene has one of: background, season, time, weather, light, medium.

use super::*;

impl<'s> Work<'s> {
    /// Something of the scene that the prompt does not name: its sky, its ground.
    pub(crate) fn scenery(&mut self, noun: &str, text: &str, is_quality: bool) -> Done {
        let tie = match noun {
            "sky" => "in",
            "ground" | "floor" | "wall" | "walls" | "ceiling" => "on",
            _ => return Err(No),
        };
        let text = match (noun, is_quality) {
            ("sky", true) => {
                crate::draft::agreed(&format!("under a {text} sky")).unwrap_or_else(|| format!("under a {text} sky"))
            }
            (_, true) => return Err(No),
            (_, false) => format!("with {text} {tie} the {noun}"),
        };
        self.append(&text);
        Ok(())
    }

    /// What the scene has one of.
    pub(crate) fn set(&mut self, slot: Slot, text: &str) -> Done {
        match slot {
            Slot::Season | Slot::Time | Slot::Weather => self.set_when(slot, text),
            Slot::Background => self.set_background(text),
            Slot::Light => self.set_light(text),
            Slot::Medium => self.set_medium(text),
        }
    }

    pub(crate) fn set_when(&mut self, slot: Slot, text: &str) -> Done {
        let s = self.scene;
        let kind = match slot {
            Slot::Season => "season",
            Slot::Time => "time",
            _ => "weather",
        };
        let said = Scene::of(text);
        // `it is snowing`
        let noun = said
            .low
            .last()
            .and_then(|w| lexicon().noun_form(w))
            .filter(|_| said.low.len() == 1 && text.ends_with("ing"));
        if let Some(noun) = noun.filter(|noun| *noun != text && lexicon().noun(noun).contains(&kind)) {
            // `a cloudy sky` is a rainy one then.
            let said = (0..s.low.len())
                .find(|&i| s.tags[i] == Tag::Adj && lexicon().adjective(s.low(i)).contains(&kind))
                .zip(lexicon().adjective_form(noun));
            if let Some((i, form)) = said {
                return self.replace_word(i, form);
            }
            return self.set_when(slot, noun);
        }
        let Some(new) = said.things.first() else { return Err(No) };
        let head = said.low(new.head).to_owned();
        // `golden hour`, `calm weather`: the time or weather that is there gives way as a whole.
        let weather = slot == Slot::Weather && head == "weather";
        if new.start == 0
            && new.start < new.head
            && said.low.len() == new.head + 1
            && !is_determiner(said.low(0))
            && (weather || said.kinds(0).contains(&kind))
        {
            let name = said.words(new.name..new.head + 1);
            let usual = lexicon().joined(&name).or(lexicon().joined(&head));
            let tie = if weather { "in" } else { usual.ok_or(No)? };
            let to = format!("{tie} {text}");
            let Some(t) = (0..s.things.len()).find(|&t| s.is_kind(t, &[kind])) else {
                self.append(&to);
                return Ok(());
            };
            let thing = &s.things[t];
            let from = (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().ok_or(No)?;
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
            self.op(from..thing.head + 1, to);
            return Ok(());
        }
        if !said.kinds(0).contains(&kind) || new.name != new.head {
            return Err(No);
        }
        // `a foggy day`: the day that is there is so, or the time gives way to it.
        let how: Vec<String> =
            (new.start..new.head).filter(|&i| said.tags[i] == Tag::Adj).map(|i| said.low(i).to_owned()).collect();
        if !how.is_empty() && matches!(said.low(0), "a" | "an") && said.low.len() == new.head + 1 {
            let Some(t) = (0..s.things.len()).find(|&t| s.is_kind(t, &[kind])) else {
                if head != "day" {
                    return Err(No);
                }
                self.append(&format!("on {text}"));
                return Ok(());
            };
            let thing = s.things[t].clone();
            if s.low(thing.head) == head && thing.start < thing.head {
                return self.property(t, &how);
            }
            let from = (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().ok_or(No)?;
            let to = format!("on {text}");
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
            self.op(from..thing.head + 1, to);
            return Ok(());
        }
        let bare = new.start == new.head || is_article(said.low(new.start)) && new.start + 1 == new.head;
        if let Some(form) = lexicon().adjective_form(&head).filter(|form| bare && s.low.iter().any(|w| w == form)) {
            self.idle.push(format!("it is `{form}` already"));
            return Ok(());
        }
        let old = (0..s.things.len()).find(|&t| s.is_kind(t, &[kind]));
        if let Some(t) = old {
            let thing = s.things[t].clone();
            // `in spring` -> `in autumn`; `at night` -> `in the morning`
            let (o, n) = (lexicon().joined(s.low(thing.head)), lexicon().joined(&head));
            let from = (thing.tie..thing.start)
                .rev()
                .take_while(|&i| matches!(s.low(i), "in" | "at" | "on" | "during" | "by"))
                .last();
            if bare && o == n || (bare && from.is_none() && thing.tie < thing.start) {
                self.changes.push(Change::Swap { from: self.text(thing.head..thing.head + 1), to: head.clone() });
                self.op(thing.head..thing.head + 1, head);
                return Ok(());
            }
            if let (Some(from), true, Some(n)) = (from, bare, n) {
                let to = format!("{n} {head}");
                self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
                self.op(from..thing.head + 1, to);
                return Ok(());
            }
            return Err(No);
        }
        // `a spring meadow`
        if let Some(i) =
            (0..s.low.len()).find(|&i| s.tags[i] != Tag::Verb && lexicon().noun(s.low(i)).contains(&kind) && bare)
        {
            self.changes.push(Change::Swap { from: self.text(i..i + 1), to: head.clone() });
            self.op(i..i + 1, head);
            return Ok(());
        }
        if let (true, Some(n)) = (bare, lexicon().joined(&head)) {
            let n = if slot == Slot::Weather && n == "in" && lexicon().takes_the(&head) { "in the" } else { n };
            self.append(&format!("{n} {head}"));
            return Ok(());
        }
        Err(No)
    }

    pub(crate) fn set_background(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let Some(new) = said.things.first() else {
            // `make the background blue`
            let t = (0..s.things.len()).find(|&t| matches!(s.low(s.things[t].head), "background" | "backdrop"));
            let words: Vec<String> = said.low;
            return match t {
                Some(t) => self.property(t, &words),
                None => Err(No),
            };
        };
        if new.start > 0 && (0..new.start).any(|i| said.tags[i] != Tag::Prep) {
            return Err(No);
        }
        let noun = words_of(text, new.start..said.low.len());
        let head = said.low(new.head);
        let colour = lexicon().adjective(head).contains(&"colour") && new.name == new.head;
        let article = is_determiner(said.low(new.start))
            || lexicon().goes_bare(head)
            || colour
            || text.chars().next().is_some_and(char::is_uppercase);
        let np = if article || lexicon().takes_the(head) { noun.clone() } else { format!("a {noun}") };
        let np = crate::draft::agreed(&np).unwrap_or(np);
        let tie = if new.start > 0 { words_of(text, 0..new.start) } else { usual_tie(head) };
        let ground = (0..s.things.len()).find(|&t| matches!(s.low(s.things[t].head), "background" | "backdrop"));
        if let Some(t) = ground {
            let thing = s.things[t].clone();
            if colour {
                let words: Vec<String> = said.low.clone();
                return self.property(t, &words);
            }
            // `with hills in the background`: what is there gives way.
            let before = t
                .checked_sub(1)
                .filter(|&p| s.things[t].tie == s.things[p].head + 1 && matches!(s.low(s.things[t].tie), "in"));
            if let Some(p) = before {
                let other = s.things[p].clone();
                self.changes.push(Change::Swap { from: self.text(other.start..other.head + 1), to: np.clone() });
                self.op(other.start..other.head + 1, np);
                return Ok(());
            }
            let from =
                (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().unwrap_or(thing.start);
            let to = format!("{tie} {np}");
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: to.clone() });
            self.op(from..thing.head + 1, to);
            return Ok(());
        }
        // The place that the picture's thing is in.
        let subject = s.subject();
        let places = (0..s.things.len()).rev().filter(|&t| {
            let thing = &s.things[t];
            let tie: Vec<&str> = (thing.tie..thing.start).map(|i| s.low(i)).collect();
            Some(t) != subject
                && (!s.is_slot(t) || s.low(thing.head) == "snow")
                && !s.is_own(t)
                && !s.is_alive(t)
                && tie.last().is_some_and(|w| {
                    matches!(
                        *w,
                        "in" | "on"
                            | "at"
                            | "near"
                            | "by"
                            | "across"
                            | "through"
                            | "inside"
                            | "along"
                            | "down"
                            | "up"
                            | "over"
                            | "past"
                            | "against"
                            | "of"
                    )
                })
                && (s.is_kind(t, &["place", "middle", "flank", "building", "indoor"])
                    || matches!(tie.last(), Some(&("in" | "at" | "through" | "inside")))
                        && lexicon().noun(s.low(thing.head)).is_empty())
                && tie.last() != Some(&"of")
                || tie.ends_with(&["front", "of"]) && Some(t) != subject && !s.is_alive(t) && !s.is_own(t)
                || Some(t) != subject && tie.last() == Some(&"under") && !s.is_slot(t) && !s.is_kind(t, &["sky"])
        });
        // What has the same preposition gives way first.
        let same = |t: &usize| s.low(s.things[*t].start.wrapping_sub(1)) == tie && !s.is_kind(*t, &["thing"]);
        let all: Vec<usize> = places.collect();
        let place = all.iter().copied().find(same).or_else(|| all.first().copied());
        if colour {
            self.append(&format!("on a {noun} background"));
            return Ok(());
        }
        let Some(t) = place.filter(|_| !said.low.contains(&"background".to_owned())) else {
            self.append(&format!("{tie} {np}"));
            return Ok(());
        };
        let thing = s.things[t].clone();
        let from = (thing.tie..thing.start).rev().take_while(|&i| s.tag(i) == Tag::Prep).last().unwrap_or(thing.start);
        let end = self.cut_end(t);
        let old_tie = self.text(from..thing.start);
        let keep = lexicon().joined(head).is_none()
            && matches!(old_tie.as_str(), "in" | "at" | "through" | "near" | "in front of" | "behind" | "against");
        let tie = if keep && new.start == 0 { old_tie } else { tie };
        let to = format!("{tie} {np}");
        let was = self.text(from..end);
        let (gone, come) = crate::desk::without_shared(&was, &to);
        self.changes.push(Change::Swap { from: gone.to_owned(), to: come.to_owned() });
        self.op(from..end, to);
        Ok(())
    }

    pub(crate) fn set_light(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let lights = |t: &usize| {
            let low = s.low(s.things[*t].head);
            frames().is("light", low) || frames().is("lighting", low)
        };
        let old = (0..s.things.len()).find(lights);
        let adjective = said.things.is_empty()
            || (said.things.len() == 1
                && said.things[0].start == said.things[0].head
                && !frames().is("light", said.low(said.things[0].head))
                && lexicon().noun(said.low(said.things[0].head)).is_empty());
        match old {
            Some(t) if adjective => {
                let thing = s.things[t].clone();
                let from = thing.start + usize::from(is_determiner(s.low(thing.start)) && thing.start < thing.head);
                let to = thing.head;
                self.changes.push(if from == to {
                    Change::Add { text: text.to_owned() }
                } else {
                    Change::Swap { from: self.text(from..to), to: text.to_owned() }
                });
                self.op(from..to, text);
                Ok(())
            }
            Some(t) => {
                let thing = s.things[t].clone();
                self.changes.push(Change::Swap { from: self.text(thing.start..thing.head + 1), to: text.to_owned() });
                self.op(thing.start..thing.head + 1, text);
                Ok(())
            }
            None if adjective => {
                if said.low.iter().any(|w| matches!(w.as_str(), "more" | "less") || lexicon().comparative(w).is_some())
                {
                    let w: Vec<&str> = said.low.iter().map(String::as_str).filter(|w| !matches!(*w, "more")).collect();
                    if said.low.contains(&"less".to_owned()) || w.is_empty() {
                        return Err(No);
                    }
                    let base = w
                        .iter()
                        .map(|w| lexicon().comparative(w).unwrap_or_else(|| (*w).to_owned()))
                        .collect::<Vec<_>>()
                        .join(" ");
                    self.append(&format!("in {base} light"));
                    return Ok(());
                }
                self.append(&format!("in {text} light"));
                Ok(())
            }
            None => {
                let low = said.low(0);
                let tie = if is_preposition(low) || is_ed(low) {
                    String::new()
                } else if matches!(
                    said.low(said.low.len() - 1),
                    "light" | "lighting" | "sunlight" | "moonlight" | "candlelight" | "glow"
                ) {
                    "in ".to_owned()
                } else {
                    "lit by ".to_owned()
                };
                let text = text.strip_prefix("a ").filter(|t| t.ends_with("light")).unwrap_or(text);
                self.append(&format!("{tie}{text}"));
                Ok(())
            }
        }
    }

    pub(crate) fn set_medium(&mut self, text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let low: Vec<&str> = said.low.iter().map(String::as_str).collect();
        // `colorize it`: what was black and white.
        if matches!(low.as_slice(), ["colorize" | "colourize" | "colorise" | "colourise"]) {
            let grey = |i: &usize| {
                matches!(s.low(*i), "black-and-white" | "monochrome" | "sepia" | "grayscale" | "greyscale" | "b&w")
                    || s.low(*i) == "black" && s.low(i + 1) == "and" && s.low(i + 2) == "white"
            };
            let i = (0..s.low.len()).find(grey).ok_or(No)?;
            let range = i..i + if s.low(i) == "black" { 3 } else { 1 };
            let up = self.written[i].chars().next().is_some_and(char::is_uppercase);
            let to = if low[0].contains("colour") { "colour" } else { "color" };
            let to = if up { capital(to) } else { to.to_owned() };
            self.changes.push(Change::Swap { from: self.text(range.clone()), to: to.clone() });
            self.op(range, to);
            return Ok(());
        }
        let styled = low.iter().any(|w| frames().is("style", w));
        if styled {
            let text = text.trim();
            let old = s.low.iter().rposition(|w| frames().is("style", w)).and_then(|i| s.thing_at(i));
            let old = old.filter(|&t| t > 0 && matches!(s.low(s.things[t].tie), "in" | "with" | ","));
            // `…, watercolor` in comic style
            if let Some(t) = self.medium_tag().filter(|_| old.is_none()) {
                let range = s.things[t].start..s.things[t].head + 1;
                let bare = text.trim().strip_prefix("in ").unwrap_or(text.trim()).to_owned();
                self.changes.push(Change::Swap { from: self.text(range.clone()), to: bare.clone() });
                self.op(range, bare);
                return Ok(());
            }
            let phrase = match low.as_slice() {
                ["in", ..] => text.to_owned(),
                ["the" | "a" | "an", ..] => format!("in {text}"),
                [.., "vibe" | "vibes"] => format!("with {text}"),
                _ if low.contains(&"of") => format!("in the {text}"),
                _ => format!("in {text}"),
            };
            if let Some(t) = old {
                let end = s.end(t).max(s.things[t].head + 1);
                let from = s.things[t].tie;
                self.changes.push(Change::Swap { from: self.text(from..end), to: phrase.clone() });
                self.op(from..end, phrase);
                return Ok(());
            }
            self.append(&phrase);
            return Ok(());
        }
        // `like Monet would`
        if text.chars().next().is_some_and(char::is_uppercase)
            && low.len() < 4
            && !low.iter().any(|w| frames().is("medium", w))
            && !s.low.iter().any(|w| frames().is("style", w))
        {
            self.append(&format!("in the style of {text}"));
            return Ok(());
        }
        // `Hokusai` for what stands in the style of another.
        if let Some(i) = (0..s.low.len()).find(|&i| s.low(i) == "style" && s.low(i + 1) == "of" && i + 2 < s.low.len())
            && !frames().is("medium", low.last().copied().unwrap_or(""))
        {
            let end = (i + 2..s.low.len()).find(|&k| matches!(s.tag(k), Tag::Comma | Tag::Stop)).unwrap_or(s.low.len());
            self.changes.push(Change::Swap { from: self.text(i + 2..end), to: text.to_owned() });
            self.op(i + 2..end, text);
            return Ok(());
        }
        let toned = matches!(
            low.last(),
            Some(
                &("tones"
                    | "tone"
                    | "sepia"
                    | "monochrome"
                    | "grayscale"
                    | "greyscale"
                    | "b&w"
                    | "white"
                    | "black-and-white")
            )
        );
        if toned && s.things.first().is_some_and(|_| s.is_medium(0)) {
            let at = s.things[0].head
                - usize::from(s.things[0].head > 0 && matches!(s.low(s.things[0].head - 1), "color" | "colour"));
            let bare = text.strip_prefix("in ").unwrap_or(text);
            let tones = low.last().is_some_and(|w| w.starts_with("tone"));
            if !tones {
                let mut at = at;
                let old = s.adjectives(0).into_iter().find(|&i| lexicon().adjective(s.low(i)).contains(&"colour"));
                let end = s.things[0].head;
                at = old.filter(|_| at == end).unwrap_or(at);
                let to = if at < end { end } else { at };
                let range = if at == end { s.things[0].name..s.things[0].name } else { at..to };
                self.changes.push(if range.is_empty() {
                    Change::Add { text: bare.to_owned() }
                } else {
                    Change::Swap { from: self.text(range.clone()), to: bare.to_owned() }
                });
                self.op(range, bare);
                return Ok(());
            }
        }
        if toned {
            let bare = text.strip_prefix("in ").unwrap_or(text);
            self.append(if low.last().is_some_and(|w| w.starts_with("tone")) { text } else { bare });
            if let Some(Op { text, .. }) = self.ops.last_mut().filter(|o| !o.text.starts_with(',')) {
                *text = format!(", {text}");
            }
            return Ok(());
        }
        if said.things.is_empty() && frames().is("medium", text) {
            self.append(text);
            return Ok(());
        }
        let Some(new) = said.things.first() else { return Err(No) };
        // `stained glass`
        let stained = (0..new.start).all(|i| matches!(said.tags[i], Tag::Adj | Tag::Ed));
        if new.start > 0 && !matches!(said.low(0), "in" | "as") && !stained {
            return Err(No);
        }
        let np = words_of(text, if stained { 0 } else { new.start }..said.low.len());
        // `a photo of …` becomes one of another medium.
        if let Some(t) = (0..s.things.len()).find(|&t| {
            s.is_medium(t)
                && !matches!(s.low(s.things[t].head), "view" | "scene" | "close-up" | "portrait" | "headshot")
        }) {
            let thing = s.things[t].clone();
            let plain = is_determiner(said.low(new.start)) || thing.start == thing.head;
            let core = if plain && is_determiner(said.low(new.start)) {
                words_of(text, new.start + 1..said.low.len())
            } else {
                np.clone()
            };
            let from = thing.start + usize::from(is_determiner(s.low(thing.start)) && thing.start < thing.head);
            self.changes.push(Change::Swap { from: self.text(from..thing.head + 1), to: core.clone() });
            self.op(from..thing.head + 1, core);
            return Ok(());
        }
        // `…, oil painting`
        if let Some(t) = self.medium_tag() {
            let thing = s.things[t].clone();
            let bare = !is_determiner(s.low(thing.start));
            let np = if bare && is_determiner(said.low(new.start)) {
                words_of(text, new.start + 1..said.low.len())
            } else {
                np
            };
            self.changes.push(Change::Swap { from: self.text(thing.start..thing.head + 1), to: np.clone() });
            self.op(thing.start..thing.head + 1, np);
            return Ok(());
        }
        self.front(&np);
        Ok(())
    }

    /// The medium that stands at the end: `…, oil painting`.
    fn medium_tag(&self) -> Option<usize> {
        let s = self.scene;
        s.things.len().checked_sub(1).filter(|&t| {
            let thing = &s.things[t];
            let name = s.words(thing.name..thing.head + 1);
            let medium = frames().is("medium", s.low(thing.head)) || frames().is("medium", &name);
            t > 0 && medium && s.low(thing.tie) == ","
        })
    }

    /// The whole prompt is what a picture of that medium shows: `a charcoal drawing of a cat`.
    fn front(&mut self, np: &str) {
        let s = self.scene;
        let said = Scene::of(np);
        let low: Vec<&str> = said.low.iter().map(String::as_str).collect();
        let last = low.last().copied().unwrap_or("");
        let first = low.first().copied().unwrap_or("");
        let with = if frames().is("draws", last) {
            " drawing"
        } else if frames().is("paints", last) && !frames().is("one of", last) {
            " painting"
        } else {
            ""
        };
        let np = match last.strip_suffix('s') {
            Some(stem) if !with.is_empty() && frames().is("draws", stem) | frames().is("paints", stem) => {
                np.strip_suffix('s').unwrap_or(np)
            }
            _ => np,
        };
        let countable = !with.is_empty() || is_determiner(first) || frames().is("one of", last);
        if !countable {
            self.append(np);
            return;
        }
        let np = if is_determiner(first) { format!("{np}{with}") } else { format!("a {np}{with}") };
        let np = crate::draft::agreed(&np).unwrap_or(np);
        // Its verbs become what is seen: `two dogs playing`, `a group sitting`.
        let verbs: Vec<usize> = (0..s.low.len()).filter(|&i| matches!(s.tag(i), Tag::Be | Tag::Verb)).collect();
        let stops = (0..self.end()).any(|i| matches!(s.tag(i), Tag::Stop | Tag::Mark));
        let opens = s.things.first().is_some_and(|t| t.start == 0) && !s.is_medium(0);
        let clause = match verbs.as_slice() {
            [] => Some(None),
            [v] if s.tag(*v) == Tag::Be && matches!(s.tag(v + 1), Tag::Ing | Tag::Ed) => {
                Some(Some((*v, String::new())))
            }
            [v] if s.tag(*v) == Tag::Verb && !frames().is_past(s.low(*v)) => {
                let base = frames().finite(s.low(*v)).unwrap_or_else(|| s.low(*v).to_owned());
                Some(Some((*v, if base == "have" { "with".to_owned() } else { frames().ing(&base) })))
            }
            _ => None,
        };
        let Some(clause) = clause.filter(|_| !stops && opens && !said.low.iter().any(|w| w == "of")) else {
            self.append(&np);
            return;
        };
        if let Some((v, text)) = clause {
            self.op(v..v + 1, text);
        }
        self.changes.push(Change::Add { text: np.clone() });
        self.op(0..0, format!("{np} of"));
        self.fronted = true;
    }
}
