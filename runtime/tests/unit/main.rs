//! The parts of the runtime, each by itself.

mod blocks;
mod constants;
mod fit;
mod hash;
mod lanes;
mod layouts;
mod long_products;
mod long_sums;
mod machine;
mod math;
mod narrow;
mod plateau;
mod random;
mod reference;
mod settings;
mod simd;
mod split;
mod tape;
