//! AMX: products of bf16 in tiles of 16 rows of 64 bytes.
//!
//! The walk over a job is apart from the [`Engine`] that multiplies one block, so that it can be
//! tested on processors without AMX, with loops for an engine.

use std::sync::OnceLock;

use crate::tile::{Multiply, ROW_STRIDE};

/// Rows, and columns, and words of depth of a tile.
const SIDE: usize = 16;

/// Some tiles' worth of product: `c = a b` if `fresh`, otherwise `c += a b`.
#[derive(Clone, Copy)]
struct Tiles {
    /// Rows [`ROW_STRIDE`] words apart.
    a: *const u32,
    b: *const u32,
    /// Words from one row of `b` to the next.
    b_stride: usize,
    /// Tiles along the depth.
    depth: usize,
    c: *mut f32,
    c_stride: usize,
    fresh: bool,
}

/// Multiplies `rows` times `cols` tiles, 1 or 2 each.
trait Engine {
    /// # Safety
    /// `a` has `16 * rows` rows of `16 * depth` words, `b` has `16 * depth` rows of `16 * cols` words, `c` has `16 * rows` rows of
    /// `16 * cols` f32 that nobody else touches.
    unsafe fn block(&self, tiles: Tiles, rows: usize, cols: usize);
}

/// # Safety
/// As [`Multiply`], for pairs of bf16; besides, `a` can be read up to a multiple of 16 rows, and
/// both `a` and `b` to a multiple of 16 words of depth, where they hold zeros beyond the job's
/// depth.
unsafe fn walk(engine: &impl Engine, job: Multiply) {
    let depth = job.depth.div_ceil(SIDE);
    let mut edge = [0.0_f32; 4 * SIDE * SIDE];
    for row in (0..job.rows).step_by(2 * SIDE) {
        let height = (job.rows - row).min(2 * SIDE);
        for col in (0..job.cols).step_by(2 * SIDE) {
            let width = (job.cols - col).min(2 * SIDE);
            let (rows, cols) = (height.div_ceil(SIDE), width.div_ceil(SIDE));
            // SAFETY: `row` and `col` lie within the job, and so do the rows and columns of this
            // block but for those that go to `edge` instead, which has room for four tiles.
            unsafe {
                let out = job.c.add(row * job.c_stride + col);
                let mut tiles = Tiles {
                    a: job.a.add(row * ROW_STRIDE),
                    b: job.b.add(col),
                    b_stride: job.width,
                    depth,
                    c: out,
                    c_stride: job.c_stride,
                    fresh: job.fresh,
                };
                if height.is_multiple_of(SIDE) && width.is_multiple_of(SIDE) {
                    engine.block(tiles, rows, cols);
                    continue;
                }
                // A block at the edge is computed beside the result, and its part copied.
                (tiles.c, tiles.c_stride) = (edge.as_mut_ptr(), 2 * SIDE);
                if !job.fresh {
                    for line in 0..height {
                        let to = tiles.c.add(line * 2 * SIDE);
                        to.copy_from_nonoverlapping(out.add(line * job.c_stride), width);
                    }
                }
                engine.block(tiles, rows, cols);
                for line in 0..height {
                    let from = tiles.c.add(line * 2 * SIDE);
                    out.add(line * job.c_stride).copy_from_nonoverlapping(from, width);
                }
            }
        }
    }
}

/// The processor's own tiles. Exists while they are set up on this thread.
struct Processor(());

