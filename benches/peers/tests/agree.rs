//! The frameworks do the same work: from the same start, they find the same losses.

use arenet_peers::workloads::{Workload, workloads};
use arenet_peers::{Net, start, with_arenet, with_burn, with_candle};

/// The losses of three steps.
fn losses(mut net: impl Net) -> [f32; 3] {
    std::array::from_fn(|_| {
        net.step();
        net.loss()
    })
}

fn assert_close(what: &str, found: [f32; 3], expected: [f32; 3]) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0));
    assert!(close, "{what}: {found:?}, not {expected:?}");
}

fn check(workload: &Workload) {
    let start = start(workload);
    let arenet = losses(with_arenet::net(workload, &start));
    let candle = losses(with_candle::net(workload, &start));
    let burn = losses(with_burn::net(workload, &start));
    assert!(arenet[2] < arenet[0], "{}: nothing is learnt: {arenet:?}", workload.name);
    assert_close(&format!("{}, candle", workload.name), candle, arenet);
    assert_close(&format!("{}, burn", workload.name), burn, arenet);
}

/// Every loss, activation and optimizer of the table is in one of these.
#[test]
fn the_frameworks_agree_on_the_loss() {
    let small = ["seed-b32", "digits-b32", "mnist-b64", "mnist-adam-b128"];
    let table = workloads();
    for name in small {
        check(table.iter().find(|workload| workload.name == name).expect("it is in the table"));
    }
}
