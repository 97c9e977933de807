//! A node as its descendants see it: what it read, and what its run left behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use candle_core::{DType, Device, Tensor};
use half::f16;

use crate::attention::blend::Mask;
use crate::attention::maps::{KeptMap, StepMaps};
use crate::engine::{Conditions, Picture, Trajectory};
use crate::history::NodeId;
use crate::plan::Plan;
use crate::plan::lineage::Ancestry;
use crate::store::codec::{Blob, Dtype};
use crate::store::{Key, Store, ValueKind};

/// What a run left: enough to show it and to edit it.
#[derive(Debug)]
pub struct RunResult {
    /// All latents.
    pub trajectory: Trajectory,
    /// Word maps by step, `[keys, pixels]`.
    pub word_maps: Arc<Vec<Vec<f32>>>,
    /// Masks by step; empty if nothing was blended.
    pub masks: Vec<Option<Mask>>,
    /// The picture.
    pub picture: Picture,
}

/// A node, of the tree or of a way that is only tried (`/cycle`).
#[derive(Debug)]
pub struct RunNode {
    /// Its id; `None` if it is no node of the tree, and then nothing of it is stored.
    pub id: Option<NodeId>,
    /// Its plan.
    pub plan: Plan,
    /// Its prompt with identities and weights.
    pub generation: Ancestry,
    /// What it read, once asked for.
    pub(super) conditions: OnceLock<Arc<Conditions>>,
    /// What it left, once asked for.
    pub(super) left: Mutex<Option<Arc<RunResult>>>,
    /// Maps of a node that is not stored.
    pub(super) maps: Mutex<BTreeMap<usize, Arc<StepMaps>>>,
    /// Pixels outside the regions of all edits down to here, once asked for.
    pub(super) outside_all: OnceLock<Option<Arc<Vec<bool>>>>,
}

impl RunNode {
    /// A node that has not been drawn yet, as far as this process knows.
    #[must_use]
    pub fn new(id: Option<NodeId>, plan: Plan, generation: Ancestry) -> Self {
        Self {
            id,
            plan,
            generation,
            conditions: OnceLock::new(),
            left: Mutex::default(),
            maps: Mutex::default(),
            outside_all: OnceLock::new(),
        }
    }
}

/// The nodes whose runs a child of the first of `family` goes on with, nearest first: as far up as one that was not drawn by its
/// words, that one among them.
#[must_use]
pub fn lineage_of(family: &[Arc<RunNode>]) -> Vec<&Ancestry> {
    let from = family.iter().position(|node| !node.plan.goes_on()).map_or(family.len(), |at| at + 1);
    family[..from].iter().map(|node| &node.generation).collect()
}

/// The first step that the run of the first of `family` makes, of `steps`.
#[must_use]
pub fn first_step(family: &[Arc<RunNode>], steps: usize) -> usize {
    let from = family.iter().find(|node| !node.plan.goes_on());
    from.and_then(|node| node.plan.redraw()).map_or(0, |redraw| redraw.method.first(steps))
}

/// Puts what a run left into the store.
pub(super) fn keep_left(store: &Store, id: NodeId, left: &RunResult) -> Option<()> {
    let latents = left.trajectory.latents();
    let (h, w, c) = latents[0].dims3().ok()?;
    let mut values = Vec::with_capacity(latents.len() * h * w * c);
    for latent in latents {
        values.extend(latent.flatten_all().ok()?.to_vec1::<f32>().ok()?);
    }
    let put = |kind, blob: Option<Blob>| {
        store.put(Key::new(id, kind, 0), blob?);
        Some(())
    };
    put(ValueKind::Latents, Blob::from_f32(&[latents.len(), h, w, c], &values))?;
    let size = left.word_maps.first().map_or(0, Vec::len);
    put(ValueKind::WordMaps, Blob::from_f32(&[left.word_maps.len(), size], &left.word_maps.concat()))?;
    // One byte a pixel; 2 in a step that was not blended.
    let masks: Vec<u8> = left.masks.iter().flat_map(|m| m.clone().unwrap_or_else(|| vec![2; h * w])).collect();
    put(ValueKind::Masks, Blob::from_u8(&[left.masks.len(), h * w], masks))?;
    let Picture { width, height, bytes } = &left.picture;
    put(ValueKind::Picture, Blob::from_u8(&[*height, *width, 3], bytes.clone()))
}

