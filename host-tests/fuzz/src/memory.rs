//! How much memory is in use, and was at most.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How many octets were in use at most while this was done, above those before.
pub fn most_used(act: impl FnOnce()) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    act();
    ALLOCATOR.peak_usage().saturating_sub(before)
}
