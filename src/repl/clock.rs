//! Dates as people read them: in the time of where they are.
//!
//! What that is says `TZ`, else `/etc/localtime`, read here as its format has it (RFC 9636, and POSIX for the rule in its
//! last line): a library for one date a session would be larger than all of this. Where neither says anything, it is
//! universal time.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The largest file of a zone that is read; those there are have some kilobytes.
const LARGEST: u64 = 1 << 20;

const DAY: i64 = 86_400;

/// The time of a place: how many seconds it is ahead of universal time, and when that changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds ahead before the first change.
    first: i64,
    /// When it changes, in seconds since 1970, and what it is from then on.
    changes: Vec<(i64, i64)>,
    /// What holds after the last of them.
    rule: Option<Rule>,
}

/// A rule for all years: seconds ahead, and of the summer, when it begins and when it ends, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    standard: i64,
    summer: Option<(i64, When, When)>,
}

/// A moment of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct When {
    day: Day,
    /// Seconds after the beginning of that day.
    time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// 1 to 365; the 29th of February is not counted.
    Julian(i64),
    /// 0 to 365.
    OfYear(i64),
    /// Month, week (5 is the last), weekday (0 is Sunday).
    OfMonth(i64, i64, i64),
}

impl Zone {
    /// Where this process is.
    #[must_use]
    pub fn of_process() -> Self {
        let given = std::env::var("TZ").ok();
        Self::named(given.as_deref(), Path::new("/usr/share/zoneinfo"), Path::new("/etc/localtime"))
    }

    /// The zone that `TZ` names, of those in `folder`; the one in `usual` where nothing is named.
    fn named(given: Option<&str>, folder: &Path, usual: &Path) -> Self {
        let read = |path: &Path| {
            let known = std::fs::metadata(path).ok().filter(|data| data.is_file() && data.len() <= LARGEST)?;
            let _ = known;
            Self::parse(&std::fs::read(path).ok()?)
        };
        let Some(given) = given else { return read(usual).unwrap_or_default() };
        let name = given.strip_prefix(':').unwrap_or(given);
        let path = if name.starts_with('/') { PathBuf::from(name) } else { folder.join(name) };
        let found = Some(path).filter(|_| !name.is_empty() && !name.split('/').any(|part| part == ".."));
        let rule = || Rule::parse(name).map(|rule| Self { first: rule.standard, rule: Some(rule), ..Self::default() });
        found.and_then(|path| read(&path)).or_else(rule).unwrap_or_default()
    }

    /// Reads a file of a zone; `None` if it is none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (first, old) = Block::read(bytes, 4)?;
        let version = *bytes.get(4)?;
        if version < b'2' {
            return Some(first.zone(None));
        }
        let (block, length) = Block::read(bytes.get(old..)?, 8)?;
        let footer = std::str::from_utf8(bytes.get(old + length..)?).ok()?;
        let rule = footer.strip_prefix('\n').and_then(|text| text.lines().next()).and_then(Rule::parse);
        Some(block.zone(rule))
    }

    /// Seconds ahead of universal time at a moment, in seconds since 1970.
    fn ahead(&self, at: i64) -> i64 {
        let passed = self.changes.partition_point(|(from, _)| *from <= at);
        match &self.rule {
            Some(rule) if passed == self.changes.len() => rule.ahead(at),
            _ => passed.checked_sub(1).map_or(self.first, |last| self.changes[last].1),
        }
    }

    /// The day of a moment: `2026-11-23`.
    #[must_use]
    pub fn date(&self, time: SystemTime) -> String {
        date(self.local(time).div_euclid(DAY))
    }

    /// Day and minute of a moment: `2026-11-23 14:05`.
    #[must_use]
    pub fn minute(&self, time: SystemTime) -> String {
        let local = self.local(time);
        let minutes = local.rem_euclid(DAY) / 60;
        format!("{} {:02}:{:02}", date(local.div_euclid(DAY)), minutes / 60, minutes % 60)
    }

    fn local(&self, time: SystemTime) -> i64 {
        let seconds = |since: std::time::Duration| i64::try_from(since.as_secs()).unwrap_or(0);
        let at = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => seconds(since),
            Err(before) => -seconds(before.duration()),
        };
        // Nobody's files are of the year 10000.
        let at = at.clamp(-719_000 * DAY, 2_932_000 * DAY);
        at + self.ahead(at)
    }
}

/// The part of a zone's file whose moments have so many bytes.
struct Block {
    changes: Vec<(i64, i64)>,
    first: i64,
}

