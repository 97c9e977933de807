//! One thing for another, and so many of it.

use super::*;

impl<'s> Work<'s> {
    /// One thing for another; adjectives that nobody named stay, unless the new ones are of their kind.
    ///
    /// `named`: the words that the old one was named by.
    pub(crate) fn swap(&mut self, t: usize, others: &[usize], named: &[&str], text: &str) -> Done {
        let s = self.scene;
        let said = Scene::of(text);
        let Some(new) = said.things.first().filter(|_| said.things.iter().all(|o| o.owner.is_none())).cloned() else {
            return Err(No);
        };
        if said.things[0].start > 0 && !matches!(said.low(0), "," | "\"") {
            return Err(No);
        }
        let thing = s.things[t].clone();
        let (old_head, head) = (s.low(thing.head).to_owned(), said.low(new.head).to_owned());
        let rest = words_of(text, new.head + 1..said.low.len());
        // `skyscrapers behind them` for the mountains that are behind them
        let there = self.text(thing.head + 1..s.low.len()).to_lowercase();
        let rest = if !rest.is_empty() && there.starts_with(&rest.to_lowercase()) { String::new() } else { rest };
        let adjectives: Vec<usize> =
            (new.start..new.name).filter(|&i| matches!(said.tags[i], Tag::Adj | Tag::Noun | Tag::Adv)).collect();
        let told: Vec<usize> = s.adjectives(t).into_iter().filter(|&i| named.contains(&s.low(i))).collect();
        let fresh = words_of(text, adjectives.first().map_or(new.name, |&i| i)..new.head + 1);
        let fresh_kinds: Vec<Kind> =
            adjectives.iter().flat_map(|&i| lexicon().adjective(said.low(i))).copied().collect();
        let covered = told.iter().all(|&i| lexicon().adjective(s.low(i)).iter().any(|k| fresh_kinds.contains(k)));
        if lexicon().same(&old_head, &head)
            && is_plural(&old_head) == is_plural(&head)
            && !adjectives.is_empty()
            && new.name == new.head
            && rest.is_empty()
            && thing.name == thing.head
            && covered
            && told.len() < 2
        {
            // The colour of a person is her hair's.
            if s.is_kind(t, &["person"]) && fresh_kinds.iter().any(|k| matches!(*k, "colour" | "texture")) {
                return Err(No);
            }
            let words: Vec<String> = adjectives.iter().map(|&i| said.low(i).to_owned()).collect();
            return self.property(t, &words);
        }
        if lexicon().same(&old_head, &head)
            && adjectives.is_empty()
            && rest.is_empty()
            && new.name == new.head
            && is_plural(&old_head) == is_plural(&head)
        {
            return Err(No);
        }
        // `a slice of pizza` for the cake of a slice of cake
        if let Some(p) = t.checked_sub(1).filter(|&p| {
            thing.tie == s.things[p].head + 1
                && s.low(thing.tie) == "of"
                && lexicon().same(s.low(s.things[p].head), &head)
                && rest.starts_with("of ")
        }) {
            let (range, new) = (thing.start..thing.head + 1, rest["of ".len()..].to_owned());
            self.changes.push(Change::Swap { from: self.text(s.things[p].start..thing.head + 1), to: text.to_owned() });
            self.op(range, new);
            return Ok(());
        }
        // `a bottle of lemonade` for one of milk
        if lexicon().same(&old_head, &head)
            && rest.starts_with("of ")
            && adjectives.is_empty()
            && let Some(u) = s.things.get(t + 1).filter(|u| u.tie == thing.head + 1 && s.low(u.tie) == "of")
        {
            let (range, new) = (u.start..u.head + 1, rest["of ".len()..].to_owned());
            self.changes.push(Change::Swap { from: self.text(range.clone()), to: new.clone() });
            self.op(range, new);
            return Ok(());
        }
        // `a grass court` for a clay one
        if lexicon().same(&old_head, &head)
            && is_plural(&old_head) == is_plural(&head)
            && new.name + 1 == new.head
            && adjectives.is_empty()
            && rest.is_empty()
            && thing.head > thing.start
            && told.is_empty()
            && !s.is_kind(t, &["person"])
        {
            let how = said.low(new.name).to_owned();
            // The noun before the other gives way.
            let before = thing.head - 1;
            let noun = is_material(s.low(before))
                || s.tag(before) == Tag::Noun && lexicon().adjective(s.low(before)).is_empty();
            if noun {
                return self.replace_word(before, &how);
            }
            // A polar bear is no brown one.
            let colour = s.adjectives(t).into_iter().find(|&i| lexicon().adjective(s.low(i)).contains(&"colour"));
            if let Some(i) = colour.filter(|_| !lexicon().noun(&said.words(new.name..new.head + 1)).is_empty()) {
                return self.replace_word(i, &how);
            }
            return self.property(t, &[how]);
        }
        // Which of the old adjectives stay.
        let kinds = |w: &str| -> Vec<Kind> { lexicon().adjective(w).to_vec() };
        let new_kinds: Vec<Kind> = (adjectives.iter().copied().chain(new.name..new.head))
            .flat_map(|i| kinds(said.low(i)))
            .filter(|k| *k != "other")
            .collect();
        let (was, will) = (s.kinds(t), said.kinds(0));
        let meets = was.iter().any(|k| will.contains(k));
        // A brown bear's brown is no fisherman's.
        let person = will.contains(&"person") || will.is_empty() && said.is_alive(0);
        let akin = meets
            || will.is_empty()
            || !s.is_own(t)
                && (was.is_empty()
                    || will.is_empty()
                    || was.iter().any(|k| will.contains(k))
                    || ["thing", "place"].iter().any(|k| was.contains(k) || will.contains(k))
                    || !s.is_alive(t));
        let mut gone: Vec<usize> = Vec::new();
        let mut kept: Vec<usize> = Vec::new();
        for i in s.adjectives(t) {
            let word = s.low(i);
            let clash = kinds(word).iter().any(|k| new_kinds.contains(k))
                || (new_kinds.contains(&"material")
                    && lexicon().noun(word).len() + kinds(word).len() == 0
                    && lexicon().adjective_form(word).is_some());
            // The orange of orange juice goes with it.
            let flavour = lexicon().noun(word).contains(&"food")
                && matches!(old_head.as_str(), "juice" | "pie" | "cake" | "tart" | "jam" | "soup" | "salad" | "sauce");
            let clash = clash || flavour;
            let repeated = fresh.to_lowercase().split(' ').any(|f| f == word);
            let hide = person && s.is_kind(t, &["animal"]) && kinds(word).contains(&"colour");
            if clash || repeated || hide || !akin || told.contains(&i) {
                gone.push(i);
            } else if s.tags[i] != Tag::Adv {
                kept.push(i);
            }
        }
        let from = gone
            .iter()
            .copied()
            .filter(|&i| (i..thing.name).all(|k| gone.contains(&k) || matches!(s.low(k), "and" | ",")))
            .min()
            .unwrap_or(thing.name);
        for &i in gone.iter().filter(|&&i| i < from) {
            let end = i + 1 + usize::from(matches!(s.low(i + 1), "and" | ",") && i + 1 < thing.name);
            self.op(i..end, "");
        }
        // Another place takes its own preposition: on a beach, in a park.
        let usual = |noun: &str| lexicon().joined(noun).filter(|j| matches!(*j, "in" | "on"));
        let spot = thing.start.checked_sub(1).map_or("", |i| s.low(i));
        if let (Some(was), Some(will)) = (usual(&old_head), usual(&head))
            && was == spot
            && will != spot
            && !adjectives.iter().any(|&i| matches!(said.low(i), "frozen" | "icy"))
            && thing.tie < thing.start
        {
            self.op(thing.start - 1..thing.start, will);
        }
        self.proper = fresh.chars().next().is_some_and(char::is_uppercase);
        // `a slice of pizza` for a burrito: the whole, not a slice of it.
        if let Some(p) = t.checked_sub(1).filter(|&p| {
            let measure = &s.things[p];
            thing.tie == measure.head + 1
                && s.low(thing.tie) == "of"
                && thing.tie + 1 == thing.start
                && thing.name == thing.start
                && matches!(said.low(new.start), "a" | "an")
                && new.start < new.head
                && (p == 0 || !s.is_medium(p))
        }) && !s.is_medium(p)
            && others.is_empty()
        {
            let start = s.things[p].start + usize::from(is_determiner(s.low(s.things[p].start)));
            let whole = words_of(text, new.start + 1..said.low.len());
            self.changes.push(Change::Swap { from: self.text(start..thing.head + 1), to: whole.clone() });
            self.op(start..thing.head + 1, whole);
            return Ok(());
        }
        self.article(t, &said, &new)?;
        let det = said.low(new.start);
        let old_det = s.low(thing.start);
        let number = |w: &str| is_number(w) || w.parse::<u32>().is_ok();
        let counted = if (number(det) || det == "one") && new.start < new.head {
            format!("{det} ")
        } else if number(old_det) && is_plural(&head) {
            format!("{old_det} ")
        } else {
            String::new()
        };
        let owner = s.things.iter().any(|o| o.owner == Some(t));
        let whole =
            if rest.is_empty() || owner { fresh } else { format!("{fresh} {}", rest.trim_start_matches(',').trim()) };
        let old_text = self.text(from..thing.head + 1);
        let (short_from, short_to) = crate::desk::without_shared(&old_text, &whole);
        self.changes.push(
            match whole.strip_suffix(&old_text).filter(|w| w.ends_with(' ')).filter(|_| counted.is_empty()) {
                Some(more) if !more.is_empty() => Change::Add { text: more.trim().to_owned() },
                _ => Change::Swap { from: short_from.to_owned(), to: format!("{counted}{short_to}") },
            },
        );
        self.op(from..thing.head + 1, whole);
        if owner && !rest.is_empty() {
            let at = self.end();
            self.changes.push(Change::Add { text: rest.clone() });
            self.op(at..at, rest);
        }
        for &o in others {
            let other = &s.things[o];
            let word = if is_plural(s.low(other.head)) && !is_plural(&head) { plural(&head) } else { head.clone() };
            self.op(other.name..other.head + 1, word);
        }
        let (was, is) = (self.is_many(t), is_plural(&head) || is_number(det));
        if was != is {
            self.agree_after(thing.head + 1, !is);
        }
        if !kept.is_empty() {
            let words: Vec<String> = kept.iter().map(|&i| self.written[i].clone()).collect();
            self.notes.push(format!("kept `{}`; to have it otherwise: drop them", words.join(" ")));
        }
        self.pronouns(&old_head, &head);
        Ok(())
    }

