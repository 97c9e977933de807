//! Giving memory back to the operating system.

/// Hands free memory that the C library keeps for later back to the operating system, where it can be asked to (glibc).
///
/// A large model leaves gaps behind: between its weights once it is loaded, and between activations once a step is done.
/// They are free, but count as this process's. Takes some milliseconds for each GB.
pub fn release_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> i32;
        }
        // SAFETY: the C library's own function, for any thread at any time; it touches free memory alone. What it returns says
        // whether there was any.
        let _ = unsafe { malloc_trim(0) };
    }
}