/// 16 rows of 64 bytes for each of the eight tiles.
#[repr(C, align(64))]
struct TileConfig {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: TileConfig = TileConfig {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

impl Processor {
    /// # Safety
    /// The processor has AMX-TILE and AMX-BF16, and this process has leave to use them.
    unsafe fn set_up() -> Self {
        // SAFETY: the instruction reads 64 bytes, which `CONFIG` has.
        unsafe {
            std::arch::asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly));
        }
        Self(())
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        // Tiles left in use would make every change of threads slower.
        // SAFETY: a `Processor` exists only where the instruction does.
        unsafe { std::arch::asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// One block, tiles 0 to 3 being `c` (row by row), 4 and 5 `a`, 6 and 7 `b`.
macro_rules! block {
    ($tiles:ident, zero: [$($zero:literal),+], load: [$($load:literal),+], step: [$($step:literal),+], store: [$($store:literal),+]) => {
        std::arch::asm!(
            "test {fresh}, {fresh}",
            "jz 2f",
            $($zero,)+
            "jmp 3f",
            "2:",
            $($load,)+
            "3:",
            "test {depth}, {depth}",
            "jz 5f",
            "4:",
            $($step,)+
            "add {a}, 64",
            "add {b}, {b_step}",
            "dec {depth}",
            "jnz 4b",
            "5:",
            $($store,)+
            fresh = in(reg) usize::from($tiles.fresh),
            depth = inout(reg) $tiles.depth => _,
            a = inout(reg) $tiles.a => _,
            a_stride = in(reg) ROW_STRIDE * 4,
            b = inout(reg) $tiles.b => _,
            b_stride = in(reg) $tiles.b_stride * 4,
            b_step = in(reg) $tiles.b_stride * 4 * SIDE,
            c = in(reg) $tiles.c,
            lower = in(reg) $tiles.c.wrapping_add(SIDE * $tiles.c_stride),
            c_stride = in(reg) $tiles.c_stride * 4,
            lower_a = const ROW_STRIDE * 4 * SIDE,
            options(nostack),
        )
    };
}

impl Engine for Processor {
    #[inline]
    unsafe fn block(&self, tiles: Tiles, rows: usize, cols: usize) {
        // SAFETY: every tile read or written lies in what the caller promises, and a `Processor`
        // exists only where the instructions do and the tiles are set up. The tiles are no
        // registers that the compiler knows of or uses.
        unsafe {
            match (rows, cols) {
                (2, 2) => block!(tiles,
                    zero: ["tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3"],
                    load: ["tileloadd tmm0, [{c} + {c_stride}*1]", "tileloadd tmm1, [{c} + {c_stride}*1 + 64]",
                        "tileloadd tmm2, [{lower} + {c_stride}*1]", "tileloadd tmm3, [{lower} + {c_stride}*1 + 64]"],
                    step: ["tileloadd tmm4, [{a} + {a_stride}*1]", "tileloadd tmm6, [{b} + {b_stride}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6", "tileloadd tmm7, [{b} + {b_stride}*1 + 64]",
                        "tdpbf16ps tmm1, tmm4, tmm7", "tileloadd tmm5, [{a} + {a_stride}*1 + {lower_a}]",
                        "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7"],
                    store: ["tilestored [{c} + {c_stride}*1], tmm0", "tilestored [{c} + {c_stride}*1 + 64], tmm1",
                        "tilestored [{lower} + {c_stride}*1], tmm2", "tilestored [{lower} + {c_stride}*1 + 64], tmm3"]
                ),
                (2, 1) => block!(tiles,
                    zero: ["tilezero tmm0", "tilezero tmm2"],
                    load: ["tileloadd tmm0, [{c} + {c_stride}*1]", "tileloadd tmm2, [{lower} + {c_stride}*1]"],
                    step: ["tileloadd tmm4, [{a} + {a_stride}*1]", "tileloadd tmm6, [{b} + {b_stride}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6", "tileloadd tmm5, [{a} + {a_stride}*1 + {lower_a}]",
                        "tdpbf16ps tmm2, tmm5, tmm6"],
                    store: ["tilestored [{c} + {c_stride}*1], tmm0", "tilestored [{lower} + {c_stride}*1], tmm2"]
                ),
                (1, 2) => block!(tiles,
                    zero: ["tilezero tmm0", "tilezero tmm1"],
                    load: ["tileloadd tmm0, [{c} + {c_stride}*1]", "tileloadd tmm1, [{c} + {c_stride}*1 + 64]"],
                    step: ["tileloadd tmm4, [{a} + {a_stride}*1]", "tileloadd tmm6, [{b} + {b_stride}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6", "tileloadd tmm7, [{b} + {b_stride}*1 + 64]",
                        "tdpbf16ps tmm1, tmm4, tmm7", "/* {lower} {lower_a} */"],
                    store: ["tilestored [{c} + {c_stride}*1], tmm0", "tilestored [{c} + {c_stride}*1 + 64], tmm1"]
                ),
                _ => block!(tiles,
                    zero: ["tilezero tmm0"],
                    load: ["tileloadd tmm0, [{c} + {c_stride}*1]"],
                    step: ["tileloadd tmm4, [{a} + {a_stride}*1]", "tileloadd tmm6, [{b} + {b_stride}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6", "/* {lower} {lower_a} */"],
                    store: ["tilestored [{c} + {c_stride}*1], tmm0"]
                ),
            }
        }
    }
}

/// # Safety
/// As `walk` asks, and [`is_available`].
pub(super) unsafe fn multiply(job: Multiply) {
    // SAFETY: by the caller's promise.
    unsafe { walk(&Processor::set_up(), job) };
}

/// Whether the processor has AMX tiles for bf16, the kernel lets this process use them, and they
/// multiply as they should.
///
/// Asked once: leave to use the tiles is asked of the kernel here.
pub(crate) fn is_available() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| is_in_processor() && is_allowed() && multiplies_rightly())
}

fn is_in_processor() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    // Leaf 7, register d: bit 22 is AMX-BF16, bit 24 AMX-TILE.
    let wanted = 1 << 22 | 1 << 24;
    #[allow(unused_unsafe, reason = "safe functions in newer versions of the library only")]
    // SAFETY: every x86-64 processor has the instruction, and leaf 0 says whether it has leaf 7.
    unsafe {
        __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & wanted == wanted
    }
}

