//! Which rows are held out: the invariants of scikit-learn's splitters.

use arenet_runtime::train::Fold;
use arenet_runtime::train::chosen::Chosen;
use arenet_runtime::train::split::{By, Labels, Portion, split};

/// The rows to train on and those held out.
type Sides = (Vec<u32>, Vec<u32>);

fn listed((kept, held): (Chosen, Vec<u32>)) -> Sides {
    assert_eq!(kept.len(), kept.iter().count());
    (kept.iter().collect(), held)
}

fn share(rows: usize, by: By<'_>, share: f64, seed: u64) -> Sides {
    listed(split(rows, by, Portion::Share(share), seed).unwrap())
}

fn folds(rows: usize, by: By<'_>, count: u32, seed: u64) -> Vec<Sides> {
    let fold = |index| listed(split(rows, by, Portion::Fold(Fold { index, count }), seed).unwrap());
    (0..count).map(fold).collect()
}

fn message(rows: usize, by: By<'_>, portion: Portion) -> String {
    split(rows, by, portion, 0).unwrap_err().to_string()
}

/// Both sides together are all rows, and each is in their order.
fn check_sides((kept, held): &Sides, rows: u32) {
    let mut all = [&kept[..], held].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..rows) && kept.is_sorted() && held.is_sorted());
}

fn check_folds(folds: &[Sides], rows: u32) {
    folds.iter().for_each(|sides| check_sides(sides, rows));
    let mut held: Vec<u32> = folds.iter().flat_map(|(_, held)| held.clone()).collect();
    held.sort_unstable();
    assert!(held.into_iter().eq(0..rows), "each row is held out once");
}

/// Rows of classes of these sizes, mixed.
fn classes(sizes: &[usize]) -> Labels {
    let rows: usize = sizes.iter().sum();
    let mut of_row: Vec<u32> =
        (0..).zip(sizes).flat_map(|(class, size)| std::iter::repeat_n(class, *size)).collect();
    for row in 0..rows {
        of_row.swap(row, row * 7919 % rows);
    }
    Labels { of_row, names: (0..sizes.len()).map(|class| format!("c{class}")).collect() }
}

fn count(rows: &[u32], labels: &[u32], label: u32) -> usize {
    rows.iter().filter(|row| labels[**row as usize] == label).count()
}

#[test]
fn a_split_holds_every_row_once_and_depends_on_the_seed() {
    let held = share(10, By::Chance, 0.25, 3);
    check_sides(&held, 10);
    assert_eq!(held.1.len(), 3, "2.5 rows round up");
    assert_eq!(share(10, By::Chance, 0.25, 3), held);
    assert!((0..20).any(|seed| share(10, By::Chance, 0.25, seed) != held));
    assert_eq!(share(3, By::Chance, 0.0, 0), (vec![0, 1, 2], vec![]));
    assert_eq!(share(100, By::Chance, 0.001, 0).1.len(), 1);
}

#[test]
fn folds_hold_out_every_row_once() {
    let folds = folds(11, By::Chance, 4, 3);
    check_folds(&folds, 11);
    assert!(folds.iter().all(|(_, held)| [2, 3].contains(&held.len())));
}

#[test]
fn by_class_each_class_is_held_out_at_its_share() {
    for (sizes, part) in [
        (&[50, 50, 50][..], 0.2),
        (&[90, 9, 2], 0.25),
        (&[7, 11, 13, 29], 0.3),
        (&[1000, 17], 0.1),
        (&[2, 2], 0.5),
    ] {
        let labels = classes(sizes);
        let rows = labels.of_row.len();
        for seed in 0..5 {
            let sides = share(rows, By::Class(&labels), part, seed);
            check_sides(&sides, rows as u32);
            let total = sides.1.len();
            assert_eq!(total, (rows as f64 * part).round() as usize);
            for (class, &size) in (0..).zip(sizes) {
                let held = count(&sides.1, &labels.of_row, class);
                let exact = size as f64 * total as f64 / rows as f64;
                assert!((held as f64 - exact).abs() < 1.0, "{held} of {size} for {exact}");
            }
        }
        let [a, b] = [0, 1].map(|seed| share(rows, By::Class(&labels), part, seed));
        assert!(a != b || rows < 10);
        assert_eq!(a, share(rows, By::Class(&labels), part, 0));
    }
}

#[test]
fn folds_by_class_have_their_share_of_each_class() {
    let sizes = [31, 14, 5, 2];
    let labels = classes(&sizes);
    let folds = folds(52, By::Class(&labels), 5, 1);
    check_folds(&folds, 52);
    for (_, held) in &folds {
        assert!([10, 11].contains(&held.len()));
        for (class, size) in (0..).zip(sizes) {
            let own = count(held, &labels.of_row, class);
            assert!(own == size / 5 || own == size.div_ceil(5), "{own} of {size}");
        }
    }
}

