//! The rows of a step.

use arenet_runtime::program::{Batch, Training};
use arenet_runtime::train::settings::batch_rows;

#[test]
fn a_batch_has_no_more_rows_than_there_are() {
    let batch_rows = |batch, accumulate, planned| {
        let training = Training { batch, accumulate, ..Training::default() };
        batch_rows(&training, 10, planned)
    };
    assert_eq!(batch_rows(Batch::Rows(64), 1, 64), Ok(10));
    assert_eq!(batch_rows(Batch::Rows(4), 1, 64), Ok(4));
    assert_eq!(batch_rows(Batch::Full, 1, 10), Ok(10));
    assert_eq!(batch_rows(Batch::Full, Training::ALL_BATCHES, 8), Ok(8));
    assert_eq!(
        batch_rows(Batch::Full, 1, 8).unwrap_err().to_string(),
        "a full batch has 10 rows, but the net is compiled for 8: compile it \
         with `arenet compile --batch 10`"
    );
}
