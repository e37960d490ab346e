//! The opcodes over lanes.

use arenet_runtime::kernel::lanes::compute_one;
use arenet_runtime::program::Opcode;

#[test]
fn every_opcode_computes_what_its_entry_says() {
    for opcode in Opcode::ALL {
        for args in [[0.3f32, 0.7, -1.1], [1.7, -0.4, 2.0], [3.0, 0.25, 0.5]] {
            let expected = opcode.eval(args.map(f64::from));
            let found = f64::from(compute_one(opcode, args));
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-6, "{opcode:?} of {args:?} is {found}, not {expected}");
        }
    }
}