/// Asks Linux for leave to use the tiles, which are too large for it to save them for everybody.
#[cfg(target_os = "linux")]
fn is_allowed() -> bool {
    const ARCH_PRCTL: isize = 158;
    const REQUEST_PERMISSION: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let answer: isize;
    // SAFETY: this system call reads and writes no memory of ours; it changes the registers named.
    unsafe {
        std::arch::asm!(
            "syscall",
            inout("rax") ARCH_PRCTL => answer,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    answer == 0
}

#[cfg(not(target_os = "linux"))]
fn is_allowed() -> bool {
    false
}

/// Multiplies small whole numbers, whose sums are exact in any order.
fn multiplies_rightly() -> bool {
    let (a, b) = example(32, 32, 40);
    let mut results = [[0.0; 32 * 32]; 2];
    let [actual, expected] = &mut results;
    let job = Multiply { c: actual.as_mut_ptr(), ..job(&a, &b, 32, 32, 40) };
    // SAFETY: only called where the processor has the instructions and the kernel allows them;
    // `example` and `job` agree on the sizes.
    unsafe {
        multiply(job);
        walk(&Loops, Multiply { c: expected.as_mut_ptr(), ..job });
    }
    actual == expected
}

/// Rows and a panel of whole numbers within -4..=4, padded as `walk` asks.
fn example(rows: usize, cols: usize, depth: usize) -> (Vec<u32>, Vec<u32>) {
    let whole = |at: usize| u32::from(half::bf16::from_f32((at * 7 % 9) as f32 - 4.0).to_bits());
    let pair = |at: usize| whole(at) | whole(at + 5) << 16;
    let mut a = vec![0; rows.next_multiple_of(SIDE) * ROW_STRIDE];
    let width = cols.next_multiple_of(SIDE);
    let mut b = vec![0; width * depth.next_multiple_of(SIDE)];
    for row in 0..rows {
        for k in 0..depth {
            a[row * ROW_STRIDE + k] = pair(row * 31 + k);
        }
    }
    for k in 0..depth {
        for col in 0..cols {
            b[k * width + col] = pair(k * 17 + col);
        }
    }
    (a, b)
}

fn job(a: &[u32], b: &[u32], rows: usize, cols: usize, depth: usize) -> Multiply {
    Multiply {
        a: a.as_ptr(),
        rows,
        b: b.as_ptr(),
        width: cols.next_multiple_of(SIDE),
        depth,
        c: std::ptr::null_mut(),
        c_stride: cols,
        cols,
        fresh: true,
        bf16: true,
    }
}

/// What the tiles compute, as loops.
struct Loops;

impl Engine for Loops {
    unsafe fn block(&self, tiles: Tiles, rows: usize, cols: usize) {
        for (row, col) in (0..rows * SIDE).flat_map(|row| (0..cols * SIDE).map(move |col| (row, col))) {
            // SAFETY: within what the caller promises.
            unsafe {
                let c = tiles.c.add(row * tiles.c_stride + col);
                let mut sum = if tiles.fresh { 0.0 } else { *c };
                for k in 0..tiles.depth * SIDE {
                    let a = *tiles.a.add(row * ROW_STRIDE + k);
                    let b = *tiles.b.add(k * tiles.b_stride + col);
                    let product = |shift: u32| f32::from_bits(a >> shift << 16) * f32::from_bits(b >> shift << 16);
                    sum += product(0);
                    sum += product(16);
                }
                *c = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One element, without tiles.
    fn element(a: &[u32], b: &[u32], width: usize, row: usize, col: usize, depth: usize) -> f32 {
        let half = |word: u32, odd: bool| half::bf16::from_bits((if odd { word >> 16 } else { word }) as u16).to_f32();
        (0..depth)
            .flat_map(|k| [false, true].map(|odd| half(a[row * ROW_STRIDE + k], odd) * half(b[k * width + col], odd)))
            .sum()
    }

    fn check(engine: &impl Engine) {
        for (rows, cols, depth) in
            [(1, 1, 1), (16, 16, 16), (32, 32, 32), (33, 48, 17), (48, 40, 5), (7, 33, 100), (96, 32, 512), (20, 16, 0)]
        {
            let (a, b) = example(rows, cols, depth);
            for fresh in [true, false] {
                let before = 3.0;
                let mut c = vec![before; rows * cols];
                let job = Multiply { c: c.as_mut_ptr(), fresh, ..job(&a, &b, rows, cols, depth) };
                // SAFETY: `example` and `job` agree on the sizes.
                unsafe { walk(engine, job) };
                for (row, col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                    let expected = element(&a, &b, job.width, row, col, depth) + if fresh { 0.0 } else { before };
                    assert_eq!(c[row * cols + col], expected, "{rows}x{cols}x{depth} at {row}, {col}, fresh {fresh}");
                }
            }
        }
    }

    #[test]
    fn the_walk_over_tiles_reaches_every_element_once() {
        check(&Loops);
    }

    #[test]
    fn the_processors_tiles_multiply_like_the_loops() {
        if is_available() {
            // SAFETY: as just asked.
            check(&unsafe { Processor::set_up() });
        }
    }
}
