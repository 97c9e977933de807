//! The names that tensors had in the original code bases.
//!
//! Files of whole models, most LoRAs for SDXL and many files of autoencoders still use them. Here they are tied to the
//! names of the diffusers layout, which everything else in the program knows.

use std::collections::{BTreeMap, HashMap};

use super::tensors::Place;

/// Modules inside a UNet's ResNet: original name, and ours.
const RESNET: [(&str, &str); 6] = [
    ("in_layers.0", "norm1"),
    ("in_layers.2", "conv1"),
    ("emb_layers.1", "time_emb_proj"),
    ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"),
    ("skip_connection", "conv_shortcut"),
];

/// Modules of a UNet that stand once.
const UNET: [(&str, &str); 9] = [
    ("input_blocks.0.0", "conv_in"),
    ("time_embed.0", "time_embedding.linear_1"),
    ("time_embed.2", "time_embedding.linear_2"),
    ("time_embed.cond_proj", "time_embedding.cond_proj"),
    ("label_emb.0.0", "add_embedding.linear_1"),
    ("label_emb.0.2", "add_embedding.linear_2"),
    ("middle_block.1", "mid_block.attentions.0"),
    ("out.0", "conv_norm_out"),
    ("out.2", "conv_out"),
];

/// The modules of a UNet under both names. A pair may stand for all that lies below it.
pub(super) struct UnetNames {
    pairs: Vec<(String, String)>,
}

impl UnetNames {
    /// From the names in a file of the original layout: its blocks are numbered through, and what each holds tells its level.
    pub(super) fn of_original(has: &dyn Fn(&str) -> bool) -> Self {
        let mut names = Self::fixed();
        let (mut level, mut layer) = (0, 0);
        for n in 1.. {
            let block = format!("input_blocks.{n}");
            if has(&format!("{block}.0.op.weight")) {
                names.add(format!("{block}.0.op"), format!("down_blocks.{level}.downsamplers.0.conv"));
                (level, layer) = (level + 1, 0);
            } else if has(&format!("{block}.0.in_layers.2.weight")) {
                names.block(&block, &format!("down_blocks.{level}"), layer);
                layer += 1;
            } else {
                break;
            }
        }
        (level, layer) = (0, 0);
        for n in 0.. {
            let block = format!("output_blocks.{n}");
            if !has(&format!("{block}.0.in_layers.2.weight")) {
                break;
            }
            names.block(&block, &format!("up_blocks.{level}"), layer);
            layer += 1;
            let larger = [1, 2].map(|at| format!("{block}.{at}.conv"));
            if let Some(module) = larger.into_iter().find(|module| has(&format!("{module}.weight"))) {
                names.add(module, format!("up_blocks.{level}.upsamplers.0.conv"));
                (level, layer) = (level + 1, 0);
            }
        }
        names
    }

    /// From the names in a file of the diffusers layout.
    pub(super) fn of_diffusers(has: &dyn Fn(&str) -> bool) -> Self {
        let mut names = Self::fixed();
        let layers = |block: &str| (0..).take_while(|j| has(&format!("{block}.resnets.{j}.conv1.weight"))).count();
        let mut n = 1;
        for level in 0.. {
            let here = format!("down_blocks.{level}");
            let count = layers(&here);
            if count == 0 {
                break;
            }
            for layer in 0..count {
                names.block(&format!("input_blocks.{n}"), &here, layer);
                n += 1;
            }
            let smaller = format!("{here}.downsamplers.0.conv");
            if has(&format!("{smaller}.weight")) {
                names.add(format!("input_blocks.{n}.0.op"), smaller);
                n += 1;
            }
        }
        n = 0;
        for level in 0.. {
            let here = format!("up_blocks.{level}");
            let count = layers(&here);
            if count == 0 {
                break;
            }
            for layer in 0..count {
                names.block(&format!("output_blocks.{n}"), &here, layer);
                n += 1;
            }
            let attends = has(&format!("{here}.attentions.0.proj_in.weight"));
            let at = if attends { 2 } else { 1 };
            names.add(format!("output_blocks.{}.{at}.conv", n - 1), format!("{here}.upsamplers.0.conv"));
        }
        names
    }