    pub(crate) fn is_many(&self, t: usize) -> bool {
        let thing = &self.scene.things[t];
        is_plural(self.scene.low(thing.head)) || is_number(self.scene.low(thing.start))
    }

    /// `his` of a man who becomes a woman.
    pub(crate) fn pronouns(&mut self, old: &str, new: &str) {
        const HE: &[&str] = &["man", "boy", "guy", "king", "prince", "father", "grandfather", "gentleman", "knight"];
        const SHE: &[&str] = &["woman", "girl", "lady", "queen", "princess", "mother", "grandmother", "bride"];
        let pairs: &[(&str, &str)] = if HE.contains(&old) && SHE.contains(&new) {
            &[("his", "her"), ("he", "she"), ("him", "her"), ("himself", "herself")]
        } else if SHE.contains(&old) && HE.contains(&new) {
            &[("her", "his"), ("she", "he"), ("herself", "himself")]
        } else {
            return;
        };
        let people = (0..self.scene.things.len()).filter(|&t| self.scene.is_kind(t, &["person"])).count();
        if people != 1 {
            return;
        }
        for i in 0..self.scene.low.len() {
            if let Some((_, to)) = pairs.iter().find(|(from, _)| *from == self.scene.low(i)) {
                self.op(i..i + 1, *to);
            }
        }
    }