impl Block {
    /// The block that `bytes` begin with, and its length with its header.
    fn read(bytes: &[u8], width: usize) -> Option<(Self, usize)> {
        let header = bytes.get(..44).filter(|header| header.starts_with(b"TZif"))?;
        let count = |n: usize| {
            let at = 20 + 4 * n;
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
        };
        let (universal, standard, leaps, times, kinds, letters) =
            (count(0), count(1), count(2), count(3), count(4), count(5));
        let parts = [times * width, times, kinds * 6, letters, leaps * (width + 4), standard, universal];
        // Counts of 32 bits do not overflow a sum of 64.
        let length = 44 + parts.iter().sum::<usize>();
        let data = bytes.get(44..length)?;
        let (moments, rest) = data.split_at(times * width);
        let (of, rest) = rest.split_at(times);
        let ahead = |kind: usize| -> Option<i64> {
            let entry = rest.get(6 * kind..6 * kind + 4).filter(|_| kind < kinds)?;
            let seconds = i64::from(i32::from_be_bytes(entry.try_into().ok()?));
            Some(seconds).filter(|seconds| seconds.abs() < 2 * DAY)
        };
        let moment = |bytes: &[u8]| match width {
            4 => bytes.try_into().ok().map(|four| i64::from(i32::from_be_bytes(four))),
            _ => bytes.try_into().ok().map(i64::from_be_bytes),
        };
        let changes: Option<Vec<(i64, i64)>> = moments
            .chunks_exact(width)
            .zip(of)
            .map(|(at, kind)| Some((moment(at)?, ahead(usize::from(*kind))?)))
            .collect();
        let changes = changes.filter(|changes| changes.is_sorted_by_key(|(at, _)| *at))?;
        Some((Self { changes, first: ahead(0)? }, length))
    }

    fn zone(self, rule: Option<Rule>) -> Zone {
        Zone { first: self.first, changes: self.changes, rule }
    }
}

impl Rule {
    /// Reads `CET-1CEST,M3.5.0,M10.5.0/3`.
    fn parse(text: &str) -> Option<Self> {
        let rest = after_name(text)?;
        let (west, rest) = clock(rest)?;
        let standard = -west;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let rest = after_name(rest)?;
        let (summer, rest) = match clock(rest) {
            Some((west, rest)) => (-west, rest),
            None => (standard + 3600, rest),
        };
        let mut moments = rest.strip_prefix(',')?.split(',');
        let (from, to) = (When::parse(moments.next()?)?, When::parse(moments.next()?)?);
        moments.next().is_none().then_some(Self { standard, summer: Some((summer, from, to)) })
    }

    fn ahead(&self, at: i64) -> i64 {
        let Some((summer, from, to)) = &self.summer else { return self.standard };
        let year = year_of((at + self.standard).div_euclid(DAY));
        // Each is told in the time that holds before it.
        let begins = from.of(year) - self.standard;
        let ends = to.of(year) - summer;
        let is_summer = if begins < ends { (begins..ends).contains(&at) } else { !(ends..begins).contains(&at) };
        if is_summer { *summer } else { self.standard }
    }
}

/// What stands after the name of a time: three letters or more, or anything in `<…>`.
fn after_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| &text[end..])
}

/// `[+-]h[:m[:s]]` in seconds, and what stands after it.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut seconds = 0;
    for unit in [3600, 60, 1] {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: i64 = rest[..end].parse().ok().filter(|n| (0..=167).contains(n))?;
        seconds += number * unit;
        rest = &rest[end..];
        match rest.strip_prefix(':') {
            Some(more) if unit > 1 => rest = more,
            _ => break,
        }
    }
    Some((sign * seconds, rest))
}

impl When {
    /// `M3.5.0/2`, `J60` or `59`; at two o'clock if no time is said.
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = match text.split_once('/') {
            Some((day, time)) => (day, clock(time).filter(|(_, rest)| rest.is_empty())?.0),
            None => (text, 2 * 3600),
        };
        let day = if let Some(parts) = day.strip_prefix('M') {
            let mut numbers = parts.split('.').map(|n| n.parse::<i64>().ok());
            let (month, week, weekday) = (numbers.next()??, numbers.next()??, numbers.next()??);
            let can_be = (1..=12).contains(&month) && (1..=5).contains(&week) && (0..=6).contains(&weekday);
            can_be.then_some(Day::OfMonth(month, week, weekday))?
        } else if let Some(day) = day.strip_prefix('J') {
            Day::Julian(day.parse().ok().filter(|day| (1..=365).contains(day))?)
        } else {
            Day::OfYear(day.parse().ok().filter(|day| (0..=365).contains(day))?)
        };
        Some(Self { day, time })
    }

    /// Seconds since 1970 in that year, as clocks there show it.
    fn of(self, year: i64) -> i64 {
        let is_leap = days_before(year, 3) - days_before(year, 2) == 29;
        let day = match self.day {
            Day::Julian(day) => days_before(year, 1) + day - i64::from(!(is_leap && day >= 60)),
            Day::OfYear(day) => days_before(year, 1) + day,
            Day::OfMonth(month, week, weekday) => {
                let first = days_before(year, month);
                // The 1st of January 1970 was a Thursday, the fourth day after a Sunday.
                let shift = (weekday - (first + 4)).rem_euclid(7);
                let next = if month == 12 { days_before(year + 1, 1) } else { days_before(year, month + 1) };
                let day = first + shift + 7 * (week - 1);
                if day >= next { day - 7 } else { day }
            }
        };
        day * DAY + self.time
    }
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    // Years are counted from March, so that the day that comes and goes is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 - 719_468
}

