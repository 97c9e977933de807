//! How a thing is, and what it does.

use super::*;

impl<'s> Work<'s> {
    /// Adjectives of a thing: each takes the place of one of its kind, or goes before the noun.
    pub(crate) fn property(&mut self, t: usize, words: &[String]) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let low: Vec<&str> = words.iter().map(String::as_str).collect();
        // `with its wings folded`: how a part is held stands after it.
        let held = |w: &str| is_ed(w) || lexicon().adjective(w).contains(&"openness") || matches!(w, "spread" | "wide");
        if let [word] = low.as_slice()
            && s.is_kind(t, &["body"])
            && held(word)
            && held(s.low(thing.head + 1))
            && s.low(thing.tie) == "with"
        {
            return self.replace_word(thing.head + 1, word);
        }
        // `made of glass`, `out of wood`
        let made = match low.as_slice() {
            ["made", "of" | "from" | "out", rest @ ..]
            | ["out", "of", rest @ ..]
            | ["of", rest @ ..]
            | ["from", rest @ ..]
            | ["built" | "constructed", "of" | "from", rest @ ..] => Some(rest),
            _ => None,
        };
        if let Some(rest) = made {
            let rest: Vec<&str> = rest.iter().copied().filter(|w| *w != "of" && !is_determiner(w)).collect();
            let Some(material) = rest.last() else { return Err(No) };
            let one = crate::frames::singular(material);
            let material = if lexicon().adjective(&one).contains(&"material") { &one.as_str() } else { material };
            let form = lexicon().adjective_form(material).filter(|f| lexicon().adjective(f).contains(&"material"));
            if rest.len() > 2 {
                return Err(No);
            }
            let mut new: Vec<String> = rest.iter().map(|w| (*w).to_owned()).collect();
            if let Some(last) = new.last_mut() {
                *last = (*material).to_owned();
            }
            if let (Some(form), [last]) = (form, new.as_mut_slice()) {
                *last = form.to_owned();
            }
            let old = (thing.start..thing.head)
                .find(|&i| is_material(s.low(i)) || lexicon().adjective(s.low(i)).contains(&"material"));
            self.unmake(t);
            return self.put_adjective(t, old, &new.join(" "));
        }
        // Groups: an adverb or shade with its adjective.
        let mut groups: Vec<Vec<&str>> = Vec::new();
        let mut open = false;
        let colour = |w: &str| lexicon().adjective(w).contains(&"colour");
        for (i, w) in low.iter().enumerate() {
            // `mint green`, `wrought iron`: what stands before a colour or a material is its shade.
            let next = low.get(i + 1).copied().unwrap_or("");
            let shaded = colour(next) || is_material(next);
            let shade = shaded
                && (lexicon().adjective(w).is_empty()
                    || matches!(*w, "plain" | "matte" | "glossy" | "mint" | "stained" | "wrought")
                    || colour(w) && !is_material(next)
                    || lexicon().adjective(w) == ["material"] && colour(next));
            if shade
                && !matches!(*w, "and" | "," | "but" | "both" | "in")
                && w.chars().any(char::is_alphanumeric)
                && !open
            {
                groups.push(vec![w]);
                open = true;
                continue;
            }
            // `black and white` is one quality.
            if *w == "and"
                && i > 0
                && low.get(i + 1).is_some_and(|n| colour(n))
                && colour(low[i - 1])
                && let Some(last) = groups.last_mut()
            {
                last.push(w);
                open = true;
                continue;
            }
            if matches!(*w, "and" | "," | "but" | "both" | "in" | "colour" | "color")
                || !w.chars().any(char::is_alphanumeric)
            {
                open = false;
                continue;
            }
            if open && let Some(last) = groups.last_mut() {
                last.push(w);
            } else {
                groups.push(vec![w]);
            }
            open = crate::scene::is_adverb(w)
                || (matches!(
                    *w,
                    "deep"
                        | "dark"
                        | "light"
                        | "bright"
                        | "pale"
                        | "pastel"
                        | "neon"
                        | "hot"
                        | "navy"
                        | "royal"
                        | "baby"
                        | "forest"
                        | "midnight"
                        | "sky"
                        | "emerald"
                        | "lime"
                        | "mint"
                        | "rose"
                ));
        }
        let shade = |g: &Vec<&str>| g.len() > 1;
        if groups.is_empty()
            || groups.iter().any(|g| {
                g.iter().any(|w| {
                    is_preposition(w)
                        || is_article(w)
                        || lexicon().comparative(w).is_some()
                        || matches!(*w, "more" | "less" | "not" | "no" | "too")
                })
            })
        {
            return Err(No);
        }
        if groups.len() > 3 || groups.iter().any(|g| g.len() > 3) {
            return Err(No);
        }
        let mut used: Vec<usize> = Vec::new();
        // Put in by the usual order, told of in the order they were said.
        let said = self.changes.len();
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&i| rank(groups[i][groups[i].len() - 1]));
        let mut told: Vec<(usize, Change)> = Vec::new();
        for (n, g) in order.iter().map(|&i| (i, &groups[i])) {
            let last = g[g.len() - 1];
            let mut kinds = lexicon().adjective(last).to_vec();
            if kinds.is_empty() && lexicon().adjective_form(last).is_some() && g.len() == 1 {
                return Err(No);
            }
            kinds.retain(|k| *k != "other");
            kinds.extend(self.kind.filter(|k| !kinds.contains(k)));
            if shade(g) && kinds.is_empty() {
                kinds.push("colour");
            }
            if s.is_kind(t, &["hair", "beard"]) && kinds.contains(&"colour") {
                kinds.push("tone");
            }
            if kinds.contains(&"material") {
                self.unmake(t);
            }
            let text = g.join(" ");
            if frames().is("after", &text) && s.tag(thing.head + 1) != Tag::Be {
                let at = self.after(t);
                self.changes.push(Change::Add { text: text.clone() });
                self.op(at..at, text);
                told.extend(self.changes.drain(said..).map(|c| (n, c)));
                continue;
            }
            if s.adjectives(t).iter().any(|&i| lexicon().same(s.low(i), &text)) {
                self.idle.push(format!("it is `{text}` already"));
                continue;
            }
            // A stormy sky is no clear blue one.
            let sky = matches!(s.low(thing.head), "sky" | "skies") && kinds.contains(&"weather");
            let gives_way = |i: usize| {
                lexicon().adjective(s.low(i)).iter().any(|k| matches!(*k, "weather" | "colour" | "mood"))
                    && !lexicon().same(s.low(i), last)
            };
            let shares = |i: usize| lexicon().adjective(s.low(i)).iter().any(|k| kinds.contains(k));
            if sky {
                let all: Vec<usize> = s.adjectives(t).into_iter().filter(|&i| gives_way(i) && !shares(i)).collect();
                let joined = all.iter().any(|&i| matches!(s.low(i + 1), "and" | ","));
                let one = s.adjectives(t).into_iter().any(shares);
                for i in all.into_iter().skip(usize::from(!one)).filter(|_| !joined) {
                    if !used.contains(&i) {
                        self.changes.push(Change::Remove { text: self.text(i..i + 1) });
                        self.op(i..i + 1, "");
                        used.push(i);
                    }
                }
            }
            let old = s.adjectives(t).into_iter().find(|&i| {
                let name = i > 0 && self.written[i].chars().next().is_some_and(char::is_uppercase);
                !used.contains(&i)
                    && !name
                    && s.tags[i] != Tag::Adv
                    && (lexicon().adjective(s.low(i)).iter().any(|k| kinds.contains(k))
                        || (kinds.contains(&"material") && is_material(s.low(i)))
                        || sky && gives_way(i))
            });
            // `a clay court` of grass: one noun before the other gives way to the next.
            let before = thing.head.checked_sub(1).filter(|i| *i >= thing.start && g.len() == 1);
            let noun = |i: &usize| {
                let w = s.low(*i);
                let compound = lexicon().compound_ending(&[w, s.low(thing.head)]) > 1;
                let new = kinds.is_empty() && !lexicon().noun(last).is_empty();
                w != last
                    && (new || is_material(last))
                    && (is_material(w) || s.tags[*i] == Tag::Noun && lexicon().adjective(w).is_empty() && !compound)
            };
            // `a tiled roof`, thatched
            let done = |i: &usize| {
                let unlisted = |w: &str| is_ed(w) && lexicon().adjective(w).is_empty();
                unlisted(s.low(*i)) && unlisted(last)
            };
            let old = old.or_else(|| before.filter(noun)).or_else(|| before.filter(done));
            if let Some(i) = old {
                used.push(i);
            }
            // `a baby crying` laughs.
            let now = self.after(t);
            if kinds.contains(&"mood")
                && s.tag(now) == Tag::Ing
                && lexicon().adjective(s.low(now)).contains(&"mood")
                && is_ing(last)
            {
                self.replace_word(now, &text)?;
                told.extend(self.changes.drain(said..).map(|c| (n, c)));
                continue;
            }
            // `a boy with a sad face` is happy in his face.
            let mood = kinds.contains(&"mood") && old.is_none();
            let elsewhere = (0..s.things.len()).filter(|_| mood).find_map(|u| {
                let own = (s.is_kind(u, &["body"]) || s.low(s.things[u].head) == "expression") && s.hangs_on(u, t);
                let same = |i: &usize| lexicon().adjective(s.low(*i)).contains(&"mood");
                s.adjectives(u).into_iter().find(same).filter(|_| own).map(|i| (u, i))
            });
            if let Some((u, i)) = elsewhere {
                self.put_adjective(u, Some(i), &text)?;
                told.extend(self.changes.drain(said..).map(|c| (n, c)));
                continue;
            }
            // `the sky is blue`
            if old.is_none()
                && s.tag(now) == Tag::Be
                && s.tag(now + 1) == Tag::Adj
                && lexicon().adjective(s.low(now + 1)).iter().any(|k| kinds.contains(k))
            {
                let i = now + 1;
                self.changes.push(Change::Swap { from: self.text(i..i + 1), to: text.clone() });
                self.op(i..i + 1, text);
            } else {
                self.put_adjective(t, old, &text)?;
            }
            told.extend(self.changes.drain(said..).map(|c| (n, c)));
        }
        told.sort_by_key(|(n, _)| *n);
        self.changes.extend(told.into_iter().map(|(_, c)| c));
        Ok(())
    }

    pub(crate) fn put_adjective(&mut self, t: usize, old: Option<usize>, text: &str) -> Done {
        match old {
            Some(i) => {
                // `deep red` gives way as one.
                let mut from = i;
                while from > self.scene.things[t].start
                    && (self.scene.tags[from - 1] == Tag::Adv
                        || (matches!(self.scene.low(from - 1), "deep" | "dark" | "light" | "bright" | "pale")
                            && lexicon().adjective(self.scene.low(i)).contains(&"colour")))
                {
                    from -= 1;
                }
                // `red and white` give way together.
                let mut to = i + 1;
                while matches!(self.scene.low(to), "and" | ",")
                    && to + 1 < self.scene.things[t].name
                    && lexicon().adjective(self.scene.low(to + 1)).contains(&"colour")
                    && lexicon().adjective(self.scene.low(i)).contains(&"colour")
                {
                    to += 2;
                }
                self.changes.push(Change::Swap { from: self.text(from..to), to: text.to_owned() });
                self.op(from..to, text);
            }
            None => {
                let at = self.place_of_adjective(t, text);
                self.changes.push(Change::Add { text: text.to_owned() });
                self.op(at..at, text);
            }
        }
        Ok(())
    }

    /// Where an adjective goes before its noun, by the usual order: size, age, texture, colour, material.
    pub(crate) fn place_of_adjective(&self, t: usize, text: &str) -> usize {
        let s = self.scene;
        let thing = &s.things[t];
        let last = text.rsplit(' ').next().unwrap_or(text);
        let mine = if lexicon().is_adjective(last) { rank(last) } else { 7 };
        let mut at = thing.name;
        while at > thing.start && lexicon().is_adjective(s.low(at - 1)) && rank(s.low(at - 1)) > mine {
            at -= 1;
            if at > thing.start + 1 && s.low(at - 1) == "and" {
                at -= 1;
            }
        }
        at
    }

    /// `made of steel` goes where it is to be of something else.
    fn unmake(&mut self, t: usize) {
        let s = self.scene;
        let at = self.after(t);
        if s.low(at) == "made" && matches!(s.low(at + 1), "of" | "from" | "out") && at + 2 < s.low.len() {
            let end = (at + 2..s.low.len()).find(|&i| !matches!(s.tag(i), Tag::Adj | Tag::Noun | Tag::Prep | Tag::Det));
            let next = (at + 2..s.low.len()).find(|&i| s.tag(i) == Tag::Prep && s.low(i) != "of");
            let end = next.or(end).unwrap_or(s.low.len());
            self.op(at..end, "");
        }
    }

    /// Words that stand for no thing go: `crying`.
    pub(crate) fn take_out(&mut self, range: Range<usize>) -> Done {
        let from = range.start - usize::from(range.start > 0 && self.scene.tag(range.start - 1) == Tag::Be);
        self.changes.push(Change::Remove { text: self.text(from..range.end) });
        self.op(from..range.end, "");
        Ok(())
    }

    /// A thing is left in a state: `peeled`, or `tidy` by a verb that is its adjective.
    pub(crate) fn state(&mut self, t: usize, verb: &str) -> Done {
        let stale = self
            .scene
            .adjectives(t)
            .into_iter()
            .find(|&i| is_ed(self.scene.low(i)) && lexicon().adjective(self.scene.low(i)).is_empty());
        if let (Some(i), true) = (stale, frames().is("state", verb)) {
            return self.replace_word(i, &frames().done(verb));
        }
        let word = if let Some(becomes) = lexicon().becoming(verb) {
            becomes.to_owned()
        } else if lexicon().is_adjective(verb) && !frames().is("state", verb) {
            verb.to_owned()
        } else {
            frames().done(verb)
        };
        self.property(t, &[word])
    }

    /// A part of a thing that the prompt does not name: `with white fur`, `in a blue dress`.
    pub(crate) fn part(&mut self, t: usize, part: &str, quality: &str) -> Done {
        let kinds = lexicon().noun(part.rsplit(' ').next().unwrap_or(part));
        let bare = lexicon().goes_bare(part)
            || is_plural(part)
            || matches!(part, "fur" | "skin" | "wool" | "plumage" | "clothing");
        let np = if bare { format!("{quality} {part}") } else { format!("a {quality} {part}") };
        let np = crate::draft::agreed(&np).unwrap_or(np);
        self.give(t, &np, if kinds.contains(&"clothing") { "in" } else { "with" })
    }

    /// One word of a thing for another: `marble` for `granite`.
    pub(crate) fn replace_word(&mut self, at: usize, text: &str) -> Done {
        self.changes.push(Change::Swap { from: self.text(at..at + 1), to: text.to_owned() });
        self.op(at..at + 1, text);
        Ok(())
    }

    /// Words for others.
    pub(crate) fn swap_words(&mut self, range: Range<usize>, text: &str) -> Done {
        let from = self.text(range.clone());
        // Of iron, of wood: iron balconies, wooden ones.
        let form = lexicon().adjective_form(text).filter(|f| lexicon().adjective(f).contains(&"material"));
        let text = form.filter(|_| range.len() == 1 && self.scene.tag(range.start) != Tag::Prep).unwrap_or(text);
        if from.to_lowercase() == text.to_lowercase() {
            self.idle.push(format!("it is `{from}` already"));
            return Ok(());
        }
        self.changes.push(Change::Swap { from, to: text.to_owned() });
        self.op(range, text);
        Ok(())
    }

    /// What is done to a thing is said after it.
    pub(crate) fn cover(&mut self, t: Option<usize>, done: &str, with: &str) -> Done {
        let with =
            with.strip_prefix("with ").filter(|_| done == "surrounded").map_or(with.to_owned(), |w| format!("by {w}"));
        let text = format!("{done} {with}");
        let Some(t) = t else {
            self.append(&text);
            return Ok(());
        };
        let at = self.after(t);
        // What is paved is no longer of gravel.
        if matches!(done, "paved" | "tiled" | "carpeted" | "upholstered" | "plated") {
            let s = self.scene;
            let thing = &s.things[t];
            let made = (thing.start..thing.head).find(|&i| {
                is_material(s.low(i))
                    || lexicon().adjective(s.low(i)).contains(&"material")
                    || matches!(s.low(i), "gravel" | "dirt" | "cobblestone" | "asphalt")
            });
            if let Some(i) = made {
                self.changes.push(Change::Remove { text: self.text(i..i + 1) });
                self.op(i..i + 1, "");
            }
        }
        // Its participle of the same verb gives way.
        if self.scene.low(at) == done {
            let end = self.scene.things.iter().find(|u| u.start > at).map_or(at + 1, |u| u.head + 1);
            self.changes.push(Change::Swap { from: self.text(at..end), to: text.clone() });
            self.op(at..end, text);
            return Ok(());
        }
        self.changes.push(Change::Add { text: text.clone() });
        self.op(at..at, text);
        Ok(())
    }

    /// True if what a thing does is done to another: `flying a kite`, not `sitting on a bench`.
    pub(crate) fn has_object(&self, t: usize) -> bool {
        let s = self.scene;
        let mut at = self.after(t);
        while s.tag(at) == Tag::Be || s.tag(at) == Tag::Adv {
            at += 1;
        }
        matches!(s.tag(at), Tag::Ing | Tag::Verb) && s.things.iter().any(|u| u.start == at + 1)
    }

    /// A thing does something: in the place of what it does, or said after it.
    pub(crate) fn act(&mut self, t: usize, words: &[&str], text: &str) -> Done {
        let s = self.scene;
        let Some(first) = words.first() else { return Err(No) };
        let base = if is_ing(first) {
            frames().of_ing(first).unwrap_or_else(|| (*first).to_owned())
        } else {
            frames().finite(first).filter(|_| !frames().acts(first)).unwrap_or_else(|| (*first).to_owned())
        };
        let ing = if is_ing(first) { (*first).to_owned() } else { frames().ing(&base) };
        let rest = text.split_once(' ').map_or("", |(_, r)| r);
        let joined = |verb: &str| if rest.is_empty() { verb.to_owned() } else { format!("{verb} {rest}") };
        let after = self.after(t);
        let mut at = after;
        // `a boat with a sail drifting`: what it has stands between.
        let mut held = after;
        while let Some(u) = s
            .things
            .iter()
            .position(|u| u.tie == held && u.start > held && matches!(s.low(held), "with" | "in" | "of" | "wearing"))
        {
            held = s.things[u].head + 1;
        }
        // `with his arms crossed`: another posture takes its place.
        let limbs = s.things.iter().position(|u| u.head + 1 == held && s.low(u.tie) == "with" && u.tie < u.start);
        if let Some(u) = limbs.filter(|&u| s.is_kind(u, &["body"]) && is_ed(s.low(held))) {
            let (range, new) = (s.things[u].tie..held + 1, joined(&ing));
            self.changes.push(Change::Swap { from: self.text(range.clone()), to: new.clone() });
            self.op(range, new);
            return Ok(());
        }
        if matches!(s.tag(held), Tag::Ing | Tag::Ed | Tag::Be | Tag::Verb) {
            at = held;
        }
        let be = s.tag(at) == Tag::Be;
        if be {
            at += 1;
        }
        while s.tag(at) == Tag::Adv {
            at += 1;
        }
        let old = s.tag(at);
        if matches!(old, Tag::Ing | Tag::Ed) || (old == Tag::Verb && !be && !matches!(s.low(at), "has" | "have")) {
            // What it did goes with its object; the place it did it in stays, unless a new one is named.
            let mut end = at + 1;
            while s.tag(end) == Tag::Adv {
                end += 1;
            }
            let object = s.things.iter().find(|u| u.start >= end).filter(|u| u.tie <= at || u.start == end);
            let placed = words.iter().any(|w| matches!(*w, "on" | "in" | "at" | "over" | "under" | "by" | "near"));
            let with = s.low(end) == "with"
                && object.is_some_and(|u| !s.is_own(s.things.iter().position(|x| x.head == u.head).unwrap_or(0)));
            let new = Scene::of(text);
            let spot = |u: &crate::scene::Thing| {
                new.things.iter().any(|g| new.low(g.head) == s.low(u.head)) || words.contains(&s.low(end))
            };
            // What it does already, it does elsewhere: `dance in the street`.
            let was = frames().of_ing(s.low(at)).or_else(|| frames().finite(s.low(at))).unwrap_or_default();
            let elsewhere = object.is_some_and(|u| u.tie < u.start && is_preposition(s.low(u.tie.max(end))));
            let same_place = placed
                && was != base
                && object.is_some_and(|u| {
                    words.len() == u.start + 2 - end + usize::from(u.start < u.head)
                        && words.last() == Some(&s.low(u.head))
                        && words.get(1) == Some(&s.low(end))
                });
            if same_place {
                let verb =
                    if old == Tag::Verb { if self.is_many(t) { base } else { frames().third(&base) } } else { ing };
                return self.replace_word(at, &verb);
            }
            let placed = placed && (object.is_some_and(spot) || was == base && elsewhere);
            let direct = object.is_some_and(|u| u.start == end) || with && !text.starts_with("play");
            if let Some(u) = object.filter(|u| direct || (placed && is_preposition(s.low(end)) && u.start <= end + 3)) {
                let t = s.things.iter().position(|x| x.head == u.head).unwrap_or(0);
                end = self.cut_end(t).max(u.head + 1);
                if direct {
                    end = self.after(t);
                }
                while let Some(u) = s.things.iter().find(|u| u.tie == end && u.tie < u.start)
                    && new.things.iter().skip(1).any(|g| new.low(g.head) == s.low(u.head))
                    && words.contains(&s.low(end))
                {
                    end = u.head + 1;
                }
            }
            let verb = if old == Tag::Verb {
                if self.is_many(t) || frames().acts(s.low(at)) { base } else { frames().third(&base) }
            } else {
                ing
            };
            let mut new = joined(&verb);
            // `above the tree` it was on.
            let again = s.things.iter().find(|u| {
                u.start > at
                    && u.tie <= end
                    && end < u.start
                    && new.ends_with(&format!(" the {}", s.low(u.head)))
                    && s.things.iter().filter(|v| s.low(v.head) == s.low(u.head)).count() == 1
            });
            if let Some(u) = again {
                end = u.head + 1;
                new = format!("{}{}", &new[..new.len() - s.low(u.head).len() - 4], self.text(u.start..end));
                self.changes.push(Change::Swap { from: self.text(at..end), to: new.clone() });
                self.op(at..end, new);
                return Ok(());
            }
            // `the bowl` of a goldfish bowl is called as it was.
            if let Some(u) = object.filter(|u| u.head < end)
                && let Some(before) = new.strip_suffix(&format!("the {}", s.low(u.head)))
            {
                new = format!("{before}{}", self.text(u.start..u.head + 1));
            }
            self.changes.push(Change::Swap { from: self.text(at..end), to: new.clone() });
            self.op(at..end, new);
            return Ok(());
        }
        let new = joined(&ing);
        // `standing in front of a waterfall` is not in front of the church that was there.
        let said = Scene::of(text);
        let tied = |scene: &Scene, u: &crate::scene::Thing| scene.words(u.tie..u.start);
        let spot = said.things.iter().find(|g| g.tie < g.start && is_preposition(said.low(g.tie))).and_then(|g| {
            let family = |u: usize| s.things[u].parent == Some(t) || s.things[u].tie == after;
            (0..s.things.len()).find(|&u| {
                u > t
                    && family(u)
                    && s.things[u].tie < s.things[u].start
                    && tied(s, &s.things[u]) == tied(&said, g)
                    && !s.is_own(u)
                    && !s.is_slot(u)
            })
        });
        if let Some(u) = spot {
            let (from, end) = (s.things[u].tie, s.things[u].head + 1);
            self.changes.push(Change::Swap { from: self.text(from..end), to: new.clone() });
            self.op(from..end, new);
            return Ok(());
        }
        self.changes.push(Change::Add { text: new.clone() });
        self.op(after..after, new);
        // What two do together is said of the other alone: `a goat jumping and a hen standing`.
        if let Some(u) = self.sibling_after(t) {
            let at = self.after(u);
            if s.tag(at) == Tag::Verb && !matches!(s.low(at), "has" | "have") {
                let base = frames().finite(s.low(at)).unwrap_or_else(|| s.low(at).to_owned());
                self.op(at..at + 1, frames().ing(&base));
            } else if s.tag(at) == Tag::Be && s.tag(at + 1) == Tag::Ing {
                self.op(at..at + 1, "");
            }
        }
        Ok(())
    }
}