    /// The article or number before a noun that becomes another.
    pub(crate) fn article(&mut self, t: usize, said: &Scene, new: &crate::scene::Thing) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let old = Some(s.low(thing.start))
            .filter(|w| thing.start < thing.head && (is_determiner(w) || s.tag(thing.start) == Tag::Num))
            .map(str::to_owned);
        let typed = Some(said.low(new.start))
            .filter(|w| new.start < new.head && (is_determiner(w) || said.tag(new.start) == Tag::Num))
            .map(str::to_owned);
        let head = said.low(new.head);
        let bare = lexicon().goes_bare(head);
        let number = |w: &str| is_number(w) || w == "one" || w.chars().all(|c| c.is_ascii_digit());
        let at = thing.start;
        let a = |w: &str| matches!(w, "a" | "an");
        let proper = self.proper && typed.is_none();
        let want: Option<String> = match (old.as_deref(), typed.as_deref()) {
            (Some("the" | "a" | "an"), None) if proper => None,
            (Some(o), Some(n)) if number(n) && !is_owner(o) => Some(n.to_owned()),
            (None, Some(n)) if number(n) => Some(n.to_owned()),
            (Some(o), Some(n)) if a(n) && (number(o) || a(o)) => Some("a".to_owned()),
            (Some(o), None) if number(o) && !is_plural(head) => (!bare).then(|| "a".to_owned()),
            (Some(o), _) if a(o) && bare => None,
            (Some(o), _) => Some(o.to_owned()),
            // `a monitor, keyboard and mouse`: a list without articles.
            // `a glass of wine`: of beer.
            (None, Some(n))
                if a(n) && thing.start > 0 && s.low(thing.start - 1) == "of" && !is_plural(s.low(thing.head)) =>
            {
                None
            }
            (None, Some(n)) if a(n) && thing.owner.is_none() && (!thing.joined || is_plural(s.low(thing.head))) => {
                Some("a".to_owned())
            }
            (None, _)
                if thing.owner.is_none()
                    && is_plural(s.low(thing.head))
                    && !bare
                    && !lexicon().noun(head).is_empty() =>
            {
                Some("a".to_owned())
            }
            (None, _) => None,
        };
        match (old, want) {
            (Some(o), Some(w)) if o == w || (a(&o) && a(&w)) => {}
            (Some(_), Some(w)) => {
                let up = self.written[at].chars().next().is_some_and(char::is_uppercase);
                let w = if up { capital(&w) } else { w };
                self.op(at..at + 1, w);
            }
            (Some(_), None) => self.op(at..at + 1, ""),
            (None, Some(w)) => self.op(at..at, w),
            (None, None) => {}
        }
        Ok(())
    }

    /// Adjectives that the last swap dropped come back, or those that it kept go. False if it did neither.
    pub(crate) fn otherwise(&mut self, parent: &str, prompt: &str, keep: bool) -> bool {
        let before = Scene::of(parent);
        let mut any = false;
        for (old, new) in crate::whole::gaps(parent, prompt) {
            let was = before.things.iter().position(|t| old.contains(&t.head));
            let is = self.scene.things.iter().position(|t| new.contains(&t.head));
            let (Some(was), Some(is)) = (was, is) else { continue };
            let theirs: Vec<String> = before.adjectives(was).into_iter().map(|i| before.low(i).to_owned()).collect();
            let ours = self.scene.adjectives(is);
            if keep {
                let has = |w: &String| ours.iter().any(|&i| self.scene.low(i) == w);
                let lost: Vec<String> = theirs.iter().filter(|w| !has(w)).cloned().collect();
                for word in lost {
                    let at = self.place_of_adjective(is, &word);
                    self.changes.push(Change::Add { text: word.clone() });
                    self.op(at..at, word);
                    any = true;
                }
            } else {
                for i in ours.into_iter().filter(|&i| !new.contains(&i) && theirs.contains(&self.scene.low[i])) {
                    self.changes.push(Change::Remove { text: self.text(i..i + 1) });
                    self.op(i..i + 1, "");
                    any = true;
                }
            }
        }
        any
    }

    /// So many of a thing.
    pub(crate) fn count(&mut self, t: usize, number: &str) -> Done {
        let s = self.scene;
        let thing = s.things[t].clone();
        let have = super::number(s.low(thing.start)).unwrap_or(usize::from(!is_plural(s.low(thing.head))));
        let number = match number {
            "double" => NUMBERS.get((2 * have).wrapping_sub(1)).copied().ok_or(No)?,
            "triple" => NUMBERS.get((3 * have).wrapping_sub(1)).copied().ok_or(No)?,
            _ => number,
        };
        let one = matches!(number, "one" | "1" | "a" | "single");
        let many = is_number(number)
            || number.ends_with(" of")
            || number == "a few"
            || number.parse::<u32>().is_ok_and(|n| n > 1);
        if !one && !many {
            return Err(No);
        }
        let head = s.low(thing.head);
        let right = if one { singular(head) } else { plural(head) };
        let counted = s.tag(thing.start) == Tag::Num || matches!(s.low(thing.start), "a" | "an" | "some");
        let from = self.text(thing.start..thing.head + 1);
        let to = {
            let start = thing.start + usize::from(counted);
            let start = start + usize::from(matches!(s.low(start), "few" | "single" | "couple"));
            if counted && start > thing.start + 1 {
                self.op(thing.start + 1..start, "");
            }
            let middle = self.text(start..thing.head);
            [number, &middle, &right].iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(" ")
        };
        if counted {
            let up = self.written[thing.start].chars().next().is_some_and(char::is_uppercase);
            let w = if up { capital(number) } else { number.to_owned() };
            if s.low(thing.start) != number {
                self.op(thing.start..thing.start + 1, w);
            }
        } else {
            self.op(thing.start..thing.start, number);
        }
        if right != head {
            self.op(thing.head..thing.head + 1, right);
        }
        if self.is_many(t) == one {
            self.agree_after(thing.head + 1, one);
        }
        self.changes.push(Change::Swap { from, to });
        Ok(())
    }
}