/// What a run left, if the store still has all of it.
pub(super) fn find_left(store: &Store, id: NodeId, device: &Device) -> Option<RunResult> {
    let get = |kind| store.get(Key::new(id, kind, 0));
    let latents = get(ValueKind::Latents)?;
    let [count, h, w, c] = latents.shape().try_into().ok()?;
    let values = latents.to_f32()?;
    let one = |v: &[f32]| Tensor::from_slice(v, (h, w, c), device).ok();
    let latents: Vec<Tensor> = values.chunks(h * w * c).map(one).collect::<Option<_>>()?;
    let maps = get(ValueKind::WordMaps)?;
    let size = *maps.shape().get(1)?;
    let word_maps: Vec<Vec<f32>> = maps.to_f32()?.chunks(size.max(1)).map(<[f32]>::to_vec).collect();
    let masks = get(ValueKind::Masks)?;
    let mask = |m: &[u8]| if m.first() == Some(&2) { None } else { Some(m.to_vec()) };
    let masks = masks.data().chunks(h * w).map(mask).collect();
    let picture = get(ValueKind::Picture)?;
    let [height, width, _] = picture.shape().try_into().ok()?;
    if latents.len() != count || word_maps.len() + 1 != count {
        return None;
    }
    let picture = Picture { width, height, bytes: picture.data().to_vec() };
    Some(RunResult { trajectory: Trajectory::new(latents), word_maps: Arc::new(word_maps), masks, picture })
}

/// The picture alone, if the store still has it.
pub(super) fn find_picture(store: &Store, id: NodeId) -> Option<Picture> {
    let picture = store.get(Key::new(id, ValueKind::Picture, 0))?;
    let [height, width, _] = picture.shape().try_into().ok()?;
    Some(Picture { width, height, bytes: picture.data().to_vec() })
}

/// Several maps as one blob: for each its layer and shape, then all numbers as they are kept, of all maps alike. Each is let go once
/// it is packed: all of a large model's are some hundred MB.
fn pack(maps: Vec<(usize, KeptMap)>, limit: usize) -> Option<Blob> {
    let tensors = || maps.iter().map(|(layer, map)| (layer, map.tensor()));
    let half = tensors().all(|(_, tensor)| tensor.dtype() == DType::F16);
    let numbers: usize = tensors().map(|(_, tensor)| tensor.elem_count()).sum();
    let mut data = Vec::with_capacity(64 * (maps.len() + 1) + numbers * if half { 2 } else { 4 });
    data.extend([u8::from(half), maps.len() as u8]);
    data.extend((limit as u64).to_le_bytes());
    for (layer, tensor) in tensors() {
        data.extend([*layer as u8, tensor.rank() as u8]);
        tensor.dims().iter().for_each(|d| data.extend((*d as u32).to_le_bytes()));
    }
    for (_, map) in maps {
        let flat = map.tensor().flatten_all().ok()?;
        if half {
            let values = flat.to_vec1::<f16>().ok()?;
            data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        } else {
            let values = flat.to_vec1::<f32>().ok()?;
            data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
    }
    let len = data.len();
    Blob::new(Dtype::U8, &[len], data)
}

/// The maps of a blob with their layers, and its limit; `None` if it is not of this form.
fn unpack(blob: &Blob, device: &Device) -> Option<(Vec<(usize, KeptMap)>, usize)> {
    let mut rest = blob.data();
    let mut take = |n: usize| -> Option<&[u8]> {
        let (head, tail) = rest.split_at_checked(n)?;
        rest = tail;
        Some(head)
    };
    let [half, count] = take(2)?.try_into().ok()?;
    let limit = u64::from_le_bytes(take(8)?.try_into().ok()?) as usize;
    let mut shapes = Vec::new();
    for _ in 0..count {
        let [layer, rank] = take(2)?.try_into().ok()?;
        let mut dims = Vec::new();
        for _ in 0..rank {
            dims.push(u32::from_le_bytes(take(4)?.try_into().ok()?) as usize);
        }
        shapes.push((usize::from(layer), dims));
    }
    let mut maps = Vec::new();
    for (layer, dims) in shapes {
        let n = dims.iter().try_fold(1usize, |a, b| a.checked_mul(*b))?;
        let tensor = if half == 1 {
            let bytes = take(n.checked_mul(2)?)?;
            let values: Vec<f16> = bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b)).collect();
            Tensor::from_vec(values, dims, device)
        } else {
            let bytes = take(n.checked_mul(4)?)?;
            let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            Tensor::from_vec(values, dims, device)
        };
        maps.push((layer, tensor.ok()?.into()));
    }
    Some((maps, limit))
}

