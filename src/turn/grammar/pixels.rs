//! What is done to pixels, and words cannot say.

use super::*;

impl Clause<'_> {
    /// What is done to pixels: `rotate the image`, `increase the contrast`.
    pub(crate) fn pixels(&self, all: &mut Vec<Reading>) {
        let n = self.low.len();
        let said = |frames: &[Frame]| frames.contains(&Frame::Pixels);
        let bare: Vec<&str> = self.low.iter().copied().filter(|w| !is_determiner(w)).collect();
        let verb = frames().verb(&self.low);
        let of_pixels = |w: &[&str]| {
            w.iter().any(|w| frames().is("quality", w)) || w.windows(2).any(|p| frames().is("quality", &p.join(" ")))
        };
        let of_picture = |w: &[&str]| {
            w.iter().any(|w| {
                matches!(
                    *w,
                    "picture" | "image" | "photo" | "photograph" | "pic" | "shot" | "frame" | "canvas" | "camera"
                )
            })
        };
        let angle = verb.is_some()
            && self.low.iter().any(|w| {
                matches!(
                    *w,
                    "degrees"
                        | "clockwise"
                        | "counterclockwise"
                        | "anticlockwise"
                        | "horizontally"
                        | "vertically"
                        | "upside"
                        | "px"
                        | "percent"
                )
            });
        let side = |w: &str| {
            matches!(
                w,
                "left"
                    | "right"
                    | "up"
                    | "down"
                    | "upward"
                    | "upwards"
                    | "downwards"
                    | "center"
                    | "centre"
                    | "top"
                    | "bottom"
                    | "corner"
                    | "middle"
                    | "higher"
                    | "lower"
                    | "closer"
                    | "further"
                    | "farther"
                    | "nearer"
            )
        };
        let number = |i: usize| self.at(i).parse::<u32>().is_ok();
        let ratio = (1..n).any(|i| self.at(i) == ":" && number(i - 1) && number(i + 1));
        let mut cannot = match &verb {
            _ if ratio => true,
            Some((kinds, _)) if said(kinds) => true,
            Some((kinds, len)) => {
                let rest = &self.low[*len..];
                let moves = kinds.contains(&Frame::Move)
                    && !self.low.contains(&"put")
                    && !self.low.contains(&"place")
                    && !self.low.contains(&"set")
                    && rest.last().is_some_and(|w| side(w))
                    && rest.len() > 1;
                let strengthens = kinds.iter().any(|k| {
                    matches!(k, Frame::Adjust | Frame::Remove | Frame::Change | Frame::Add | Frame::Other | Frame::Make)
                }) && of_pixels(rest)
                    && !rest.iter().any(|w| (self.names)(&[w]) && !is_determiner(w))
                    && !matches!(self.at(*len), "a" | "an");
                let whole = frames().is("whole", self.at(0))
                    && rest.iter().any(|w| frames().is("frame", w))
                    && (rest.len() <= 5
                        || angle
                        || matches!(
                            self.at(0),
                            "combine" | "merge" | "duplicate" | "split" | "extend" | "cut" | "trim"
                        ))
                    && !rest.iter().any(|w| matches!(*w, "into" | "with"));
                moves
                    || strengthens
                    || whole
                    || (angle
                        && matches!(
                            self.at(0),
                            "turn"
                                | "spin"
                                | "tilt"
                                | "move"
                                | "shift"
                                | "rotate"
                                | "slide"
                                | "lower"
                                | "raise"
                                | "stretch"
                                | "shrink"
                                | "enlarge"
                        ))
            }
            None => false,
        };
        // `crop circles`, `mirror lake`: no order.
        let named = |w: &str| (self.names)(&[w]);
        cannot &= self.polite || n < 3 || crate::form::orders(&self.low, &named) || of_picture(&self.low) || angle;
        let bare_words = bare.as_slice();
        cannot |= matches!(
            bare_words,
            [
                "make" | "render" | "keep",
                "it" | "picture" | "image" | "photo",
                "bigger"
                    | "larger"
                    | "wider"
                    | "taller"
                    | "smaller"
                    | "clearer"
                    | "sharper"
                    | "crisper"
                    | "square"
                    | "upright"
            ]
        ) && of_picture(bare_words);
        cannot |= matches!(bare_words, ["make", _, "higher" | "lower" | "better" | "more" | "less", what, ..] if frames().is("quality", what) || matches!(*what, "resolution" | "quality" | "noisy" | "grainy" | "blurry" | "sharp" | "contrasty" | "saturated" | "pixelated" | "clear" | "crisp" | "exposed"));
        cannot |= matches!(
            bare_words,
            ["make", _, "less", "noisy" | "grainy" | "blurry" | "pixelated" | "saturated"]
                | [
                    "higher" | "lower" | "better" | "more" | "less" | "increased",
                    "resolution"
                        | "quality"
                        | "contrast"
                        | "saturation"
                        | "exposure"
                        | "sharpness"
                        | "noise"
                        | "brightness",
                    ..
                ]
        );
        cannot |=
            matches!(bare_words, [.., "higher" | "better" | "high" | "lower", "definition" | "resolution" | "quality"])
                || matches!(bare_words, [.., "twice" | "half" | "double", "size"] if of_picture(bare_words));
        cannot |= matches!(
            bare_words,
            [
                "make",
                "it" | "picture" | "image" | "photo",
                "crisper"
                    | "clearer"
                    | "sharper"
                    | "hd"
                    | "4k"
                    | "8k"
                    | "high-res"
                    | "hi-res"
                    | "high-resolution"
                    | "vertical"
                    | "horizontal"
                    | "right-side"
                    | "transparent"
                    | "printable"
            ]
        );
        cannot |= bare.windows(2).any(|w| {
            matches!(
                w,
                ["aspect", "ratio"]
                    | ["white", "balance"]
                    | ["motion", "blur"]
                    | ["bounding", "box"]
                    | ["file", "size" | "format"]
                    | ["background", "transparent"]
                    | ["transparent", "background"]
                    | ["depth", "map"]
                    | ["attached", _]
                    | ["uploaded", _]
            )
        }) || bare.windows(2).any(|w| {
            matches!(
                w,
                [
                    "crop" | "zoom" | "rotate" | "flip" | "mirror",
                    "in" | "out" | "it" | "image" | "picture" | "photo" | "horizontally" | "vertically"
                ] | ["zoom" | "crop", _]
            ) && verb.is_some()
        });
        cannot |= verb.is_some()
            && self.low.iter().any(|w| matches!(*w, "jpeg" | "jpg" | "png" | "pdf" | "gif" | "tiff" | "webp"));
        cannot |= matches!(bare_words, ["center" | "centre" | "align" | "recenter", ..] if of_picture(bare_words));
        cannot &= n < 14 && (verb.is_some() || n < 6 || bare_words.first() == Some(&"make"));
        if cannot {
            let from = usize::from(matches!(self.at(0), "more" | "less" | "higher" | "lower" | "better") && n > 1);
            all.push(Reading::Cannot { what: from..n });
        }
    }
}
