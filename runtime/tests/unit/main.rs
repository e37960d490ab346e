//! The parts of the runtime, each by itself.

mod blocks;
mod constants;
mod hash;
mod lanes;
mod layouts;
mod long_products;
mod long_sums;
mod machine;
mod math;
mod narrow;
mod random;
mod reference;
mod settings;
mod simd;
mod split;
mod tape;