/// Puts the carried maps of a step into the store.
pub(super) fn keep_maps(store: &Store, id: NodeId, step: usize, maps: StepMaps, self_max: usize) {
    let put = |kind, maps: Vec<(usize, KeptMap)>, limit| {
        if let Some(blob) = (!maps.is_empty()).then(|| pack(maps, limit)).flatten() {
            store.put(Key::new(id, kind, step), blob);
        }
    };
    put(ValueKind::Cross, maps.cross.into_iter().collect(), 0);
    let own = maps.own.into_iter().flat_map(|(layer, (q, k))| [(layer, q), (layer, k)]);
    put(ValueKind::SelfAttention, own.collect(), self_max);
}

/// The carried text maps of a step, if the store has them.
pub(super) fn find_cross(store: &Store, id: NodeId, step: usize, device: &Device) -> Option<BTreeMap<usize, KeptMap>> {
    let (maps, _) = unpack(&*store.get(Key::new(id, ValueKind::Cross, step))?, device)?;
    Some(maps.into_iter().collect())
}

/// Queries and keys of a step by layer.
type OwnMaps = BTreeMap<usize, (KeptMap, KeptMap)>;

/// The queries and keys of a step, if the store has those of all layers up to `self_max` pixels.
pub(super) fn find_own(store: &Store, id: NodeId, step: usize, self_max: usize, device: &Device) -> Option<OwnMaps> {
    let (maps, limit) = unpack(&*store.get(Key::new(id, ValueKind::SelfAttention, step))?, device)?;
    if limit < self_max {
        return None;
    }
    let pairs = maps.chunks_exact(2).map(|p| (p[0].0, (p[0].1.clone(), p[1].1.clone())));
    Some(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_tensors_come_back_with_their_layers_shapes_and_bits() {
        let a = Tensor::new(&[[1.5f32, -2.25], [0.0, 65504.0]], &Device::Cpu).unwrap();
        let b = Tensor::new(&[3.0f32, 0.333_251_95], &Device::Cpu).unwrap();
        for half in [true, false] {
            let kept = |map| KeptMap::new(map, half).unwrap();
            let blob = pack(vec![(3, kept(&a)), (7, kept(&b))], 1024).unwrap();
            let (maps, limit) = unpack(&blob, &Device::Cpu).unwrap();
            assert_eq!((limit, maps[0].0, maps[1].0), (1024, 3, 7));
            assert_eq!(maps[0].1.wide().unwrap().to_vec2::<f32>().unwrap(), a.to_vec2::<f32>().unwrap());
            assert_eq!(maps[1].1.wide().unwrap().to_vec1::<f32>().unwrap(), b.to_vec1::<f32>().unwrap());
            assert_eq!(blob.data().len(), 26 + 6 * if half { 2 } else { 4 });
        }
    }

    #[test]
    fn a_blob_cut_anywhere_is_missing_not_wrong() {
        let a = Tensor::new(&[[1.5f32, -2.25], [0.0, 4.0]], &Device::Cpu).unwrap();
        let blob = pack(vec![(3, KeptMap::new(&a, false).unwrap())], 1).unwrap();
        for n in 0..blob.data().len() {
            let cut = Blob::from_u8(&[n], blob.data()[..n].to_vec()).unwrap();
            assert!(unpack(&cut, &Device::Cpu).is_none(), "cut at {n}");
        }
    }
}
