//! Memory that goes from one layer to the next.
//!
//! A step makes some hundreds of intermediate results of a few sizes. Memory fresh from the operating system is cleared
//! page by page when it is first touched, which takes a tenth of a step at the shape of Stable Diffusion 1.5. So a layer
//! that has done with a result hands its buffer in, and the next result of about that size is written over it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor};

/// The least values worth keeping, and the most (64 MiB): pictures at full size go back to the system.
const SIZES: std::ops::RangeInclusive<usize> = 4096..=16 << 20;

/// Values kept at most (96 MiB).
const KEPT: usize = 24 << 20;

/// Buffers of one size kept at most: no layer has more of them in hand.
const ALIKE: usize = 3;

/// Buffers that nobody has in hand.
struct Buffers(Vec<Vec<f32>>);

static BUFFERS: Mutex<Buffers> = Mutex::new(Buffers(Vec::new()));

fn buffers() -> MutexGuard<'static, Buffers> {
    BUFFERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Buffers {
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = |buffer: &Vec<f32>| (len..=len + len / 4).contains(&buffer.len());
        let best = (0..self.0.len()).filter(|i| fits(&self.0[*i])).min_by_key(|i| self.0[*i].len())?;
        let mut buffer = self.0.swap_remove(best);
        buffer.truncate(len);
        Some(buffer)
    }

    /// Keeps a buffer, and gives others up for it, the oldest first.
    fn keep(&mut self, buffer: Vec<f32>) {
        let alike = self.0.iter().filter(|other| other.len() == buffer.len()).count();
        if !SIZES.contains(&buffer.len()) || alike >= ALIKE {
            return;
        }
        self.0.push(buffer);
        let mut held: usize = self.0.iter().map(Vec::len).sum();
        let mut old = 0;
        while held > KEPT {
            held -= self.0[old].len();
            old += 1;
        }
        self.0.drain(..old);
    }
}

/// Numbers to be written over: `len` of them, of any value.
pub(super) fn take(len: usize) -> Vec<f32> {
    let kept = buffers().take(len);
    kept.unwrap_or_else(|| vec![0.0; len])
}

/// Above this many values (32 MiB) it is worth a few milliseconds to let the system have them.
const MUCH: usize = 8 << 20;

/// Gives all kept memory back to the system.
pub fn forget_buffers() {
    let kept = std::mem::take(&mut buffers().0);
    let much = kept.iter().map(Vec::len).sum::<usize>() > MUCH;
    drop(kept);
    if much {
        wordbrush_kernels::release_free_memory();
    }
}

struct Recycle;

impl InplaceOp1 for Recycle {
    fn name(&self) -> &'static str {
        "recycle"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> candle_core::Result<()> {
        if let CpuStorage::F32(values) = storage {
            buffers().keep(std::mem::take(values));
        }
        Ok(())
    }
}

/// Takes the memory of a result that nobody reads any more.
///
/// For results that the caller has had made by a layer and has shown to nobody: a clone or a view of `result` shares its
/// memory, and reading it afterwards fails. What lives on a GPU is left alone, and so are doubles: gradients are taken in them
/// (docs/decisions/0006), and read results again.
pub fn recycle(result: Tensor) {
    if !result.track_op() && result.device().is_cpu() {
        // It fails for no CPU tensor; if it did, the memory would be freed instead.
        let _ = result.inplace_op1(&Recycle);
    }
}

/// The next result, made of `x`, and then no more of `x`, as for [`recycle`].
///
/// # Errors
/// Fails if `next` does.
pub fn then(x: Tensor, next: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>) -> candle_core::Result<Tensor> {
    let result = next(&x)?;
    recycle(x);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_buffer_that_was_handed_in_is_written_over_by_a_result_of_about_its_size_and_no_other() {
        let len = 54_321;
        let mut buffers = Buffers(Vec::new());
        buffers.keep(vec![1.0; len]);
        assert_eq!(buffers.take(len / 2), None, "a buffer far too long is not lent");
        assert_eq!(buffers.take(len + 1), None, "a buffer that is too short is not lent");
        assert_eq!(buffers.take(len - 300), Some(vec![1.0; len - 300]));
        assert_eq!(buffers.take(len - 300), None, "it is lent once");
    }

    #[test]
    fn what_a_gradient_needs_is_not_handed_in() {
        let x = candle_core::Var::from_vec(vec![2.0f32; 5000], 5000, &Device::Cpu).unwrap();
        let square = (x.as_tensor() * x.as_tensor()).unwrap();
        recycle(square.clone());
        assert_eq!(square.to_vec1::<f32>().unwrap(), vec![4.0; 5000]);
    }
}
