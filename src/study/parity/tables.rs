//! Results that need no network: levels of samplers, tokens, maps between tokens, schedules.

use anyhow::Result;

use super::case::{Case, calls_of, scheduler_of, steps_of};
use super::results::{Array, Results};
use super::words::{TargetWords, Text, mask_words, target_words};
use crate::engine::sampler::{Sampler, sampler};
use crate::engine::schedule::NoiseSchedule;
use crate::plan::align::Published;

/// The levels of samplers, and what they were trained with where they do not count in sigmas.
pub(super) fn schedules(case: &Case) -> Result<Results> {
    let mut out = Results::new();
    for (i, settings) in case.schedules.iter().enumerate() {
        let (name, spec) = scheduler_of(settings, None)?;
        let sampler = sampler(name, &spec, calls_of(name, steps_of(settings)))?;
        schedule_results(&*sampler, &format!("_{i}"), &mut out);
        if !sampler.sigmas().is_empty() {
            continue;
        }
        let alphas_cumprod = NoiseSchedule::new(&spec).alphas_cumprod().to_vec();
        out.insert(format!("alphas_cumprod_{i}"), Array::f32(&[alphas_cumprod.len()], alphas_cumprod));
    }
    Ok(out)
}

pub(super) fn schedule_results(sampler: &dyn Sampler, end: &str, out: &mut Results) {
    let mut put =
        |name: &str, values: Vec<f32>| out.insert(format!("{name}{end}"), Array::f32(&[values.len()], values));
    put("timesteps", sampler.timesteps().to_vec());
    put("init_noise_sigma", vec![sampler.init_noise_scale() as f32]);
    if !sampler.sigmas().is_empty() {
        put("sigmas", sampler.sigmas().iter().map(|sigma| *sigma as f32).collect());
    }
}

/// Tokens, mappers and schedules of a case.
pub(super) fn text_results(case: &Case, texts: &[Text], out: &mut Results) -> Result<()> {
    let length = texts[0].ids.len();
    let count = texts.len();
    let mut put = |name: &str, array: Array| out.insert(name.to_owned(), array);
    put(
        "token_ids",
        Array::i64(&[count, length], texts.iter().flat_map(|t| t.ids.iter().map(|id| i64::from(*id))).collect()),
    );
    let words = texts.iter().map(|t| t.positions.len()).max().unwrap_or(0);
    let most = texts.iter().flat_map(|t| &t.positions).map(Vec::len).max().unwrap_or(0);
    let mut positions = vec![-1i64; count * words * most];
    for (p, text) in texts.iter().enumerate() {
        for (w, tokens) in text.positions.iter().enumerate() {
            for (k, token) in tokens.iter().enumerate() {
                positions[(p * words + w) * most + k] = *token as i64;
            }
        }
    }
    put("word_inds", Array::i64(&[count, words, most], positions));
    let Some(edit) = &case.edit else { return Ok(()) };
    let steps = case.steps();
    let targets: Vec<TargetWords> = texts[1..]
        .iter()
        .enumerate()
        .map(|(i, target)| target_words(edit, &texts[0], target, i, steps))
        .collect::<Result<_>>()?;
    let n = targets.len();
    let mut alpha = vec![0.0f32; (steps + 1) * n * length];
    for (i, target) in targets.iter().enumerate() {
        for (token, rows) in target.rows.iter().enumerate() {
            for row in rows.start..rows.end.min(steps + 1) {
                alpha[(row * n + i) * length + token] = 1.0;
            }
        }
    }
    put("cross_alpha", Array::f32(&[steps + 1, n, length], alpha));
    if let Some(first) = targets.first() {
        put("self_range", Array::i64(&[2], vec![first.self_range.start as i64, first.self_range.end as i64]));
    }
    if edit.equalizer.is_some() {
        put("equalizer", Array::f32(&[n, length], targets.iter().flat_map(|t| t.equalizer.clone()).collect()));
    }
    match targets.first().and_then(|t| t.published.as_ref()) {
        Some(Published::Replace(_)) => {
            let all = targets.iter().flat_map(|t| match &t.published {
                Some(Published::Replace(map)) => map.concat(),
                _ => Vec::new(),
            });
            put("replace_mapper", Array::f32(&[n, length, length], all.collect()));
        }
        Some(Published::Refine(_)) => {
            let maps: Vec<i64> = targets
                .iter()
                .flat_map(|t| match &t.published {
                    Some(Published::Refine(map)) => map.clone(),
                    _ => Vec::new(),
                })
                .collect();
            let alphas = maps.iter().map(|s| if *s < 0 { 0.0 } else { 1.0 }).collect();
            put("refine_mapper", Array::i64(&[n, length], maps));
            put("refine_alphas", Array::f32(&[n, length], alphas));
        }
        None => {}
    }
    let Some(blend) = &edit.local_blend else { return Ok(()) };
    let row = |tokens: Vec<usize>| {
        let mut row = vec![0.0f32; length];
        tokens.into_iter().for_each(|t| row[t] = 1.0);
        row
    };
    let within = texts.iter().enumerate().flat_map(|(i, t)| row(mask_words(edit, t, i).within));
    put("blend_alpha", Array::f32(&[count, length], within.collect()));
    if blend.substruct_words.is_some() {
        let without = texts.iter().enumerate().flat_map(|(i, t)| row(mask_words(edit, t, i).without));
        put("blend_substruct_alpha", Array::f32(&[count, length], without.collect()));
    }
    Ok(())
}
