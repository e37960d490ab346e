//! `train --live`: a training in full screen, with its curves. It is built by the feature `live`,
//! and drawn by a thread of its own, so that a step waits for nothing.

#[cfg(not(feature = "live"))]
mod missing;
#[cfg(feature = "live")]
mod screen;
#[cfg(feature = "live")]
mod view;
#[cfg(feature = "live")]
mod window;

#[cfg(not(feature = "live"))]
pub use missing::Live;
#[cfg(feature = "live")]
pub use window::Live;

/// What is told of a run.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The name of the net.
    #[cfg_attr(not(feature = "live"), expect(dead_code, reason = "only a window shows it"))]
    pub net: String,
    pub epochs: u64,
    pub batches_per_epoch: u64,
    /// Which metrics are shown in percent.
    pub percent: Vec<bool>,
}
