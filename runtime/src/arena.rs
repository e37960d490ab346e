//! The one block of memory that a program runs in: 64-byte aligned, zeroed, allocated once. Several
//! executors may share the weights in one block, each with a part of its own.
#![expect(unsafe_code, reason = "one block of memory, viewed as disjoint buffers")]

use bumpalo::Bump;
use std::alloc::Layout;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

/// The alignment of the block and of every buffer in it: a cache line, and an AVX-512 vector.
pub const ALIGNMENT: usize = 64;
/// The size of a huge page: 512 entries of a page table of x86-64, or of AArch64 with small ones.
const HUGE_PAGE: usize = 2 << 20;

/// A block of floats, or a part of one beside a part that all who share the block read.
pub struct Arena {
    // Owns the block that `base` points into; a chunk of a Bump never moves.
    _block: Arc<Mutex<Bump>>,
    base: NonNull<f32>,
    /// The floats that no other arena has.
    own: Range<usize>,
    /// Those that are only read.
    shared: Range<usize>,
}

// SAFETY: the block is plain memory, and nothing in it belongs to a thread; its arenas write
// disjoint parts of it, and what several read none writes.
unsafe impl Send for Arena {}
// SAFETY: shared access only reads, or copies the base out; who writes through that owes what
// `Memory::new` asks for.
unsafe impl Sync for Arena {}

impl Arena {
    /// A zeroed block of at least `bytes` bytes, or `None` where the system has no such memory.
    pub fn new(bytes: usize) -> Option<Arena> {
        let bytes = bytes.max(ALIGNMENT).checked_next_multiple_of(ALIGNMENT)?;
        let bump = Bump::new();
        let alignment = if bytes < 2 * HUGE_PAGE { ALIGNMENT } else { HUGE_PAGE };
        let layout = Layout::from_size_align(bytes, alignment).ok()?;
        let base = bump.try_alloc_layout(layout).ok()?;
        if alignment == HUGE_PAGE {
            prefer_huge_pages(base, bytes / HUGE_PAGE * HUGE_PAGE);
        }
        // SAFETY: the block has just been allocated with this size.
        unsafe { base.as_ptr().write_bytes(0, bytes) };
        let (base, block) = (base.cast(), Arc::new(Mutex::new(bump)));
        Some(Arena { _block: block, base, own: 0..bytes / 4, shared: 0..0 })
    }

    /// Divides an arena: each of the results has one of the parts to itself and reads `shared`.
    ///
    /// # Panics
    /// If these are not disjoint parts of the arena, in ascending order.
    pub fn divide(self, shared: Range<usize>, parts: &[Range<usize>]) -> Vec<Arena> {
        let mut end = self.own.start;
        for part in [&shared].into_iter().chain(parts) {
            assert!(end <= part.start && part.start <= part.end, "the parts are disjoint");
            end = part.end;
        }
        assert!(end <= self.own.end && self.shared.is_empty(), "the parts are of a whole arena");
        let arena = |own: &Range<usize>| Arena {
            _block: self._block.clone(),
            base: self.base,
            own: own.clone(),
            shared: shared.clone(),
        };
        parts.iter().map(arena).collect()
    }

    /// The first float of the block.
    #[inline]
    fn base(&self) -> *mut f32 {
        self.base.as_ptr()
    }

    /// The number of floats, those that are shared among them.
    pub fn floats_len(&self) -> usize {
        self.own.len() + self.shared.len()
    }

    #[inline]
    fn is_own(&self, start: usize, end: usize) -> bool {
        self.own.start <= start && start <= end && end <= self.own.end
    }

    #[inline]
    fn is_readable(&self, start: usize, end: usize) -> bool {
        let shared = self.shared.start <= start && start <= end && end <= self.shared.end;
        self.is_own(start, end) || shared
    }

    /// The floats from `start` up to `end`.
    pub fn floats(&self, start: usize, end: usize) -> &[f32] {
        assert!(self.is_readable(start, end), "a view lies inside the arena");
        // SAFETY: the range has just been checked, the block is initialised, and the borrow of the
        // arena keeps `floats_mut` away; kernels only run while the executor is borrowed mutably.
        // What is shared is written by none.
        unsafe { std::slice::from_raw_parts(self.base().add(start), end - start) }
    }

    /// The floats from `start` up to `end`, to be changed.
    pub fn floats_mut(&mut self, start: usize, end: usize) -> &mut [f32] {
        assert!(self.is_own(start, end), "a view lies inside the arena");
        // SAFETY: as in `floats`, and the mutable borrow makes it the only view.
        unsafe { std::slice::from_raw_parts_mut(self.base().add(start), end - start) }
    }
}

impl Arena {
    /// The bytes from `start` up to `end`.
    pub fn bytes(&self, start: usize, end: usize) -> &[u8] {
        assert!(self.is_readable(start / 4, end.div_ceil(4)), "a view lies inside the arena");
        // SAFETY: as in `floats`; any byte of a float is one.
        unsafe { std::slice::from_raw_parts(self.base().cast::<u8>().add(start), end - start) }
    }

    /// The bytes from `start` up to `end`, to be changed.
    pub fn bytes_mut(&mut self, start: usize, end: usize) -> &mut [u8] {
        assert!(self.is_own(start / 4, end.div_ceil(4)), "a view lies inside the arena");
        // SAFETY: as in `floats_mut`; any four bytes are a float.
        unsafe { std::slice::from_raw_parts_mut(self.base().cast::<u8>().add(start), end - start) }
    }
}

/// Asks for huge pages, which spare the processor the walks to the addresses of small ones. A
/// system that has none to give refuses, and the block is as good in small ones.
#[cfg(target_os = "linux")]
fn prefer_huge_pages(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's block is this large, and the advice leaves what lies in it as it is.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
}

/// Other systems choose the size of pages themselves.
#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages(_: NonNull<u8>, _: usize) {}

/// The arena as the kernels of one thread see it while a step runs.
#[derive(Clone, Copy)]
pub struct Memory {
    base: *mut f32,
}

// SAFETY: a pointer to plain memory; who follows it owes what `Memory::new` asks for.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// The memory of an arena.
    ///
    /// # Safety
    /// Until the last use of the result, nothing else reads or writes the arena but the steps of
    /// one verified program, bound for this arena, and where several threads run them, each step
    /// only its own part of the written buffers, with a barrier before another thread reads that.
    /// Of an arena that was divided, the steps write its own part alone.
    #[inline]
    pub unsafe fn new(arena: &Arena) -> Memory {
        Memory { base: arena.base() }
    }

    /// The float at `offset`, which is inside the arena.
    #[inline(always)]
    pub fn at(self, offset: usize) -> *mut f32 {
        self.base.wrapping_add(offset)
    }

    /// A range to be read.
    ///
    /// # Safety
    /// It lies inside the arena, and while the result lives nothing writes it.
    #[inline(always)]
    pub unsafe fn read<'a>(self, offset: usize, len: usize) -> &'a [f32] {
        // SAFETY: the contract is this function's, and the arena is initialised.
        unsafe { std::slice::from_raw_parts(self.at(offset), len) }
    }

    /// A range to be written.
    ///
    /// # Safety
    /// It lies inside the arena, and while the result lives nothing else reads or writes it.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the caller vouches that it is alone, not a borrow")]
    pub unsafe fn write<'a>(self, offset: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: the contract is this function's, and the arena is initialised.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset), len) }
    }
}