    fn fixed() -> Self {
        let pairs = UNET.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut names = Self { pairs };
        for (original, here) in [("middle_block.0", "mid_block.resnets.0"), ("middle_block.2", "mid_block.resnets.1")] {
            names.resnet(original, here);
        }
        names
    }

    fn add(&mut self, original: String, here: String) {
        self.pairs.push((original, here));
    }

    fn resnet(&mut self, original: &str, here: &str) {
        for (a, b) in RESNET {
            self.add(format!("{original}.{a}"), format!("{here}.{b}"));
        }
    }

    fn block(&mut self, original: &str, here: &str, layer: usize) {
        self.resnet(&format!("{original}.0"), &format!("{here}.resnets.{layer}"));
        self.add(format!("{original}.1"), format!("{here}.attentions.{layer}"));
    }

    /// Our names by the original ones.
    pub(super) fn to_ours(&self) -> Renaming {
        Renaming(self.pairs.iter().cloned().collect())
    }

    /// The original names by ours.
    pub(super) fn to_original(&self) -> Renaming {
        Renaming(self.pairs.iter().map(|(a, b)| (b.clone(), a.clone())).collect())
    }
}

/// New names by old ones; a name stands for all that lies below it.
pub(super) struct Renaming(HashMap<String, String>);

impl Renaming {
    /// The new name, if a name before one of its dots has one.
    pub(super) fn of(&self, name: &str) -> Option<String> {
        let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
        let ends: Vec<usize> = ends.collect();
        let found = ends.iter().rev().find_map(|end| Some((self.0.get(&name[..*end])?, &name[*end..])));
        found.map(|(new, rest)| format!("{new}{rest}"))
    }
}

/// The autoencoder's name of an original one; `levels` is how many its decoder has.
fn vae_name(name: &str, levels: usize) -> Option<String> {
    let inside = |rest: &str| {
        let rest = rest.replace("nin_shortcut", "conv_shortcut");
        let (place, rest) = rest.split_once('.')?;
        Some(match place {
            "conv_in" | "conv_out" => format!("{place}.{rest}"),
            "norm_out" => format!("conv_norm_out.{rest}"),
            "mid" => {
                let (module, rest) = rest.split_once('.')?;
                match module {
                    "block_1" => format!("mid_block.resnets.0.{rest}"),
                    "block_2" => format!("mid_block.resnets.1.{rest}"),
                    "attn_1" => {
                        let (layer, rest) = rest.split_once('.')?;
                        let layer = match layer {
                            "norm" => "group_norm",
                            "q" => "to_q",
                            "k" => "to_k",
                            "v" => "to_v",
                            "proj_out" => "to_out.0",
                            _ => return None,
                        };
                        format!("mid_block.attentions.0.{layer}.{rest}")
                    }
                    _ => return None,
                }
            }
            "down" | "up" => {
                let (level, rest) = rest.split_once('.')?;
                let level: usize = level.parse().ok()?;
                let level = if place == "up" { levels.checked_sub(level.checked_add(1)?)? } else { level };
                let (kind, rest) = rest.split_once('.')?;
                match kind {
                    "block" => format!("{place}_blocks.{level}.resnets.{rest}"),
                    "downsample" => format!("down_blocks.{level}.downsamplers.0.{rest}"),
                    "upsample" => format!("up_blocks.{level}.upsamplers.0.{rest}"),
                    _ => return None,
                }
            }
            _ => return None,
        })
    };
    match name.split_once('.')? {
        (half @ ("encoder" | "decoder"), rest) => Some(format!("{half}.{}", inside(rest)?)),
        ("quant_conv" | "post_quant_conv", _) => Some(name.to_owned()),
        _ => None,
    }
}

