//! The split of rows, and the rows of a step.

use arenet_runtime::program::{Batch, Training};
use arenet_runtime::train::Fold;
use arenet_runtime::train::settings::{batch_rows, split, split_fold};

#[test]
fn a_split_holds_every_row_once_and_depends_on_the_seed() {
    let (training, held) = split(10, 0.25, 3).unwrap();
    assert_eq!((training.len(), held.len()), (7, 3), "2.5 rows round up");
    let mut all = [training, held.clone()].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..10));
    assert!(held.is_sorted());
    assert_eq!(split(10, 0.25, 3).unwrap().1, held);
    assert!((0..20).any(|seed| split(10, 0.25, seed).unwrap().1 != held));
}

#[test]
fn folds_hold_out_every_row_once() {
    let of = |index| split_fold(11, Fold { index, count: 4 }, 3).unwrap();
    let folds: Vec<(Vec<u32>, Vec<u32>)> = (0..4).map(of).collect();
    let mut held: Vec<u32> = folds.iter().flat_map(|(_, held)| held.clone()).collect();
    held.sort_unstable();
    assert!(held.into_iter().eq(0..11));
    for (training, held) in &folds {
        assert!([2, 3].contains(&held.len()));
        let mut all = [&training[..], held].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..11));
    }
    let error = split_fold(3, Fold { index: 0, count: 4 }, 0).unwrap_err();
    assert_eq!(error.to_string(), "3 rows are too few for 4 folds");
}

#[test]
fn a_split_keeps_a_row_on_each_side_or_fails() {
    assert_eq!(split(3, 0.0, 0), Ok((vec![0, 1, 2], vec![])));
    assert_eq!(split(100, 0.001, 0).unwrap().1.len(), 1);
    let message = |rows, share| split(rows, share, 0).unwrap_err().to_string();
    assert_eq!(
        message(4, 0.9),
        "a share of 0.9 holds out 4 of 4 rows, and leaves none to train on"
    );
    assert_eq!(
        message(1, 0.1),
        "a share of 0.1 holds out 1 of 1 rows, and leaves none to train on"
    );
    assert_eq!(message(0, 0.0), "there are no rows to train on");
}

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