#[test]
fn a_group_is_on_one_side() {
    let groups: Vec<u32> = (0..100).map(|row| row * row % 13).collect();
    let number = |group: u32| groups.iter().position(|other| *other == group);
    let groups: Vec<u32> = {
        let mut first: Vec<usize> = (0..13).filter_map(number).collect();
        first.sort_unstable();
        let own = |group: &u32| first.iter().position(|at| groups[*at] == *group).unwrap() as u32;
        groups.iter().map(own).collect()
    };
    let count = groups.iter().max().unwrap() + 1;
    let on_both = |sides: &Sides| {
        (0..count).any(|group| {
            self::count(&sides.0, &groups, group) > 0 && self::count(&sides.1, &groups, group) > 0
        })
    };
    for seed in 0..20 {
        let sides = share(100, By::Group(&groups), 0.3, seed);
        check_sides(&sides, 100);
        assert!(!on_both(&sides));
        let held = (0..count).filter(|group| self::count(&sides.1, &groups, *group) > 0).count();
        assert_eq!(held, (f64::from(count) * 0.3).round() as usize, "a share of the groups");
        let folds = folds(100, By::Group(&groups), 3, seed);
        check_folds(&folds, 100);
        assert!(!folds.iter().any(on_both));
        let sizes: Vec<usize> = folds.iter().map(|(_, held)| held.len()).collect();
        let largest =
            (0..count).map(|group| self::count(&(0..100).collect::<Vec<_>>(), &groups, group));
        let spread = sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
        assert!(spread <= largest.max().unwrap(), "{sizes:?}");
    }
}

#[test]
fn the_last_rows_are_held_out_in_their_order() {
    assert_eq!(share(10, By::Place, 0.3, 5), ((0..7).collect(), vec![7, 8, 9]));
    // TimeSeriesSplit(n_splits=3) of 11 rows.
    let expected = [(0..5, 5..7), (0..7, 7..9), (0..9, 9..11)];
    let expected: Vec<Sides> = expected.map(|(kept, held)| (kept.collect(), held.collect())).into();
    assert_eq!(folds(11, By::Place, 3, 5), expected);
}

#[test]
fn a_split_keeps_a_row_on_each_side_or_fails() {
    let chance = |rows, share| message(rows, By::Chance, Portion::Share(share));
    assert_eq!(chance(4, 0.9), "a share of 0.9 holds out 4 of 4 rows, and leaves none to train on");
    assert_eq!(chance(1, 0.1), "a share of 0.1 holds out 1 of 1 rows, and leaves none to train on");
    assert_eq!(chance(0, 0.0), "there are no rows to train on");
    let fold = |count| Portion::Fold(Fold { index: 0, count });
    assert_eq!(message(3, By::Chance, fold(4)), "3 rows are too few for 4 folds");
    let groups = [0, 0, 1, 1, 1];
    assert_eq!(message(5, By::Group(&groups), fold(3)), "2 groups are too few for 3 folds");
    assert_eq!(
        message(5, By::Group(&[0; 5]), Portion::Share(0.2)),
        "a share of 0.2 holds out 1 of 1 groups, and leaves none to train on"
    );
    assert_eq!(
        message(3, By::Place, fold(3)),
        "3 rows are too few for 3 folds in their order, which take one row more than there are \
         folds"
    );
    assert_eq!(
        message(11, By::Class(&classes(&[10, 1])), Portion::Share(0.2)),
        "the class c1 has one row, and by class each needs a row on either side: add rows of it, \
         or hold out without `by: class`"
    );
    assert_eq!(
        message(10, By::Class(&classes(&[4, 4, 2])), Portion::Share(0.2)),
        "a share of 0.2 holds out 2 of 10 rows, and by class each side needs a row of 3 classes"
    );
}

#[test]
fn chosen_rows_are_those_that_are_not_listed() {
    for without in [&[][..], &[0], &[0, 1, 2], &[3, 5, 6], &[9], &[0, 4, 8, 9]] {
        let chosen = Chosen::new(10, without);
        let expected: Vec<u32> = (0..10).filter(|row| !without.contains(row)).collect();
        assert_eq!(chosen.iter().collect::<Vec<_>>(), expected);
        assert_eq!(chosen.len(), expected.len());
        let by_place: Vec<u32> = (0..chosen.len()).map(|place| chosen.row(place)).collect();
        assert_eq!(by_place, expected);
        assert_eq!(chosen.first().iter().collect::<Vec<_>>(), expected[..1]);
        for range in [0..10, 2..7, 5..5, 8..20] {
            let within = expected.iter().copied().filter(|row| range.contains(&(*row as usize)));
            assert!(chosen.within(range.clone()).eq(within), "{without:?} in {range:?}");
        }
    }
    assert!(Chosen::default().is_empty() && Chosen::default().first().is_empty());
}