/// The tensors of an OpenCLIP text encoder under CLIP's names. Queries, keys and values lie below each other in one tensor.
fn open_clip(name: &str, place: Place, projected: bool, into: &mut HashMap<String, Place>) {
    let mut put = |name: String, place: Option<Place>| place.and_then(|place| into.insert(name, place));
    let whole = |new: &str| (format!("text_model.{new}"), Some(place.clone()));
    let (new, place) = match name {
        "token_embedding.weight" => whole("embeddings.token_embedding.weight"),
        "positional_embedding" => whole("embeddings.position_embedding.weight"),
        "ln_final.weight" => whole("final_layer_norm.weight"),
        "ln_final.bias" => whole("final_layer_norm.bias"),
        "text_projection" if projected => ("text_projection.weight".to_owned(), place.turned()),
        _ => {
            let Some((layer, rest)) = name.strip_prefix("transformer.resblocks.").and_then(|n| n.split_once('.'))
            else {
                return;
            };
            let at = format!("encoder.layers.{layer}");
            if let Some(end) = rest.strip_prefix("attn.in_proj_") {
                for (i, part) in ["q", "k", "v"].into_iter().enumerate() {
                    put(format!("text_model.{at}.self_attn.{part}_proj.{end}"), place.part(i, 3));
                }
                return;
            }
            let pairs = [
                ("ln_1.", "layer_norm1."),
                ("ln_2.", "layer_norm2."),
                ("mlp.c_fc.", "mlp.fc1."),
                ("mlp.c_proj.", "mlp.fc2."),
                ("attn.out_proj.", "self_attn.out_proj."),
            ];
            let Some((new, end)) = pairs.iter().find_map(|(old, new)| Some((new, rest.strip_prefix(old)?))) else {
                return;
            };
            whole(&format!("{at}.{new}{end}"))
        }
    };
    put(new, place);
}

/// What the text encoders of whole models stand under: CLIP's own names below, or OpenCLIP's.
const TEXT: [(&str, &str, bool); 4] = [
    ("text_encoder", "cond_stage_model.transformer.", false),
    ("text_encoder", "cond_stage_model.model.", true),
    ("text_encoder", "conditioner.embedders.0.transformer.", false),
    ("text_encoder_2", "conditioner.embedders.1.model.", true),
];

/// What begins with `prefix`, without it.
fn below(prefix: &str, places: &BTreeMap<String, Place>) -> BTreeMap<String, Place> {
    let found = places.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    found.map(|(name, place)| (name[prefix.len()..].to_owned(), place.clone())).collect()
}