fn year_of(days: i64) -> i64 {
    let guess = 1970 + days.div_euclid(366);
    (guess..).find(|year| days_before(year + 1, 1) > days).unwrap_or(guess)
}

/// The date that lies `days` after 1970-01-01.
fn date(days: i64) -> String {
    let year = year_of(days);
    let month = (1..=12).rev().find(|month| days_before(year, *month) <= days).unwrap_or(1);
    format!("{year:04}-{month:02}-{:02}", days - days_before(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_become_dates_over_leap_years_and_centuries() {
        for (days, expected) in [
            (-1, "1969-12-31"),
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_780, "2026-11-23"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    fn at(zone: &Zone, seconds: u64) -> String {
        zone.minute(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    fn rule(text: &str) -> Zone {
        Zone::named(Some(text), Path::new("/nowhere"), Path::new("/nowhere"))
    }

    #[test]
    fn summer_begins_and_ends_as_the_rule_says_north_and_south() {
        let berlin = rule("CET-1CEST,M3.5.0,M10.5.0/3");
        // 2026: the 29th of March and the 25th of October, both at 01:00 universal time.
        assert_eq!(at(&berlin, 1_774_745_999), "2026-03-29 01:59");
        assert_eq!(at(&berlin, 1_774_746_000), "2026-03-29 03:00");
        assert_eq!(at(&berlin, 1_792_889_999), "2026-10-25 02:59");
        assert_eq!(at(&berlin, 1_792_890_000), "2026-10-25 02:00");
        let sydney = rule("AEST-10AEDT,M10.1.0,M4.1.0/3");
        assert_eq!(at(&sydney, 1_798_761_600), "2027-01-01 11:00");
        assert_eq!(at(&sydney, 1_782_864_000), "2026-07-01 10:00");
        assert_eq!(at(&rule("<+0545>-5:45"), 0), "1970-01-01 05:45");
        assert_eq!(at(&rule("EST5"), 0), "1969-12-31 19:00");
        for nonsense in ["", "X", "CET", "CET-1CEST,M13.1.0,M1.1.0", "../../etc/passwd", "CET-999"] {
            assert_eq!(at(&rule(nonsense), 0), "1970-01-01 00:00", "{nonsense}");
        }
    }

    /// A file as its format has it: one change in 2000 from 1 to 2 hours ahead, then `footer`.
    fn file(footer: &str) -> Vec<u8> {
        let block = |width: usize| {
            let mut bytes = b"TZif2".to_vec();
            bytes.extend([0; 15]);
            for count in [0u32, 0, 0, 1, 2, 8] {
                bytes.extend(count.to_be_bytes());
            }
            let moment = 946_684_800i64;
            bytes.extend(&moment.to_be_bytes()[8 - width..]);
            bytes.push(1);
            for (ahead, at) in [(3600i32, 0u8), (7200, 4)] {
                bytes.extend(ahead.to_be_bytes());
                bytes.extend([0, at]);
            }
            bytes.extend(b"ONE\0TWO\0");
            bytes
        };
        [block(4), block(8), format!("\n{footer}\n").into_bytes()].concat()
    }

    #[test]
    fn a_file_of_a_zone_says_what_held_when_and_its_last_line_what_holds_since() {
        let plain = Zone::parse(&file("")).unwrap();
        assert_eq!(at(&plain, 946_684_799), "2000-01-01 00:59");
        assert_eq!(at(&plain, 946_684_800), "2000-01-01 02:00");
        let ruled = Zone::parse(&file("SIX-6")).unwrap();
        assert_eq!((at(&ruled, 0), at(&ruled, 1_000_000_000)), ("1970-01-01 01:00".into(), "2001-09-09 07:46".into()));
    }

    #[test]
    fn a_file_cut_short_or_damaged_anywhere_is_no_zone_or_another_one_and_never_a_panic() {
        let whole = file("CET-1CEST,M3.5.0,M10.5.0/3");
        for end in 0..whole.len() {
            if let Some(zone) = Zone::parse(&whole[..end]) {
                at(&zone, 1_774_746_000);
            }
            for flip in [1, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[end] ^= flip;
                if let Some(zone) = Zone::parse(&bytes) {
                    at(&zone, 1_774_746_000);
                }
            }
        }
    }
}