/// The tensors of a part under our names, if the file has them in the original layout.
pub(super) fn part_of(part: &str, places: &BTreeMap<String, Place>) -> Option<HashMap<String, Place>> {
    let mut found = HashMap::new();
    match part {
        "unet" => {
            let whole = below("model.diffusion_model.", places);
            let inside = if whole.is_empty() { places } else { &whole };
            if !inside.contains_key("input_blocks.0.0.weight") {
                return None;
            }
            let renaming = UnetNames::of_original(&|name| inside.contains_key(name)).to_ours();
            let renamed = inside.iter().filter_map(|(name, place)| Some((renaming.of(name)?, place.clone())));
            found.extend(renamed);
        }
        "vae" => {
            let whole = below("first_stage_model.", places);
            let inside = if whole.is_empty() { places } else { &whole };
            let levels = |half: &str| {
                (0..).take_while(|i| inside.contains_key(&format!("{half}.{i}.block.0.norm1.weight"))).count()
            };
            let count = levels("decoder.up").max(levels("encoder.down"));
            if count == 0 {
                return None;
            }
            found.extend(inside.iter().filter_map(|(name, place)| Some((vae_name(name, count)?, place.clone()))));
        }
        _ => {
            let (_, prefix, open) = TEXT.into_iter().find(|(of, prefix, _)| {
                *of == part && places.range((*prefix).to_owned()..).next().is_some_and(|(n, _)| n.starts_with(prefix))
            })?;
            for (name, place) in below(prefix, places) {
                if open {
                    open_clip(&name, place, part == "text_encoder_2", &mut found);
                } else {
                    found.insert(name, place);
                }
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of a UNet in the diffusers layout: per level its layers and whether it attends.
    fn diffusers(levels: &[(usize, bool)]) -> Vec<String> {
        let mut names = vec!["conv_in.weight".to_owned()];
        let last = levels.len() - 1;
        for (side, more) in [("down", 0), ("up", 1)] {
            for i in 0..levels.len() {
                let (layers, attends) = levels[if side == "down" { i } else { last - i }];
                for j in 0..layers + more {
                    names.extend(RESNET.map(|(_, here)| format!("{side}_blocks.{i}.resnets.{j}.{here}.weight")));
                    if attends {
                        names.push(format!("{side}_blocks.{i}.attentions.{j}.proj_in.weight"));
                    }
                }
                if i < last {
                    names.push(format!("{side}_blocks.{i}.{side}samplers.0.conv.weight"));
                }
            }
        }
        names
    }

    #[test]
    fn every_name_of_a_unet_leads_to_the_original_one_and_back() {
        for levels in
            [vec![(2, true), (2, true), (2, true), (2, false)], vec![(2, false), (2, true), (2, true)], vec![(1, true)]]
        {
            let ours = diffusers(&levels);
            let to = UnetNames::of_diffusers(&|name| ours.iter().any(|n| n == name)).to_original();
            let theirs: Vec<String> = ours.iter().map(|name| to.of(name).unwrap()).collect();
            let from = UnetNames::of_original(&|name| theirs.iter().any(|n| n == name)).to_ours();
            let again: Vec<String> = theirs.iter().map(|name| from.of(name).unwrap()).collect();
            assert_eq!(again, ours);
        }
    }

    #[test]
    fn blocks_are_numbered_as_in_the_original_code() {
        let ours = diffusers(&[(2, true), (2, true), (2, true), (2, false)]);
        let to = UnetNames::of_diffusers(&|name| ours.iter().any(|n| n == name)).to_original();
        let check = |ours: &str, theirs: &str| assert_eq!(to.of(ours).as_deref(), Some(theirs));
        check("down_blocks.0.downsamplers.0.conv.weight", "input_blocks.3.0.op.weight");
        check(
            "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
            "input_blocks.4.1.transformer_blocks.0.attn2.to_k",
        );
        check("up_blocks.0.upsamplers.0.conv.bias", "output_blocks.2.1.conv.bias");
        check("up_blocks.1.upsamplers.0.conv.bias", "output_blocks.5.2.conv.bias");
        check("mid_block.resnets.1.conv2.weight", "middle_block.2.out_layers.3.weight");
        check("time_embedding.linear_2.weight", "time_embed.2.weight");
        assert_eq!(to.of("down_blocks.9.resnets.0.conv1.weight"), None);
    }

    #[test]
    fn the_decoders_levels_count_from_the_picture_and_the_encoders_too() {
        let check = |theirs: &str, ours: Option<&str>| assert_eq!(vae_name(theirs, 4).as_deref(), ours, "{theirs}");
        check("decoder.up.0.block.2.nin_shortcut.bias", Some("decoder.up_blocks.3.resnets.2.conv_shortcut.bias"));
        check("decoder.up.3.upsample.conv.weight", Some("decoder.up_blocks.0.upsamplers.0.conv.weight"));
        check("encoder.down.0.downsample.conv.weight", Some("encoder.down_blocks.0.downsamplers.0.conv.weight"));
        check("encoder.mid.attn_1.proj_out.weight", Some("encoder.mid_block.attentions.0.to_out.0.weight"));
        check("decoder.norm_out.bias", Some("decoder.conv_norm_out.bias"));
        check("quant_conv.weight", Some("quant_conv.weight"));
        check("decoder.up.9.block.0.conv1.weight", None);
        check("loss.logvar", None);
    }
}
